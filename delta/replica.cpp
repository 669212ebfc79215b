#include "delta/replica.hpp"

#include <algorithm>

#include "core/check.hpp"
#include "delta/codec.hpp"
#include "delta/replica_parts.hpp"

namespace anabranch::delta {
namespace {

constexpr std::size_t kMessageBytesMin = 256;
constexpr std::size_t kMessageBytesLargest = 60'000;  // keeps every list of a message within core::kListMax

/// The variables that a call has appended to `changed`, each once.
void unique_from(std::vector<Changed>& changed, std::size_t first) {
  const auto begin = changed.begin() + static_cast<std::ptrdiff_t>(first);
  std::sort(begin, changed.end());
  changed.erase(std::unique(begin, changed.end()), changed.end());
}

}  // namespace

Replica::Parts::Parts(const Config& configuration)
    : config(configuration),
      limit(configuration.message_bytes - kPacketOverhead),
      writer(configuration.self, limit),
      logs(configuration.log_bytes_max) {
  CHECK(config.message_bytes >= kMessageBytesMin && config.message_bytes <= kMessageBytesLargest, config.message_bytes);
  CHECK(config.digest_interval > 0);
}

Replica::Replica(const Config& config) : parts_(std::make_unique<Parts>(config)) {}
Replica::~Replica() = default;

void Replica::Parts::send(NodeId to, Body body, Outbox& outbox) const {
  outbox.messages.push_back({to, Message{config.partition, std::move(body)}});
}

FlushNumber Replica::Parts::held(const Origin& origin) const {
  const auto at = vector.find(origin);
  return at != vector.end() ? at->second : 0;
}

void Replica::Parts::raise(const Origin& origin, FlushNumber top, Outbox& outbox) {
  vector[origin] = top;
  peers.raised(origin, top);
  settle_want(origin);
  if (origin == config.self) settle_waits(outbox);
}

void Replica::Parts::settle_want(const Origin& origin) {
  if (!wants.wants(origin)) return;
  const auto known = peers.known(origin);
  const FlushNumber top = held(origin);
  if (std::none_of(known.begin(), known.end(), [&](FlushNumber flush) { return flush > top; })) wants.settle(origin);
}

void Replica::Parts::settle_waits(Outbox& outbox) {
  if (waits.empty()) return;
  auto holders = peers.known(config.self);
  holders.push_back(writer.last());
  waits.settle(std::move(holders), outbox.reached);
}

void Replica::Parts::number(Interval flush, Outbox& outbox) {
  ++stats.flushes;
  const FlushNumber top = flush.top;
  logs.append(std::move(flush));
  raise(config.self, top, outbox);
}

void Replica::Parts::flush(Outbox& outbox) {
  if (auto flush = writer.seal()) number(std::move(*flush), outbox);
}

// ---- doors -------------------------------------------------------------------------------------------------------------

core::Result<Ticket> Replica::update(BytesView key, lattice::TypeId type, const lattice::Operation& operation,
                                     std::uint64_t wall_ms, Outbox& outbox) {
  std::vector<Interval> sealed;
  auto grew = parts_->writer.update(parts_->store, key, type, operation, wall_ms, sealed);
  for (Interval& flush : sealed) parts_->number(std::move(flush), outbox);
  ++(grew ? parts_->stats.updates : parts_->stats.refused);
  if (!grew) return tl::unexpected(std::move(grew.error()));
  if (*grew) outbox.changed.push_back({Bytes(key), type});
  return Ticket{parts_->writer.last() + (pending() ? 1 : 0)};
}

core::Result<Ticket> Replica::declare(BytesView key, lattice::TypeId type, Outbox& outbox) {
  std::vector<Interval> sealed;
  auto grew = parts_->writer.declare(parts_->store, key, type, sealed);
  for (Interval& flush : sealed) parts_->number(std::move(flush), outbox);
  ++(grew ? parts_->stats.updates : parts_->stats.refused);
  if (!grew) return tl::unexpected(std::move(grew.error()));
  if (*grew) outbox.changed.push_back({Bytes(key), type});
  return Ticket{parts_->writer.last() + (pending() ? 1 : 0)};
}

const lattice::Object* Replica::find(BytesView key, lattice::TypeId* type) const {
  const lattice::Object* object = parts_->store.find(key);
  if (object != nullptr && type != nullptr) *type = lattice::type_of(*object);
  return object;
}

void Replica::scan(BytesView prefix, std::vector<std::pair<BytesView, const lattice::Object*>>& out) const {
  scan(prefix, nullptr, SIZE_MAX, out);
}

void Replica::scan(BytesView prefix, const Bytes* after, std::size_t limit,
                   std::vector<std::pair<BytesView, const lattice::Object*>>& out) const {
  parts_->store.scan(prefix, after, limit, out);
}

void Replica::wait(FlushNumber flush, std::uint32_t copies, std::uint64_t token, Outbox& outbox) {
  parts_->waits.add(flush, copies, token);
  parts_->settle_waits(outbox);
}

void Replica::cancel_wait(std::uint64_t token) { parts_->waits.cancel(token); }

// ---- peers -------------------------------------------------------------------------------------------------------------

void Replica::peer_up(NodeId peer, core::Instant now, Outbox& outbox) {
  if (parts_->peers.find(peer) != nullptr) peer_down(peer, outbox);
  if (parts_->peers.all().empty()) parts_->last_tick = now / parts_->config.digest_interval;
  parts_->flush(outbox);
  parts_->peers.add(peer, parts_->vector);
  parts_->announce(peer, *parts_->peers.find(peer), false, outbox);
}

void Replica::peer_down(NodeId peer, Outbox& outbox) {
  if (parts_->peers.find(peer) == nullptr) return;
  parts_->peers.remove(peer);
  parts_->wants.forget_early_of(peer);
  for (const Origin& origin : parts_->wants.origins()) parts_->settle_want(origin);  // only this peer may have had it
  parts_->drop_transfers_of(peer);
  parts_->forget_parent(peer, outbox);
}

void Replica::handle(NodeId from, Message message, core::Instant now, Outbox& outbox) {
  if (message.partition != parts_->config.partition || parts_->peers.find(from) == nullptr) {
    ++parts_->stats.refused_messages;
    return;
  }
  const std::size_t first_changed = outbox.changed.size();
  std::visit([&](auto& body) { parts_->on(from, body, now, outbox); }, message.body);
  unique_from(outbox.changed, first_changed);
}

void Replica::flush(core::Instant /*now*/, Outbox& outbox) { parts_->flush(outbox); }

bool Replica::pending() const { return parts_->writer.pending(); }

bool Replica::has_news(NodeId peer) const {
  const Peer* at = parts_->peers.find(peer);
  return at != nullptr && !at->news.empty();
}

std::optional<Message> Replica::ship(NodeId peer, std::size_t budget_bytes, core::Instant /*now*/) {
  Peer* at = parts_->peers.find(peer);
  return at != nullptr ? parts_->ship(*at, budget_bytes) : std::nullopt;
}

void Replica::lost(NodeId peer, Origin origin, FlushNumber base) {
  Peer* at = parts_->peers.find(peer);
  if (at == nullptr) return;
  Link& link = at->links[origin];
  link.sent = std::min(link.sent, base);
  if (!link.lazy && std::max(link.known, link.sent) < parts_->held(origin)) at->news.insert(origin);
}

void Replica::on_deadline(core::Instant now, Outbox& outbox) {
  if (now >= parts_->next_tick()) parts_->tick(now, outbox);
  parts_->ask_for_due(now, outbox);
  parts_->run_transfer_deadlines(now, outbox);
}

core::Instant Replica::next_deadline() const {
  core::Instant next = std::min(parts_->next_tick(), parts_->wants.next_deadline());
  if (parts_->staging) next = std::min(next, parts_->staging->deadline());
  if (parts_->capture) next = std::min(next, parts_->capture->deadline());
  return next;
}

// ---- what it holds -----------------------------------------------------------------------------------------------------

Stats Replica::stats() const {
  Stats stats = parts_->stats;
  stats.variables = parts_->store.variables();
  stats.clashes = parts_->store.clashes();
  stats.log_bytes = parts_->logs.bytes();
  stats.peers = parts_->peers.all().size();
  return stats;
}

Vector Replica::vector() const { return parts_->vector; }

std::uint64_t Replica::fingerprint() const { return parts_->store.fingerprint(); }

}  // namespace anabranch::delta

#include "tests/delta/model_world.hpp"

#include <algorithm>
#include <array>

#include "delta/codec.hpp"

namespace anabranch::delta::model {
namespace {

constexpr std::uint32_t kPartitions = 8;
const std::array<Bytes, 3> kElements = {"a", "b", "c"};

lattice::TypeId type_of_key(const Bytes& key) {
  using lattice::TypeId;
  static const std::map<Bytes, TypeId> kTypes = {{"aw", TypeId::kAwSet},        {"ew", TypeId::kEwFlag},
                                                 {"dw", TypeId::kDwFlag},       {"mv", TypeId::kMvRegister},
                                                 {"pn", TypeId::kPnCounter},    {"hits", TypeId::kGCounter},
                                                 {"lww", TypeId::kLwwRegister}, {"gset", TypeId::kGSet}};
  return kTypes.at(key);
}

}  // namespace

World::World(std::uint64_t seed, Mutation mutation) : seed_(seed), mutation_(mutation), rng_(seed) {
  const std::array<double, 4> losses = {0, 0.05, 0.2, 0.5};
  const std::array<std::size_t, 4> packets = {260, 400, 700, 1'400};
  const std::array<std::size_t, 4> logs = {0, 700, 4'000, 1 << 20};
  loss_ = losses[rng_.below(losses.size())];
  config_.partition = static_cast<PartitionId>(rng_.below(kPartitions));
  config_.message_bytes = packets[rng_.below(packets.size())];
  config_.log_bytes_max = logs[rng_.below(logs.size())];
  nodes_.resize(2 + rng_.below(4));
  for (std::size_t slot = 0; slot < nodes_.size(); ++slot) start(slot, next_id_++);
  for (std::size_t a = 0; a < nodes_.size(); ++a)
    for (std::size_t b = 0; b < a; ++b) raise_link(a, b);
}

std::size_t World::slot_of(NodeId id) const {
  for (std::size_t slot = 0; slot < nodes_.size(); ++slot) {
    if (nodes_[slot].origin.node == id) return slot;
  }
  return nodes_.size();
}

void World::start(std::size_t slot, core::NodeId id) {
  Node& node = nodes_[slot];
  node = Node();
  node.origin = {id, 0};
  config_.self = node.origin;
  node.replica = std::make_unique<Replica>(config_);
}

void World::raise_link(std::size_t a, std::size_t b) {
  LinkState& state = link(a, b);
  if (state.up) return;
  state = {true, false, state.epoch + 1};
  for (const auto& [self, other] : {std::pair{a, b}, std::pair{b, a}}) {
    Outbox outbox;
    nodes_[self].replica->peer_up(nodes_[other].origin.node, now_, outbox);
    absorb(self, outbox);
  }
}

void World::break_link(std::size_t a, std::size_t b) {
  LinkState& state = link(a, b);
  if (!state.up) return;
  state.up = false;
  for (const auto& [self, other] : {std::pair{a, b}, std::pair{b, a}}) {
    Outbox outbox;
    nodes_[self].replica->peer_down(nodes_[other].origin.node, outbox);
    absorb(self, outbox);
  }
}

void World::crash(std::size_t slot) {
  ++tally_.crashes;
  for (std::size_t other = 0; other < nodes_.size(); ++other) {
    if (other != slot) break_link(slot, other);
  }
  start(slot, mutation_ == Mutation::kSameOrigin ? nodes_[slot].origin.node : next_id_++);
}

void World::operate(std::size_t slot) {
  static const std::array<Bytes, 10> kKeys = {"aw", "aw", "aw", "ew", "dw", "mv", "pn", "hits", "lww", "gset"};
  using lattice::Verb;
  Node& node = nodes_[slot];
  const Bytes& key = kKeys[rng_.below(kKeys.size())];
  const Bytes element = kElements[rng_.below(kElements.size())] + (rng_.chance(0.1) ? Bytes(300, 'x') : "");
  lattice::Operation operation{Verb::kAdd, 0, {element}, {}};
  if (key == "aw" && rng_.chance(0.4)) operation.verb = Verb::kRemove;
  if (key == "aw" && rng_.chance(0.1)) operation = {Verb::kClear, 0, {}, {}};
  if (key == "ew" || key == "dw") operation = {rng_.chance(0.5) ? Verb::kEnable : Verb::kDisable, 0, {}, {}};
  if (key == "mv" || key == "lww") operation.verb = Verb::kSet;
  if (key == "pn")
    operation = {
        rng_.chance(0.7) ? Verb::kIncrement : Verb::kDecrement, 1 + static_cast<std::int64_t>(rng_.below(9)), {}, {}};
  if (key == "hits")
    operation = {Verb::kTotal, 1 + static_cast<std::int64_t>(rng_.below(50)), {}, core::Actor::edge(0, rng_.below(4))};

  const Lives before = lives_of(node.replica->find(key));
  const Vector numbered = node.replica->vector();
  Outbox outbox;
  const auto ticket = node.replica->update(key, type_of_key(key), operation, 1'700'000'000'000 + rng_.below(3), outbox);
  require(ticket.has_value(), "an update was refused");
  ++tally_.operations;
  const FlushNumber flush = ticket->flush;
  const lattice::Object* after = node.replica->find(key);
  if (lattice::is_causal(type_of_key(key))) {
    const FlushNumber next = (numbered.contains(node.origin) ? numbered.at(node.origin) : 0) + 1;
    const bool cut = operation.verb == Verb::kClear && flush > next;
    oracle_.causal(key, node.origin, cut ? next : flush, flush, before, lives_of(after));
  }
  if (key == "pn")
    oracle_.count(node.origin, flush, operation.verb == Verb::kIncrement ? operation.amount : -operation.amount);
  if (key == "hits") oracle_.total(node.origin, flush, operation.actor, operation.amount);
  if (key == "lww") oracle_.written(node.origin, flush, std::get<lattice::LwwRegister>(*after));
  if (key == "gset") oracle_.added(node.origin, flush, element);
  if (rng_.chance(0.2)) {
    const auto copies = static_cast<std::uint32_t>(1 + rng_.below(nodes_.size()));
    node.waits[next_token_] = {flush, copies};
    node.replica->wait(flush, copies, next_token_++, outbox);
  }
  absorb(slot, outbox);
}

/// Hands on what a step wants done, and checks every promise that it makes.
void World::absorb(std::size_t slot, Outbox& outbox) {
  Node& node = nodes_[slot];
  for (const auto& [origin, flush] : node.replica->vector()) {
    auto& held = ever_held_[origin][node.origin.node];
    held = std::max(held, flush);
  }
  for (const std::uint64_t token : outbox.reached) {
    const auto at = node.waits.find(token);
    require(at != node.waits.end(), "a wait was reached twice");
    std::uint32_t holders = 0;
    for (const auto& [id, flush] : ever_held_[node.origin]) holders += flush >= at->second.first ? 1 : 0;
    require(holders >= at->second.second || at->second.first == 0, "a promise of copies was not true");
    node.waits.erase(at);
    ++tally_.promises;
  }
  for (Envelope& envelope : outbox.messages) post(slot, envelope.to, std::move(envelope.message));
}

void World::post(std::size_t from, NodeId to, Message message) {
  const std::size_t other = slot_of(to);
  require(other < nodes_.size() && link(from, other).up, "a message to a peer that is not up");
  falsify_sent(from, other, message);
  require(weight(message) + kPacketOverhead <= config_.message_bytes ||
              std::holds_alternative<Interval>(message.body) || std::holds_alternative<TransferChunk>(message.body),
          "a control message does not fit a packet");
  flights_.push_back({from, other, link(from, other).epoch, encode({{std::move(message)}})});
}

void World::pump(std::size_t slot, bool gentle) {
  Node& node = nodes_[slot];
  Outbox outbox;
  node.replica->flush(now_, outbox);
  absorb(slot, outbox);
  for (std::size_t other = 0; other < nodes_.size(); ++other) {
    if (other == slot || !link(slot, other).up) continue;
    const std::size_t full = config_.message_bytes - kPacketOverhead;
    for (int i = 0; i < 200; ++i) {
      const std::size_t budget = gentle ? full : full - rng_.below(full / 2);
      auto message = node.replica->ship(nodes_[other].origin.node, budget, now_);
      if (!message) break;
      const auto& interval = std::get<Interval>(message->body);
      dots_until_[interval.origin][interval.top] =
          std::max(interval.dots_high, dots_until_[interval.origin][interval.top]);
      const std::size_t bytes = weight(*message);
      require(bytes <= budget || bytes > full, "an interval does not fit, though it was asked to");
      post(slot, nodes_[other].origin.node, std::move(*message));
    }
  }
}

void World::deliver(std::size_t index, bool keep) {
  Flight flight = flights_[index];
  if (!keep) {
    flights_[index] = std::move(flights_.back());
    flights_.pop_back();
  }
  const LinkState& state = link(flight.from, flight.to);
  if (!state.up || state.epoch != flight.epoch) return;
  auto packet = decode(flight.bytes, kPartitions);
  require(packet.has_value() || mutation_ != Mutation::kNone, packet ? "" : "decode: " + packet.error().message());
  if (!packet) return;
  Message& message = packet->messages.front();
  if (const auto* interval = std::get_if<Interval>(&message.body); interval != nullptr && rng_.chance(0.02))
    nodes_[flight.from].replica->lost(nodes_[flight.to].origin.node, interval->origin, interval->base);  // spurious
  if (state.blocked || rng_.chance(loss_)) {
    ++tally_.lost;
    const auto* interval = std::get_if<Interval>(&message.body);
    if (interval != nullptr && rng_.chance(0.7))
      nodes_[flight.from].replica->lost(nodes_[flight.to].origin.node, interval->origin, interval->base);
    return;
  }
  ++tally_.delivered;
  falsify_received(flight.to, message);
  Outbox outbox;
  nodes_[flight.to].replica->handle(nodes_[flight.from].origin.node, std::move(message), now_, outbox);
  absorb(flight.to, outbox);
  check(flight.to);
}

/// What holds after every step: vectors never regress; a replica is what its vector says.
void World::check(std::size_t slot) {
  Node& node = nodes_[slot];
  const Vector vector = node.replica->vector();
  for (const auto& [origin, flush] : node.last_seen) {
    const auto at = vector.find(origin);
    require(at != vector.end() && at->second >= flush, "a vector regressed");
  }
  node.last_seen = vector;
  if (node.replica->pending() || !rng_.chance(0.03)) return;
  oracle_.check(*node.replica);
  ++tally_.checks;
  for (const Node& other : nodes_) {
    if (other.replica->pending() || other.replica->vector() != vector) continue;
    require(other.replica->fingerprint() == node.replica->fingerprint(), "fingerprints differ at equal vectors");
  }
}

void World::step() {
  const std::size_t slot = rng_.below(nodes_.size());
  const std::size_t other = rng_.below(nodes_.size());
  const double x = rng_.unit();
  if (x < 0.22) {
    for (std::uint64_t i = 0; i <= rng_.below(3); ++i) operate(slot);
  } else if (x < 0.40) {
    pump(slot, false);
  } else if (x < 0.85) {
    for (int i = 0; i < 4 && !flights_.empty(); ++i) deliver(rng_.below(flights_.size()), rng_.chance(0.1));
  } else if (x < 0.97) {
    now_ += rng_.below(400) * core::kMillisecond;
    for (std::size_t due = 0; due < nodes_.size(); ++due) {
      if (nodes_[due].replica->next_deadline() > now_) continue;
      Outbox outbox;
      nodes_[due].replica->on_deadline(now_, outbox);
      absorb(due, outbox);
    }
  } else if (x < 0.99 && slot != other) {
    const double y = rng_.unit();
    ++tally_.breaks;
    if (y < 0.2)
      link(slot, other).blocked = true;
    else if (y < 0.4)
      break_link(slot, other);
    else
      raise_link(slot, other), link(slot, other).blocked = false;
  } else if (rng_.chance(0.6)) {
    crash(slot);
  }
}

bool World::settled() const {
  const Vector vector = nodes_.front().replica->vector();
  return flights_.empty() && std::all_of(nodes_.begin(), nodes_.end(), [&](const Node& node) {
           return !node.replica->pending() && node.replica->vector() == vector;
         });
}

void World::quiesce() {
  loss_ = 0;
  const core::Instant healed = now_;
  for (std::size_t a = 0; a < nodes_.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      raise_link(a, b);
      link(a, b).blocked = false;
    }
  }
  for (int round = 0; round < 300; ++round) {
    for (std::size_t slot = 0; slot < nodes_.size(); ++slot) pump(slot, true);
    for (int i = 0; i < 20'000 && !flights_.empty(); ++i) deliver(rng_.below(flights_.size()), false);
    if (settled()) {
      tally_.slowest_ms = (now_ - healed) / core::kMillisecond;
      require(now_ - healed < 30 * core::kSecond || mutation_ != Mutation::kNone, "agreement took too long");
      return;
    }
    core::Instant next = core::kNever;
    for (const Node& node : nodes_) next = std::min(next, node.replica->next_deadline());
    require(next != core::kNever, "nobody has a deadline, and vectors differ");
    now_ = std::max(now_, next);
    for (std::size_t slot = 0; slot < nodes_.size(); ++slot) {
      if (nodes_[slot].replica->next_deadline() > now_) continue;
      Outbox outbox;
      nodes_[slot].replica->on_deadline(now_, outbox);
      absorb(slot, outbox);
    }
  }
  throw Broken("the replicas did not agree in time");
}

void World::verdict() {
  const Replica& first = *nodes_.front().replica;
  std::vector<std::pair<BytesView, const lattice::Object*>> expected;
  first.scan("", expected);
  for (const Node& node : nodes_) {
    oracle_.check(*node.replica);
    std::vector<std::pair<BytesView, const lattice::Object*>> variables;
    node.replica->scan("", variables);
    require(variables.size() == expected.size(), "replicas hold different variables");
    for (std::size_t i = 0; i < variables.size(); ++i) {
      require(variables[i].first == expected[i].first && *variables[i].second == *expected[i].second,
              "a variable differs");
    }
    require(node.replica->fingerprint() == first.fingerprint(), "fingerprints differ");
    const Vector vector = first.vector();
    for (const Node& survivor : nodes_) {
      for (const auto& [origin, flush] : survivor.last_seen)
        require(vector.at(origin) >= flush, "a flush that a survivor held is lost");
    }
    const Stats stats = node.replica->stats();
    require(stats.fingerprint_alarms == 0 || mutation_ != Mutation::kNone, "a fingerprint alarm without a fault");
    require(stats.log_bytes <= config_.log_bytes_max, "the log is beyond its bound");
    tally_.transfers += stats.transfers_joined;
    tally_.gaps += stats.gaps;
    tally_.duplicates += stats.duplicates;
    tally_.prunes += stats.prunes;
  }
}

void World::run() {
  const std::uint64_t steps = 60 + rng_.below(400);
  for (std::uint64_t i = 0; i < steps; ++i) step();
  for (std::size_t slot = 0; slot < nodes_.size(); ++slot) check(slot);
  quiesce();
  verdict();
}

// ---- rules removed -----------------------------------------------------------------------------------------------------

void World::falsify_sent(std::size_t from, std::size_t to, Message& message) {
  if (auto* interval = std::get_if<Interval>(&message.body)) {
    if (mutation_ == Mutation::kWholeContext) {
      for (Entry& entry : interval->entries) {
        if (!lattice::is_causal(lattice::type_of(entry.fragment.object))) continue;
        for (const auto& [origin, flush] : nodes_[from].replica->vector()) {
          if (origin == interval->origin) continue;
          const auto& dots = dots_until_[origin];
          const auto at = dots.upper_bound(flush);
          const std::uint64_t last = at != dots.begin() ? std::prev(at)->second : 0;
          if (last > 0) entry.fragment.context.insert(origin, 1, last);
        }
      }
    }
    if (mutation_ == Mutation::kLinkAck) {
      Outbox outbox;
      nodes_[from].replica->handle(nodes_[to].origin.node, {config_.partition, Held{interval->origin, interval->top}},
                                   now_, outbox);
      absorb(from, outbox);
    }
    if (mutation_ == Mutation::kLostEntry && interval->entries.size() > 1) interval->entries.pop_back();
  }
  if (auto* digest = std::get_if<Digest>(&message.body); digest != nullptr && mutation_ == Mutation::kDigestOnce) {
    digest->vector_hash = digest->fingerprint = 0;
    Outbox outbox;
    nodes_[from].replica->handle(nodes_[to].origin.node, {config_.partition, DigestSeen{digest->number}}, now_, outbox);
    absorb(from, outbox);
  }
}

void World::falsify_received(std::size_t to, Message& message) {
  if (auto* interval = std::get_if<Interval>(&message.body);
      interval != nullptr && mutation_ == Mutation::kNoGapCheck) {
    const Vector vector = nodes_[to].replica->vector();
    const auto at = vector.find(interval->origin);
    interval->base = std::min(interval->base, at != vector.end() ? at->second : 0);
  }
  if (auto* chunk = std::get_if<TransferChunk>(&message.body); chunk != nullptr && mutation_ == Mutation::kApplyEarly) {
    TransferChunk& head = transfer_heads_[{nodes_[to].origin.node, chunk->id}];
    head.context.join(chunk->context);
    if (!chunk->vector.empty()) head.vector = chunk->vector;
    chunk->vector = head.vector;
    chunk->context = head.context;
    chunk->index = 0;
    chunk->count = 1;
  }
}

}  // namespace anabranch::delta::model

#include "net/link_table.hpp"

#include <algorithm>

#include "core/check.hpp"

namespace anabranch::net {
namespace {

constexpr unsigned kAnswerBurst = 16;                              // guess
constexpr core::Duration kAnswerRefill = core::kSecond / 64;       // guess
constexpr core::Duration kWelcomeAgain = 20 * core::kMillisecond;  // guess: not more often on request
constexpr int kLeaveCopies = 3;  // nobody repeats it; at 20 % loss one in 125 peers has to find out by silence

}  // namespace

LinkTable::LinkTable(Config config) : config_(std::move(config)), rng_(core::Rng::stream(config_.seed, "links")) {
  CHECK(config_.self != 0);
  CHECK(config_.name.size() <= kNameBytesMax, config_.name.size());
  CHECK(config_.half_open_max > 0);
  CHECK(config_.retry_first > 0 && config_.retry_first <= config_.retry_max);
}

void LinkTable::handle(const Event& event, core::Instant now, Outbox& outbox) {
  if (const auto* datagram = std::get_if<Datagram>(&event)) return on_datagram(*datagram, now, outbox);
  if (const auto* dial = std::get_if<Dial>(&event)) return on_dial(dial->address, now, outbox);
  if (const auto* stop = std::get_if<StopDial>(&event)) return static_cast<void>(dials_.erase(stop->address));
  if (const auto* close = std::get_if<Close>(&event)) return on_close(*close, outbox);
  on_unknown_epoch(std::get<UnknownEpoch>(event), now, outbox);
}

void LinkTable::on_deadline(core::Instant now, Outbox& outbox) {
  if (now < due_) return;
  due_ = core::kNever;
  for (auto& [address, attempt] : dials_) {
    if (attempt.next <= now) send_hello(address, attempt, now, outbox);
    due_ = std::min(due_, attempt.next);
  }
  for (auto half = half_open_.begin(); half != half_open_.end();) {
    if (half->second.next <= now) {
      if (half->second.repeats == 0) {
        half = drop_half_open(half);
        continue;
      }
      --half->second.repeats;
      send_welcome(half->second, now, outbox);
    }
    due_ = std::min(due_, half->second.next);
    ++half;
  }
}

void LinkTable::on_dial(core::Address address, core::Instant now, Outbox& outbox) {
  if (dials_.contains(address)) return;
  if (address == config_.listen) {
    outbox.notices.emplace_back(DialSelf{address});
    return;
  }
  if (dials_.size() >= config_.dials_max) {
    ++stats_.dials_dropped;
    return;
  }
  Attempt& attempt = dials_[address];
  attempt.nonce = draw_nonce();
  attempt.wait = config_.retry_first;
  send_hello(address, attempt, now, outbox);
}

void LinkTable::on_close(const Close& close, Outbox& outbox) {
  const auto link = links_.find(close.peer);
  if (link == links_.end()) return;
  const LinkInfo& info = link->second.info;
  if (close.epoch != 0 && close.epoch != info.epoch) return;
  const int copies = close.reason == CloseReason::kLeft ? kLeaveCopies : 1;
  for (int i = 0; i < copies; ++i) send(info.address, info.epoch, Goodbye{info.epoch, close.reason}, outbox);
  close_link(close.peer, close.reason, false, outbox);
}

void LinkTable::on_unknown_epoch(const UnknownEpoch& event, core::Instant now, Outbox& outbox) {
  if (event.epoch == 0 || epochs_.contains(event.epoch) || !take_answer_token(now)) return;
  const auto half = find_half_open(event.epoch);
  if (half != half_open_.end()) {
    if (now >= half->second.last + kWelcomeAgain) send_welcome(half->second, now, outbox);
    return;
  }
  ++stats_.unknown_epoch;
  send(event.from, event.epoch, Goodbye{event.epoch, CloseReason::kUnknownEpoch}, outbox);
}

void LinkTable::open(Link link, Outbox& outbox) {
  const LinkInfo info = link.info;
  CHECK(info.epoch != 0 && !epochs_.contains(info.epoch), info.epoch);
  close_link(info.peer, CloseReason::kReplaced, false, outbox);
  // One socket, one process: whoever had this address before is gone.
  const auto same_address = std::find_if(links_.begin(), links_.end(),
                                         [&](const auto& other) { return other.second.info.address == info.address; });
  if (same_address != links_.end()) close_link(same_address->first, CloseReason::kReplaced, false, outbox);

  link.born = ++born_;
  epochs_[info.epoch] = info.peer;
  links_[info.peer] = std::move(link);
  dials_.erase(info.address);
  outbox.notices.emplace_back(LinkUp{info});
}

void LinkTable::close_link(core::NodeId peer, CloseReason reason, bool by_peer, Outbox& outbox) {
  const auto link = links_.find(peer);
  if (link == links_.end()) return;
  outbox.notices.emplace_back(LinkDown{link->second.info, reason, by_peer});
  epochs_.erase(link->second.info.epoch);
  links_.erase(link);
}

const LinkInfo* LinkTable::by_epoch(core::LinkEpoch epoch) const {
  const auto found = epochs_.find(epoch);
  return found == epochs_.end() ? nullptr : by_peer(found->second);
}

const LinkInfo* LinkTable::by_peer(core::NodeId peer) const {
  const auto found = links_.find(peer);
  return found == links_.end() ? nullptr : &found->second.info;
}

std::vector<LinkInfo> LinkTable::links() const {
  std::vector<LinkInfo> all;
  all.reserve(links_.size());
  for (const auto& [peer, link] : links_) all.push_back(link.info);
  return all;
}

LinkTable::HalfOpen& LinkTable::add_half_open(core::Address from, const Hello& hello) {
  if (half_open_.size() >= config_.half_open_max) {
    ++stats_.half_open_evicted;
    drop_half_open(half_open_.find(half_open_age_.begin()->second));
  }
  const HalfOpenKey key{hello.node, hello.nonce};
  HalfOpen& half = half_open_[key];
  half.from = from;
  half.hello = hello;
  half.born = ++born_;
  half_open_age_[half.born] = key;
  do {
    half.nonce = draw_nonce();
    half.epoch = link_epoch(hello.nonce, half.nonce);
  } while (half.epoch == 0 || epochs_.contains(half.epoch));
  return half;
}

LinkTable::HalfOpens::iterator LinkTable::drop_half_open(HalfOpens::iterator half) {
  half_open_age_.erase(half->second.born);
  return half_open_.erase(half);
}

LinkTable::Dials::iterator LinkTable::find_dial(std::uint64_t nonce) {
  return std::find_if(dials_.begin(), dials_.end(), [&](const auto& dial) { return dial.second.nonce == nonce; });
}

LinkTable::HalfOpens::iterator LinkTable::find_half_open(core::LinkEpoch epoch) {
  return std::find_if(half_open_.begin(), half_open_.end(),
                      [&](const auto& half) { return half.second.epoch == epoch; });
}

bool LinkTable::take_answer_token(core::Instant now) {
  const std::uint64_t earned = now > answer_refill_ ? (now - answer_refill_) / kAnswerRefill : 0;
  if (earned > 0) {
    answer_tokens_ = static_cast<unsigned>(std::min<std::uint64_t>(kAnswerBurst, answer_tokens_ + earned));
    answer_refill_ += earned * kAnswerRefill;
  }
  if (answer_tokens_ == 0) return false;
  --answer_tokens_;
  return true;
}

std::uint64_t LinkTable::draw_nonce() {
  std::uint64_t nonce = 0;
  while (nonce == 0) nonce = rng_();
  return nonce;
}

core::Duration LinkTable::jittered(core::Duration base) { return base - base / 4 + rng_.below(base / 2 + 1); }

}  // namespace anabranch::net

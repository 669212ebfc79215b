#include "overlay/full_membership.hpp"

#include <algorithm>

#include "core/check.hpp"
#include "core/hash.hpp"
#include "core/machine.hpp"

namespace anabranch::overlay {

static_assert(core::Machine<FullMembership>);

namespace {

constexpr core::Duration kTombstoneKept = 3'600 * core::kSecond;  // guess: longer than any partition that still heals
constexpr core::Duration kTombstoneTold = 600 * core::kSecond;    // as long as a failed member is dialled
constexpr core::Duration kListGapMax = 10 * core::kSecond;        // guess
constexpr core::Duration kSettled = 10 * core::kSecond;           // a link that lived as long was no mistake; guess

void append(core::Bytes& bytes, std::uint64_t value, unsigned count) {
  for (unsigned i = 0; i < count; ++i) bytes.push_back(static_cast<char>((value >> (8 * i)) & 0xFF));
}

}  // namespace

std::string_view name(MemberState state) {
  switch (state) {
    case MemberState::kSelf: return "self";
    case MemberState::kJoining: return "joining";
    case MemberState::kAlive: return "alive";
    case MemberState::kSuspect: return "suspect";
    case MemberState::kFailed: return "failed";
    case MemberState::kLeft: return "left";
    case MemberState::kReplaced: return "replaced";
  }
  return "unknown";
}

FullMembership::FullMembership(Config config)
    : config_(std::move(config)), rng_(core::Rng::stream(config_.seed, "membership")) {
  CHECK(config_.self != 0);
  CHECK(config_.name.size() <= kNameBytesMax, config_.name.size());
  CHECK(config_.keepalive > 0 && config_.suspect_after > 0 && config_.failed_after >= config_.suspect_after);
  CHECK(config_.control_bytes_max <= kControlBytesMax);
  CHECK(config_.control_bytes_max >= kListOverheadBytes + encoded_bytes({.name = std::string(kNameBytesMax, ' ')}));
  for (const core::Address& address : config_.join) on_join(address);
  changed(0);
  announce_at_ = core::kNever;
}

void FullMembership::handle(const Event& event, core::Instant now, Outbox& outbox) {
  absorb_stall(now);
  if (const auto* heard = std::get_if<Heard>(&event)) {
    if (Member* member = linked_member(heard->peer, heard->epoch)) member->last_heard = now;
    return;  // once a frame: no more work than this
  }
  if (left_) {
    if (const auto* up = std::get_if<LinkUp>(&event))
      outbox.closes.push_back({up->peer, up->epoch, CloseReason::kLeft});
    return;
  }
  if (const auto* up = std::get_if<LinkUp>(&event)) on_link_up(*up, now, outbox);
  if (const auto* gone = std::get_if<LinkDown>(&event)) on_link_down(*gone, now, outbox);
  if (const auto* control = std::get_if<Control>(&event)) on_control(*control, now, outbox);
  if (const auto* refused = std::get_if<Refused>(&event)) on_refused(refused->address, now);
  if (const auto* self = std::get_if<DialSelf>(&event)) on_dial_self(self->address);
  if (const auto* linked = std::get_if<DialLinked>(&event)) on_dial_linked(linked->address, linked->peer, now);
  if (const auto* join = std::get_if<Join>(&event)) on_join(join->address);
  if (std::holds_alternative<Leave>(event)) return on_leave(now, outbox);
  update_dials(now, outbox);
}

void FullMembership::on_deadline(core::Instant now, Outbox& outbox) {
  absorb_stall(now);
  if (left_) return;
  if (now >= next_tick_) return tick(now, outbox);
  if (now >= announce_at_) send_keepalives(now, outbox);
}

core::Instant FullMembership::next_deadline() const {
  return left_ ? core::kNever : std::min(next_tick_, announce_at_);
}

/// Silence while our own loop stood still accuses nobody (overlay design 2.5, local health).
void FullMembership::absorb_stall(core::Instant now) {
  if (!started_) {
    started_ = true;
    next_tick_ = now;
    return;
  }
  if (left_ || now <= next_tick_ + config_.keepalive) return;
  ++stats_.stalls;
  const core::Duration late = now - next_tick_;
  for (auto& [node, member] : members_) member.last_heard = std::min(now, member.last_heard + late);
  next_tick_ = now;
}

void FullMembership::tick(core::Instant now, Outbox& outbox) {
  for (auto found = members_.begin(); found != members_.end();) {
    Member& member = found->second;
    if (member.epoch != 0) check_silence(member, now, outbox);
    plan_dial(member, now);
    const bool forget = member.epoch == 0 && now >= member.forget_at;
    found = forget ? members_.erase(found) : std::next(found);
  }
  send_keepalives(now, outbox);
  next_tick_ = now + jittered(config_.keepalive);
  update_dials(now, outbox);
}

void FullMembership::check_silence(Member& member, core::Instant now, Outbox& outbox) {
  const core::Duration silence = now - std::min(now, member.last_heard);
  if (silence >= config_.failed_after * config_.keepalive) {
    outbox.closes.push_back({member.spec.node, member.epoch, CloseReason::kFailed});
    down(member, DownReason::kFailed, now, outbox);
    return;
  }
  member.state = silence >= config_.suspect_after * config_.keepalive ? MemberState::kSuspect : MemberState::kAlive;
}

void FullMembership::on_link_up(const LinkUp& event, core::Instant now, Outbox& outbox) {
  const auto refuse = [&] { outbox.closes.push_back({event.peer, event.epoch, CloseReason::kStale}); };
  if (event.peer == config_.self || event.epoch == 0) return refuse();
  const auto known = members_.find(event.peer);
  if (known == members_.end() && !admit()) return refuse();
  Member& member = members_[event.peer];
  if (known != members_.end()) {
    if (event.incarnation < member.spec.incarnation) return refuse();
    if (event.incarnation == member.spec.incarnation && member.spec.left) return refuse();
  }
  if (member.epoch != 0) down(member, DownReason::kReplaced, now, outbox);
  if (member.spec.incarnation != event.incarnation) member.spec.address = {};
  member.spec.node = event.peer;
  member.spec.incarnation = event.incarnation;
  member.spec.name = event.name;
  member.spec.left = false;
  if (!dialable(member.spec.address)) member.spec.address = event.address;
  member.link_address = event.address;
  member.state = MemberState::kAlive;
  member.since = now;
  member.epoch = event.epoch;
  member.linked_incarnation = event.incarnation;
  member.last_heard = now;
  member.list_digests = 0;
  member.dial_until = 0;
  member.forget_at = core::kNever;
  answered_by(event.address, event.peer, now);
  outbox.notices.emplace_back(PeerUp{event.peer, event.epoch, member.spec});
  changed(now);
  send_list(member, now, outbox);
}

void FullMembership::on_link_down(const LinkDown& event, core::Instant now, Outbox& outbox) {
  Member* member = linked_member(event.peer, event.epoch);
  if (member == nullptr) return;
  if (event.left) member->spec.left = true;
  down(*member, event.left ? DownReason::kLeft : DownReason::kFailed, now, outbox);
}

void FullMembership::down(Member& member, DownReason reason, core::Instant now, Outbox& outbox) {
  outbox.notices.emplace_back(PeerDown{member.spec.node, member.epoch, reason});
  const bool brief = now - std::min(now, member.since) < kSettled;
  unlink(member, reason == DownReason::kLeft ? MemberState::kLeft : MemberState::kFailed, now);
  // A link that breaks as soon as it is made must not be made again and again at the speed of the network.
  member.redial = brief ? std::clamp(2 * member.redial, config_.redial_first, config_.redial_max) : 0;
  member.dial_from = now + jittered(member.redial);
  member.dial_until = member.dial_from + kDialFor;
  for (auto& [address, entry] : joins_)
    if (entry.peer == member.spec.node) entry.next = member.dial_from;
  changed(now);
}

void FullMembership::unlink(Member& member, MemberState state, core::Instant now) {
  member.state = state;
  member.since = now;
  member.epoch = 0;
  member.linked_incarnation = 0;
  member.list_sent = 0;
  member.forget_at = now + (state == MemberState::kLeft ? kTombstoneKept : config_.redial_for);
}

FullMembership::Member* FullMembership::linked_member(core::NodeId peer, core::LinkEpoch epoch) {
  const auto found = members_.find(peer);
  return found != members_.end() && epoch != 0 && found->second.epoch == epoch ? &found->second : nullptr;
}

void FullMembership::on_control(const Control& event, core::Instant now, Outbox& outbox) {
  Member* member = linked_member(event.peer, event.epoch);
  if (member == nullptr) {
    ++stats_.stale;
    return;
  }
  member->last_heard = now;
  const auto message = decode_control(event.bytes);
  if (!message) {
    ++stats_.malformed;
    return;
  }
  if (const auto* keepalive = std::get_if<Keepalive>(&*message)) return on_keepalive(*member, *keepalive, now, outbox);
  for (const MemberSpec& spec : std::get<MemberList>(*message).members) learn(spec, event.peer, now, outbox);
}

void FullMembership::on_keepalive(Member& member, const Keepalive& keepalive, core::Instant now, Outbox& outbox) {
  if (keepalive.digest == digest_) {
    member.list_digests = 0;
    return;
  }
  const std::uint64_t digests = (digest_ * 0x9E3779B97F4A7C15ULL) ^ keepalive.digest;
  if (digests != member.list_digests) {
    member.list_digests = digests;
    member.list_gap = calm();
  }
  if (member.list_sent != 0 && now < member.list_sent + member.list_gap) return;
  send_list(member, now, outbox);
  member.list_gap = std::min(2 * member.list_gap, kListGapMax);
}

void FullMembership::learn(const MemberSpec& spec, core::NodeId teller, core::Instant now, Outbox& outbox) {
  if (spec.node == config_.self) {
    if (spec.incarnation > config_.incarnation || (spec.left && spec.incarnation == config_.incarnation))
      ++stats_.impostors;
    return;
  }
  const auto found = members_.find(spec.node);
  if (found == members_.end()) {
    if (!spec.left) learn_new(spec, now);  // there is nothing to forget about a stranger
    return;
  }
  Member& member = found->second;
  if (spec.incarnation < member.spec.incarnation) return;
  if (spec.incarnation > member.spec.incarnation) {
    member.spec = spec;
    if (spec.left) return mark_left(member, now, outbox);
    if (member.epoch == 0) unlink(member, MemberState::kJoining, now);
    member.redial = 0;
    member.dial_from = now;
    member.dial_until = now + kFirstDialFor;
    return;
  }
  if (spec.left) {
    if (!member.spec.left) mark_left(member, now, outbox);
    return;
  }
  if (dialable(spec.address) && (teller == spec.node || !dialable(member.spec.address)))
    member.spec.address = spec.address;
  if (member.state == MemberState::kFailed || member.state == MemberState::kJoining)
    member.forget_at = now + config_.redial_for;  // the teller is linked to it
}

void FullMembership::learn_new(const MemberSpec& spec, core::Instant now) {
  if (!admit()) return;
  Member& member = members_[spec.node];
  member.spec = spec;
  unlink(member, MemberState::kJoining, now);
  member.dial_from = now;
  member.dial_until = now + kFirstDialFor;
}

void FullMembership::mark_left(Member& member, core::Instant now, Outbox& outbox) {
  member.spec.left = true;
  if (member.epoch == 0) return unlink(member, MemberState::kLeft, now);
  outbox.closes.push_back({member.spec.node, member.epoch, CloseReason::kStale});
  down(member, DownReason::kLeft, now, outbox);
}

/// Makes room for one more member; the one that has been gone for longest is forgotten for it.
bool FullMembership::admit() {
  if (members_.size() < config_.members_max) return true;
  auto oldest = members_.end();
  for (auto found = members_.begin(); found != members_.end(); ++found) {
    const Member& member = found->second;
    if (member.epoch != 0 || member.state == MemberState::kJoining) continue;
    if (oldest == members_.end() || member.since < oldest->second.since) oldest = found;
  }
  if (oldest == members_.end()) {
    ++stats_.members_dropped;
    return false;
  }
  members_.erase(oldest);
  return true;
}

void FullMembership::on_leave(core::Instant now, Outbox& outbox) {
  for (auto& [node, member] : members_) {
    if (member.epoch == 0) continue;
    outbox.closes.push_back({node, member.epoch, CloseReason::kLeft});
    down(member, DownReason::kLeft, now, outbox);
  }
  left_ = true;
  update_dials(now, outbox);
}

/// The digest follows the links: recomputed whenever one opens or closes, and told soon.
void FullMembership::changed(core::Instant now) {
  core::Bytes bytes;
  digest_members_ = 0;
  const auto add = [&](core::NodeId node, core::Incarnation incarnation) {
    append(bytes, node, 8);
    append(bytes, incarnation, 4);
    ++digest_members_;
  };
  bool self_added = false;
  for (const auto& [node, member] : members_) {
    if (!self_added && node > config_.self) {
      add(config_.self, config_.incarnation);
      self_added = true;
    }
    if (member.epoch != 0) add(node, member.linked_incarnation);
  }
  if (!self_added) add(config_.self, config_.incarnation);
  digest_ = core::hash64(bytes);
  announce_at_ = std::min(announce_at_, std::max(now, announced_ + calm()));
}

/// The least time between two early keepalives, and between two lists to one peer: 100 ms and 1 ms for each member;
/// guess.
core::Duration FullMembership::calm() const { return (100 + members_.size()) * core::kMillisecond; }

void FullMembership::send_keepalives(core::Instant now, Outbox& outbox) {
  const core::Bytes body = encode_control(Keepalive{digest_, digest_members_});
  for (const auto& [node, member] : members_)
    if (member.epoch != 0) outbox.sends.push_back({node, member.epoch, body});
  announced_ = now;
  announce_at_ = core::kNever;
}

void FullMembership::send_list(Member& member, core::Instant now, Outbox& outbox) {
  MemberList part;
  std::size_t bytes = kListOverheadBytes;
  const auto flush = [&] {
    outbox.sends.push_back({member.spec.node, member.epoch, encode_control(part)});
    ++stats_.lists_sent;
    part.members.clear();
    bytes = kListOverheadBytes;
  };
  for (MemberSpec& spec : told_members(now)) {
    const std::size_t more = encoded_bytes(spec);
    if (bytes + more > config_.control_bytes_max) flush();
    bytes += more;
    part.members.push_back(std::move(spec));
  }
  flush();
  member.list_sent = now;
}

/// Only what we know at first hand: a member that nobody is linked to cannot be told around for ever.
std::vector<MemberSpec> FullMembership::told_members(core::Instant now) const {
  std::vector<MemberSpec> told{
      {.node = config_.self, .incarnation = config_.incarnation, .address = config_.listen, .name = config_.name}};
  for (const auto& [node, member] : members_) {
    const bool tombstone = member.spec.left && now < member.since + kTombstoneTold;
    const bool first_hand = member.epoch != 0 && member.linked_incarnation == member.spec.incarnation;
    if (tombstone || first_hand) told.push_back(member.spec);
  }
  std::sort(told.begin(), told.end(), [](const MemberSpec& a, const MemberSpec& b) { return a.node < b.node; });
  return told;
}

std::size_t FullMembership::linked() const {
  return static_cast<std::size_t>(
      std::count_if(members_.begin(), members_.end(), [](const auto& entry) { return entry.second.epoch != 0; }));
}

std::vector<MemberView> FullMembership::members(core::Instant now) const {
  std::vector<MemberView> rows{{.node = config_.self,
                                .incarnation = config_.incarnation,
                                .name = config_.name,
                                .address = config_.listen,
                                .state = left_ ? MemberState::kLeft : MemberState::kSelf}};
  for (const auto& [node, member] : members_) {
    const bool linked = member.epoch != 0;
    rows.push_back({.node = node,
                    .incarnation = linked ? member.linked_incarnation : member.spec.incarnation,
                    .name = member.spec.name,
                    .address = linked ? member.link_address : member.spec.address,
                    .state = member.state,
                    .epoch = member.epoch,
                    .silence = linked ? now - std::min(now, member.last_heard) : 0});
  }
  std::sort(rows.begin(), rows.end(), [](const MemberView& a, const MemberView& b) { return a.node < b.node; });
  return rows;
}

}  // namespace anabranch::overlay

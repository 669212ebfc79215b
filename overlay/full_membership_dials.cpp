// Which addresses FullMembership wants dialled: a set, worked out anew after each event and compared with what was
// asked for.
#include <algorithm>

#include "overlay/full_membership.hpp"

namespace anabranch::overlay {
namespace {

constexpr core::Duration kAskAgain = 5 * core::kSecond;  // a dial that ended without our knowledge begins again
constexpr std::size_t kJoinsMax = core::kListMax;

}  // namespace

void FullMembership::on_join(core::Address address) {
  if (joins_.size() < kJoinsMax && address.port != 0 && address != config_.listen) joins_.try_emplace(address);
}

void FullMembership::on_refused(core::Address address, core::Instant now) {
  dialling_.erase(address);
  const auto join = joins_.find(address);
  if (join != joins_.end()) {
    join->second.wait = std::clamp(2 * join->second.wait, config_.redial_first, config_.redial_max);
    join->second.next = now + jittered(join->second.wait);
  }
  for (auto& [node, member] : members_)
    if (member.epoch == 0 && (member.spec.address == address || member.link_address == address))
      member.dial_until = std::min(member.dial_until, now);  // the next tick plans another
}

void FullMembership::on_dial_self(core::Address address) {
  dialling_.erase(address);
  const auto join = joins_.find(address);
  if (join != joins_.end()) join->second.self = true;
  for (auto& [node, member] : members_) {  // an address that means another node elsewhere, such as 127.0.0.1
    if (member.spec.address == address) member.spec.address = {};
    if (member.link_address == address) member.link_address = {};
  }
}

void FullMembership::on_dial_linked(core::Address address, core::NodeId peer, core::Instant now) {
  dialling_.erase(address);
  answered_by(address, peer, now);
}

/// `peer` answers at `address`: whoever was there before is not there any more.
void FullMembership::answered_by(core::Address address, core::NodeId peer, core::Instant now) {
  const auto join = joins_.find(address);
  if (join != joins_.end()) {
    join->second.peer = peer;
    join->second.wait = 0;
  }
  for (auto& [node, member] : members_) {
    if (node == peer || member.epoch != 0 || member.spec.left) continue;
    if (member.spec.address == address || member.link_address == address) unlink(member, MemberState::kReplaced, now);
  }
}

/// After a dial has been given up, the next one is planned, later each time.
void FullMembership::plan_dial(Member& member, core::Instant now) {
  const bool newer = member.epoch != 0 && member.linked_incarnation < member.spec.incarnation;
  const bool missing = member.state == MemberState::kJoining || member.state == MemberState::kFailed;
  if ((!newer && !missing) || now < member.dial_until) return;
  if (missing) member.state = MemberState::kFailed;
  member.redial = std::clamp(2 * member.redial, config_.redial_first, config_.redial_max);
  member.dial_from = now + jittered(member.redial);
  member.dial_until = member.dial_from + kDialFor;
}

std::set<core::Address> FullMembership::wanted_dials(core::Instant now) const {
  std::set<core::Address> wanted;
  if (left_) return wanted;
  std::set<core::Address> linked;
  for (const auto& [node, member] : members_) {
    const bool newer = member.linked_incarnation < member.spec.incarnation;
    if (member.epoch != 0) {
      linked.insert(member.link_address);
      if (!newer) continue;
    }
    if (member.state == MemberState::kLeft || member.state == MemberState::kReplaced) continue;
    if (now < member.dial_from || now >= member.dial_until) continue;
    if (dialable(member.spec.address)) wanted.insert(member.spec.address);
    if (dialable(member.link_address)) wanted.insert(member.link_address);
  }
  for (const auto& [address, entry] : joins_) {
    const auto peer = members_.find(entry.peer);
    const bool reached = (peer != members_.end() && peer->second.epoch != 0) || linked.contains(address);
    if (!entry.self && !reached && now >= entry.next) wanted.insert(address);
  }
  return wanted;
}

void FullMembership::update_dials(core::Instant now, Outbox& outbox) {
  const std::set<core::Address> wanted = wanted_dials(now);
  for (auto asked = dialling_.begin(); asked != dialling_.end();) {
    if (wanted.contains(asked->first)) {
      ++asked;
      continue;
    }
    // Asked for by an earlier event of the same outbox: the caller stops before it dials.
    outbox.dials.erase(std::remove(outbox.dials.begin(), outbox.dials.end(), asked->first), outbox.dials.end());
    outbox.stop_dials.push_back(asked->first);
    asked = dialling_.erase(asked);
  }
  for (const core::Address& address : wanted) {
    const auto [asked, fresh] = dialling_.try_emplace(address, 0);
    if (now < asked->second) continue;
    outbox.dials.push_back(address);
    asked->second = now + kAskAgain;
  }
}

bool FullMembership::dialable(const core::Address& address) const {
  return address.ip != 0 && address.port != 0 && address != config_.listen;
}

core::Duration FullMembership::jittered(core::Duration base) { return base - base / 10 + rng_.below(base / 5 + 1); }

}  // namespace anabranch::overlay

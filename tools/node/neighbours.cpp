#include "tools/node/neighbours.hpp"

#include <algorithm>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "net/codec.hpp"

namespace anabranch::node {
namespace {

constexpr core::Duration kRefusalAgain = 60 * core::kSecond;
constexpr std::size_t kRefusalsMax = 64;
constexpr core::Duration kLonely = 5 * core::kSecond;  // handshakes are tried about ten times until then
constexpr int kSettleRounds = 16;  // each round can only close or open what the one before it caused

net::LinkTable::Config link_config(const Neighbours::Config& config) {
  net::LinkTable::Config links;
  links.self = config.self.node;
  links.incarnation = config.self.incarnation;
  links.name = config.name;
  links.partitions = config.partitions;
  links.cluster = config.cluster;
  links.listen = config.listen;
  links.seed = config.seed;
  return links;
}

overlay::FullMembership::Config membership_config(const Neighbours::Config& config) {
  overlay::FullMembership::Config membership;
  membership.self = config.self.node;
  membership.incarnation = config.self.incarnation;
  membership.name = config.name;
  membership.listen = config.listen;
  membership.join = config.join;
  membership.seed = config.seed + 1;
  membership.control_bytes_max = net::kFrameBodyMax;
  return membership;
}

net::CloseReason close_reason(overlay::FullMembership::CloseReason reason) {
  using Reason = overlay::FullMembership::CloseReason;
  if (reason == Reason::kLeft) return net::CloseReason::kLeft;
  return reason == Reason::kStale ? net::CloseReason::kStale : net::CloseReason::kFailed;
}

}  // namespace

Neighbours::Neighbours(const Config& config)
    : config_(config), links_(link_config(config)), membership_(membership_config(config)) {
  if (!config_.join.empty()) lonely_at_ = 0;  // counted from the first deadline
}

void Neighbours::handle_frame(core::Address from, const net::FrameView& frame, core::Instant now) {
  if (frame.header.type == net::FrameType::kHandshake) {
    links_.handle(net::LinkTable::Datagram{from, frame}, now, link_out_);
    settle(now);
    return;
  }
  const net::LinkInfo* link = links_.by_epoch(frame.header.link_epoch);
  if (link == nullptr) {
    // The first frame of an epoch may stand for a CONFIRM that was lost.
    links_.handle(net::LinkTable::UnknownEpoch{from, frame.header.link_epoch}, now, link_out_);
    settle(now);
    link = links_.by_epoch(frame.header.link_epoch);
  }
  if (link == nullptr || link->address != from) {
    ++unknown_link_;
    return;
  }
  if (frame.header.type == net::FrameType::kControl)
    membership_.handle(overlay::FullMembership::Control{link->peer, link->epoch, frame.body}, now, membership_out_);
  else
    membership_.handle(overlay::FullMembership::Heard{link->peer, link->epoch}, now, membership_out_);
  settle(now);
}

void Neighbours::on_deadline(core::Instant now) {
  if (lonely_at_ == 0) lonely_at_ = now + kLonely;
  if (lonely_at_ <= now) {
    lonely_at_ = core::kNever;
    if (membership_.linked() == 0)
      news_.push_back(
          "no join address answers yet (dead, or of another cluster): " + core::to_string(config_.join.front()) +
          (config_.join.size() > 1 ? " and others" : "") + "; they are tried until they do");
  }
  if (links_.next_deadline() <= now) links_.on_deadline(now, link_out_);
  if (membership_.next_deadline() <= now) membership_.on_deadline(now, membership_out_);
  settle(now);
}

core::Instant Neighbours::next_deadline() const {
  return std::min({links_.next_deadline(), membership_.next_deadline(), lonely_at_});
}

void Neighbours::leave(core::Instant now) {
  membership_.handle(overlay::FullMembership::Leave{}, now, membership_out_);
  settle(now);
}

// What one machine says is done by the other, until both are silent.
void Neighbours::settle(core::Instant now) {
  for (int round = 0; round < kSettleRounds; ++round) {
    apply_membership(now);
    const auto notices = std::exchange(link_out_.notices, {});
    if (notices.empty()) break;
    for (const auto& notice : notices) tell_membership(notice, now);
  }
  for (auto& frame : link_out_.frames) frames_.push_back({frame.to, std::move(frame.frame)});
  link_out_.frames.clear();
}

void Neighbours::apply_membership(core::Instant now) {
  const auto out = std::exchange(membership_out_, {});
  for (const auto& address : out.stop_dials) links_.handle(net::LinkTable::StopDial{address}, now, link_out_);
  for (const auto& address : out.dials) links_.handle(net::LinkTable::Dial{address}, now, link_out_);
  for (const auto& send : out.sends) {
    const net::LinkInfo* link = links_.by_epoch(send.epoch);
    if (link == nullptr) continue;
    net::FrameHeader header;
    header.type = net::FrameType::kControl;
    header.link_epoch = send.epoch;
    header.cluster = config_.cluster;
    frames_.push_back({link->address, net::make_frame(header, send.bytes)});
  }
  for (const auto& close : out.closes)
    links_.handle(net::LinkTable::Close{close.peer, close_reason(close.reason), close.epoch}, now, link_out_);
  notices_.insert(notices_.end(), out.notices.begin(), out.notices.end());
}

void Neighbours::tell_membership(const net::LinkTable::Notice& notice, core::Instant now) {
  using Membership = overlay::FullMembership;
  std::visit(
      [&](const auto& event) {
        using Event = std::decay_t<decltype(event)>;
        if constexpr (std::is_same_v<Event, net::LinkTable::LinkUp>) {
          const net::LinkInfo& link = event.link;
          news_.push_back("linked to " + link.name + " at " + core::to_string(link.address));
          membership_.handle(Membership::LinkUp{link.peer, link.incarnation, link.epoch, link.address, link.name}, now,
                             membership_out_);
        } else if constexpr (std::is_same_v<Event, net::LinkTable::LinkDown>) {
          const bool left = event.by_peer && event.reason == net::CloseReason::kLeft;
          news_.push_back("the link to " + event.link.name + " at " + core::to_string(event.link.address) +
                          " has ended: " + std::string(net::name(event.reason)));
          membership_.handle(Membership::LinkDown{event.link.peer, event.link.epoch, left}, now, membership_out_);
        } else if constexpr (std::is_same_v<Event, net::LinkTable::DialRefused>) {
          tell_refusal(core::to_string(event.address) + " refuses us (" + std::string(net::name(event.reason)) +
                           "): " + event.detail,
                       now);
          membership_.handle(Membership::Refused{event.address}, now, membership_out_);
        } else if constexpr (std::is_same_v<Event, net::LinkTable::DialSelf>) {
          membership_.handle(Membership::DialSelf{event.address}, now, membership_out_);
        } else {
          membership_.handle(Membership::DialLinked{event.address, event.peer}, now, membership_out_);
        }
      },
      notice);
}

void Neighbours::tell_refusal(std::string refusal, core::Instant now) {
  const auto said = refusals_.find(refusal);
  if (said != refusals_.end() && now < said->second + kRefusalAgain) return;
  if (said == refusals_.end() && refusals_.size() >= kRefusalsMax) refusals_.clear();
  refusals_[refusal] = now;
  news_.push_back(std::move(refusal));
}

std::vector<std::string> Neighbours::take_news() { return std::exchange(news_, {}); }

std::vector<OutFrame> Neighbours::take_frames() { return std::exchange(frames_, {}); }

std::vector<overlay::FullMembership::Notice> Neighbours::take_notices() { return std::exchange(notices_, {}); }

core::Address Neighbours::address_of(core::LinkEpoch epoch) const {
  const net::LinkInfo* link = links_.by_epoch(epoch);
  return link == nullptr ? core::Address{} : link->address;
}

MembersReply Neighbours::members(core::Instant now) const {
  MembersReply reply;
  for (const auto& view : membership_.members(now)) {
    Member member;
    member.node = view.node;
    member.incarnation = view.incarnation;
    member.name = view.name;
    member.address = view.address;
    member.state = overlay::name(view.state);
    member.silent_ms = view.silence / core::kMillisecond;
    reply.members.push_back(std::move(member));
  }
  std::sort(reply.members.begin(), reply.members.end(),
            [](const Member& a, const Member& b) { return std::tie(a.name, a.node) < std::tie(b.name, b.node); });
  return reply;
}

}  // namespace anabranch::node

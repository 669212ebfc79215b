// N nodes of a LinkTable and a FullMembership each, on a network in virtual time that loses, copies, delays and cuts.
// All that happens is folded into `trace`: equal seeds must give equal traces.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/hash.hpp"
#include "core/rng.hpp"
#include "net/link_table.hpp"
#include "overlay/full_membership.hpp"

namespace anabranch::overlay::testing {

inline constexpr std::uint32_t kCluster = 0xC1;

class Mesh {
 public:
  struct Node {
    core::Address address;
    core::NodeId id = 0;
    std::unique_ptr<net::LinkTable> links;
    std::unique_ptr<FullMembership> membership;
    std::map<core::NodeId, core::LinkEpoch> up;  // by PeerUp and PeerDown
    std::uint64_t downs = 0;
    bool alive = false;
  };

  double loss = 0;
  double duplicate = 0;
  core::Duration transit = core::kMillisecond;
  core::Duration spread = 0;
  bool tell_unknown_epochs = true;
  std::function<bool(core::Address, core::Address)> cut;  // true: nothing passes
  std::uint64_t broken_rules = 0;                         // PeerUp without PeerDown between, or the reverse
  std::uint64_t frames = 0;
  core::Instant now = core::kSecond;
  std::uint64_t trace = 0;

  explicit Mesh(std::uint64_t seed) : seed_(seed), rng_(core::Rng::stream(seed, "mesh")) {}

  static core::Address address(std::size_t index) { return {0x0A000001 + static_cast<std::uint32_t>(index), 7'000}; }

  /// Starts (or starts again) the node at `index`; it dials the addresses of `join`.
  void start(std::size_t index, core::NodeId id, core::Incarnation incarnation, const std::vector<std::size_t>& join) {
    Node& node = nodes_[address(index)];
    node = Node{};
    node.address = address(index);
    node.id = id;
    node.alive = true;
    net::LinkTable::Config links;
    links.self = id;
    links.incarnation = incarnation;
    links.name = std::to_string(index);
    links.cluster = kCluster;
    links.listen = node.address;
    links.seed = seed_ * 1'000'003 + ++starts_;
    node.links = std::make_unique<net::LinkTable>(links);
    FullMembership::Config config;
    config.self = id;
    config.incarnation = incarnation;
    config.name = links.name;
    config.listen = node.address;
    config.seed = links.seed;
    for (const std::size_t contact : join) config.join.push_back(address(contact));
    node.membership = std::make_unique<FullMembership>(config);
  }

  /// The process is gone without a word.
  void kill(std::size_t index) { at(index).alive = false; }

  void give(std::size_t index, const FullMembership::Event& event) {
    FullMembership::Outbox outbox;
    at(index).membership->handle(event, now, outbox);
    carry_out(at(index), outbox);
  }

  Node& at(std::size_t index) { return nodes_.at(address(index)); }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }

  [[nodiscard]] MemberState state(std::size_t at_index, core::NodeId of) {
    for (const MemberView& row : at(at_index).membership->members(now))
      if (row.node == of) return row.state;
    return MemberState::kSelf;  // unknown: no test asks for itself
  }

  void run(core::Duration span) {
    const core::Instant end = now + span;
    while (step(end)) {
    }
    now = end;
  }

  /// Runs until every two living nodes hold one link under one epoch and all digests agree.
  ///   returns how long that took, or kNever if it did not happen within `limit`
  core::Duration run_until_meshed(core::Duration limit) {
    const core::Instant begin = now;
    while (!meshed()) {
      if (now >= begin + limit) return core::kNever;
      run(10 * core::kMillisecond);
    }
    return now - begin;
  }

  [[nodiscard]] bool meshed() const {
    for (const auto& [address_a, a] : nodes_) {
      if (!a.alive) continue;
      std::size_t linked = 0;
      for (const auto& [address_b, b] : nodes_) {
        if (!b.alive || &a == &b) continue;
        const net::LinkInfo* link = a.links->by_peer(b.id);
        const net::LinkInfo* back = b.links->by_peer(a.id);
        if (link == nullptr || back == nullptr || link->epoch != back->epoch) return false;
        if (a.membership->digest() != b.membership->digest()) return false;
        const auto up = a.up.find(b.id);
        if (up == a.up.end() || up->second != link->epoch) return false;
        ++linked;
      }
      if (a.membership->linked() != linked || a.links->link_count() != linked || a.up.size() != linked) return false;
    }
    return true;
  }

 private:
  struct Datagram {
    core::Address from;
    core::Address to;
    core::Bytes frame;
  };

  bool step(core::Instant end) {
    core::Instant next = flying_.empty() ? core::kNever : flying_.begin()->first;
    for (const auto& [where, node] : nodes_)
      if (node.alive) next = std::min({next, node.links->next_deadline(), node.membership->next_deadline()});
    if (next > end) return false;
    now = std::max(now, next);
    if (!flying_.empty() && flying_.begin()->first <= now) {
      const Datagram datagram = flying_.begin()->second;
      flying_.erase(flying_.begin());
      deliver(datagram);
      return true;
    }
    for (auto& [where, node] : nodes_) {
      if (!node.alive) continue;
      net::LinkTable::Outbox from_links;
      node.links->on_deadline(now, from_links);
      carry_out(node, from_links);
      FullMembership::Outbox from_membership;
      node.membership->on_deadline(now, from_membership);
      carry_out(node, from_membership);
    }
    return true;
  }

  void deliver(const Datagram& datagram) {
    const auto found = nodes_.find(datagram.to);
    if (found == nodes_.end() || !found->second.alive) return;
    Node& node = found->second;
    fold(datagram.from.ip, datagram.to.ip, core::hash64(datagram.frame));
    const auto view = net::parse_frame(datagram.frame, kCluster);
    if (!view) return;
    net::LinkTable::Outbox outbox;
    const core::LinkEpoch epoch = view->header.link_epoch;
    const net::LinkInfo* link = node.links->by_epoch(epoch);
    if (view->header.type == net::FrameType::kHandshake) {
      node.links->handle(net::LinkTable::Datagram{datagram.from, *view}, now, outbox);
    } else if (link == nullptr) {
      if (tell_unknown_epochs) node.links->handle(net::LinkTable::UnknownEpoch{datagram.from, epoch}, now, outbox);
    } else {
      FullMembership::Outbox from_membership;
      node.membership->handle(FullMembership::Control{link->peer, epoch, view->body}, now, from_membership);
      carry_out(node, from_membership);
    }
    carry_out(node, outbox);
  }

  void put(core::Address from, core::Address to, const core::Bytes& frame) {
    ++frames;
    if (cut && cut(from, to)) return;
    const int copies = (rng_.chance(loss) ? 0 : 1) + (rng_.chance(duplicate) ? 1 : 0);
    for (int i = 0; i < copies; ++i) flying_.emplace(now + transit + rng_.below(spread + 1), Datagram{from, to, frame});
  }

  void carry_out(Node& node, const net::LinkTable::Outbox& outbox) {
    for (const auto& outgoing : outbox.frames) put(node.address, outgoing.to, outgoing.frame);
    FullMembership::Outbox next;
    for (const auto& notice : outbox.notices) node.membership->handle(translate(notice), now, next);
    if (!outbox.notices.empty()) carry_out(node, next);
  }

  void carry_out(Node& node, const FullMembership::Outbox& outbox) {
    net::LinkTable::Outbox next;
    for (const auto& dialled : outbox.stop_dials) node.links->handle(net::LinkTable::StopDial{dialled}, now, next);
    for (const auto& dialled : outbox.dials) node.links->handle(net::LinkTable::Dial{dialled}, now, next);
    for (const auto& send : outbox.sends) {
      const net::LinkInfo* link = node.links->by_epoch(send.epoch);
      if (link == nullptr || link->peer != send.peer) continue;
      const net::FrameHeader header{.type = net::FrameType::kControl, .link_epoch = send.epoch, .cluster = kCluster};
      put(node.address, link->address, net::make_frame(header, send.bytes));
    }
    for (const auto& close : outbox.closes) {
      const auto reason = close.reason == FullMembership::CloseReason::kLeft     ? net::CloseReason::kLeft
                          : close.reason == FullMembership::CloseReason::kFailed ? net::CloseReason::kFailed
                                                                                 : net::CloseReason::kStale;
      node.links->handle(net::LinkTable::Close{close.peer, reason, close.epoch}, now, next);
    }
    for (const auto& notice : outbox.notices) note(node, notice);
    if (!next.frames.empty() || !next.notices.empty()) carry_out(node, next);
  }

  static FullMembership::Event translate(const net::LinkTable::Notice& notice) {
    if (const auto* up = std::get_if<net::LinkTable::LinkUp>(&notice))
      return FullMembership::LinkUp{up->link.peer, up->link.incarnation, up->link.epoch, up->link.address,
                                    up->link.name};
    if (const auto* down = std::get_if<net::LinkTable::LinkDown>(&notice))
      return FullMembership::LinkDown{down->link.peer, down->link.epoch,
                                      down->by_peer && down->reason == net::CloseReason::kLeft};
    if (const auto* refused = std::get_if<net::LinkTable::DialRefused>(&notice))
      return FullMembership::Refused{refused->address};
    if (const auto* self = std::get_if<net::LinkTable::DialSelf>(&notice))
      return FullMembership::DialSelf{self->address};
    const auto& linked = std::get<net::LinkTable::DialLinked>(notice);
    return FullMembership::DialLinked{linked.address, linked.peer};
  }

  void note(Node& node, const FullMembership::Notice& notice) {
    if (const auto* up = std::get_if<FullMembership::PeerUp>(&notice)) {
      broken_rules += node.up.contains(up->peer) ? 1 : 0;
      node.up[up->peer] = up->epoch;
      fold(node.address.ip, up->peer, up->epoch);
    } else {
      const auto& down = std::get<FullMembership::PeerDown>(notice);
      const auto found = node.up.find(down.peer);
      broken_rules += found == node.up.end() || found->second != down.epoch ? 1 : 0;
      node.up.erase(down.peer);
      ++node.downs;
      fold(node.address.ip, down.peer, static_cast<std::uint64_t>(down.reason) + 1);
    }
  }

  void fold(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
    for (const std::uint64_t value : {now, a, b, c}) {
      std::uint64_t mixed = trace ^ value;
      trace = core::split_mix(mixed);
    }
  }

  std::uint64_t seed_;
  core::Rng rng_;
  std::uint64_t starts_ = 0;
  std::map<core::Address, Node> nodes_;
  std::multimap<core::Instant, Datagram> flying_;
};

}  // namespace anabranch::overlay::testing

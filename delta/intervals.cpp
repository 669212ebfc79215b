// Intervals, how they are asked for and where they are not wanted: sync.md 2.3 (OIV) with per-origin Plumtree links.
#include <algorithm>

#include "delta/codec.hpp"
#include "delta/replica_parts.hpp"

namespace anabranch::delta {

void Replica::Parts::on(NodeId from, Interval& interval, core::Instant now, Outbox& outbox) {
  const Origin origin = interval.origin;
  if (origin == config.self || interval.top <= interval.base) {  // nobody knows our flushes before we do
    ++stats.refused_messages;
    return;
  }
  Link& link = peers.find(from)->links[origin];
  link.known = std::max(link.known, interval.top);
  const FlushNumber top = held(origin);
  if (interval.top <= top) {
    ++stats.duplicates;
    if (interval.ack_wanted) acknowledge(from, origin, outbox);
    // A duplicate datagram is not a duplicate path: the parent is never pruned.
    if (const NodeId parent = parents.try_emplace(origin, from).first->second; parent == from) return;
    link.pruned = true;
    ++stats.prunes;
    return send(from, Duplicate{origin, top}, outbox);
  }
  if (interval.base > top) {
    ++stats.gaps;
    wants.add(origin, top, from, now + config.graft_timeout);
    if (!wants.keep(from, std::move(interval))) ++stats.gaps_dropped;
    return;
  }
  take(from, std::move(interval), outbox);
  take_early(origin, outbox);
}

void Replica::Parts::take(NodeId from, Interval interval, Outbox& outbox) {
  const Origin origin = interval.origin;
  const FlushNumber top = interval.top;
  const bool ack_wanted = interval.ack_wanted;
  store.join(interval, outbox.changed);
  ++stats.intervals_joined;
  parents[origin] = from;
  peers.find(from)->links[origin].pruned = false;
  logs.append(std::move(interval));
  raise(origin, top, outbox);
  if (ack_wanted) acknowledge(from, origin, outbox);
}

void Replica::Parts::take_early(const Origin& origin, Outbox& outbox) {
  while (auto early = wants.next_early(origin, held(origin))) take(early->from, std::move(early->interval), outbox);
}

void Replica::Parts::acknowledge(NodeId from, const Origin& origin, Outbox& outbox) const {
  send(peers.find(origin.node) != nullptr ? origin.node : from, Held{origin, held(origin)}, outbox);
}

void Replica::Parts::on(NodeId from, Held& told, core::Instant /*now*/, Outbox& outbox) {
  Link& link = peers.find(from)->links[told.origin];
  link.known = std::max(link.known, told.flush);
  if (told.origin == config.self) settle_waits(outbox);
}

void Replica::Parts::on(NodeId from, Missing& asked, core::Instant /*now*/, Outbox& outbox) {
  Peer& peer = *peers.find(from);
  Link& link = peer.links[asked.origin];
  link.lazy = false;
  // What the peer says of itself counts, even if it is less than what was believed.
  link.known = link.sent = asked.held;
  if (asked.origin == config.self) settle_waits(outbox);
  if (asked.held >= held(asked.origin)) return;
  if (asked.held < logs.floor(asked.origin)) return send(from, TransferOffer{}, outbox);
  peer.news.insert(asked.origin);
}

void Replica::Parts::on(NodeId from, Duplicate& told, core::Instant /*now*/, Outbox& outbox) {
  Peer& peer = *peers.find(from);
  Link& link = peer.links[told.origin];
  link.lazy = true;
  link.known = std::max(link.known, told.held);
  peer.news.erase(told.origin);
  if (told.origin == config.self) settle_waits(outbox);
}

void Replica::Parts::ask_for_due(core::Instant now, Outbox& outbox) {
  if (now < wants.next_deadline()) return;
  for (const Wants::Due& due : wants.due(now, config.graft_timeout, vector)) {
    std::vector<NodeId> holders;
    for (const auto& [node, peer] : peers.all()) {
      const auto link = peer.links.find(due.origin);
      if (link != peer.links.end() && link->second.known > held(due.origin)) holders.push_back(node);
    }
    if (holders.empty()) {  // whoever had it is gone
      wants.settle(due.origin);
      continue;
    }
    NodeId to = holders[due.tries % holders.size()];
    const bool first =
        due.tries == 0 && std::find(holders.begin(), holders.end(), due.first_heard_from) != holders.end();
    if (first) to = due.first_heard_from;
    ++stats.grafts;
    peers.find(to)->links[due.origin].pruned = false;
    send(to, Missing{due.origin, held(due.origin)}, outbox);
  }
}

void Replica::Parts::forget_parent(NodeId peer, Outbox& outbox) {
  for (auto at = parents.begin(); at != parents.end();) {
    if (at->second != peer) {
      ++at;
      continue;
    }
    // The links that were pruned because of this parent become eager again, the origin's own first.
    const Origin origin = at->first;
    at = parents.erase(at);
    std::vector<NodeId> pruned;
    for (const auto& [node, other] : peers.all()) {
      const auto link = other.links.find(origin);
      if (link != other.links.end() && link->second.pruned) pruned.push_back(node);
    }
    if (std::find(pruned.begin(), pruned.end(), origin.node) != pruned.end()) pruned = {origin.node};
    for (const NodeId node : pruned) {
      peers.find(node)->links[origin].pruned = false;
      ++stats.grafts;
      send(node, Missing{origin, held(origin)}, outbox);
    }
  }
}

std::optional<Message> Replica::Parts::ship(Peer& peer, std::size_t budget_bytes) {
  while (!peer.news.empty()) {
    auto next = peer.news.upper_bound(peer.last_shipped);
    if (next == peer.news.end()) next = peer.news.begin();
    const Origin origin = *next;
    Link& link = peer.links[origin];
    const FlushNumber top = held(origin);
    const FlushNumber after = std::max(link.known, link.sent);
    if (link.lazy || after >= top || after < logs.floor(origin)) {
      // Below the floor nothing can be shipped: the peer hears of it by digest, asks, and is offered a transfer.
      link.sent = std::max(link.sent, top);
      peer.news.erase(next);
      continue;
    }
    auto interval = logs.read(origin, after, std::min(budget_bytes, limit));
    const FlushNumber shipped = interval->top;
    interval->ack_wanted = interval->ack_wanted || (origin == config.self && waits.wants_copies(shipped));
    Message message{config.partition, std::move(*interval)};
    const std::size_t bytes = weight(message);
    if (bytes > budget_bytes && bytes <= limit) return std::nullopt;  // the next packet has room
    link.sent = shipped;
    if (shipped >= top) peer.news.erase(next);
    peer.last_shipped = origin;
    ++stats.intervals_sent;
    return message;
  }
  return std::nullopt;
}

}  // namespace anabranch::delta

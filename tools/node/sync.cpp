#include "tools/node/sync.hpp"

#include <algorithm>
#include <utility>

#include "core/hash.hpp"
#include "delta/codec.hpp"

namespace anabranch::node {
namespace {

constexpr std::size_t kQueuedMessagesMax = 1'024;  // guess: answers and requests for one peer, all repeated by timers
constexpr core::Duration kFlushLate = core::kMillisecond;  // design section 11: at most this late

}  // namespace

Sync::Sync(const Config& config, Replicas& replicas) : config_(config), replicas_(replicas) {
  for (std::uint32_t partition = 0; partition < replicas_.size(); ++partition)
    if (replicas_[partition] != nullptr) owned_.push_back(static_cast<core::PartitionId>(partition));
}

void Sync::peer_up(const Peer& peer, core::Instant now) {
  deadline_stale_ = true;
  if (const auto old = peers_.find(peer.node); old != peers_.end()) peer_down(peer.node, old->second.peer.epoch);
  net::SendLane::Config lane;
  lane.lane = static_cast<std::uint8_t>(config_.shard);
  lane.epoch = peer.epoch;
  lane.seed = core::hash64({}, peer.epoch ^ (std::uint64_t{config_.shard} << 32));
  lane.cluster = config_.cluster;
  peers_.try_emplace(peer.node, PeerState{peer, net::SendLane(lane), {}, {}, {}, 0});
  epochs_[peer.epoch] = peer.node;
  for (const auto partition : owned_) replicas_[partition]->peer_up(peer.node, now, outbox_);
  news_ = true;
}

void Sync::peer_down(core::NodeId node, core::LinkEpoch epoch) {
  deadline_stale_ = true;
  const auto found = peers_.find(node);
  if (found == peers_.end() || found->second.peer.epoch != epoch) return;  // an older life of the link
  for (const auto partition : owned_) replicas_[partition]->peer_down(node, outbox_);
  epochs_.erase(epoch);
  peers_.erase(found);
  news_ = true;
}

net::ReceiveLane::Config Sync::receive_lane_config(core::LinkEpoch epoch, std::uint8_t lane) const {
  net::ReceiveLane::Config config;
  config.cluster = config_.cluster;
  config.epoch = epoch;
  config.lane = lane;
  config.own_lane = static_cast<std::uint8_t>(config_.shard);
  return config;
}

Sync::PeerState* Sync::by_epoch(core::LinkEpoch epoch) {
  const auto node = epochs_.find(epoch);
  if (node == epochs_.end()) return nullptr;
  return &peers_.at(node->second);
}

void Sync::handle_frame(core::Address from, const net::FrameView& frame, core::Instant now,
                        const std::function<void(ForeignMessage)>& forward) {
  PeerState* peer = by_epoch(frame.header.link_epoch);
  if (peer == nullptr || peer->peer.address != from) {
    ++stats_.unknown_link;
    return;
  }
  deadline_stale_ = true;
  const auto lane = peer->from_lanes.find(frame.header.lane);
  auto& receive =
      lane != peer->from_lanes.end()
          ? lane->second
          : peer->from_lanes.try_emplace(frame.header.lane, receive_lane_config(peer->peer.epoch, frame.header.lane))
                .first->second;
  receive.handle(frame, now, receive_out_);
  for (auto& ack : receive_out_.ack_frames) frames_.push_back({peer->peer.address, std::move(ack)});
  receive_out_.ack_frames.clear();
  const core::NodeId node = peer->peer.node;
  const auto messages = std::move(receive_out_.messages);
  receive_out_.messages.clear();
  for (const core::Bytes& bytes : messages) {
    auto packet = delta::decode(bytes, config_.partitions);
    if (!packet) {
      ++stats_.malformed_packets;
      continue;
    }
    ++stats_.packets_received;
    for (delta::Message& message : packet->messages) {
      if (message.partition % config_.shards == config_.shard)
        handle_message(node, std::move(message), now);
      else
        forward({node, std::move(message)});
    }
  }
}

void Sync::handle_ack(const net::FrameView& frame, core::Instant now) {
  deadline_stale_ = true;
  PeerState* peer = by_epoch(frame.header.link_epoch);
  if (peer == nullptr) {
    ++stats_.unknown_link;
    return;
  }
  peer->lane.handle_ack(frame.body, now, lane_out_);
  take_lost(*peer);
  news_ = true;
}

void Sync::handle_message(core::NodeId from, delta::Message message, core::Instant now) {
  deadline_stale_ = true;
  replicas_[message.partition]->handle(from, std::move(message), now, outbox_);
  news_ = true;
}

// Frames that a lane sends again by itself leave as they are; lost cookies fall back to the replicas.
void Sync::take_lost(PeerState& peer) {
  for (auto& frame : lane_out_.frames) frames_.push_back({peer.peer.address, std::move(frame)});
  lane_out_.frames.clear();
  for (const net::Cookie cookie : lane_out_.lost) {
    const auto claims = peer.claims.find(cookie);
    if (claims == peer.claims.end()) continue;
    ++stats_.packets_lost;
    for (const Claim& claim : claims->second)
      replicas_[claim.partition]->lost(peer.peer.node, claim.origin, claim.base);
    peer.claims.erase(claims);
    news_ = true;
  }
  lane_out_.lost.clear();
  for (const net::Cookie cookie : lane_out_.acked) peer.claims.erase(cookie);
  lane_out_.acked.clear();
}

void Sync::on_deadline(core::Instant now) {
  deadline_stale_ = true;
  for (const auto partition : owned_)
    if (replicas_[partition]->next_deadline() <= now) {
      replicas_[partition]->on_deadline(now, outbox_);
      news_ = true;
    }
  for (auto& [node, peer] : peers_) {
    if (peer.lane.next_deadline() <= now) {
      peer.lane.on_deadline(now, lane_out_);
      take_lost(peer);
    }
    for (auto& [id, lane] : peer.from_lanes) {
      if (lane.next_deadline() > now) continue;
      lane.on_deadline(now, receive_out_);
      for (auto& ack : receive_out_.ack_frames) frames_.push_back({peer.peer.address, std::move(ack)});
      receive_out_.ack_frames.clear();
    }
  }
}

core::Instant Sync::next_deadline() const {
  if (std::exchange(deadline_stale_, false)) deadline_ = earliest_deadline();
  return deadline_;
}

core::Instant Sync::earliest_deadline() const {
  core::Instant due = pending_since_ == core::kNever ? core::kNever : pending_since_ + kFlushLate;
  for (const auto partition : owned_) due = std::min(due, replicas_[partition]->next_deadline());
  for (const auto& [node, peer] : peers_) {
    due = std::min(due, peer.lane.next_deadline());
    for (const auto& [id, lane] : peer.from_lanes) due = std::min(due, lane.next_deadline());
  }
  return due;
}

bool Sync::any_credit() const {
  return peers_.empty() ||
         std::any_of(peers_.begin(), peers_.end(), [](const auto& entry) { return entry.second.lane.ready(); });
}

// Without credit a flush would only be joined with the next one in the log: waiting a moment makes one flush of both.
void Sync::flush_pending(core::Instant now) {
  bool pending = false;
  for (const auto partition : owned_) pending |= replicas_[partition]->pending();
  if (!pending) {
    if (std::exchange(pending_since_, core::kNever) != core::kNever) deadline_stale_ = true;
    return;
  }
  if (pending_since_ == core::kNever) pending_since_ = now;
  deadline_stale_ = true;
  if (!any_credit() && now < pending_since_ + kFlushLate) return;
  for (const auto partition : owned_) replicas_[partition]->flush(now, outbox_);
  pending_since_ = core::kNever;
  news_ = true;
}

void Sync::route_outbox() {
  for (delta::Envelope& envelope : outbox_.messages) {
    const auto peer = peers_.find(envelope.to);
    if (peer == peers_.end()) continue;
    if (peer->second.queue.size() >= kQueuedMessagesMax)
      ++stats_.messages_dropped;
    else
      peer->second.queue.push_back(std::move(envelope.message));
    news_ = true;
  }
  outbox_.messages.clear();
}

bool Sync::fill_packet(PeerState& peer, core::Instant now, delta::Packet& packet, std::vector<Claim>& claims) {
  std::size_t room = net::kFrameBodyMax - delta::kPacketOverhead;
  while (!peer.queue.empty() && packet.messages.size() < core::kListMax) {
    const std::size_t weight = delta::weight(peer.queue.front());
    if (weight > room && !packet.messages.empty()) return true;
    packet.messages.push_back(std::move(peer.queue.front()));
    peer.queue.pop_front();
    if (weight >= room) return true;
    room -= weight;
  }
  // Every replica is asked once per packet, in turn from where the last packet stopped.
  for (std::size_t asked = 0; asked < owned_.size(); ++asked) {
    delta::Replica& replica = *replicas_[owned_[peer.next_replica]];
    while (replica.has_news(peer.peer.node)) {
      auto message = replica.ship(peer.peer.node, room, now);
      if (!message) break;
      const std::size_t weight = delta::weight(*message);
      const bool large =
          weight > room;  // only a value that no packet holds: the packet ends with it and goes in fragments
      const auto& interval = std::get<delta::Interval>(message->body);
      claims.push_back({message->partition, interval.origin, interval.base});
      packet.messages.push_back(std::move(*message));
      if (large || packet.messages.size() >= core::kListMax) return true;
      room -= weight;
    }
    if (replica.has_news(peer.peer.node) && !packet.messages.empty()) return true;
    peer.next_replica = (peer.next_replica + 1) % owned_.size();
  }
  return !packet.messages.empty();
}

void Sync::ship(PeerState& peer, core::Instant now) {
  while (peer.lane.ready()) {
    delta::Packet packet;
    std::vector<Claim> claims;
    if (!fill_packet(peer, now, packet, claims)) return;
    const net::Cookie cookie = next_cookie_++;
    peer.lane.send(delta::encode(packet), cookie, now, lane_out_);
    if (!claims.empty()) peer.claims.emplace(cookie, std::move(claims));
    ++stats_.packets_sent;
    take_lost(peer);
  }
}

void Sync::flush_and_ship(core::Instant now, std::vector<OutFrame>& frames) {
  flush_pending(now);
  route_outbox();
  if (news_) {
    news_ = false;
    deadline_stale_ = true;
    for (auto& [node, peer] : peers_) ship(peer, now);
  }
  frames.insert(frames.end(), std::make_move_iterator(frames_.begin()), std::make_move_iterator(frames_.end()));
  frames_.clear();
}

}  // namespace anabranch::node

// The replicas of one shard and their lanes to the peers: packets in, packets out. No delta is ever queued for a peer;
// when a lane has credit, the join that the peer lacks is made from the log. Called by the shard's pump only.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <unordered_map>
#include <vector>

#include "core/time.hpp"
#include "delta/replica.hpp"
#include "net/frame.hpp"
#include "net/lane.hpp"
#include "tools/node/doors.hpp"
#include "tools/node/shard_message.hpp"

namespace anabranch::node {

/// A datagram that is ready to go.
struct OutFrame {
  core::Address to;
  core::Bytes bytes;
};

struct SyncStats {
  std::uint64_t packets_sent = 0;
  std::uint64_t packets_received = 0;
  std::uint64_t malformed_packets = 0;
  std::uint64_t unknown_link = 0;      // frames of an epoch that no peer has here
  std::uint64_t packets_lost = 0;      // reported by a lane; their state is shipped again
  std::uint64_t messages_dropped = 0;  // beyond kQueuedMessagesMax; timers repeat them
};

class Sync {
 public:
  struct Config {
    core::ShardId shard = 0;
    std::uint32_t shards = 1;
    std::uint32_t partitions = core::kPartitionsDefault;
    std::uint32_t cluster = 0;
    core::Origin self;
  };

  /// `replicas` is borrowed for life.
  Sync(const Config& config, Replicas& replicas);

  void peer_up(const Peer& peer, core::Instant now);
  void peer_down(core::NodeId node, core::LinkEpoch epoch);

  /// A lattice or fragment frame. Messages for other shards are handed to `forward`.
  void handle_frame(core::Address from, const net::FrameView& frame, core::Instant now,
                    const std::function<void(ForeignMessage)>& forward);
  /// An acknowledgement of this shard's lane.
  void handle_ack(const net::FrameView& frame, core::Instant now);
  /// A message for a partition of this shard.
  void handle_message(core::NodeId from, delta::Message message, core::Instant now);

  void on_deadline(core::Instant now);
  /// Cached between changes: the loop asks in every pass.
  [[nodiscard]] core::Instant next_deadline() const;

  /// Numbers what is pending where credit allows or a millisecond has passed, fills packets, and collects the lanes' frames.
  void flush_and_ship(core::Instant now, std::vector<OutFrame>& frames);

  /// What the replicas want done. Doors write into it too; the messages in it leave by flush_and_ship, the rest is the
  /// pump's to act upon and to clear.
  [[nodiscard]] delta::Outbox& outbox() { return outbox_; }

  [[nodiscard]] const SyncStats& stats() const { return stats_; }
  [[nodiscard]] std::size_t peers() const { return peers_.size(); }

 private:
  /// What a packet carried, so that its loss can be told to the replicas.
  struct Claim {
    core::PartitionId partition = 0;
    core::Origin origin;
    core::FlushNumber base = 0;
  };
  struct PeerState {
    Peer peer;
    net::SendLane lane;
    std::map<std::uint8_t, net::ReceiveLane> from_lanes;  // by the peer's sending shard
    std::deque<delta::Message> queue;                     // requests and answers, all repeated by timers
    std::unordered_map<net::Cookie, std::vector<Claim>> claims;
    std::size_t next_replica = 0;  // where shipping goes on, so that no partition starves
  };

  [[nodiscard]] net::ReceiveLane::Config receive_lane_config(core::LinkEpoch epoch, std::uint8_t lane) const;
  PeerState* by_epoch(core::LinkEpoch epoch);
  void route_outbox();
  bool fill_packet(PeerState& peer, core::Instant now, delta::Packet& packet, std::vector<Claim>& claims);
  void ship(PeerState& peer, core::Instant now);
  void take_lost(PeerState& peer);
  void flush_pending(core::Instant now);
  [[nodiscard]] core::Instant earliest_deadline() const;
  [[nodiscard]] bool any_credit() const;

  Config config_;
  Replicas& replicas_;
  std::vector<core::PartitionId> owned_;
  std::map<core::NodeId, PeerState> peers_;
  std::unordered_map<core::LinkEpoch, core::NodeId> epochs_;
  delta::Outbox outbox_;
  net::SendLane::Outbox lane_out_;
  net::ReceiveLane::Outbox receive_out_;
  std::vector<OutFrame> frames_;
  net::Cookie next_cookie_ = 1;
  core::Instant pending_since_ = core::kNever;
  bool news_ = true;  // something may be there to ship
  mutable core::Instant deadline_ = core::kNever;
  mutable bool deadline_stale_ = true;
  SyncStats stats_;
};

}  // namespace anabranch::node

// One shard of a node: where messages (ports, links, lanes, membership) and state (replicas, doors) meet. A poller of the
// shard's loop; under the simulator the same object is polled with virtual time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/mesh.hpp"
#include "core/shard.hpp"
#include "core/spsc_ring.hpp"
#include "net/frame.hpp"
#include "net/port.hpp"
#include "tools/node/command.hpp"
#include "tools/node/doors.hpp"
#include "tools/node/neighbours.hpp"
#include "tools/node/shard_message.hpp"
#include "tools/node/sync.hpp"

namespace anabranch::node {

using ShardMesh = core::Mesh<ShardMessage>;

/// The control thread's end of a shard: it posts commands, the shard answers. Bounded both ways.
struct Mailbox {
  static constexpr std::size_t kDepth = 1'024;
  core::SpscRing<Command> commands{kDepth};
  core::SpscRing<Reply> replies{kDepth};
};

class Pump final : public core::Poller {
 public:
  struct Config {
    core::ShardId shard = 0;
    std::uint32_t partitions = core::kPartitionsDefault;
    std::uint32_t cluster = 0;
    core::Origin self;
    std::string name;
    core::Address listen;
    std::vector<core::Address> join;                      // shard 0 dials them
    std::uint64_t seed = 0;                               // of nonces and jitter
    std::size_t log_bytes_max = 64ULL << 20;              // of a partition
    std::function<std::uint64_t(core::Instant)> wall_ms;  // Unix time of an instant
    std::function<void(std::string)> on_news;             // shard 0's, for the log; may be empty
    std::function<std::uint64_t()> allocated_bytes;       // of the shard's arena, for the metrics; may be empty
  };

  /// All references are borrowed for life; `reply_waker` is notified when replies were put into the mailbox.
  Pump(Config config, net::Port& port, ShardMesh& mesh, Mailbox& mailbox, core::Waker& reply_waker);

  /// One pass, in this order:
  ///   receive a burst      first, so that what follows acts on the newest state
  ///   drain the rings      other shards' work before ours: they may be waiting for room
  ///   commands             after what peers said, so that a read sees it
  ///   run due deadlines    after input, which may have made them unnecessary
  ///   flush and ship       once per pass: everything above leaves as one interval per partition
  ///   transmit             last, one burst of all that the pass produced
  bool poll(core::Instant now) override;
  [[nodiscard]] core::Instant next_deadline() const override;

  /// For tests and the simulator: what the shard holds.
  [[nodiscard]] const Replicas& replicas() const { return replicas_; }
  [[nodiscard]] std::size_t peers() const { return sync_->peers(); }

 private:
  bool receive(core::Instant now);
  bool drain_mesh(core::Instant now);
  bool take_commands(core::Instant now);
  bool run_deadlines(core::Instant now);
  void settle(core::Instant now);
  void transmit(core::Instant now);
  void dispatch(core::Address from, const net::FrameView& frame, core::Instant now);
  void execute(Command command, core::Instant now);
  void tell_peers(core::Instant now);
  void send_replies(core::Instant now);
  [[nodiscard]] StatusReply status(core::Instant now) const;

  Config config_;
  net::Port& port_;
  ShardMesh& mesh_;
  Mailbox& mailbox_;
  core::Waker& reply_waker_;
  Replicas replicas_;
  Doors doors_;
  std::unique_ptr<Sync> sync_;
  std::unique_ptr<Neighbours> neighbours_;  // shard 0 only
  std::vector<net::Received> burst_;
  net::FrameDrops drops_;
  std::vector<OutFrame> frames_;
  std::size_t first_frame_ = 0;  // frames before it have been taken by the port
  std::vector<Reply> replies_;
  std::size_t first_reply_ = 0;                 // replies before it are in the mailbox
  std::optional<std::uint64_t> leave_command_;  // answered when the last frame is out
  std::uint64_t frames_dropped_ = 0;
  std::uint64_t frames_forwarded_ = 0;
  std::uint64_t malformed_acks_ = 0;
  core::Instant retry_at_ = core::kNever;  // frames or batches wait for room
};

}  // namespace anabranch::node

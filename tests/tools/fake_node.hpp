// A node without peers, threads or sockets: applies commands at once, in the calling thread. For tests of the doors and commands.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "tools/node/node.hpp"

namespace anabranch::testing {

class FakeNode final : public node::Node {
 public:
  explicit FakeNode(node::NodeConfig config);
  ~FakeNode() override;

  [[nodiscard]] const node::NodeConfig& config() const override { return config_; }
  [[nodiscard]] core::NodeId id() const override { return 0x0123456789abcdefULL; }
  [[nodiscard]] std::uint32_t shards() const override { return config_.shards; }
  [[nodiscard]] core::ShardId shard_of(core::BytesView key) const override;
  [[nodiscard]] bool post(core::ShardId shard, node::Command command) override;
  void drain_replies(const std::function<void(node::Reply&&)>& sink) override;
  [[nodiscard]] int reply_fd() const override { return event_; }
  [[nodiscard]] core::Duration longest_pass_age(core::Instant) const override { return 0; }

  /// The next `times` posts find the ring full.
  void fill_ring(int times) { full_ = times; }
  /// Shards stop answering status.
  void hang(bool on) { hangs_ = on; }
  [[nodiscard]] bool left() const { return left_; }

 private:
  struct Watch {
    core::ShardId shard;
    node::WatchCommand command;
  };

  void reply(std::uint64_t id, core::Result<node::ReplyBody> body);
  void run(core::ShardId shard, std::uint64_t id, node::UpdateCommand& command);
  void run(core::ShardId shard, std::uint64_t id, node::DeclareCommand& command);
  void run(core::ShardId shard, std::uint64_t id, node::GetCommand& command);
  void run(core::ShardId shard, std::uint64_t id, node::ScanCommand& command);
  void run(core::ShardId shard, std::uint64_t id, node::WatchCommand& command);
  void run(core::ShardId shard, std::uint64_t id, node::CancelCommand& command);
  void run(core::ShardId shard, std::uint64_t id, node::StatusCommand& command);
  void run(core::ShardId shard, std::uint64_t id, node::MembersCommand& command);
  void run(core::ShardId shard, std::uint64_t id, node::LeaveCommand& command);
  core::Status apply(core::ShardId shard, const node::Update& update);
  void wake();

  struct Shard {
    std::map<core::Bytes, lattice::Object> objects;
    lattice::CausalContext seen;
    std::uint64_t last_dot = 0;
    std::uint64_t updates = 0;
  };

  node::NodeConfig config_;
  int event_ = -1;
  int full_ = 0;
  bool hangs_ = false;
  bool left_ = false;
  std::vector<Shard> shards_;
  lattice::Hlc clock_;
  std::deque<node::Reply> replies_;
  std::map<std::uint64_t, Watch> watches_;
  std::set<std::uint64_t> copies_;  // updates that wait for other nodes, which never come
};

}  // namespace anabranch::testing

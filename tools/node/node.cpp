#include "tools/node/node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <latch>
#include <thread>
#include <utility>

#include "core/arena.hpp"
#include "core/hash.hpp"
#include "core/rng.hpp"
#include "core/shard.hpp"
#include "core/time.hpp"
#include "net/codec.hpp"
#include "net/pcap_port.hpp"
#include "net/udp_port.hpp"
#include "tools/node/pump.hpp"

namespace anabranch::node {
namespace {

constexpr std::uint32_t kShardsMax = 256;  // a lane's number is one byte of the frame header

core::Status check(const NodeConfig& config) {
  if (config.name.size() > net::kNameBytesMax)
    return core::fail(core::Errc::kTooLarge, "a node's name has at most 256 bytes; this one has",
                      std::to_string(config.name.size()));
  if (config.cluster.empty() || config.cluster.size() > net::kNameBytesMax)
    return core::fail(core::Errc::kTooLarge, "a cluster's name has 1 to 256 bytes; this one has",
                      std::to_string(config.cluster.size()));
  if (!config.insecure && !config.listen.loopback())
    return core::fail(core::Errc::kRefused,
                      "frames are not sealed yet, so only loopback is served; add --insecure to listen beyond it",
                      core::to_string(config.listen));
  if (!config.data.empty())
    return core::fail(core::Errc::kRefused,
                      "durable storage is not built in yet; leave --data out to keep state in memory", config.data);
  if (!std::has_single_bit(config.partitions) || config.partitions > core::kPartitionsMax)
    return core::fail(core::Errc::kRefused, "the number of partitions must be a power of two, 4096 at most",
                      std::to_string(config.partitions));
  if (config.shards > std::min(kShardsMax, config.partitions))
    return core::fail(core::Errc::kRefused, "more shards than partitions (or than 256) would stay without work",
                      std::to_string(config.shards));
  return {};
}

core::Result<std::unique_ptr<net::Port>> with_capture(std::unique_ptr<net::Port> port, const std::string& path,
                                                      std::size_t shard) {
  if (path.empty()) return port;
  return net::make_pcap_port(std::move(port), shard == 0 ? path : path + "." + std::to_string(shard));
}

/// A shard's thread with what it runs. The pump is made on the thread, so that its memory is the shard's.
struct ShardThread {
  std::unique_ptr<net::Port> port;
  std::unique_ptr<core::ShardLoop> loop;
  Mailbox mailbox;
  std::thread thread;
};

class RunningNode final : public Node {
 public:
  RunningNode(NodeConfig config, core::NodeId id)
      : config_(std::move(config)), id_(id), mesh_(config_.shards), shards_(config_.shards) {
    reply_waker_.arm();  // stays armed outside drain_replies: the control loop may sleep at any time
  }

  core::Status open_ports() {
    auto ports = net::open_udp_ports({.listen = config_.listen}, config_.shards);
    if (!ports) return tl::unexpected(ports.error());
    for (std::size_t i = 0; i < shards_.size(); ++i) {
      auto port = with_capture(std::move((*ports)[i]), config_.pcap, i);
      if (!port) return tl::unexpected(port.error());
      shards_[i].port = std::move(*port);
    }
    config_.listen = shards_[0].port->local();
    return {};
  }

  void start_threads() {
    const std::uint32_t cores = std::max(1U, std::thread::hardware_concurrency());
    const bool whole_machine = config_.shards == cores && cores > 1;
    std::latch ready(static_cast<std::ptrdiff_t>(shards_.size()));
    for (std::size_t i = 0; i < shards_.size(); ++i) {
      const auto shard = static_cast<core::ShardId>(i);
      ShardThread& own = shards_[i];
      own.loop = std::make_unique<core::ShardLoop>(shard, whole_machine ? static_cast<int>(i) : -1, mesh_.waker(shard));
      own.loop->watch(own.port->wait_fd());
      own.thread = std::thread([this, shard, &own, &ready] { run_shard(shard, own, ready); });
    }
    ready.wait();
  }

  ~RunningNode() override {
    for (auto& shard : shards_)
      if (shard.loop != nullptr) shard.loop->stop();
    for (auto& shard : shards_)
      if (shard.thread.joinable()) shard.thread.join();
  }

  [[nodiscard]] const NodeConfig& config() const override { return config_; }
  [[nodiscard]] core::NodeId id() const override { return id_; }
  [[nodiscard]] std::uint32_t shards() const override { return config_.shards; }
  [[nodiscard]] core::ShardId shard_of(core::BytesView key) const override {
    return static_cast<core::ShardId>(core::partition_of(key, config_.partitions) % config_.shards);
  }

  bool post(core::ShardId shard, Command command) override {
    if (!shards_[shard].mailbox.commands.push(std::move(command))) return false;
    mesh_.waker(shard).notify();
    return true;
  }

  void drain_replies(const std::function<void(Reply&&)>& sink) override {
    reply_waker_.disarm();
    reply_waker_.arm();  // before the look: a reply that arrives behind it writes the eventfd again
    for (auto& shard : shards_) {
      Reply reply;
      while (shard.mailbox.replies.pop(reply)) sink(std::move(reply));
    }
  }

  [[nodiscard]] int reply_fd() const override { return reply_waker_.fd(); }

  [[nodiscard]] core::Duration longest_pass_age(core::Instant now) const override {
    core::Duration oldest = 0;
    for (const auto& shard : shards_) {
      const core::Instant last = shard.loop->stats().last_pass.load();
      oldest = std::max(oldest, now > last ? now - last : 0);
    }
    return oldest;
  }

 private:
  void run_shard(core::ShardId shard, ShardThread& own, std::latch& ready) {
    const auto arena = core::bind_thread_to_new_arena();
    Pump::Config config;
    config.shard = shard;
    config.partitions = config_.partitions;
    config.cluster = net::cluster_hash(config_.cluster);
    config.self = {id_, 0};
    config.name = config_.name;
    config.listen = config_.listen;
    config.join = config_.join;
    config.seed = id_ + shard;
    config.on_news = config_.on_news;
    config.wall_ms = [](core::Instant) { return core::wall_clock_ms(); };
    if (arena) config.allocated_bytes = [number = *arena] { return core::arena_allocated_bytes(number); };
    Pump pump(std::move(config), *own.port, mesh_, own.mailbox, reply_waker_);
    own.loop->add(pump);
    ready.count_down();
    own.loop->run();
  }

  NodeConfig config_;
  core::NodeId id_;
  ShardMesh mesh_;
  core::Waker reply_waker_;
  std::vector<ShardThread> shards_;
};

}  // namespace

core::Result<std::unique_ptr<Node>> Node::start(NodeConfig config) {
  if (auto status = check(config); !status) return tl::unexpected(status.error());
  if (config.shards == 0)
    config.shards = std::clamp(std::thread::hardware_concurrency(), 1U, std::min(kShardsMax, config.partitions));
  // The memory backend forgets: every start is a new node, so that no dot and no flush number is ever used twice.
  core::NodeId id = 0;
  while (id == 0) id = core::entropy_seed();
  if (config.name.empty()) config.name = fmt::format("{:016x}", id);
  auto node = std::make_unique<RunningNode>(std::move(config), id);
  if (auto status = node->open_ports(); !status) return tl::unexpected(status.error());
  node->start_threads();
  return node;
}

}  // namespace anabranch::node

// Many nodes in one thread under virtual time: the production pumps over loopback ports with faults. The same seed gives
// the same run to the byte. Used by tests/sim.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/rng.hpp"
#include "core/time.hpp"
#include "net/fault_port.hpp"
#include "net/loopback.hpp"
#include "tools/node/pump.hpp"
#include "tools/sim/ports.hpp"

namespace anabranch::sim {

struct ClusterConfig {
  std::uint64_t seed = 1;
  std::uint32_t nodes = 8;
  std::uint32_t shards = 2;
  std::uint32_t partitions = 16;
  std::size_t log_bytes_max = 64ULL << 20;
};

class Cluster {
 public:
  using OnReply = std::function<void(const node::Reply&)>;

  /// Starts every node; all but the first join through the first.
  explicit Cluster(const ClusterConfig& config);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  /// Faults of the whole network; may be changed between steps.
  [[nodiscard]] net::FaultConfig& faults() { return faults_; }
  [[nodiscard]] core::Instant now() const { return now_; }
  [[nodiscard]] std::uint32_t size() const { return config_.nodes; }
  [[nodiscard]] const Trace& trace() const { return trace_; }
  [[nodiscard]] core::Address address(std::uint32_t node) const;

  /// Ends a node without a word: what only it held is gone.
  void kill(std::uint32_t node);
  /// Starts a killed node again at its address, as a new node (memory backend), joining through every other.
  void restart(std::uint32_t node);
  [[nodiscard]] bool alive(std::uint32_t node) const;

  /// Posts a command to the shard that owns `key` (any shard for commands without one); `on_reply` runs during run_until.
  ///   returns  the command's id
  std::uint64_t post(std::uint32_t node, core::BytesView key, node::CommandBody body, OnReply on_reply = {});

  /// Advances virtual time to `until`, doing everything that falls due on the way.
  void run_until(core::Instant until);

  /// Do all live nodes hold the same? Compares version vectors and fingerprints of every partition.
  [[nodiscard]] bool converged() const;
  /// Are all live nodes linked to all others?
  [[nodiscard]] bool fully_linked() const;
  /// Every variable of a node, sorted by key.
  [[nodiscard]] std::vector<node::Item> items(std::uint32_t node) const;

 private:
  struct SimNode;

  void start(std::uint32_t index, const std::vector<core::Address>& join);
  void settle();
  void deliver_replies(SimNode& node);
  [[nodiscard]] core::Instant next_event() const;

  ClusterConfig config_;
  net::LoopbackNetwork network_;
  net::FaultConfig faults_;
  Trace trace_;
  core::Rng ids_;
  core::Instant now_ = core::kSecond;
  std::uint64_t next_command_ = 1;
  std::uint64_t starts_ = 0;
  std::vector<std::unique_ptr<SimNode>> nodes_;
};

}  // namespace anabranch::sim

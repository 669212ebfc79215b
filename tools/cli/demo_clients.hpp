// The edge clients of a demo: two threads play the plan's moments for all of them. What the clients hold is the truth that
// the nodes are checked against; it is kept here, apart from what the sender keeps.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "core/time.hpp"
#include "tools/cli/demo_plan.hpp"
#include "tools/cli/edge_client.hpp"

namespace anabranch::cli {

/// Which advertisements have reached their limit, as each node's watches see it. Set by watchers, read by clients.
class StopBoard {
 public:
  StopBoard(std::size_t nodes, std::size_t ads) : ads_(ads), stopped_(nodes * ads) {}
  void stop(std::size_t node, std::size_t ad) { stopped_[node * ads_ + ad].store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool stopped(std::size_t node, std::size_t ad) const {
    return stopped_[node * ads_ + ad].load(std::memory_order_relaxed);
  }

 private:
  std::size_t ads_;
  std::vector<std::atomic<bool>> stopped_;
};

class DemoClients {
 public:
  /// Borrows everything for its life. Nothing happens before start().
  DemoClients(const DemoPlan& plan, const StopBoard& board, EdgeSender& sender, std::size_t nodes);
  /// Stops the threads.
  ~DemoClients();
  DemoClients(const DemoClients&) = delete;
  DemoClients& operator=(const DemoClients&) = delete;

  /// Plays the plan from the monotonic instant `start` on.
  void start(core::Instant start);
  /// The plan has been played, or nobody has anything more to show: everybody is online, and has told the sender everything.
  [[nodiscard]] bool finished() const { return running_.load() == 0; }
  /// Impressions so far.
  [[nodiscard]] std::uint64_t offered() const { return offered_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t offered_offline() const { return offered_offline_.load(std::memory_order_relaxed); }
  /// The monotonic instant of the last event: a client told something new, or was back, or the killed node was. Only once
  /// finished.
  [[nodiscard]] core::Instant last_event() const { return std::max(last_.load(), started_ + all_back_); }
  /// Impressions of each advertisement over all clients. Only once finished.
  [[nodiscard]] std::vector<std::uint64_t> truth() const;

 private:
  struct Client;
  class Player;

  // Every advertisement has stopped on every node.
  [[nodiscard]] bool all_stopped() const;

  const DemoPlan& plan_;
  const StopBoard& board_;
  EdgeSender& sender_;
  const std::size_t nodes_;
  std::vector<double> popularity_;  // cumulative, of the advertisements
  std::vector<Client> clients_;
  core::Instant started_ = 0;
  core::Duration all_back_ = 0;  // after the start; from then on nobody is offline
  std::atomic<bool> stopping_{false};
  std::atomic<int> running_{0};
  std::atomic<std::uint64_t> offered_{0}, offered_offline_{0};
  std::atomic<core::Instant> last_{0};
  std::vector<std::thread> threads_;
};

}  // namespace anabranch::cli

// The threshold watches of a demo: on every node one for each advertisement, which says on the stop board when the node's
// count has reached the limit.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tools/cli/demo_clients.hpp"
#include "tools/cli/demo_cluster.hpp"

namespace anabranch::cli {

class DemoWatches {
 public:
  /// Watches `ads` for at_least `limit` on every node. Borrows the rest. A watch takes a thread and a connection of its own
  /// while there are at most kThreadsMax; beyond, a thread takes turns among several watches.
  DemoWatches(const std::vector<std::string>& ads, std::int64_t limit, std::size_t nodes, const AddressBook& book,
              StopBoard& board);
  /// Stops the threads.
  ~DemoWatches();
  DemoWatches(const DemoWatches&) = delete;
  DemoWatches& operator=(const DemoWatches&) = delete;

  static constexpr std::size_t kThreadsMax = 128;

  /// How many watches have fired.
  [[nodiscard]] std::size_t fired() const { return fired_.load(); }

 private:
  void watch(std::size_t node, std::size_t part, std::size_t parts);

  const std::vector<std::string>& ads_;
  const std::int64_t limit_;
  const AddressBook& book_;
  StopBoard& board_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> fired_{0};
  std::vector<std::thread> threads_;
};

}  // namespace anabranch::cli

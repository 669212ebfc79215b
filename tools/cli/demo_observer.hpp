// Looks at all nodes of a demo at one instant: what each counts, and how many frames it has sent. One thread and one
// connection per node.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/time.hpp"
#include "core/types.hpp"
#include "tools/cli/demo_cluster.hpp"
#include "tools/rpc/client.hpp"

namespace anabranch::cli {

/// What one node says.
struct NodeView {
  bool answered = false;
  std::map<core::Bytes, std::uint64_t> counts;  // of every counter
  std::string text;                             // every item, as `get --prefix '' --json` prints them
  std::uint64_t frames = 0, bytes = 0;          // sent, since the process started
  std::size_t members = 0;                      // that it holds alive, itself included

  [[nodiscard]] std::uint64_t total() const;
};

class DemoObserver {
 public:
  /// Borrows the address book.
  DemoObserver(std::size_t nodes, const AddressBook& book);
  /// Stops the threads.
  ~DemoObserver();
  DemoObserver(const DemoObserver&) = delete;
  DemoObserver& operator=(const DemoObserver&) = delete;

  /// Asks all nodes at once, and waits for their answers (at most about two seconds); main thread.
  std::vector<NodeView> look();

 private:
  void watch(std::size_t node);

  const AddressBook& book_;
  std::mutex mutex_;
  std::condition_variable asked_, answered_;
  std::uint64_t round_ = 0;
  std::size_t missing_ = 0;  // answers of this round
  bool stopping_ = false;
  std::vector<NodeView> views_;
  std::vector<std::thread> threads_;
};

/// Reads one node through an open client.
core::Result<NodeView> view_node(rpc::Client& client);

}  // namespace anabranch::cli

// The nodes of a demo: real `anabranch serve` processes on loopback, on ports that the kernel chooses.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"
#include "tools/cli/process.hpp"

namespace anabranch::cli {

/// The control address of each node; empty while the node is away. From any thread.
class AddressBook {
 public:
  explicit AddressBook(std::size_t nodes) : addresses_(nodes) {}
  void set(std::size_t node, std::string address) {
    const std::lock_guard lock(mutex_);
    addresses_[node] = std::move(address);
  }
  [[nodiscard]] std::string get(std::size_t node) const {
    const std::lock_guard lock(mutex_);
    return addresses_[node];
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> addresses_;
};

/// What a node says when it is ready.
struct ReadyLine {
  std::string name, listen, control, http;
};

/// Parses the JSON line that `serve` prints when it is ready.
///   errors  kMalformed
core::Result<ReadyLine> parse_ready_line(const std::string& line);

/// Owns the processes; main thread only, which must outlive them.
class DemoCluster {
 public:
  /// `program` is the path of the binary. Borrows the address book.
  DemoCluster(std::string program, std::size_t nodes, AddressBook& book);

  /// Starts node `node`, which joins all that run, and waits until it is ready.
  ///   errors  kIo, kTimeout, kClosed (it ended); the detail ends with what it wrote to stderr
  core::Status start(std::size_t node);
  /// Ends node `node` with SIGKILL; its memory is gone.
  void kill(std::size_t node);
  /// A node that should run and does not, with what it wrote to stderr.
  [[nodiscard]] std::optional<core::Error> casualty();
  /// Asks all to end, and kills those that do not within two seconds.
  void stop();
  [[nodiscard]] static std::string name(std::size_t node) { return "n" + std::to_string(node + 1); }

 private:
  struct Node {
    std::unique_ptr<Process> process;
    std::string listen;
  };
  core::Error failure(std::size_t node, const core::Error& error) const;

  std::string program_;
  AddressBook& book_;
  std::vector<Node> nodes_;
};

}  // namespace anabranch::cli

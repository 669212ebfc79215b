// Brings the totals of many edge clients to the nodes of a cluster: one thread per node, several batches in flight on each,
// sent again (there or at another node) until they are acknowledged. Used by `ingest` and `demo`.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"
#include "tools/cli/edge_totals.hpp"
#include "tools/node/command.hpp"
#include "tools/rpc/client.hpp"

namespace anabranch::cli {

/// A connection to a node as EdgeSender needs it; made, used and dropped by one thread. Errors as in rpc::Client.
class NodeLink {
 public:
  virtual ~NodeLink() = default;
  virtual std::uint64_t submit(std::span<const node::Update> updates, rpc::Ack ack) = 0;
  virtual core::Result<node::UpdateReply> await(std::uint64_t ticket, core::Duration timeout) = 0;
};

/// Connects to node number `node`; called by that node's thread, again after each failure.
using LinkFactory = std::function<core::Result<std::unique_ptr<NodeLink>>(std::size_t node)>;

/// Links over rpc::Client to fixed control addresses.
LinkFactory rpc_links(std::vector<std::string> addresses);
/// A link over rpc::Client to one control address.
core::Result<std::unique_ptr<NodeLink>> rpc_link(const std::string& address);

struct SenderConfig {
  std::size_t nodes = 1;
  rpc::Ack ack;
  std::size_t batch_max = 512;                           // totals in a batch; guess
  std::size_t window = 4;                                // batches in flight per node; guess
  core::Duration ack_timeout = 2 * core::kSecond;        // then the link is dropped and its batches go elsewhere
  core::Duration backoff_min = 20 * core::kMillisecond;  // between attempts to connect, doubled up to the maximum
  core::Duration backoff_max = 500 * core::kMillisecond;
};

/// How far the sending is; counters since the start.
struct SenderState {
  std::uint64_t acknowledged = 0;  // sum of acknowledged totals
  std::uint64_t refused = 0;       // sum of totals that a node refuses for good
  std::size_t waiting = 0;         // totals not yet acknowledged
  std::size_t entries = 0, clients = 0, keys = 0;
  std::uint64_t batches = 0;        // acknowledged
  std::uint64_t batches_again = 0;  // lost with their link, or put off by the node, and sent again
  std::uint64_t connections = 0;
  core::Instant last_acknowledgement = 0;  // 0: none yet
  bool submitted = false;                  // anything ever left this process
  std::vector<std::string> complaints;     // different refusals, at most kComplaintsMax
  std::string last_error;                  // of a connection; for the message when nothing works
};

class EdgeSender {
 public:
  static constexpr std::size_t kComplaintsMax = 20;

  /// Starts the threads. `links` is called from all of them, also at once.
  EdgeSender(SenderConfig config, LinkFactory links);
  /// Stops the threads; what is not acknowledged is forgotten. Waits at most for one connection attempt or acknowledgement.
  ~EdgeSender();
  EdgeSender(const EdgeSender&) = delete;
  EdgeSender& operator=(const EdgeSender&) = delete;

  // From any thread:

  /// The entry of (client, key), to be sent to node `home`, or to another while that one is away.
  EdgeTotals::Entry open(std::string_view client, std::string_view key, std::size_t home);
  /// Lifts a total; it is sent soon.
  void raise(EdgeTotals::Entry entry, std::uint64_t total);
  /// Adds one to the total of (client, key) in one step, and returns the entry.
  EdgeTotals::Entry count(std::string_view client, std::string_view key, std::size_t home);

  /// Waits until every total is acknowledged or refused, at most until the monotonic instant `deadline`; true when done.
  bool wait_done(core::Instant deadline);
  [[nodiscard]] SenderState state() const;
  /// Node `node` has a connection now.
  [[nodiscard]] bool up(std::size_t node) const;

 private:
  struct InFlight {
    EdgeBatch batch;
    std::uint64_t ticket = 0;
  };
  class Worker;

  bool take(std::size_t node, bool idle, EdgeBatch& into);  // with mutex_ held
  /// True if the node had no room for some of it.
  bool settle(const EdgeBatch& batch, const core::Result<node::UpdateReply>& reply);

  const SenderConfig config_;
  const LinkFactory links_;
  mutable std::mutex mutex_;
  std::condition_variable work_, done_;
  EdgeTotals totals_;
  SenderState state_;
  std::vector<bool> up_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace anabranch::cli

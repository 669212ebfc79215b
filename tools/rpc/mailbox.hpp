// The control thread's side of a node's mailbox, as promises: posts commands, pairs replies with them, and cancels the waits
// that nobody waits for any more. Internal to the doors (shows KJ types); control thread only.
#pragma once

#include <kj/async-unix.h>
#include <kj/async.h>
#include <kj/timer.h>

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "core/result.hpp"
#include "tools/node/command.hpp"
#include "tools/node/node.hpp"

namespace anabranch::rpc {

using Outcome = core::Result<node::ReplyBody>;

class Mailbox {
 public:
  /// Borrows all three for life. A promise of call() that outlives the mailbox stays unanswered.
  Mailbox(node::Node& node, kj::UnixEventPort& port, kj::Timer& timer);
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;
  ~Mailbox() noexcept(false);

  /// Posts `body` to `shard`. Dropping the promise posts a CancelCommand if the shard may be waiting.
  ///   errors  what the shard answers; kFull when kQueueMax commands already wait to be posted
  kj::Promise<Outcome> call(core::ShardId shard, node::CommandBody body);

  /// Runs until cancelled: hands out replies as they come. Never fails.
  kj::Promise<void> run();

  [[nodiscard]] std::size_t open() const { return waiters_.size(); }
  [[nodiscard]] node::Node& node() const { return node_; }

 private:
  class Waiter;
  /// Commands that wait, a shard, because its ring is full.
  static constexpr std::size_t kQueueMax = 4'096;

  kj::Promise<void> watch_replies();
  void post(core::ShardId shard, node::Command command);
  void flush(core::ShardId shard);
  void retry_later();
  kj::Promise<void> retry();

  node::Node& node_;
  kj::Timer& timer_;
  kj::UnixEventPort::FdObserver observer_;
  std::map<std::uint64_t, Waiter*> waiters_;
  std::vector<std::deque<node::Command>> queues_;  // by shard
  kj::Promise<void> retry_ = nullptr;
  bool retrying_ = false;
  std::uint64_t last_id_ = 0;
};

}  // namespace anabranch::rpc

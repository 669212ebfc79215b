// The control door: Cap'n Proto RPC for clients, on the control thread's event loop. A connection that sends garbage ends and is
// counted; nothing it does reaches the node. Internal to the doors (shows KJ types).
#pragma once

#include <kj/async-io.h>

#include <functional>
#include <string>

#include "tools/rpc/facts.hpp"
#include "tools/rpc/mailbox.hpp"

namespace anabranch::rpc {

/// Bounds of the control door.
struct ServerLimits {
  std::size_t connections_max = 4'096;       // more are closed at once
  std::size_t open_calls_max = kTicketsMax;  // of one connection; more are refused with `full`
  core::Duration hello_within = 10 * core::kSecond;
};

/// All shards' status and the members. Fails with the first error that a shard gives.
kj::Promise<core::Result<Survey>> survey(Mailbox& mailbox);

/// Something worth a line in the log; called on the control thread.
using Notice = std::function<void(const std::string&)>;

class Server final : private kj::TaskSet::ErrorHandler {
 public:
  /// Borrows everything for life.
  Server(Mailbox& mailbox, kj::Timer& timer, Facts& facts, DoorCounters& counters, ServerLimits limits, Notice notice);
  ~Server() noexcept(false);

  /// Accepts connections until cancelled; a failure to accept is counted and tried again.
  kj::Promise<void> listen(kj::ConnectionReceiver& receiver);

 private:
  void admit(kj::Own<kj::AsyncIoStream> stream);
  void taskFailed(kj::Exception&& exception) override;

  Mailbox& mailbox_;
  kj::Timer& timer_;
  Facts& facts_;
  DoorCounters& counters_;
  ServerLimits limits_;
  Notice notice_;
  kj::TaskSet tasks_;
};

}  // namespace anabranch::rpc

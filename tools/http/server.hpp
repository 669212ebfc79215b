// The HTTP door: KJ's server in front of the pages of routes.hpp, on the control thread's event loop. Internal to the doors
// (shows KJ types).
#pragma once

#include <kj/async-io.h>
#include <kj/compat/http.h>

#include "tools/rpc/facts.hpp"
#include "tools/rpc/mailbox.hpp"
#include "tools/rpc/server.hpp"

namespace anabranch::http {

/// Bounds of the HTTP door.
struct HttpLimits {
  std::size_t connections_max = 256;                 // more are closed at once
  core::Duration survey_within = 2 * core::kSecond;  // a shard that takes longer is not alive
};

class HttpDoor final : private kj::TaskSet::ErrorHandler, private kj::HttpServerErrorHandler {
 public:
  /// Borrows everything for life.
  HttpDoor(rpc::Mailbox& mailbox, kj::Timer& timer, const rpc::Facts& facts, rpc::DoorCounters& counters,
           HttpLimits limits, rpc::Notice notice);

  /// Accepts connections until cancelled; a failure to accept is counted and tried again.
  kj::Promise<void> listen(kj::ConnectionReceiver& receiver);

 private:
  class Connection;

  kj::Promise<void> answer(kj::HttpMethod method, kj::StringPtr url, kj::HttpService::Response& response);
  kj::Promise<void> handleApplicationError(kj::Exception exception,
                                           kj::Maybe<kj::HttpService::Response&> response) override;
  void taskFailed(kj::Exception&& exception) override;
  void admit(kj::Own<kj::AsyncIoStream> stream);
  kj::Promise<core::Result<rpc::Survey>> ask_shards();

  rpc::Mailbox& mailbox_;
  kj::Timer& timer_;
  const rpc::Facts& facts_;
  rpc::DoorCounters& counters_;
  HttpLimits limits_;
  rpc::Notice notice_;
  kj::Own<kj::HttpHeaderTable> table_;
  kj::TaskSet tasks_;
};

}  // namespace anabranch::http

#include "tools/http/server.hpp"

#include <kj/debug.h>

#include <string>
#include <utility>

#include "tools/http/metrics.hpp"
#include "tools/http/routes.hpp"

namespace anabranch::http {
namespace {

constexpr auto kAcceptRetry = 100 * kj::MILLISECONDS;

kj::HttpServerSettings settings(kj::HttpServerErrorHandler& handler) {
  kj::HttpServerSettings settings;
  settings.headerTimeout = 10 * kj::SECONDS;
  settings.pipelineTimeout = 30 * kj::SECONDS;  // a scrape every 15 s keeps its connection
  settings.errorHandler = handler;
  return settings;
}

kj::StringPtr reason(unsigned status) {
  switch (status) {
    case 200: return "OK";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 503: return "Service Unavailable";
    default: return "Internal Server Error";
  }
}

kj::Promise<void> send(const kj::HttpHeaderTable& table, kj::HttpMethod method, Answer answer,
                       kj::HttpService::Response& response) {
  kj::HttpHeaders headers(table);
  headers.set(kj::HttpHeaderId::CONTENT_TYPE, kj::str(answer.content_type));
  headers.add("Cache-Control", "no-store");
  headers.add("X-Content-Type-Options", "nosniff");
  if (!answer.allow.empty()) headers.add("Allow", kj::str(answer.allow));
  auto stream = response.send(answer.status, reason(answer.status), headers, answer.body.size());
  if (method == kj::HttpMethod::HEAD) return kj::Promise<void>(kj::READY_NOW).attach(kj::mv(stream));
  auto body = kj::heap<std::string>(std::move(answer.body));
  auto written = stream->write(body->data(), body->size());
  return written.attach(kj::mv(stream), kj::mv(body));
}

}  // namespace

/// One client. KJ's server does not end a connection that asks for it, so each has a server of its own to drain.
class HttpDoor::Connection final : public kj::HttpService {
 public:
  explicit Connection(HttpDoor& door) : door_(door), server_(door.timer_, *door.table_, *this, settings(door)) {
    ++door_.counters_.http_open;
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() noexcept(false) { --door_.counters_.http_open; }

  kj::Promise<void> run(kj::Own<kj::AsyncIoStream> stream) { return server_.listenHttp(kj::mv(stream)); }

  kj::Promise<void> request(kj::HttpMethod method, kj::StringPtr url, const kj::HttpHeaders& headers,
                            kj::AsyncInputStream&, Response& response) override {
    KJ_IF_MAYBE (wish, headers.get(kj::HttpHeaderId::CONNECTION)) {
      if (*wish == "close" && !draining_) {
        draining_ = true;
        drained_ = server_.drain();
      }
    }
    return door_.answer(method, url, response);
  }

 private:
  HttpDoor& door_;
  kj::HttpServer server_;
  kj::Promise<void> drained_ = nullptr;
  bool draining_ = false;
};

HttpDoor::HttpDoor(rpc::Mailbox& mailbox, kj::Timer& timer, const rpc::Facts& facts, rpc::DoorCounters& counters,
                   HttpLimits limits, rpc::Notice notice)
    : mailbox_(mailbox),
      timer_(timer),
      facts_(facts),
      counters_(counters),
      limits_(limits),
      notice_(std::move(notice)),
      table_(kj::HttpHeaderTable::Builder().build()),
      tasks_(*this) {}

kj::Promise<void> HttpDoor::listen(kj::ConnectionReceiver& receiver) {
  return receiver.accept()
      .then([this](kj::Own<kj::AsyncIoStream> stream) -> kj::Promise<void> {
        admit(kj::mv(stream));
        return kj::READY_NOW;
      })
      .catch_([this](kj::Exception&& exception) -> kj::Promise<void> {
        ++counters_.accept_errors;
        notice_(std::string("http: cannot accept a connection: ") + exception.getDescription().cStr());
        return timer_.afterDelay(kAcceptRetry);
      })
      .then([this, &receiver]() { return listen(receiver); });
}

void HttpDoor::admit(kj::Own<kj::AsyncIoStream> stream) {
  if (counters_.http_open >= limits_.connections_max) {
    ++counters_.http_refused;
    notice_("http: refused a connection, " + std::to_string(limits_.connections_max) + " are open");
    return;  // closes it
  }
  auto connection = kj::heap<Connection>(*this);
  auto served = connection->run(kj::mv(stream));
  tasks_.add(served.attach(kj::mv(connection)));
}

kj::Promise<core::Result<rpc::Survey>> HttpDoor::ask_shards() {
  auto late = timer_.afterDelay(static_cast<std::int64_t>(limits_.survey_within) * kj::NANOSECONDS)
                  .then([]() -> core::Result<rpc::Survey> { return core::fail(core::Errc::kTimeout, "no answer"); });
  return rpc::survey(mailbox_).exclusiveJoin(kj::mv(late));
}

kj::Promise<void> HttpDoor::answer(kj::HttpMethod method, kj::StringPtr url, kj::HttpService::Response& response) {
  ++counters_.http_requests;
  const std::string verb = kj::str(method).cStr();
  const Target target = find(verb, {url.begin(), url.size()});
  if (target.page == Page::kNotFound) return send(*table_, method, not_found({url.begin(), url.size()}), response);
  if (target.page == Page::kNotAllowed) return send(*table_, method, not_allowed(verb), response);
  return ask_shards().then([this, method, target, &response](core::Result<rpc::Survey> survey) {
    const rpc::Survey* all = survey ? &*survey : nullptr;
    const core::Instant now = core::monotonic_now();
    Answer page = no_answer();
    if (target.page == Page::kLive) page = live(all);
    if (target.page == Page::kReady) page = ready(all, facts_, target.verbose);
    if (target.page == Page::kStatus && all != nullptr) page = status(rpc::summarize(*all, facts_, now));
    if (target.page == Page::kMetrics && all != nullptr) {
      page = Answer{200, "text/plain; version=0.0.4; charset=utf-8", metrics_text(*all, facts_, counters_, now), {}};
    }
    return send(*table_, method, std::move(page), response);
  });
}

kj::Promise<void> HttpDoor::handleApplicationError(kj::Exception exception,
                                                   kj::Maybe<kj::HttpService::Response&> response) {
  if (exception.getType() != kj::Exception::Type::DISCONNECTED)
    notice_(std::string("http: a request failed: ") + exception.getDescription().cStr());
  KJ_IF_MAYBE (open, response) {
    return send(*table_, kj::HttpMethod::GET, Answer{500, "text/plain; charset=utf-8", "The request failed.\n", {}},
                *open);
  }
  return kj::READY_NOW;
}

void HttpDoor::taskFailed(kj::Exception&& exception) {
  if (exception.getType() == kj::Exception::Type::DISCONNECTED) return;
  notice_(std::string("http: a connection failed: ") + exception.getDescription().cStr());
}

}  // namespace anabranch::http

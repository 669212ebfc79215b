#include "tools/cli/control_loop.hpp"

#include <kj/async-io.h>
#include <kj/async-unix.h>
#include <kj/debug.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "tools/http/server.hpp"
#include "tools/http/status_json.hpp"
#include "tools/rpc/mailbox.hpp"
#include "tools/rpc/server.hpp"

namespace anabranch::cli {
namespace {

constexpr int kBacklog = SOMAXCONN;

core::Result<TcpListener> cannot_listen(const core::Address& address, const char* option, int error, int fd) {
  if (fd >= 0) close(fd);
  const std::string where = core::to_string(address) + " (" + option + ")";
  if (error == EADDRINUSE)
    return core::fail(core::Errc::kIo,
                      "address in use; stop the process that holds it, or listen on another port (0: any free one)",
                      where);
  return core::fail(core::Errc::kIo, "cannot listen", where + ": " + std::strerror(error));
}

/// What KJ would print itself goes to our log.
class QuietKj final : public kj::ExceptionCallback {
 public:
  explicit QuietKj(const rpc::Notice& notice) : notice_(notice) {}
  void logMessage(kj::LogSeverity severity, const char* file, int line, int, kj::String&& text) override {
    if (severity < kj::LogSeverity::WARNING) return;
    notice_(std::string("kj: ") + text.cStr() + " (" + file + ":" + std::to_string(line) + ")");
  }

 private:
  const rpc::Notice& notice_;
};

rpc::Facts facts_of(const node::Node& node, const ControlConfig& config) {
  const node::NodeConfig& chosen = node.config();
  rpc::Facts facts;
  facts.id = node.id();
  facts.name = chosen.name.empty() ? http::id_text(node.id()) : chosen.name;
  facts.cluster = chosen.cluster;
  facts.version = config.version;
  facts.listen = core::to_string(chosen.listen);
  facts.control = core::to_string(config.control.address());
  facts.http = core::to_string(config.http.address());
  facts.shards = node.shards();
  facts.partitions = chosen.partitions;
  facts.durable = !chosen.data.empty();
  facts.ready = true;
  facts.started = core::monotonic_now();
  return facts;
}

/// Resolves when `observer`'s descriptor has been read once more.
kj::Promise<void> next_stop(kj::UnixEventPort::FdObserver& observer, int fd) {
  char buffer[128];  // an eventfd gives 8 bytes, a signalfd 128
  if (read(fd, buffer, sizeof buffer) > 0) return kj::READY_NOW;
  return observer.whenBecomesReadable().then([&observer, fd]() { return next_stop(observer, fd); });
}

kj::Promise<void> leave(rpc::Mailbox& mailbox, kj::Timer& timer, core::Duration within) {
  return mailbox.call(0, node::LeaveCommand{})
      .ignoreResult()
      .exclusiveJoin(timer.afterDelay(static_cast<std::int64_t>(within) * kj::NANOSECONDS));
}

void serve(node::Node& node, ControlConfig& config) {
  auto io = kj::setupAsyncIo();
  auto& timer = io.provider->getTimer();
  rpc::Facts facts = facts_of(node, config);
  rpc::DoorCounters counters;
  constexpr auto flags = kj::LowLevelAsyncIoProvider::TAKE_OWNERSHIP | kj::LowLevelAsyncIoProvider::ALREADY_CLOEXEC |
                         kj::LowLevelAsyncIoProvider::ALREADY_NONBLOCK;
  auto control = io.lowLevelProvider->wrapListenSocketFd(config.control.release(), flags);
  auto web = io.lowLevelProvider->wrapListenSocketFd(config.http.release(), flags);

  rpc::Mailbox mailbox(node, io.unixEventPort, timer);
  rpc::ServerLimits control_limits;
  control_limits.connections_max = config.control_connections;
  http::HttpLimits http_limits;
  http_limits.connections_max = config.http_connections;
  rpc::Server server(mailbox, timer, facts, counters, control_limits, config.notice);
  http::HttpDoor door(mailbox, timer, facts, counters, http_limits, config.notice);
  kj::UnixEventPort::FdObserver stop(io.unixEventPort, config.stop_fd, kj::UnixEventPort::FdObserver::OBSERVE_READ);

  const auto ended = [&config](kj::Exception&& exception) {
    config.notice(std::string("a door closed: ") + exception.getDescription().cStr());
  };
  auto replies = mailbox.run().eagerlyEvaluate(nullptr);
  auto calls = server.listen(*control).eagerlyEvaluate(ended);
  auto pages = door.listen(*web).eagerlyEvaluate(ended);
  if (config.on_ready) config.on_ready(facts);
  next_stop(stop, config.stop_fd).wait(io.waitScope);
  facts.ready = false;
  leave(mailbox, timer, config.leave_within).exclusiveJoin(next_stop(stop, config.stop_fd)).wait(io.waitScope);
}

}  // namespace

core::Result<TcpListener> TcpListener::open(const core::Address& address, const char* option) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return cannot_listen(address, option, errno, fd);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in raw{};
  raw.sin_family = AF_INET;
  raw.sin_port = htons(address.port);
  raw.sin_addr.s_addr = htonl(address.ip);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&raw), sizeof raw) != 0)
    return cannot_listen(address, option, errno, fd);
  if (::listen(fd, kBacklog) != 0) return cannot_listen(address, option, errno, fd);
  socklen_t size = sizeof raw;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&raw), &size) != 0) return cannot_listen(address, option, errno, fd);
  return TcpListener(fd, {address.ip, ntohs(raw.sin_port)});
}

TcpListener::TcpListener(TcpListener&& other) noexcept : fd_(std::exchange(other.fd_, -1)), address_(other.address_) {}

TcpListener::~TcpListener() {
  if (fd_ >= 0) close(fd_);
}

int TcpListener::release() { return std::exchange(fd_, -1); }

core::Status run_control(node::Node& node, ControlConfig config) {
  if (!config.notice) config.notice = [](const std::string&) {};
  const QuietKj quiet(config.notice);
  KJ_IF_MAYBE (exception, kj::runCatchingExceptions([&]() { serve(node, config); })) {
    return core::fail(core::Errc::kIo, "the control loop failed", exception->getDescription().cStr());
  }
  return {};
}

}  // namespace anabranch::cli

// `anabranch serve`: settings, sockets, the node, and the control loop on the main thread.
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "tools/cli/command.hpp"
#include "tools/cli/control_loop.hpp"
#include "tools/cli/log.hpp"
#include "tools/cli/output.hpp"
#include "tools/cli/settings.hpp"
#include "tools/cli/version.hpp"

namespace anabranch::cli {
namespace {

using core::Errc;

/// SIGTERM and SIGINT as a descriptor. Blocked before any thread starts (the log's is the first), so that none but
/// the control loop hears of them.
class StopSignals {
 public:
  StopSignals() {
    std::signal(SIGPIPE, SIG_IGN);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    fd_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals() { close(fd_); }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

constexpr std::size_t kDescriptorsBesides = 512;  // datagram sockets, events, files: a few a shard

/// Raises the soft limit of open files towards `wanted`, as far as the hard one allows. Beyond it, accepting fails and is
/// tried again.
void allow_descriptors(std::size_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
  setrlimit(RLIMIT_NOFILE, &limit);
}

core::Result<core::Address> local_address(const std::string& text, const char* option, bool insecure) {
  auto address = core::resolve_address(text);
  if (!address) {
    address.error().detail += std::string(" (") + option + ")";
    return address;
  }
  if (!address->loopback() && !insecure) {
    return core::fail(Errc::kRefused,
                      "nothing is encrypted yet, so a node listens on loopback only; --insecure allows more",
                      text + " (" + option + ")");
  }
  return address;
}

core::Result<node::NodeConfig> node_config(const ServeSettings& settings) {
  if (!settings.data.empty()) {
    return core::fail(Errc::kRefused,
                      "storage is not built in yet, so --data cannot be kept; without it the state is in memory",
                      settings.data);
  }
  node::NodeConfig config;
  config.name = settings.name;
  config.cluster = settings.cluster;
  config.shards = static_cast<std::uint32_t>(settings.shards);
  config.partitions = static_cast<std::uint32_t>(settings.partitions);
  config.insecure = settings.insecure;
  config.pcap = settings.pcap;
  if (config.partitions == 0 || (config.partitions & (config.partitions - 1)) != 0)
    return core::fail(Errc::kMalformed, "--partitions must be a power of two", std::to_string(config.partitions));
  const auto listen = local_address(settings.listen, "--listen", settings.insecure);
  if (!listen) return tl::unexpected(listen.error());
  config.listen = *listen;
  for (const std::string& text : settings.join) {
    auto address = core::resolve_address(text);
    if (address && address->port == 0) address = core::fail(Errc::kMalformed, "port 0 is nobody's address", text);
    if (!address) {
      address.error().detail += " (--join)";
      return tl::unexpected(address.error());
    }
    config.join.push_back(*address);
  }
  return config;
}

bool announce(const rpc::Facts& facts) {
  JsonObject ready;
  ready.flag("ready", true)
      .text("name", facts.name)
      .text("listen", facts.listen)
      .text("control", facts.control)
      .text("http", facts.http)
      .count("pid", static_cast<std::uint64_t>(getpid()))
      .count("shards", facts.shards);
  return print_line(ready.str()) && std::fflush(stdout) == 0;
}

class Serve final : public Command {
 public:
  void declare(Options& options) override {
    cli::declare(options, flags_);
    options.text("--config", file_, "FILE", "Read settings from a TOML file; flags and the environment win over it");
    options_ = &options;
  }

  int run(const Shared&) override {
    const StopSignals signals;
    ServeSettings settings;
    if (!file_.empty()) {
      if (const auto read = read_file(file_, settings); !read) return usage(read.error());
    }
    if (const auto read = read_environment(settings); !read) return usage(read.error());
    copy_given(*options_, flags_, settings);
    auto log = Log::open(settings.log_level, settings.log_format);
    if (!log) return usage(log.error());
    for (const std::string& name : unknown_environment()) log->warn("no such setting in the environment: " + name);
    auto config = node_config(settings);
    if (!config) return usage(config.error());
    const auto control = local_address(settings.control, "--control", settings.insecure);
    if (!control) return usage(control.error());
    const auto web = local_address(settings.http, "--http", settings.insecure);
    if (!web) return usage(web.error());
    return serve(settings, std::move(*config), *control, *web, signals, *log);
  }

 private:
  static int usage(const core::Error& error) {
    // A name that does not resolve is no node that was not reached.
    const int code = fail_with(error, true);
    return code == kUnreachable ? kFailed : code;
  }

  static int serve(const ServeSettings& settings, node::NodeConfig config, const core::Address& control_at,
                   const core::Address& http_at, const StopSignals& signals, Log& log) {
    auto control = TcpListener::open(control_at, "--control");
    if (!control) return fail_with(control.error());
    auto web = TcpListener::open(http_at, "--http");
    if (!web) return fail_with(web.error());
    config.on_news = [&log](const std::string& news) { log.info(news); };
    const std::string listen = core::to_string(config.listen);
    auto node = node::Node::start(std::move(config));
    if (!node) {
      if (node.error().detail == listen) node.error().detail += " (--listen)";
      return std::min<int>(fail_with(node.error()), kFailed);
    }
    ControlConfig loop{std::move(*control), std::move(*web)};
    loop.stop_fd = signals.fd();
    loop.version = version_text();
    loop.control_connections = static_cast<std::size_t>(settings.control_connections);
    loop.http_connections = static_cast<std::size_t>(settings.http_connections);
    allow_descriptors(loop.control_connections + loop.http_connections + kDescriptorsBesides);
    loop.notice = [&log](const std::string& message) { log.notice(message); };
    loop.on_ready = [&log](const rpc::Facts& facts) {
      log.info("serving",
               {{"name", facts.name}, {"listen", facts.listen}, {"control", facts.control}, {"http", facts.http}});
      if (!announce(facts)) log.warn("stdout is gone; nobody read the ready line");
    };
    const auto ended = run_control(**node, std::move(loop));
    log.info("stopped");
    return ended ? kOk : fail_with(ended.error());
  }

  ServeSettings flags_;
  std::string file_;
  const Options* options_ = nullptr;
};

}  // namespace

std::unique_ptr<Command> make_serve() { return std::make_unique<Serve>(); }

}  // namespace anabranch::cli

#include "tools/cli/demo_cluster.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <csignal>
#include <thread>

namespace anabranch::cli {
namespace {

constexpr core::Duration kReadyTimeout = 10 * core::kSecond;
constexpr core::Duration kStopPatience = 2 * core::kSecond;
constexpr std::size_t kStderrShown = 1'000;

}  // namespace

core::Result<ReadyLine> parse_ready_line(const std::string& line) {
  boost::json::error_code code;
  const boost::json::value value = boost::json::parse(line, code);
  const boost::json::object* const object = code ? nullptr : value.if_object();
  const auto text = [object](const char* field) -> std::string {
    const boost::json::value* const found = object == nullptr ? nullptr : object->if_contains(field);
    const boost::json::string* const string = found == nullptr ? nullptr : found->if_string();
    return string == nullptr ? std::string() : std::string(string->data(), string->size());
  };
  ReadyLine ready{text("name"), text("listen"), text("control"), text("http")};
  const boost::json::value* const flag = object == nullptr ? nullptr : object->if_contains("ready");
  if (flag == nullptr || flag->if_bool() == nullptr || !flag->as_bool() || ready.listen.empty() ||
      ready.control.empty())
    return core::fail(core::Errc::kMalformed, "expected a ready line in JSON", line);
  return ready;
}

DemoCluster::DemoCluster(std::string program, std::size_t nodes, AddressBook& book)
    : program_(std::move(program)), book_(book), nodes_(nodes) {}

core::Error DemoCluster::failure(std::size_t node, const core::Error& error) const {
  std::string detail = name(node) + ": " + error.detail;
  if (nodes_[node].process) {
    const std::string said = nodes_[node].process->stderr_tail(kStderrShown);
    if (!said.empty()) detail += "\n" + said;
  }
  return {error.code, error.what, std::move(detail)};
}

core::Status DemoCluster::start(std::size_t node) {
  // Two shards show everything that more would; many nodes share the machine's cores.
  const bool two = nodes_.size() <= 8 && std::thread::hardware_concurrency() > 1;
  std::vector<std::string> argv{program_,      "serve",    "--listen",    "127.0.0.1:0",  "--control",
                                "127.0.0.1:0", "--http",   "127.0.0.1:0", "--cluster",    "demo",
                                "--name",      name(node), "--shards",    two ? "2" : "1"};
  for (const Node& other : nodes_) {
    if (!other.process || other.listen.empty()) continue;
    argv.emplace_back("--join");
    argv.push_back(other.listen);
  }
  nodes_[node].listen.clear();
  auto process = Process::start(argv);
  if (!process) return tl::unexpected<core::Error>(failure(node, process.error()));
  nodes_[node].process = std::move(*process);
  const auto line = nodes_[node].process->read_line(kReadyTimeout);
  if (!line) return tl::unexpected<core::Error>(failure(node, line.error()));
  const auto ready = parse_ready_line(*line);
  if (!ready) return tl::unexpected<core::Error>(failure(node, ready.error()));
  nodes_[node].listen = ready->listen;
  book_.set(node, ready->control);
  return {};
}

void DemoCluster::kill(std::size_t node) {
  book_.set(node, "");
  nodes_[node].process.reset();  // SIGKILL, and reaped
  nodes_[node].listen.clear();
}

std::optional<core::Error> DemoCluster::casualty() {
  for (std::size_t node = 0; node < nodes_.size(); ++node) {
    if (!nodes_[node].process || nodes_[node].process->running()) continue;
    const auto status = nodes_[node].process->wait(0);
    return failure(
        node, {core::Errc::kClosed, "a node has ended by itself", "status " + std::to_string(status.value_or(-1))});
  }
  return std::nullopt;
}

void DemoCluster::stop() {
  for (const Node& node : nodes_)
    if (node.process) node.process->send(SIGTERM);
  const core::Instant deadline = core::monotonic_now() + kStopPatience;
  for (Node& node : nodes_) {
    if (!node.process) continue;
    const core::Instant now = core::monotonic_now();
    node.process->stop(now < deadline ? deadline - now : 0);
    node.process.reset();
  }
}

}  // namespace anabranch::cli

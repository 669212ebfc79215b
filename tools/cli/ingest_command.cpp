// `anabranch ingest`: options, the choice of acknowledgement, messages and exit code around run_ingest.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

#include "core/address.hpp"
#include "tools/cli/command.hpp"
#include "tools/cli/ingest.hpp"
#include "tools/cli/output.hpp"
#include "tools/cli/progress.hpp"

namespace anabranch::cli {
namespace {

constexpr std::uint64_t kMalformedShown = 20;

// How many nodes of the cluster are there to hold a copy.
std::size_t present(const node::MembersReply& reply) {
  return static_cast<std::size_t>(
      std::count_if(reply.members.begin(), reply.members.end(),
                    [](const node::Member& member) { return member.state != "failed" && member.state != "left"; }));
}

// Asks the nodes in turn until one says how large the cluster is.
core::Result<std::size_t> cluster_size(const std::vector<std::string>& nodes, core::Duration timeout) {
  const core::Instant deadline = core::monotonic_now() + timeout;
  core::Error last{core::Errc::kUnreachable, "no node answers", {}};
  while (true) {
    for (const std::string& node : nodes) {
      const core::Duration patience = std::min<core::Duration>(timeout, core::kSecond);
      auto client = rpc::Client::connect(node, patience);
      if (!client) {
        last = client.error();
        if (last.code == core::Errc::kMalformed) return tl::unexpected<core::Error>(last);
        continue;
      }
      auto members = (*client)->members(patience);
      if (members) return std::max(present(*members), nodes.size());
      last = members.error();
    }
    if (core::monotonic_now() >= deadline) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  last.code = core::Errc::kUnreachable;  // nothing that counts was sent
  return tl::unexpected<core::Error>(last);
}

class Ingest final : public Command {
 public:
  void declare(Options& options) override {
    options.argument("FILE", file_, "the log, plain or gzip; - reads standard input");
    options.texts("--node", nodes_, "HOST:PORT",
                  "control address of a node; give several and the lines go to all of them");
    options.text("--format", format_, "FORMAT", "clf: Common or Combined Log Format");
    options.text(
        "--client", client_, "TEMPLATE",
        "which edge client a line belongs to; fields: {host} {ident} {user} {time} {method} {path} {protocol} {status} "
        "{bytes} {referer} {agent}");
    options.text("--key", key_, "TEMPLATE", "which key a line counts; the same fields");
    options.text(
        "--source", source_, "NAME",
        "name of this log; default: the hash of its first good line, which packing, renaming and growth leave as it "
        "is. A "
        "client's lines are numbered within one log, so that a log read again adds nothing; two logs whose first lines "
        "are the same need two names, and a log must keep its name from run to run");
    options.number("--rate", rate_, 0, 1e9, "R", "lines a second; 0: as fast as they come");
    options.text(
        "--ack", ack_, "LEVEL",
        "received, durable or N: a line is counted when N nodes hold it (default: 2, or 1 in a cluster of one node)");
    options.number("--timeout", timeout_s_, 0.001, 1e6, "S", "give up when nothing is acknowledged for S seconds");
  }

  int run(const Shared& shared) override {
    if (format_ != "clf") {
      const std::vector<std::string> known{"clf"};
      return usage({core::Errc::kUnknown, "unknown --format; there is clf", did_you_mean(format_, known)});
    }
    IngestPlan plan;
    auto client = KeyTemplate::parse(client_);
    auto key = KeyTemplate::parse(key_);
    if (!client) return usage(client.error());
    if (!key) return usage(key.error());
    plan.client = std::move(*client);
    plan.key = std::move(*key);
    plan.source = source_;
    plan.rate = rate_;
    plan.timeout = static_cast<core::Duration>(timeout_s_ * 1e9);

    if (nodes_.empty()) nodes_.push_back(shared.node);
    std::sort(nodes_.begin(), nodes_.end());
    nodes_.erase(std::unique(nodes_.begin(), nodes_.end()), nodes_.end());
    SenderConfig config;
    config.nodes = nodes_.size();
    config.ack_timeout = std::clamp<core::Duration>(plan.timeout / 2, core::kSecond, 5 * core::kSecond);
    if (!ack_.empty()) {
      auto ack = parse_ack(ack_);
      if (!ack) return usage(ack.error());
      config.ack = *ack;
    }

    auto lines = LineSource::open(file_);
    if (!lines) return fail_with(lines.error());
    const auto size = cluster_size(nodes_, plan.timeout);
    if (!size) return fail_with(size.error(), size.error().code == core::Errc::kMalformed);
    if (ack_.empty() && *size > 1) config.ack = {rpc::Ack::Level::kCopies, 2};

    IngestReport report;
    {
      EdgeSender sender(config, rpc_links(nodes_));
      Progress progress("ingest", 0);
      IngestHooks hooks;
      hooks.malformed = [&](std::uint64_t line, std::string_view reason) {
        if (++shown_ > kMalformedShown) return;
        progress.wipe();
        std::fprintf(stderr, "%s:%llu: %.*s\n", file_.c_str(), static_cast<unsigned long long>(line),
                     static_cast<int>(reason.size()), reason.data());
      };
      hooks.progress = [&](std::uint64_t done) { progress.update(done, "lines"); };
      report = run_ingest(**lines, plan, config.nodes, sender, hooks);
    }
    return conclude(report, shared.json);
  }

 private:
  static int usage(const core::Error& error) { return fail_with(error, true); }

  int conclude(const IngestReport& report, bool json) const {
    const SenderState& sender = report.sender;
    if (report.malformed > kMalformedShown)
      std::fprintf(stderr, "%s: and %llu more malformed lines\n", file_.c_str(),
                   static_cast<unsigned long long>(report.malformed - kMalformedShown));
    for (const std::string& complaint : sender.complaints) complain("refused: " + complaint);

    int code = kOk;
    if (sender.refused > 0 || report.read_error) code = kFailed;
    if (report.gave_up) code = sender.submitted ? kNotYet : kUnreachable;
    if (report.read_error) complain(report.read_error->message());
    if (report.gave_up) {
      std::string message = sender.submitted ? "sent, but not acknowledged: " : "no node was reached; not sent: ";
      message += std::to_string(sender.waiting) + " totals. Run the command again: nothing is counted twice";
      if (!sender.last_error.empty()) message += " (" + sender.last_error + ")";
      complain(message);
    }
    print(report, code, json);
    return code;
  }

  void print(const IngestReport& report, int code, bool json) const {
    const SenderState& sender = report.sender;
    const double seconds = static_cast<double>(report.elapsed) / 1e9;
    if (json) {
      JsonObject object;
      object.text("file", file_)
          .text("source", report.source)
          .count("lines", report.lines)
          .count("counted", sender.acknowledged);
      object.count("malformed", report.malformed).count("refused", sender.refused);
      object.count("clients", sender.clients).count("keys", sender.keys).count("totals", sender.entries);
      object.count("unacknowledged", sender.waiting).count("batches", sender.batches);
      object.count("batches_again", sender.batches_again).flag("complete", code == kOk);
      object.real("elapsed_s", seconds, 3);
      print_line(object.str());
      return;
    }
    char elapsed[32];
    std::snprintf(elapsed, sizeof elapsed, "%.1f s", seconds);
    print_line(std::to_string(report.lines) + " lines: " + std::to_string(sender.acknowledged) + " counted, " +
               std::to_string(report.malformed) + " malformed; " + std::to_string(sender.clients) + " clients, " +
               std::to_string(sender.keys) + " keys, " + elapsed);
  }

  std::string file_, format_ = "clf", client_ = "{host}", key_ = "hits/{path}", source_, ack_;
  std::vector<std::string> nodes_;
  double rate_ = 0, timeout_s_ = 30;
  std::uint64_t shown_ = 0;
};

}  // namespace

std::unique_ptr<Command> make_ingest() { return std::make_unique<Ingest>(); }

}  // namespace anabranch::cli

#include "tools/cli/ingest.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <thread>

#include "core/hash.hpp"
#include "core/limits.hpp"

namespace anabranch::cli {
namespace {

constexpr core::Duration kGlance = 20 * core::kMillisecond;  // between two looks at how the sending goes
constexpr std::uint64_t kLinesPerGlance = 1'024;

// Tells when totals have been waiting for an acknowledgement for too long.
class Patience {
 public:
  Patience(const EdgeSender& sender, core::Duration timeout)
      : sender_(sender), timeout_(timeout), since_(core::monotonic_now()) {}

  bool ended() {
    const SenderState state = sender_.state();
    const core::Instant now = core::monotonic_now();
    since_ = state.waiting == 0 ? now : std::max(since_, state.last_acknowledgement);
    return now - since_ > timeout_;
  }

 private:
  const EdgeSender& sender_;
  const core::Duration timeout_;
  core::Instant since_;
};

class Reader {
 public:
  Reader(const IngestPlan& plan, std::size_t nodes, EdgeSender& sender, const IngestHooks& hooks)
      : plan_(plan), nodes_(nodes), sender_(sender), hooks_(hooks) {
    if (!plan.source.empty()) set_source(plan.source);
  }

  /// The name of this log; "" until a line has been counted, if it was given none.
  [[nodiscard]] const std::string& source() const { return source_; }

  // Why the line is not counted; nothing if it is.
  const char* count(const LineSource::Line& line) {
    if (line.too_long) return "the line is longer than 65,536 bytes";
    const auto parsed = parse_clf(line.text);
    if (!parsed) return parsed.error().what;
    if (source_.empty()) set_source(source_of_line(line.text));
    plan_.client.expand(*parsed, client_);
    plan_.key.expand(*parsed, key_);
    if (key_.empty() || client_.empty()) return "the line gives an empty key or client";
    if (key_.size() > core::kKeyBytesMax) return "the key is longer than 1,024 bytes";
    client_.insert(0, prefix_);
    sender_.count(client_, key_, static_cast<std::size_t>(core::hash64(client_) % nodes_));
    return nullptr;
  }

  void malformed(std::uint64_t line, std::string_view reason) {
    if (hooks_.malformed) hooks_.malformed(line, reason);
  }

 private:
  void set_source(const std::string& source) {
    source_ = source;
    prefix_ = source + '\0';  // no argument contains it, so no two (source, client) look alike
  }

  const IngestPlan& plan_;
  const std::size_t nodes_;
  EdgeSender& sender_;
  const IngestHooks& hooks_;
  std::string source_, prefix_;
  std::string client_, key_;
};

}  // namespace

IngestReport run_ingest(LineSource& lines, const IngestPlan& plan, std::size_t nodes, EdgeSender& sender,
                        const IngestHooks& hooks) {
  static_assert(kLineBytesMax == 65'536 && core::kKeyBytesMax == 1'024, "the messages name these bounds");
  IngestReport report;
  const core::Instant started = core::monotonic_now();
  Reader reader(plan, nodes, sender, hooks);
  Patience patience(sender, plan.timeout);
  const auto glance = [&] {
    if (hooks.progress) hooks.progress(report.lines);
    report.gave_up = report.gave_up || patience.ended();
  };
  while (!report.gave_up) {
    const auto line = lines.next();
    if (!line) report.read_error = line.error();
    if (!line || !*line) break;
    ++report.lines;
    if (const char* const reason = reader.count(**line)) {
      ++report.malformed;
      reader.malformed((*line)->number, reason);
    }
    if (report.lines % kLinesPerGlance == 0) glance();
    if (plan.rate <= 0) continue;
    const auto due = static_cast<core::Duration>(static_cast<double>(report.lines) / plan.rate * 1e9);
    for (core::Duration spent = core::monotonic_now() - started; spent < due && !report.gave_up;
         spent = core::monotonic_now() - started) {
      std::this_thread::sleep_for(std::chrono::nanoseconds(std::min(due - spent, kGlance)));
      if (due - spent > kGlance) glance();
    }
  }
  while (!report.gave_up && !sender.wait_done(core::monotonic_now() + kGlance)) glance();
  report.source = reader.source();
  report.sender = sender.state();
  report.elapsed = core::monotonic_now() - started;
  return report;
}

std::string source_of_line(std::string_view first) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(core::hash64(first)));
  return text;
}

core::Result<rpc::Ack> parse_ack(std::string_view text) {
  using Level = rpc::Ack::Level;
  if (text == "received") return rpc::Ack{Level::kReceived, 1};
  if (text == "durable") return rpc::Ack{Level::kDurable, 1};
  std::uint32_t copies = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), copies);
  if (code != std::errc{} || end != text.data() + text.size() || copies < 1 || copies > 64)
    return core::fail(core::Errc::kMalformed, "--ack takes received, durable or a number of nodes from 1 to 64",
                      std::string(text));
  return rpc::Ack{Level::kCopies, copies};
}

}  // namespace anabranch::cli

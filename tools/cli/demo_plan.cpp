#include "tools/cli/demo_plan.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <string_view>

#include "core/limits.hpp"
#include "core/rng.hpp"
#include "tools/cli/clf.hpp"
#include "tools/cli/line_source.hpp"

namespace anabranch::cli {
namespace {

constexpr core::Duration kRunLength = 10 * core::kSecond;  // long enough to watch, short enough to wait for
constexpr std::uint64_t kSlotsMax = 5'000'000;             // 120 MB of plan
constexpr double kSlotsPerSecondMax = 50'000;              // a longer trace makes a longer run
constexpr double kSlotsPerPaid = 1.5;                      // moments to show an advertisement, per impression paid for
constexpr std::size_t kComplaintsMax = 20;

core::Duration share(core::Duration length, double part) {
  return static_cast<core::Duration>(static_cast<double>(length) * part);
}

void draw_impressions(const DemoOptions& options, DemoPlan& plan) {
  for (std::int64_t i = 1; i <= options.ads; ++i) plan.ads.push_back("ad:" + std::to_string(i));
  for (std::int64_t i = 1; i <= options.clients; ++i) plan.clients.push_back({"client-" + std::to_string(i), 0, 0, 0});
  plan.limit = options.limit;
  plan.length = kRunLength;
  const double wanted = static_cast<double>(options.ads) * static_cast<double>(options.limit) * kSlotsPerPaid;
  const double most = kSlotsPerSecondMax * static_cast<double>(kRunLength) / 1e9;
  const auto count = static_cast<std::uint64_t>(std::clamp(wanted, static_cast<double>(options.clients), most));
  core::Rng rng = core::Rng::stream(static_cast<std::uint64_t>(options.seed), "demo/impressions");
  plan.slots.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const core::Duration at = rng.below(plan.length);
    const auto client = static_cast<std::uint32_t>(rng.below(plan.clients.size()));
    plan.slots.push_back({at, client, rng()});
  }
  std::sort(plan.slots.begin(), plan.slots.end(),
            [](const DemoSlot& a, const DemoSlot& b) { return a.at != b.at ? a.at < b.at : a.choice < b.choice; });
}

// Numbers texts in the order of their first appearance.
class Numbering {
 public:
  std::uint32_t number(std::string_view text) {
    const auto at = numbers_.find(text);
    if (at != numbers_.end()) return at->second;
    const auto next = static_cast<std::uint32_t>(numbers_.size());
    return numbers_.emplace(std::string(text), next).first->second;
  }
  [[nodiscard]] std::vector<std::string> texts() const {
    std::vector<std::string> all(numbers_.size());
    for (const auto& [text, number] : numbers_) all[number] = text;
    return all;
  }

 private:
  std::map<std::string, std::uint32_t, std::less<>> numbers_;
};

core::Status read_trace(const DemoOptions& options, DemoPlan& plan) {
  auto lines = LineSource::open(options.trace);
  if (!lines) return tl::unexpected<core::Error>(lines.error());
  Numbering hosts, paths;
  const auto refuse = [&](std::uint64_t number, const char* reason) {
    ++plan.malformed;
    if (plan.complaints.size() < kComplaintsMax)
      plan.complaints.push_back(options.trace + ":" + std::to_string(number) + ": " + reason);
  };
  while (true) {
    const auto line = (*lines)->next();
    if (!line) return tl::unexpected<core::Error>(line.error());
    if (!*line) break;
    const auto parsed = parse_clf((*line)->text);
    if (!parsed || (*line)->too_long) {
      refuse((*line)->number, parsed ? "the line is longer than 65,536 bytes" : parsed.error().what);
      continue;
    }
    const std::string_view path = (*parsed)[LogField::kPath];
    if (path.size() > core::kKeyBytesMax) {
      refuse((*line)->number, "the path is longer than 1,024 bytes");
      continue;
    }
    if (plan.slots.size() == kSlotsMax)
      return core::fail(core::Errc::kTooLarge, "a trace may have 5,000,000 lines at most", options.trace);
    plan.slots.push_back({0, hosts.number((*parsed)[LogField::kHost]), paths.number(path)});
  }
  if (plan.slots.empty()) return core::fail(core::Errc::kMalformed, "the trace holds no impression", options.trace);
  plan.ads = paths.texts();
  for (std::string& host : hosts.texts()) plan.clients.push_back({std::move(host), 0, 0, 0});
  const auto needed = static_cast<core::Duration>(static_cast<double>(plan.slots.size()) / kSlotsPerSecondMax * 1e9);
  plan.length = std::max(kRunLength, needed);
  for (std::size_t i = 0; i < plan.slots.size(); ++i)
    plan.slots[i].at = share(plan.length, static_cast<double>(i) / static_cast<double>(plan.slots.size()));
  return {};
}

// Exactly the asked share of the clients is away, each once, for a tenth to a third of the run.
void draw_absences(const DemoOptions& options, DemoPlan& plan) {
  core::Rng rng = core::Rng::stream(static_cast<std::uint64_t>(options.seed), "demo/absences");
  const std::size_t count = plan.clients.size();
  std::vector<std::uint32_t> order(count);
  for (std::uint32_t i = 0; i < count; ++i) order[i] = i;
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[rng.below(i)]);
  const auto away = static_cast<std::size_t>(options.offline * static_cast<double>(count) + 0.5);
  for (std::size_t i = 0; i < std::min(away, count); ++i) {
    DemoClient& client = plan.clients[order[i]];
    const double from = 0.1 + 0.45 * rng.unit();
    client.offline_from = share(plan.length, from);
    client.offline_until = share(plan.length, from + 0.1 + 0.233 * rng.unit());
  }
}

}  // namespace

core::Result<DemoPlan> make_plan(const DemoOptions& options) {
  DemoPlan plan;
  if (options.trace.empty()) {
    draw_impressions(options, plan);
  } else if (auto read = read_trace(options, plan); !read) {
    return tl::unexpected<core::Error>(read.error());
  }
  const auto nodes = static_cast<std::uint32_t>(options.nodes);
  for (std::uint32_t i = 0; i < plan.clients.size(); ++i) plan.clients[i].home = i % nodes;
  draw_absences(options, plan);
  core::Rng rng = core::Rng::stream(static_cast<std::uint64_t>(options.seed), "demo/kill");
  plan.kill = nodes > 1;
  plan.victim = static_cast<std::uint32_t>(rng.below(nodes));
  plan.kill_at = share(plan.length, 0.4 + 0.1 * rng.unit());
  plan.back_at = share(plan.length, 0.6 + 0.1 * rng.unit());
  return plan;
}

}  // namespace anabranch::cli

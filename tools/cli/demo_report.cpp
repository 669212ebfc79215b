#include "tools/cli/demo_report.hpp"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

#include "tools/cli/output.hpp"

namespace anabranch::cli {
namespace {

constexpr std::size_t kNodesShown = 8;
constexpr std::size_t kAdsShown = 20;
constexpr std::size_t kLinesMax = 40;
constexpr std::size_t kBarColumns = 48;

double seconds(core::Duration duration) { return static_cast<double>(duration) / 1e9; }

std::uint64_t sum(const std::vector<std::uint64_t>& values) {
  std::uint64_t total = 0;
  for (const std::uint64_t value : values) total += value;
  return total;
}

[[gnu::format(printf, 1, 2)]] std::string line(const char* format, ...) {
  char buffer[256];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(buffer, sizeof buffer, format, arguments);
  va_end(arguments);
  return std::string(buffer) + "\n";
}

unsigned long long number(std::uint64_t value) { return value; }

bool stopped(const DemoPlan& plan, const DemoOutcome& outcome, std::size_t ad) {
  return plan.limit > 0 && outcome.stopped[ad] && outcome.truth[ad] >= static_cast<std::uint64_t>(plan.limit);
}

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

std::string node_table(const DemoPlan& plan, const DemoOutcome& outcome) {
  std::string text = line("%-6s %12s %8s %8s", "node", "counted", "lost", "double");
  const auto& nodes = outcome.check.nodes;
  for (std::size_t i = 0; i < std::min(nodes.size(), kNodesShown); ++i) {
    std::string row = line("%-6s %12llu %8llu %8llu", DemoCluster::name(i).c_str(), number(nodes[i].counted),
                           number(nodes[i].lost), number(nodes[i].excess));
    row.pop_back();
    if (!nodes[i].answered) row += "  does not answer";
    if (plan.kill && plan.victim == i)
      row +=
          line("  killed after %.1f s, back empty after %.1f s", seconds(outcome.killed_at), seconds(outcome.back_at));
    else
      row += '\n';
    text += row;
  }
  if (nodes.size() > kNodesShown) text += line("... and %zu more", nodes.size() - kNodesShown);
  return text;
}

std::string bar(std::uint64_t count, std::uint64_t limit, std::uint64_t largest) {
  const auto columns = [largest](std::uint64_t value) {
    return largest == 0 ? std::size_t{0}
                        : static_cast<std::size_t>(
                              static_cast<double>(value) / static_cast<double>(largest) * kBarColumns + 0.5);
  };
  const std::uint64_t paid = limit == 0 ? count : std::min(count, limit);
  const std::size_t width = columns(paid);
  return std::string(width, '#') + std::string(std::max(columns(count), width) - width, '+');
}

std::string ad_bars(const DemoPlan& plan, const DemoOutcome& outcome, std::size_t rows) {
  std::vector<std::size_t> order(plan.ads.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  if (plan.limit == 0 || order.size() > rows)
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return outcome.truth[a] > outcome.truth[b]; });
  const std::uint64_t largest =
      outcome.truth.empty() ? 0 : *std::max_element(outcome.truth.begin(), outcome.truth.end());
  std::string text;
  if (plan.limit > 0)
    text += line("%-22s %8s  # paid for (%lld), + shown beyond it", "ad", "shown", static_cast<long long>(plan.limit));
  else
    text += line("%-22s %8s", "path", "shown");
  for (std::size_t i = 0; i < std::min(rows, order.size()); ++i) {
    std::string name = text_of(core::BytesView(plan.ads[order[i]]));
    if (name.size() > 22) name = name.substr(0, 10) + ".." + name.substr(name.size() - 10);
    const std::uint64_t count = outcome.truth[order[i]];
    const char* const note = plan.limit > 0 && !stopped(plan, outcome, order[i]) ? " still runs" : "";
    text += line("%-22s %8llu  %s%s", name.c_str(), number(count),
                 bar(count, static_cast<std::uint64_t>(plan.limit), largest).c_str(), note);
  }
  if (order.size() > rows) text += line("... and %zu more", order.size() - rows);
  return text;
}

std::string summary(const DemoPlan& plan, const DemoOutcome& outcome) {
  const std::uint64_t offered = sum(outcome.truth);
  std::string text =
      line("%llu impressions, %llu of them while their client was offline (%llu of %zu clients were for a while)",
           number(offered), number(outcome.offered_offline), number(outcome.clients_away), plan.clients.size());
  text += line("lost %llu, counted twice %llu", number(outcome.check.lost), number(outcome.check.double_counted));
  if (outcome.converged)
    text += line("all nodes agreed %.0f ms after the last event; before, they differed by %llu at most",
                 seconds(outcome.convergence) * 1e3, number(outcome.divergence_max));
  else
    text += "THE NODES DO NOT AGREE\n";
  if (outcome.unacknowledged > 0) text += line("%llu totals were never acknowledged", number(outcome.unacknowledged));
  if (plan.malformed > 0) text += line("%llu malformed lines of the trace were left out", number(plan.malformed));
  text += line("%llu frames, %llu bytes between the nodes; %.1f s", number(outcome.frames), number(outcome.bytes),
               seconds(outcome.elapsed));
  for (const std::string& difference : outcome.check.differences) text += difference + "\n";
  return text;
}

}  // namespace

std::string demo_json(const DemoOptions& options, const DemoPlan& plan, const DemoOutcome& outcome) {
  std::vector<std::string> counted, stops;
  for (const NodeCheck& node : outcome.check.nodes) counted.push_back(json_unsigned(node.counted));
  for (std::size_t ad = 0; ad < plan.ads.size(); ++ad) {
    if (!stopped(plan, outcome, ad)) continue;
    JsonObject stop;
    stop.text("ad", plan.ads[ad]).integer("limit", plan.limit).count("stopped_at", outcome.truth[ad]);
    stops.push_back(stop.str());
  }
  JsonObject object;
  object.count("nodes", outcome.check.nodes.size()).count("clients", plan.clients.size()).count("ads", plan.ads.size());
  object.count("offered", sum(outcome.truth)).raw("counted", json_list(counted));
  object.count("lost", outcome.check.lost).count("double_counted", outcome.check.double_counted);
  object.flag("converged", outcome.converged).real("convergence_ms", seconds(outcome.convergence) * 1e3, 1);
  object.count("divergence_max", outcome.divergence_max).raw("ads_stopped", json_list(stops));
  object.count("frames_sent", outcome.frames).count("bytes_sent", outcome.bytes);
  object.real("elapsed_s", seconds(outcome.elapsed), 3);
  object.integer("seed", options.seed).raw("killed", plan.kill ? json_text(DemoCluster::name(plan.victim)) : "null");
  object.count("offered_offline", outcome.offered_offline).count("clients_offline", outcome.clients_away);
  object.count("batches_again", outcome.batches_again).count("unacknowledged", outcome.unacknowledged);
  object.count("malformed", plan.malformed);
  return object.str();
}

std::string demo_text(const DemoOptions& options, const DemoPlan& plan, const DemoOutcome& outcome) {
  std::string head =
      line("%zu nodes, %zu clients, %zu %s, seed %lld", outcome.check.nodes.size(), plan.clients.size(),
           plan.ads.size(), plan.limit > 0 ? "advertisements" : "paths", static_cast<long long>(options.seed));
  head += "\n" + node_table(plan, outcome) + "\n";
  const std::string tail = "\n" + summary(plan, outcome);
  const std::size_t room =
      kLinesMax - std::min(kLinesMax - 3, lines_in(head) + lines_in(tail));  // heading and "more" included
  return head + ad_bars(plan, outcome, std::min(kAdsShown, room - 2)) + tail;
}

}  // namespace anabranch::cli

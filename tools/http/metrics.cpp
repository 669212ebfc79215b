#include "tools/http/metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <cctype>
#include <map>
#include <utility>
#include <vector>

namespace anabranch::http {
namespace {

using Labels = std::vector<prometheus::ClientMetric::Label>;
using Families = std::map<std::string, prometheus::MetricFamily>;  // sorted: the page reads the same each time

bool well_formed(std::string_view name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name.front())) != 0) return false;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_') return false;
  }
  return true;
}

void add(Families& families, std::string_view name, std::string_view help, node::Metric::Kind kind, double value,
         Labels labels) {
  if (!well_formed(name)) return;
  const bool counter = kind == node::Metric::Kind::kCounter;
  std::string full = "anabranch_" + std::string(name);
  if (counter && !full.ends_with("_total")) full += "_total";
  prometheus::MetricFamily& family = families[full];
  family.name = full;
  if (family.help.empty()) family.help = help.empty() ? "No description." : std::string(help);
  family.type = counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  (counter ? metric.counter.value : metric.gauge.value) = value;
  family.metric.push_back(std::move(metric));
}

void add_shards(Families& families, const rpc::Survey& survey) {
  for (std::size_t shard = 0; shard < survey.shards.size(); ++shard) {
    for (const node::Metric& metric : survey.shards[shard].metrics) {
      if (metric.name == "members") continue;  // add_members has them, with the states that nobody is in
      Labels labels = {{"shard", std::to_string(shard)}};
      if (!metric.label_name.empty()) {
        if (!well_formed(metric.label_name) || metric.label_name == "shard") continue;
        labels.push_back({std::string(metric.label_name), std::string(metric.label_value)});
      }
      add(families, metric.name, metric.help, metric.kind, static_cast<double>(metric.value), std::move(labels));
    }
  }
}

void add_members(Families& families, const rpc::Survey& survey) {
  // Every state every time, so that a graph of one of them has no holes.
  std::map<std::string, unsigned> states = {{"joining", 0}, {"alive", 0}, {"suspect", 0}, {"failed", 0}, {"left", 0}};
  for (const node::Member& member : survey.members.members) {
    if (const auto state = states.find(member.state); state != states.end()) ++state->second;
  }
  for (const auto& [state, count] : states)
    add(families, "members", "Other nodes that this node knows, by state.", node::Metric::Kind::kGauge, count,
        {{"state", state}});
}

void add_process(Families& families, const rpc::Facts& facts, const rpc::DoorCounters& doors, core::Instant now) {
  constexpr auto gauge = node::Metric::Kind::kGauge;
  constexpr auto counter = node::Metric::Kind::kCounter;
  const auto put = [&](std::string_view name, std::string_view help, node::Metric::Kind kind, std::uint64_t value) {
    add(families, name, help, kind, static_cast<double>(value), {});
  };
  add(families, "build_info", "Constant 1; the labels say which build this is.", gauge, 1,
      {{"version", facts.version}, {"storage", facts.durable ? "durable" : "memory"}});
  add(families, "uptime_seconds", "Seconds since the node began to serve.", gauge,
      static_cast<double>(now - facts.started) / static_cast<double>(core::kSecond), {});
  put("ready", "1 while the node serves clients, 0 while it leaves.", gauge, facts.ready ? 1 : 0);
  put("shards", "Cores that this node uses.", gauge, facts.shards);
  put("partitions", "Slices of the key space.", gauge, facts.partitions);
  put("control_connections", "Open connections of clients.", gauge, doors.control_open);
  put("control_connections_accepted", "Connections of clients since the start.", counter, doors.control_accepted);
  put("control_connections_refused", "Connections refused at the bound.", counter, doors.control_refused);
  put("control_connections_garbage", "Connections that ended without speaking the protocol.", counter,
      doors.control_garbage);
  put("control_calls", "Calls of clients.", counter, doors.control_calls);
  put("http_connections", "Open HTTP connections.", gauge, doors.http_open);
  put("http_connections_refused", "HTTP connections refused at the bound.", counter, doors.http_refused);
  put("http_requests", "HTTP requests answered.", counter, doors.http_requests);
  put("accept_errors", "Connections that the operating system could not give us.", counter, doors.accept_errors);
}

}  // namespace

std::string metrics_text(const rpc::Survey& survey, const rpc::Facts& facts, const rpc::DoorCounters& doors,
                         core::Instant now) {
  Families families;
  add_process(families, facts, doors, now);
  add_members(families, survey);
  add_shards(families, survey);
  std::vector<prometheus::MetricFamily> list;
  for (auto& [name, family] : families) list.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(list);
}

}  // namespace anabranch::http

#include "tools/rpc/facts.hpp"

namespace anabranch::rpc {

Status summarize(const Survey& survey, const Facts& facts, core::Instant now) {
  Status status;
  status.name = facts.name;
  status.id = facts.id;
  status.cluster = facts.cluster;
  status.version = facts.version;
  status.listen = facts.listen;
  status.control = facts.control;
  status.http = facts.http;
  status.ready = facts.ready;
  status.durable = facts.durable;
  status.uptime_ms = (now - facts.started) / core::kMillisecond;
  status.shards = facts.shards;
  status.partitions = facts.partitions;
  for (const node::StatusReply& shard : survey.shards) {
    for (const node::Metric& metric : shard.metrics) {
      std::string name(metric.name);
      if (!metric.label_name.empty())
        name += '{' + std::string(metric.label_name) + '=' + std::string(metric.label_value) + '}';
      status.counters[name] += metric.value;
    }
  }
  if (const auto keys = status.counters.find("keys"); keys != status.counters.end()) status.keys = keys->second;
  for (const node::Member& member : survey.members.members) ++status.members[member.state];
  return status;
}

}  // namespace anabranch::rpc

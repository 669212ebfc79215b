#include "tools/http/status_json.hpp"

#include <cstdio>

#include "tools/text/json.hpp"

namespace anabranch::http {
namespace {

template <class Map>
std::string counts(const Map& map) {
  text::JsonObject object;
  for (const auto& [name, value] : map) object.count(name, value);
  return object.str();
}

}  // namespace

std::string id_text(core::NodeId id) {
  char buffer[17];
  std::snprintf(buffer, sizeof buffer, "%016llx", static_cast<unsigned long long>(id));
  return buffer;
}

std::string status_json(const rpc::Status& status) {
  text::JsonObject object;
  object.text("name", status.name)
      .text("id", id_text(status.id))
      .text("cluster", status.cluster)
      .text("version", status.version)
      .flag("ready", status.ready)
      .flag("durable", status.durable)
      .real("uptime_s", static_cast<double>(status.uptime_ms) / 1e3, 3)
      .text("listen", status.listen)
      .text("control", status.control)
      .text("http", status.http)
      .count("shards", status.shards)
      .count("partitions", status.partitions)
      .count("keys", status.keys)
      .raw("members", counts(status.members))
      .raw("counters", counts(status.counters));
  return object.str();
}

}  // namespace anabranch::http

#include "dataflow/watch_index.hpp"

#include <string>

#include "core/check.hpp"

namespace anabranch::dataflow {

core::Result<WatchId> WatchIndex::add(core::BytesView key, std::int64_t at_least) {
  if (locations_.size() >= watches_max_)
    return core::fail(core::Errc::kFull, "no room for another watch: watches_max are waiting",
                      std::to_string(watches_max_));
  auto variable = variables_.find(key);
  if (variable == variables_.end()) variable = variables_.emplace(core::Bytes(key), Thresholds{}).first;
  const WatchId id = next_++;
  variable->second.insert({at_least, id});
  locations_.emplace(id, Location{&*variable, at_least});
  return id;
}

bool WatchIndex::cancel(WatchId id) {
  const auto location = locations_.find(id);
  if (location == locations_.end()) return false;
  auto& [key, thresholds] = *location->second.variable;
  const std::size_t erased = thresholds.erase({location->second.at_least, id});
  CHECK(erased == 1, id);
  if (thresholds.empty()) variables_.erase(variables_.find(key));
  locations_.erase(location);
  return true;
}

void WatchIndex::fire(core::BytesView key, std::int64_t value, std::vector<WatchId>& fired) {
  if (variables_.empty()) return;
  const auto variable = variables_.find(key);
  if (variable == variables_.end()) return;
  Thresholds& thresholds = variable->second;
  auto lowest = thresholds.begin();
  for (; lowest != thresholds.end() && lowest->at_least <= value; lowest = thresholds.erase(lowest)) {
    fired.push_back(lowest->id);
    locations_.erase(lowest->id);
  }
  if (thresholds.empty()) variables_.erase(variable);
}

}  // namespace anabranch::dataflow

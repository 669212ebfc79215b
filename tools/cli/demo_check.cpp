#include "tools/cli/demo_check.hpp"

#include <algorithm>
#include <map>

#include "core/check.hpp"

namespace anabranch::cli {
namespace {

constexpr std::size_t kDifferencesMax = 5;

void note(DemoCheck& check, std::size_t node, const std::string& key, std::uint64_t counted, std::uint64_t held) {
  if (counted == held || check.differences.size() == kDifferencesMax) return;
  check.differences.push_back(DemoCluster::name(node) + " counts " + std::to_string(counted) + " of " + key +
                              ", the clients hold " + std::to_string(held));
}

}  // namespace

DemoCheck check_nodes(const std::vector<std::string>& keys, const std::vector<std::uint64_t>& truth,
                      const std::vector<NodeView>& views) {
  CHECK(keys.size() == truth.size(), keys.size(), truth.size());
  std::map<core::Bytes, std::uint64_t> held;
  for (std::size_t i = 0; i < keys.size(); ++i) held[keys[i]] += truth[i];
  DemoCheck check;
  check.agreed = true;
  for (std::size_t i = 0; i < views.size(); ++i) {
    const NodeView& view = views[i];
    NodeCheck node;
    node.answered = view.answered;
    node.counted = view.total();
    for (const auto& [key, count] : held) {
      const auto found = view.counts.find(key);
      const std::uint64_t counted = found == view.counts.end() ? 0 : found->second;
      if (counted < count) node.lost += count - counted;
      if (counted > count) node.excess += counted - count;
      note(check, i, key, counted, count);
    }
    for (const auto& [key, count] : view.counts) {
      if (held.contains(key)) continue;
      node.excess += count;
      note(check, i, key, count, 0);
    }
    check.lost = std::max(check.lost, node.lost);
    check.double_counted = std::max(check.double_counted, node.excess);
    check.agreed =
        check.agreed && node.answered && node.lost == 0 && node.excess == 0 && view.text == views.front().text;
    check.nodes.push_back(node);
  }
  return check;
}

std::uint64_t divergence(const std::vector<NodeView>& views) {
  std::uint64_t low = UINT64_MAX, high = 0;
  for (const NodeView& view : views) {
    if (!view.answered) continue;
    low = std::min(low, view.total());
    high = std::max(high, view.total());
  }
  return low <= high ? high - low : 0;
}

void TrafficMeter::see(const std::vector<NodeView>& views) {
  for (std::size_t node = 0; node < last_.size(); ++node)
    if (views[node].answered) last_[node] = {views[node].frames, views[node].bytes};
}

void TrafficMeter::restarted(std::size_t node) {
  ended_.first += last_[node].first;
  ended_.second += last_[node].second;
  last_[node] = {};
}

std::uint64_t TrafficMeter::frames() const {
  std::uint64_t sum = ended_.first;
  for (const Reading& reading : last_) sum += reading.first;
  return sum;
}

std::uint64_t TrafficMeter::bytes() const {
  std::uint64_t sum = ended_.second;
  for (const Reading& reading : last_) sum += reading.second;
  return sum;
}

}  // namespace anabranch::cli

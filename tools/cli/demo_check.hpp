// Compares what the nodes of a demo count with what its clients hold. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tools/cli/demo_observer.hpp"

namespace anabranch::cli {

/// One node against the truth.
struct NodeCheck {
  bool answered = false;
  std::uint64_t counted = 0;
  std::uint64_t lost = 0;    // summed over the keys of which the node counts less than the clients hold
  std::uint64_t excess = 0;  // summed over the keys of which it counts more
};

struct DemoCheck {
  std::vector<NodeCheck> nodes;
  std::uint64_t lost = 0;                // the largest of any node
  std::uint64_t double_counted = 0;      // the largest excess of any node
  bool agreed = false;                   // all nodes answered, all print the same, and that is what the clients hold
  std::vector<std::string> differences;  // the first few, for people
};

/// `truth[i]` impressions of `keys[i]`; a node that counts a key beyond those counts it in excess. A node that did not answer
/// has lost everything.
DemoCheck check_nodes(const std::vector<std::string>& keys, const std::vector<std::uint64_t>& truth,
                      const std::vector<NodeView>& views);

/// The largest difference between the totals of two nodes that answered.
std::uint64_t divergence(const std::vector<NodeView>& views);

/// Sums frames and bytes over nodes whose counters start again when they are killed.
class TrafficMeter {
 public:
  explicit TrafficMeter(std::size_t nodes) : last_(nodes) {}
  /// Takes the readings of the nodes that answered.
  void see(const std::vector<NodeView>& views);
  /// Node `node` begins again at 0; what was last read of it is kept.
  void restarted(std::size_t node);
  [[nodiscard]] std::uint64_t frames() const;
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  using Reading = std::pair<std::uint64_t, std::uint64_t>;  // frames, bytes
  std::vector<Reading> last_;
  Reading ended_{};
};

}  // namespace anabranch::cli

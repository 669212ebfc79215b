// Who waits until a flush of this origin is held by how many nodes. Owned by the replica's shard.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "core/types.hpp"

namespace anabranch::delta {

class Waits {
 public:
  /// A token is in use once at a time; adding it again moves it.
  void add(core::FlushNumber flush, std::uint32_t copies, std::uint64_t token);
  void cancel(std::uint64_t token);
  /// Whether another node's copy of a flush up to `top` is waited for.
  [[nodiscard]] bool wants_copies(core::FlushNumber top) const;

  /// Appends the tokens that are reached to `reached` and forgets them.
  ///   held  the last flush that each node holds, this one included, in any order
  ///   cost  O(nodes log nodes + levels + tokens reached)
  void settle(std::vector<core::FlushNumber> held, std::vector<std::uint64_t>& reached);

  [[nodiscard]] bool empty() const { return tokens_.empty(); }

 private:
  using Place = std::pair<core::FlushNumber, std::uint64_t>;  // flush, token
  std::map<std::uint32_t, std::set<Place>> levels_;           // by copies
  std::map<std::uint64_t, std::pair<std::uint32_t, core::FlushNumber>> tokens_;
};

}  // namespace anabranch::delta

// Who waits for which variable to reach which value: one ordered index of thresholds a variable, so that an update
// costs one look at the lowest of them until one fires. Owned by a shard, for the keys of its partitions; its thread.
//
// Thresholds compare lattice::measure; dataflow/threshold.hpp says for which types the answer is deterministic.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/result.hpp"
#include "core/types.hpp"

namespace anabranch::dataflow {

/// Names one registration; given out in rising order, never 0, never used again by the same index.
using WatchId = std::uint64_t;

class WatchIndex {
 public:
  static constexpr std::size_t kWatchesMaxDefault = 1U << 20;  // about 120 bytes each: a tree node and a hash node

  /// `watches_max` bounds the registrations that wait at one time, of all variables together.
  explicit WatchIndex(std::size_t watches_max = kWatchesMaxDefault) : watches_max_(watches_max) {}
  WatchIndex(const WatchIndex&) = delete;  // locations_ points into variables_
  WatchIndex& operator=(const WatchIndex&) = delete;

  /// Registers a wait for `key` to measure at least `at_least`. The index knows no values: the caller first looks
  /// whether the threshold holds already, in the same turn of the shard. The variable need not exist yet.
  ///   key     copied once a variable, not once a watch
  ///   errors  kFull, naming watches_max; nothing is registered then
  ///   cost    O(log watches of the variable)
  core::Result<WatchId> add(core::BytesView key, std::int64_t at_least);

  /// Forgets a registration.
  ///   returns  false if it has fired, was cancelled before, or never was; then nothing changes
  bool cancel(WatchId id);

  /// Tells the index that `key` measures `value` now. Registrations with at_least <= value end; each fires once.
  ///   value  may be lower than an earlier one; what has fired stays fired
  ///   fired  their ids are appended, by threshold, then by order of registration
  ///   cost   one hash lookup and one comparison when none fires, and O(1) amortised for each that does
  void fire(core::BytesView key, std::int64_t value, std::vector<WatchId>& fired);

  /// Registrations that wait.
  [[nodiscard]] std::size_t size() const { return locations_.size(); }
  /// Variables that somebody waits for; others take no memory.
  [[nodiscard]] std::size_t variables() const { return variables_.size(); }
  [[nodiscard]] std::size_t watches_max() const { return watches_max_; }

 private:
  struct Entry {
    std::int64_t at_least;
    WatchId id;
    friend auto operator<=>(const Entry&, const Entry&) = default;
  };
  struct KeyHash {
    using is_transparent = void;
    std::size_t operator()(core::BytesView key) const { return std::hash<core::BytesView>{}(key); }
  };
  using Thresholds = std::set<Entry>;
  using Variables = std::unordered_map<core::Bytes, Thresholds, KeyHash, std::equal_to<>>;  // never iterated
  struct Location {
    Variables::pointer variable;  // the element of variables_: its address stays while it exists
    std::int64_t at_least;
  };

  std::size_t watches_max_;
  WatchId next_ = 1;
  Variables variables_;
  std::unordered_map<WatchId, Location> locations_;  // never iterated
};

}  // namespace anabranch::dataflow

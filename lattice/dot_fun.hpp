// Dot store: each live dot carries a value that was fixed when it was born. Small, hence a sorted vector.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "lattice/concepts.hpp"
#include "lattice/hashing.hpp"

namespace anabranch::lattice {

/// V is totally ordered. Two values under one dot exist only where an origin minted it twice (a fault); the greater
/// wins then, so that join is total and replicas still agree.
///   source  Almeida, Shoker, Baquero 2018, fig. 5, with max as the join of values
template <std::totally_ordered V>
class DotFun {
 public:
  using Entry = std::pair<Dot, V>;

  DotFun() = default;
  DotFun(const Dot& dot, V value) { entries_.emplace_back(dot, std::move(value)); }
  /// kMalformed unless the dots are valid and strictly ascending.
  static core::Result<DotFun> from_entries(std::vector<Entry> entries) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (!valid(entries[i].first) || (i > 0 && !(entries[i - 1].first < entries[i].first)))
        return core::fail(core::Errc::kMalformed, "dots are invalid or unsorted");
    }
    DotFun fun;
    fun.entries_ = std::move(entries);
    return fun;
  }

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  /// Ascending by dot. Borrowed until the store changes.
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  /// The value under `dot`, borrowed; null if it is not live.
  [[nodiscard]] const V* find(const Dot& dot) const {
    const auto at = place(dot);
    return at != entries_.end() && at->first == dot ? &at->second : nullptr;
  }
  [[nodiscard]] bool contains(const Dot& dot) const { return find(dot) != nullptr; }
  template <class F>
  void for_each_dot(F&& f) const {
    for (const Entry& entry : entries_) f(entry.first);
  }

  template <class Observer = IgnoreDots>
  bool join(const CausalContext& mine, const DotFun& other, const CausalContext& theirs, Observer&& observer = {}) {
    bool changed = std::erase_if(entries_, [&](const Entry& entry) {
                     const bool dies = theirs.contains(entry.first) && !other.contains(entry.first);
                     if (dies) observer.died(entry.first);
                     return dies;
                   }) > 0;
    for (const Entry& entry : other.entries_) {
      const auto at = entries_.begin() + (place(entry.first) - entries_.cbegin());
      if (at != entries_.end() && at->first == entry.first) {
        if (!(at->second < entry.second)) continue;
        at->second = entry.second;
      } else if (mine.contains(entry.first)) {
        continue;  // dead for good
      } else {
        entries_.insert(at, entry);
        observer.born(entry.first);
      }
      changed = true;
    }
    return changed;
  }

  [[nodiscard]] bool leq(const CausalContext& mine, const DotFun& other, const CausalContext& /*theirs*/) const {
    return std::all_of(other.entries_.begin(), other.entries_.end(), [&](const Entry& entry) {
      const V* value = find(entry.first);
      return value != nullptr ? !(entry.second < *value) : !mine.contains(entry.first);
    });
  }

  [[nodiscard]] DotFun delta(const CausalContext& mine, const DotFun& other, const CausalContext& theirs,
                             CausalContext& told) const {
    DotFun news;
    for (const Entry& entry : entries_) {
      const V* value = other.find(entry.first);
      const bool greater = value != nullptr && *value < entry.second;
      if (greater) told.insert(entry.first);
      if (greater || !theirs.contains(entry.first)) news.entries_.push_back(entry);
    }
    for (const Entry& entry : other.entries_) {
      if (mine.contains(entry.first) && !contains(entry.first)) told.insert(entry.first);
    }
    return news;
  }

  [[nodiscard]] DotFun only(const Dot& dot) const {
    const V* value = find(dot);
    return value != nullptr ? DotFun(dot, *value) : DotFun();
  }

  [[nodiscard]] std::uint64_t fingerprint(std::uint64_t seed) const {
    std::uint64_t sum = 0;
    for (const auto& [dot, value] : entries_) sum ^= hash_dot(seed_under(seed, value), dot);
    return sum;
  }
  [[nodiscard]] std::size_t weight_bytes() const {
    std::size_t bytes = 0;
    for (const auto& [dot, value] : entries_) bytes += 32 + value.size();
    return bytes;
  }

  friend bool operator==(const DotFun&, const DotFun&) = default;

 private:
  [[nodiscard]] typename std::vector<Entry>::const_iterator place(const Dot& dot) const {
    return std::lower_bound(entries_.begin(), entries_.end(), dot,
                            [](const Entry& entry, const Dot& at) { return entry.first < at; });
  }

  std::vector<Entry> entries_;
};

static_assert(DotStore<DotFun<core::Bytes>>);

}  // namespace anabranch::lattice

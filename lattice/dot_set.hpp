// Dot store: a set of live dots. Small (about one dot a concurrent writer), hence a sorted vector.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "core/check.hpp"
#include "core/result.hpp"
#include "lattice/concepts.hpp"
#include "lattice/hashing.hpp"

namespace anabranch::lattice {

///   source  Almeida, Shoker, Baquero 2018, fig. 5
class DotSet {
 public:
  DotSet() = default;
  explicit DotSet(const Dot& dot) : dots_{dot} {}
  /// kMalformed unless the dots are valid and strictly ascending.
  static core::Result<DotSet> from_dots(std::vector<Dot> dots) {
    for (std::size_t i = 0; i < dots.size(); ++i) {
      if (!valid(dots[i]) || (i > 0 && !(dots[i - 1] < dots[i])))
        return core::fail(core::Errc::kMalformed, "dots are invalid or unsorted");
    }
    DotSet set;
    set.dots_ = std::move(dots);
    return set;
  }

  [[nodiscard]] bool empty() const { return dots_.empty(); }
  /// Ascending. Borrowed until the set changes.
  [[nodiscard]] std::span<const Dot> dots() const { return dots_; }
  [[nodiscard]] bool contains(const Dot& dot) const { return std::binary_search(dots_.begin(), dots_.end(), dot); }
  template <class F>
  void for_each_dot(F&& f) const {
    for (const Dot& dot : dots_) f(dot);
  }

  template <class Observer = IgnoreDots>
  bool join(const CausalContext& mine, const DotSet& other, const CausalContext& theirs, Observer&& observer = {}) {
    bool changed = std::erase_if(dots_, [&](const Dot& dot) {
                     const bool dies = theirs.contains(dot) && !other.contains(dot);
                     if (dies) observer.died(dot);
                     return dies;
                   }) > 0;
    for (const Dot& dot : other.dots_) {
      if (mine.contains(dot) || contains(dot)) continue;  // seen: alive here already, or dead for good
      dots_.insert(std::upper_bound(dots_.begin(), dots_.end(), dot), dot);
      observer.born(dot);
      changed = true;
    }
    return changed;
  }

  [[nodiscard]] bool leq(const CausalContext& mine, const DotSet& other, const CausalContext& /*theirs*/) const {
    return std::none_of(other.dots_.begin(), other.dots_.end(),
                        [&](const Dot& dot) { return mine.contains(dot) && !contains(dot); });
  }

  [[nodiscard]] DotSet delta(const CausalContext& mine, const DotSet& other, const CausalContext& theirs,
                             CausalContext& told) const {
    DotSet news;
    for (const Dot& dot : dots_) {
      if (!theirs.contains(dot)) news.dots_.push_back(dot);
    }
    for (const Dot& dot : other.dots_) {
      if (mine.contains(dot) && !contains(dot)) told.insert(dot);
    }
    return news;
  }

  [[nodiscard]] DotSet only(const Dot& dot) const { return contains(dot) ? DotSet(dot) : DotSet(); }

  [[nodiscard]] std::uint64_t fingerprint(std::uint64_t seed) const {
    std::uint64_t sum = 0;
    for (const Dot& dot : dots_) sum ^= hash_dot(seed, dot);
    return sum;
  }
  [[nodiscard]] std::size_t weight_bytes() const { return dots_.size() * 24; }

  friend bool operator==(const DotSet&, const DotSet&) = default;

 private:
  std::vector<Dot> dots_;
};

static_assert(DotStore<DotSet>);

}  // namespace anabranch::lattice

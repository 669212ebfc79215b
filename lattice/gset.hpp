// Grow-only set of byte strings.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <set>
#include <string_view>
#include <vector>

#include "core/limits.hpp"
#include "core/result.hpp"
#include "lattice/concepts.hpp"
#include "lattice/hashing.hpp"
#include "lattice/operation.hpp"
#include "lattice/type_id.hpp"

namespace anabranch::lattice {

/// Union. Plain value.
class GSet {
 public:
  static constexpr TypeId kId = TypeId::kGSet;
  static constexpr std::string_view kName = "gset";
  static constexpr std::array kVerbs = {Verb::kAdd};
  using Elements = std::set<core::Bytes, std::less<>>;

  GSet() = default;
  /// kMalformed unless the elements ascend strictly.
  static core::Result<GSet> from_elements(std::vector<core::Bytes> elements) {
    GSet set;
    for (core::Bytes& element : elements) {
      if (!set.elements_.empty() && !(*set.elements_.rbegin() < element))
        return core::fail(core::Errc::kMalformed, "elements are unsorted");
      set.elements_.insert(set.elements_.end(), std::move(element));
    }
    return set;
  }

  /// Ascending. Borrowed until the set changes.
  [[nodiscard]] const Elements& elements() const { return elements_; }

  /// The delta that adds these: those that are not here yet.
  [[nodiscard]] GSet add(const std::vector<core::Bytes>& elements) const {
    GSet news;
    for (const core::Bytes& element : elements) {
      if (!elements_.contains(element)) news.elements_.insert(element);
    }
    return news;
  }

  bool join(const GSet& other) {
    const std::size_t before = elements_.size();
    elements_.insert(other.elements_.begin(), other.elements_.end());
    return elements_.size() > before;
  }
  [[nodiscard]] bool leq(const GSet& other) const {
    return std::includes(other.elements_.begin(), other.elements_.end(), elements_.begin(), elements_.end());
  }
  [[nodiscard]] GSet delta(const GSet& other) const {
    GSet news;
    std::set_difference(elements_.begin(), elements_.end(), other.elements_.begin(), other.elements_.end(),
                        std::inserter(news.elements_, news.elements_.end()));
    return news;
  }
  template <class Sink>
  void decompose(Sink&& sink) const {
    for (const core::Bytes& element : elements_) {
      GSet part;
      part.elements_.insert(element);
      sink(std::move(part));
    }
  }
  [[nodiscard]] std::uint64_t irreducibles() const { return elements_.size(); }
  friend bool operator==(const GSet&, const GSet&) = default;

  [[nodiscard]] core::Result<GSet> apply(const Operation& operation, Mutator& /*mutator*/) const {
    if (auto valid = check_elements(operation, 1, core::kListMax); !valid)
      return tl::unexpected(std::move(valid.error()));
    return add(operation.elements);
  }
  [[nodiscard]] Reading read() const { return std::vector<core::Bytes>(elements_.begin(), elements_.end()); }
  /// How many elements.
  [[nodiscard]] std::int64_t measure() const { return static_cast<std::int64_t>(elements_.size()); }
  [[nodiscard]] std::uint64_t fingerprint(std::uint64_t seed) const {
    std::uint64_t sum = 0;
    for (const core::Bytes& element : elements_) sum ^= seed_under(seed, element);
    return sum;
  }
  /// O(elements).
  [[nodiscard]] std::size_t weight_bytes() const {
    std::size_t bytes = 8;
    for (const core::Bytes& element : elements_) bytes += 16 + element.size();
    return bytes;
  }

 private:
  Elements elements_;
};

static_assert(Lattice<GSet> && Catalogued<GSet>);

}  // namespace anabranch::lattice

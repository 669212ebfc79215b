// Grow-only counter: each actor (an origin, or an edge client) owns an entry that only it raises.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "lattice/concepts.hpp"
#include "lattice/operation.hpp"
#include "lattice/type_id.hpp"

namespace anabranch::lattice {

/// Actor -> count, pointwise max; an entry of 0 is not kept. Sorted columns, so that the join of two counters with the
/// same actors is one kernel over dense numbers. Plain value.
class GCounter {
 public:
  static constexpr TypeId kId = TypeId::kGCounter;
  static constexpr std::string_view kName = "gcounter";
  static constexpr std::array kVerbs = {Verb::kIncrement, Verb::kTotal};

  struct Entry {
    core::Actor actor;
    std::uint64_t count = 0;
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  GCounter() = default;
  /// kMalformed unless the actors ascend strictly and every count is in 1..core::kCountMax.
  static core::Result<GCounter> from_entries(std::span<const Entry> entries);

  /// Columns of equal length, by ascending actor. Borrowed until the counter changes.
  [[nodiscard]] std::span<const core::Actor> actors() const { return actors_; }
  [[nodiscard]] std::span<const std::uint64_t> counts() const { return counts_; }
  [[nodiscard]] std::size_t size() const { return actors_.size(); }
  template <class F>
  void for_each(F&& f) const {
    for (std::size_t i = 0; i < actors_.size(); ++i) f(actors_[i], counts_[i]);
  }
  /// The entry of `actor`, 0 if it has none.
  [[nodiscard]] std::uint64_t count(const core::Actor& actor) const;
  /// The sum of all entries, saturated at 2^64 - 1. O(1).
  [[nodiscard]] std::uint64_t value() const { return sum_; }

  /// The delta that adds `amount` for `actor`. kRefused unless positive; kOverflow if the value would pass 2^62.
  [[nodiscard]] core::Result<GCounter> increment(const core::Actor& actor, std::int64_t amount) const;
  /// The delta that raises an edge client's running total to `total`; bottom if it is there already.
  /// kRefused unless positive, or if `actor` is not an edge client; kOverflow if the value would pass 2^62.
  [[nodiscard]] core::Result<GCounter> raise_total(const core::Actor& actor, std::int64_t total) const;

  bool join(const GCounter& other);
  [[nodiscard]] bool leq(const GCounter& other) const;
  [[nodiscard]] GCounter delta(const GCounter& other) const;
  template <class Sink>
  void decompose(Sink&& sink) const {
    for (std::size_t i = 0; i < actors_.size(); ++i) sink(single(actors_[i], counts_[i]));
  }
  [[nodiscard]] std::uint64_t irreducibles() const { return actors_.size(); }
  friend bool operator==(const GCounter&, const GCounter&) = default;

  [[nodiscard]] core::Result<GCounter> apply(const Operation& operation, Mutator& mutator) const;
  [[nodiscard]] Reading read() const { return measure(); }
  /// The value, saturated at 2^63 - 1.
  [[nodiscard]] std::int64_t measure() const;
  [[nodiscard]] std::uint64_t fingerprint(std::uint64_t seed) const;
  [[nodiscard]] std::size_t weight_bytes() const { return 8 + actors_.size() * 24; }

 private:
  static GCounter single(const core::Actor& actor, std::uint64_t count);
  void push_back(const core::Actor& actor, std::uint64_t count);
  bool raise(const core::Actor& actor, std::uint64_t count);
  bool join_linear(const GCounter& other);
  void add_to_sum(std::uint64_t amount);

  std::vector<core::Actor> actors_;
  std::vector<std::uint64_t> counts_;
  std::uint64_t sum_ = 0;
};

static_assert(Lattice<GCounter> && Catalogued<GCounter>);

}  // namespace anabranch::lattice

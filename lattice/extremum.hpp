// The greatest (maxint) or the least (minint) number that anybody set. A chain.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "core/result.hpp"
#include "lattice/concepts.hpp"
#include "lattice/hashing.hpp"
#include "lattice/operation.hpp"
#include "lattice/type_id.hpp"

namespace anabranch::lattice {

enum class Extreme : bool { kGreatest, kLeast };

/// Bottom is "nothing set". Plain value.
template <Extreme kExtreme>
class Extremum {
 public:
  static constexpr bool kGreatest = kExtreme == Extreme::kGreatest;
  static constexpr TypeId kId = kGreatest ? TypeId::kMaxInt : TypeId::kMinInt;
  static constexpr std::string_view kName = kGreatest ? "maxint" : "minint";
  static constexpr std::array kVerbs = {Verb::kSet};

  Extremum() = default;
  explicit Extremum(std::int64_t value) : value_(value) {}

  [[nodiscard]] const std::optional<std::int64_t>& value() const { return value_; }

  /// The delta that sets `value`; bottom if a better one is there.
  [[nodiscard]] Extremum set(std::int64_t value) const { return Extremum(value).delta(*this); }

  bool join(const Extremum& other) {
    if (other.leq(*this)) return false;
    value_ = other.value_;
    return true;
  }
  [[nodiscard]] bool leq(const Extremum& other) const {
    if (!value_ || !other.value_) return !value_;
    return kGreatest ? *value_ <= *other.value_ : *value_ >= *other.value_;
  }
  [[nodiscard]] Extremum delta(const Extremum& other) const { return leq(other) ? Extremum() : *this; }
  template <class Sink>
  void decompose(Sink&& sink) const {
    if (value_) sink(Extremum(*this));
  }
  [[nodiscard]] std::uint64_t irreducibles() const { return value_ ? 1 : 0; }
  friend bool operator==(const Extremum&, const Extremum&) = default;

  [[nodiscard]] core::Result<Extremum> apply(const Operation& operation, Mutator& /*mutator*/) const {
    if (auto valid = check_number(operation); !valid) return tl::unexpected(std::move(valid.error()));
    return set(operation.amount);
  }
  [[nodiscard]] Reading read() const { return value_ ? Reading(*value_) : Reading(); }
  /// The value; below every value if nothing is set, so that no threshold is met by nothing.
  [[nodiscard]] std::int64_t measure() const { return value_.value_or(std::numeric_limits<std::int64_t>::min()); }
  [[nodiscard]] std::uint64_t fingerprint(std::uint64_t seed) const {
    return value_ ? hash_words(seed, static_cast<std::uint64_t>(*value_)) : 0;
  }
  [[nodiscard]] std::size_t weight_bytes() const { return 16; }

 private:
  std::optional<std::int64_t> value_;
};

using MaxInt = Extremum<Extreme::kGreatest>;
using MinInt = Extremum<Extreme::kLeast>;

static_assert(Lattice<MaxInt> && Catalogued<MaxInt> && Lattice<MinInt> && Catalogued<MinInt>);

}  // namespace anabranch::lattice

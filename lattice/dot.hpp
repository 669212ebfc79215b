// A dot names one mutation: the sequence-th of its origin in one partition, from 1. Ordered by origin, then sequence.
#pragma once

#include <compare>
#include <cstdint>

#include "core/types.hpp"

namespace anabranch::lattice {

struct Dot {
  core::Origin origin;
  std::uint64_t sequence = 0;
  friend auto operator<=>(const Dot&, const Dot&) = default;
};

/// No origin mints that many; keeps `sequence + 1` from wrapping.
inline constexpr std::uint64_t kSequenceMax = std::uint64_t{1} << 62;

/// May this dot exist? Decoders ask before they build stores and contexts.
constexpr bool valid(const Dot& dot) { return dot.sequence >= 1 && dot.sequence <= kSequenceMax; }

}  // namespace anabranch::lattice

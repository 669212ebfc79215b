// Seeded hashes of dots, numbers and bytes for fingerprints. The same on every node.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "core/hash.hpp"
#include "core/types.hpp"
#include "lattice/dot.hpp"

namespace anabranch::lattice {

static_assert(std::endian::native == std::endian::little, "fingerprints hash words as they lie in memory");

/// A 64-bit hash of a few words.
template <class... Words>
std::uint64_t hash_words(std::uint64_t seed, Words... words) {
  const std::array<std::uint64_t, sizeof...(Words)> bytes{static_cast<std::uint64_t>(words)...};
  return core::hash64({reinterpret_cast<const char*>(bytes.data()), sizeof(bytes)}, seed);
}

inline std::uint64_t hash_dot(std::uint64_t seed, const Dot& dot) {
  return hash_words(seed, dot.origin.node, dot.origin.incarnation, dot.sequence);
}

/// A seed that depends on a key of a map, so that the same dot under two keys hashes differently.
inline std::uint64_t seed_under(std::uint64_t seed, core::BytesView key) { return core::hash64(key, seed); }
inline std::uint64_t seed_under(std::uint64_t seed, bool key) { return hash_words(seed, key); }

}  // namespace anabranch::lattice

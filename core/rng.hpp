// Seeded random numbers: xoshiro256++ (Blackman, Vigna 2019) behind named streams, so that a seed replays a run and
// removing one consumer does not shift the numbers of another. Each machine owns its generator.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <string_view>

namespace anabranch::core {

/// One step of SplitMix64 (Steele, Lea, Flood 2014); advances `state`.
constexpr std::uint64_t split_mix(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9E3779B97F4A7C15ULL);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

class Rng {
 public:
  using result_type = std::uint64_t;

  explicit constexpr Rng(std::uint64_t seed) {
    for (auto& word : state_) word = split_mix(seed);
  }

  /// An independent stream of `seed` for the consumer `label` and its `index`.
  static constexpr Rng stream(std::uint64_t seed, std::string_view label, std::uint64_t index = 0) {
    std::uint64_t mixed = seed ^ (index * 0xD1342543DE82EF95ULL);
    for (const char c : label) mixed = (mixed ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
    return Rng(split_mix(mixed));
  }

  constexpr std::uint64_t operator()() {
    const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// Uniform in [0, bound); 0 for bound 0. Lemire's multiply-shift; its bias is below 2^-32 for bounds below 2^32.
  constexpr std::uint64_t below(std::uint64_t bound) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<Wide>((*this)()) * bound) >> 64);
  }

  /// Uniform in [0, 1).
  constexpr double unit() { return static_cast<double>((*this)() >> 11) * 0x1.0p-53; }
  constexpr bool chance(double probability) { return unit() < probability; }

  static constexpr std::uint64_t min() { return 0; }
  static constexpr std::uint64_t max() { return std::numeric_limits<std::uint64_t>::max(); }

 private:
  std::array<std::uint64_t, 4> state_{};
};

/// A seed from the operating system, for node ids and jitter in production only.
std::uint64_t entropy_seed();

}  // namespace anabranch::core

// Time as plain numbers: machines are handed `now`, only clocks and loops read a real one.
#pragma once

#include <cstdint>

namespace anabranch::core {

/// Nanoseconds on a monotonic clock (real or virtual). Never compared across processes.
using Instant = std::uint64_t;
/// Nanoseconds between two instants.
using Duration = std::uint64_t;

inline constexpr Duration kMicrosecond = 1'000;
inline constexpr Duration kMillisecond = 1'000'000;
inline constexpr Duration kSecond = 1'000'000'000;
inline constexpr Instant kNever = UINT64_MAX;

/// CLOCK_MONOTONIC. 21 ns a call on the development machine: read once per loop, not per item.
Instant monotonic_now();
/// Milliseconds since the Unix epoch, for hybrid logical clocks and logs only.
std::uint64_t wall_clock_ms();

}  // namespace anabranch::core

// Hybrid logical clock: 48 bits of milliseconds since the Unix epoch, 16 bits of logic. Stamps of one clock strictly
// ascend and exceed every stamp that it observed. Owned by a shard; the wall clock is an argument.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/result.hpp"

namespace anabranch::lattice {

///   source  Kulkarni et al. 2014, with the logical part carried into the milliseconds when it is full
class Hlc {
 public:
  /// A stamp further ahead of the wall clock than this is poison: it would drag every clock that meets it.
  static constexpr std::uint64_t kAheadMaxMs = std::uint64_t{5} * 60 * 1'000;  // guess; NTP keeps within seconds

  Hlc() = default;
  /// Resumes after `last`, the last stamp of an earlier life.
  explicit Hlc(std::uint64_t last) : last_(last) {}

  [[nodiscard]] std::uint64_t last() const { return last_; }

  /// A stamp for a local event: above `last()`, above `after`, and not behind the wall clock.
  std::uint64_t tick(std::uint64_t wall_ms, std::uint64_t after = 0) {
    last_ = std::max(successor(std::max(last_, after)), stamp_of(wall_ms));
    return last_;
  }

  /// Takes note of a stamp of another node, so that later local stamps exceed it.
  /// kRefused, and no change, if it lies more than `kAheadMaxMs` ahead of the wall clock.
  core::Status observe(std::uint64_t stamp, std::uint64_t wall_ms) {
    if (stamp > ahead_max(wall_ms)) return core::fail(core::Errc::kRefused, "a stamp lies too far in the future");
    last_ = std::max(successor(std::max(last_, stamp)), stamp_of(wall_ms));
    return {};
  }

  /// An edge client's stamp, brought down to the furthest that `observe` accepts.
  static constexpr std::uint64_t clamp(std::uint64_t stamp, std::uint64_t wall_ms) {
    return std::min(stamp, ahead_max(wall_ms));
  }

  static constexpr std::uint64_t stamp_of(std::uint64_t wall_ms) { return std::min(wall_ms, kMsMax) << 16; }
  static constexpr std::uint64_t ms_of(std::uint64_t stamp) { return stamp >> 16; }

 private:
  static constexpr std::uint64_t kMsMax = (std::uint64_t{1} << 48) - 1;

  static constexpr std::uint64_t successor(std::uint64_t stamp) { return stamp == UINT64_MAX ? stamp : stamp + 1; }
  static constexpr std::uint64_t ahead_max(std::uint64_t wall_ms) {
    return stamp_of(std::min(wall_ms, kMsMax) + kAheadMaxMs);
  }

  std::uint64_t last_ = 0;
};

}  // namespace anabranch::lattice

#include "core/time.hpp"

#include <ctime>

namespace anabranch::core {
namespace {

std::uint64_t read_clock(clockid_t clock) {
  timespec spec{};
  clock_gettime(clock, &spec);
  return static_cast<std::uint64_t>(spec.tv_sec) * kSecond + static_cast<std::uint64_t>(spec.tv_nsec);
}

}  // namespace

Instant monotonic_now() { return read_clock(CLOCK_MONOTONIC); }

std::uint64_t wall_clock_ms() { return read_clock(CLOCK_REALTIME) / kMillisecond; }

}  // namespace anabranch::core

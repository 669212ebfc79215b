#include "core/time.hpp"

#include <gtest/gtest.h>

namespace anabranch::core {
namespace {

TEST(Time, MonotonicClockNeverGoesBack) {
  Instant last = monotonic_now();
  for (int i = 0; i < 10'000; ++i) {
    const Instant now = monotonic_now();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(Time, WallClockCountsMillisecondsOfThisCentury) {
  EXPECT_GT(wall_clock_ms(), 1'600'000'000'000ULL);  // 2020
  EXPECT_LT(wall_clock_ms(), 4'102'444'800'000ULL);  // 2100
}

}  // namespace
}  // namespace anabranch::core

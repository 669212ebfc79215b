#include "lattice/hlc.hpp"

#include <gtest/gtest.h>

namespace anabranch::lattice {
namespace {

constexpr std::uint64_t kNow = 1'700'000'000'000;

TEST(Hlc, FollowsTheWallClock) {
  Hlc clock;
  EXPECT_EQ(clock.tick(kNow), Hlc::stamp_of(kNow));
  EXPECT_EQ(clock.tick(kNow + 1), Hlc::stamp_of(kNow + 1));
}

TEST(Hlc, CountsWithinAMillisecondAndThroughAWallClockThatGoesBack) {
  Hlc clock;
  std::uint64_t last = clock.tick(kNow);
  for (int i = 0; i < 200'000; ++i) {  // more than 16 bits: carries into the milliseconds
    const std::uint64_t next = clock.tick(kNow - static_cast<std::uint64_t>(i % 1'000));
    ASSERT_EQ(next, last + 1);
    last = next;
  }
  EXPECT_GE(Hlc::ms_of(last), kNow + 3);
}

TEST(Hlc, GoesBeyondWhatItObserved) {
  Hlc clock;
  clock.tick(kNow);
  const std::uint64_t theirs = Hlc::stamp_of(kNow + 1'000) + 5;
  ASSERT_TRUE(clock.observe(theirs, kNow).has_value());
  EXPECT_GT(clock.tick(kNow), theirs);
  const std::uint64_t mine = clock.last();
  ASSERT_TRUE(clock.observe(mine, kNow).has_value());  // an equal tick
  EXPECT_GT(clock.tick(kNow), mine);
  ASSERT_TRUE(clock.observe(1, kNow).has_value());  // an old one
  EXPECT_GT(clock.tick(kNow), mine);
}

TEST(Hlc, RefusesPoisonAndStaysWhereItIs) {  // trap T16
  Hlc clock;
  const std::uint64_t before = clock.tick(kNow);
  const std::uint64_t bound = Hlc::stamp_of(kNow + Hlc::kAheadMaxMs);
  EXPECT_TRUE(Hlc(before).observe(bound, kNow).has_value());
  for (const std::uint64_t poison : {bound + 1, UINT64_MAX}) {
    const auto refused = clock.observe(poison, kNow);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, core::Errc::kRefused);
    EXPECT_EQ(clock.last(), before);
  }
}

TEST(Hlc, ClampsWhatAnEdgeClientClaims) {
  const std::uint64_t bound = Hlc::stamp_of(kNow + Hlc::kAheadMaxMs);
  EXPECT_EQ(Hlc::clamp(UINT64_MAX, kNow), bound);
  EXPECT_EQ(Hlc::clamp(7, kNow), 7U);
  EXPECT_TRUE(Hlc().observe(Hlc::clamp(UINT64_MAX, kNow), kNow).has_value());
}

TEST(Hlc, ResumesAfterAnEarlierLife) {
  Hlc clock(Hlc::stamp_of(kNow) + 9);
  EXPECT_EQ(clock.tick(kNow), Hlc::stamp_of(kNow) + 10);
}

TEST(Hlc, NeverWrapsAtTheEndOfTime) {
  Hlc clock(UINT64_MAX - 1);
  EXPECT_EQ(clock.tick(UINT64_MAX), UINT64_MAX);
  EXPECT_EQ(clock.tick(UINT64_MAX), UINT64_MAX);
}

}  // namespace
}  // namespace anabranch::lattice

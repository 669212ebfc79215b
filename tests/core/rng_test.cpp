#include "core/rng.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace anabranch::core {
namespace {

std::vector<std::uint64_t> first(Rng rng, int count) {
  std::vector<std::uint64_t> numbers;
  for (int i = 0; i < count; ++i) numbers.push_back(rng());
  return numbers;
}

// Vigna's splitmix64.c started at 1234567.
TEST(SplitMix, GivesTheNumbersOfTheReference) {
  std::uint64_t state = 1234567;
  EXPECT_EQ(split_mix(state), 6457827717110365317ULL);
  EXPECT_EQ(split_mix(state), 3203168211198807973ULL);
  EXPECT_EQ(split_mix(state), 9817491932198370423ULL);
}

TEST(Rng, SameSeedGivesTheSameNumbers) {
  EXPECT_EQ(first(Rng(42), 100), first(Rng(42), 100));
  EXPECT_NE(first(Rng(42), 100), first(Rng(43), 100));
}

TEST(Rng, StreamsOfOneSeedDifferByLabelAndIndex) {
  EXPECT_EQ(first(Rng::stream(7, "loss", 1), 10), first(Rng::stream(7, "loss", 1), 10));
  EXPECT_NE(first(Rng::stream(7, "loss", 1), 10), first(Rng::stream(7, "loss", 2), 10));
  EXPECT_NE(first(Rng::stream(7, "loss", 1), 10), first(Rng::stream(7, "delay", 1), 10));
  EXPECT_NE(first(Rng::stream(7, "loss", 1), 10), first(Rng::stream(8, "loss", 1), 10));
}

TEST(Rng, BelowStaysBelowItsBoundAndReachesEveryValue) {
  Rng rng(1);
  std::array<int, 7> seen{};
  for (int i = 0; i < 7'000; ++i) {
    const auto value = rng.below(7);
    ASSERT_LT(value, 7U);
    ++seen[static_cast<std::size_t>(value)];
  }
  // The expected count of each is 1,000 with a standard deviation of 29.
  for (const int count : seen) EXPECT_NEAR(count, 1'000, 200);
  EXPECT_EQ(rng.below(1), 0U);
  EXPECT_EQ(rng.below(0), 0U);
}

TEST(Rng, UnitLiesInTheHalfOpenInterval) {
  Rng rng(2);
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double value = rng.unit();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
  }
  EXPECT_NEAR(sum / 10'000, 0.5, 0.02);
}

TEST(Rng, ChanceIsCertainAtItsEnds) {
  Rng rng(3);
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_FALSE(rng.chance(0.0));
    ASSERT_TRUE(rng.chance(1.0));
  }
}

}  // namespace
}  // namespace anabranch::core

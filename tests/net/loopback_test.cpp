#include "net/loopback.hpp"

#include <gtest/gtest.h>

#include "tests/net/port_fixture.hpp"

namespace anabranch::net {
namespace {

TEST(Loopback, DeliversAtOnce) {
  LoopbackNetwork network;
  const auto a = network.open({1, 1});
  const auto b = network.open({2, 1});
  ASSERT_TRUE(send_one(*a, b->local(), "x"));
  std::vector<Kept> kept;
  EXPECT_EQ(take(*b, 0, kept), 1U) << "without waiting";
}

TEST(Loopback, GivesTheLowestFreePorts) {
  LoopbackNetwork network;
  const auto a = network.open(kLocalhost);
  auto b = network.open(kLocalhost);
  EXPECT_EQ(a->local().port, 49'152);
  EXPECT_EQ(b->local().port, 49'153);
  b.reset();
  EXPECT_EQ(network.open(kLocalhost)->local().port, 49'153);
}

TEST(Loopback, LosesAndCountsWhatAFullInboxCannotHold) {
  LoopbackNetwork network(3);
  const auto a = network.open({1, 1});
  const auto b = network.open({2, 1});
  for (const char* const text : {"1", "2", "3", "4", "5"}) ASSERT_TRUE(send_one(*a, b->local(), text));
  EXPECT_EQ(b->stats().rx_errors, 2U);
  std::vector<Kept> kept;
  EXPECT_EQ(take(*b, 0, kept), 3U);
  EXPECT_EQ(kept.back().bytes, "3");
  ASSERT_TRUE(send_one(*a, b->local(), "6"));
  EXPECT_EQ(take(*b, 0, kept), 1U) << "there is room again";
}

TEST(Loopback, WhatWaitsAtAPortGoesWithIt) {
  LoopbackNetwork network;
  const auto a = network.open({1, 1});
  auto b = network.open({2, 1});
  ASSERT_TRUE(send_one(*a, {2, 1}, "x"));
  b.reset();
  b = network.open({2, 1});
  std::vector<Kept> kept;
  EXPECT_EQ(take(*b, 0, kept), 0U);
}

TEST(LoopbackDeathTest, AnAddressInUseIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  LoopbackNetwork network;
  const auto a = network.open({1, 1});
  EXPECT_DEATH(static_cast<void>(network.open({1, 1})), "contains");
}

}  // namespace
}  // namespace anabranch::net

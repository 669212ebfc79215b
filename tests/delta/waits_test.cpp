// Who waits for what, and what is asked for when: the two small books of a replica.
#include "delta/waits.hpp"

#include <gtest/gtest.h>

#include "delta/wants.hpp"

namespace anabranch::delta {
namespace {

using Tokens = std::vector<std::uint64_t>;

Tokens settle(Waits& waits, std::vector<FlushNumber> held) {
  Tokens reached;
  waits.settle(std::move(held), reached);
  return reached;
}

TEST(Waits, ALevelIsReachedWhenThatManyNodesHoldTheFlush) {
  Waits waits;
  waits.add(5, 1, 10);
  waits.add(5, 2, 20);
  waits.add(3, 3, 30);
  waits.add(6, 2, 40);
  EXPECT_EQ(settle(waits, {4, 0, 0}), Tokens{});
  EXPECT_EQ(settle(waits, {5, 0, 4}), Tokens{10});
  EXPECT_EQ(settle(waits, {3, 5, 5}), (Tokens{20, 30}));
  EXPECT_FALSE(waits.empty());
  EXPECT_EQ(settle(waits, {6, 6}), Tokens{40});
  EXPECT_TRUE(waits.empty());
}

TEST(Waits, MoreCopiesThanNodesAreNeverReached) {
  Waits waits;
  waits.add(1, 3, 10);
  EXPECT_EQ(settle(waits, {9, 9}), Tokens{});
}

TEST(Waits, ACancelledTokenIsSilentAndOneAddedAgainIsMoved) {
  Waits waits;
  waits.add(1, 1, 10);
  waits.add(1, 1, 11);
  waits.add(2, 1, 11);
  waits.cancel(10);
  waits.cancel(99);
  EXPECT_EQ(settle(waits, {1}), Tokens{});
  EXPECT_EQ(settle(waits, {2}), Tokens{11});
}

TEST(Waits, CopiesOfOthersAreWantedOnlyWhereSomebodyWaitsForThem) {
  Waits waits;
  waits.add(5, 1, 10);
  EXPECT_FALSE(waits.wants_copies(5));
  waits.add(5, 2, 20);
  EXPECT_FALSE(waits.wants_copies(4));
  EXPECT_TRUE(waits.wants_copies(5));
  EXPECT_TRUE(waits.wants_copies(6));
}

TEST(Wants, WhatMovesIsNotAskedForAndWhatStandsStillIs) {
  const Origin origin{1, 0};
  Wants wants;
  EXPECT_EQ(wants.next_deadline(), core::kNever);
  EXPECT_TRUE(wants.add(origin, 3, 7, 100));
  EXPECT_FALSE(wants.add(origin, 3, 8, 50)) << "it is waited for already";
  EXPECT_EQ(wants.next_deadline(), 100u);
  EXPECT_TRUE(wants.due(99, 50, {{origin, 3}}).empty());
  EXPECT_TRUE(wants.due(100, 50, {{origin, 4}}).empty()) << "on its way";
  ASSERT_EQ(wants.due(150, 50, {{origin, 4}}).size(), 1u);
  const auto again = wants.due(200, 50, {{origin, 4}});
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].first_heard_from, 7u);
  EXPECT_EQ(again[0].tries, 1u) << "the next holder's turn";
  wants.settle(origin);
  EXPECT_TRUE(wants.empty());
  EXPECT_EQ(wants.next_deadline(), core::kNever);
}

TEST(Wants, EarlyIntervalsComeOutWhenTheyCanBeJoined) {
  const Origin origin{1, 0};
  const auto interval = [&](FlushNumber base, FlushNumber top) { return Interval{origin, base, top, 1, 0, false, {}}; };
  Wants wants;
  EXPECT_TRUE(wants.keep(7, interval(5, 6)));
  EXPECT_TRUE(wants.keep(7, interval(3, 5)));
  EXPECT_TRUE(wants.keep(8, interval(1, 2)));
  EXPECT_FALSE(wants.next_early(origin, 2).has_value());
  EXPECT_EQ(wants.next_early(origin, 4)->interval.top, 5u);
  EXPECT_EQ(wants.next_early(origin, 5)->interval.top, 6u);
  EXPECT_FALSE(wants.next_early(origin, 6).has_value());
  for (std::size_t i = 0; i < Wants::kEarlyMax; ++i) EXPECT_TRUE(wants.keep(7, interval(10, 11)));
  EXPECT_FALSE(wants.keep(8, interval(10, 11)));
  wants.forget_early_of(7);
  EXPECT_TRUE(wants.keep(8, interval(10, 11)));
}

}  // namespace
}  // namespace anabranch::delta

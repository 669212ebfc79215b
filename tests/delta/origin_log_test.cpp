#include "delta/origin_log.hpp"

#include <gtest/gtest.h>

#include "core/rng.hpp"
#include "delta/codec.hpp"
#include "delta/sizes.hpp"

namespace anabranch::delta {
namespace {

constexpr Origin kOne{1, 0};
constexpr Origin kTwo{2, 0};
constexpr std::size_t kMuch = 60'000;

/// The flushes (base, top] of `origin`: each adds the element of its number to a set, under the dot of its number.
Interval flushes(const Origin& origin, FlushNumber base, FlushNumber top, const Bytes& key = "k") {
  Interval interval;
  interval.origin = origin;
  interval.base = base;
  interval.top = top;
  interval.dots_low = base + 1;
  interval.dots_high = top;
  lattice::Fragment fragment{lattice::AwSet(), {}};
  for (FlushNumber flush = base + 1; flush <= top; ++flush) {
    std::get<lattice::AwSet>(fragment.object)
        .store.insert("element-" + std::to_string(flush), lattice::DotSet({origin, flush}));
    fragment.context.insert(origin, flush, flush);
  }
  interval.entries.push_back({key, std::move(fragment)});
  return interval;
}

std::int64_t elements_of(const Interval& interval) {
  return interval.entries.empty() ? 0 : lattice::measure(interval.entries.front().fragment.object);
}

TEST(OriginLogs, ServesWhatFollowsAndCutsAtFlushes) {
  OriginLogs logs(1 << 20);
  for (FlushNumber flush = 1; flush <= 20; ++flush) logs.append(flushes(kOne, flush - 1, flush));
  EXPECT_EQ(logs.top(kOne), 20u);
  EXPECT_EQ(logs.floor(kOne), 0u);
  for (FlushNumber after = 0; after < 20; ++after) {
    const auto interval = logs.read(kOne, after, kMuch);
    ASSERT_TRUE(interval.has_value());
    EXPECT_EQ(interval->base, after);
    EXPECT_EQ(interval->top, 20u);
    EXPECT_EQ(interval->dots_low, after + 1);
    EXPECT_EQ(interval->dots_high, 20u);
    EXPECT_EQ(elements_of(*interval), static_cast<std::int64_t>(20 - after));
  }
  EXPECT_FALSE(logs.read(kOne, 20, kMuch).has_value());
  EXPECT_FALSE(logs.read(kTwo, 0, kMuch).has_value());
}

TEST(OriginLogs, FillsAMessageAndNoMore) {
  OriginLogs logs(1 << 20);
  for (FlushNumber flush = 1; flush <= 100; ++flush) logs.append(flushes(kOne, flush - 1, flush));
  FlushNumber after = 0;
  std::size_t messages = 0;
  while (auto interval = logs.read(kOne, after, 1'000)) {
    EXPECT_EQ(interval->base, after);
    EXPECT_EQ(elements_of(*interval), static_cast<std::int64_t>(interval->top - interval->base));
    const std::size_t bytes = weight({0, *interval});
    EXPECT_LE(bytes, 1'000u);
    if (interval->top < 100) {
      EXPECT_GT(bytes, 900u) << "another flush would have fitted";
    }
    after = interval->top;
    ++messages;
  }
  EXPECT_EQ(after, 100u);
  EXPECT_LT(messages, 20u);
}

TEST(OriginLogs, AnAppendedIntervalIsServedWholeAlsoWhenItOverlaps) {
  OriginLogs logs(1 << 20);
  logs.append(flushes(kOne, 0, 5));
  logs.append(flushes(kOne, 2, 9));
  const auto within = logs.read(kOne, 3, kMuch);
  EXPECT_EQ(within->base, 0u);
  EXPECT_EQ(within->top, 9u);
  const auto last = logs.read(kOne, 5, kMuch);
  EXPECT_EQ(last->base, 2u);
  EXPECT_EQ(last->top, 9u);
}

TEST(OriginLogs, TheFirstIsReturnedAloneEvenIfItIsTooLarge) {
  OriginLogs logs(1 << 20);
  logs.append(flushes(kOne, 0, 50));
  logs.append(flushes(kOne, 50, 51));
  const auto interval = logs.read(kOne, 0, 500);
  ASSERT_TRUE(interval.has_value());
  EXPECT_EQ(interval->top, 50u);
  EXPECT_GT(weight({0, *interval}), 500u);
}

TEST(OriginLogs, OneCallJoinsABoundedNumberOfIntervals) {
  OriginLogs logs(64 << 20);
  Interval counter = flushes(kOne, 0, 1);
  for (FlushNumber flush = 1; flush <= OriginLogs::kJoinMax + 5; ++flush) {
    counter.base = flush - 1;
    counter.top = flush;
    const lattice::GCounter::Entry entry{core::Actor::of(kOne), flush};
    counter.entries.front().fragment = {*lattice::GCounter::from_entries({&entry, 1}), {}};
    logs.append(counter);
  }
  EXPECT_EQ(logs.read(kOne, 0, kMuch)->top, OriginLogs::kJoinMax);
}

TEST(OriginLogs, TheOldestGoesFirstAndRaisesItsFloor) {
  OriginLogs logs(20'000);
  for (FlushNumber flush = 1; flush <= 1'000; ++flush) {
    logs.append(flushes(flush % 2 == 0 ? kOne : kTwo, (flush - 1) / 2, (flush - 1) / 2 + 1));
    ASSERT_LE(logs.bytes(), 20'000u);
  }
  EXPECT_GT(logs.bytes(), 15'000u);
  EXPECT_EQ(logs.top(kOne), 500u);
  EXPECT_GT(logs.floor(kOne), 400u);
  EXPECT_LE(logs.floor(kTwo) - logs.floor(kOne), 1u);
  EXPECT_EQ(logs.read(kOne, logs.floor(kOne), kMuch)->base, logs.floor(kOne));
}

TEST(OriginLogs, WithoutRoomNothingIsKept) {
  OriginLogs logs(0);
  logs.append(flushes(kOne, 0, 3));
  EXPECT_EQ(logs.floor(kOne), 3u);
  EXPECT_EQ(logs.top(kOne), 3u);
  EXPECT_EQ(logs.bytes(), 0u);
}

TEST(OriginLogs, ARestartedLogBeginsAtItsFloor) {
  OriginLogs logs(1 << 20);
  logs.append(flushes(kOne, 0, 3));
  logs.append(flushes(kTwo, 0, 3));
  logs.restart(kOne, 10);
  EXPECT_EQ(logs.floor(kOne), 10u);
  EXPECT_EQ(logs.top(kOne), 10u);
  logs.append(flushes(kOne, 9, 12));
  EXPECT_EQ(logs.read(kOne, 10, kMuch)->base, 9u);
  logs.restart(kTwo, 5);
  logs.restart(kOne, 20);
  EXPECT_EQ(logs.bytes(), 0u);
}

TEST(OriginLogsDeathTest, AHoleIsABug) {
  OriginLogs logs(1 << 20);
  logs.append(flushes(kOne, 0, 3));
  EXPECT_DEATH(logs.append(flushes(kOne, 4, 5)), "CHECK");
}

}  // namespace
}  // namespace anabranch::delta

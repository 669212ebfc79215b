#include "dataflow/watch_index.hpp"

#include <gtest/gtest.h>
// After gtest.h, which it extends.
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>
#include <ostream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/rng.hpp"

namespace anabranch::dataflow {
namespace {

using Ids = std::vector<WatchId>;

constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();

WatchId added(WatchIndex& index, core::BytesView key, std::int64_t at_least) {
  const auto id = index.add(key, at_least);
  EXPECT_TRUE(id.has_value());
  return id.value_or(0);
}

Ids fired(WatchIndex& index, core::BytesView key, std::int64_t value) {
  Ids ids;
  index.fire(key, value, ids);
  return ids;
}

TEST(WatchIndex, FiresAtTheThresholdAndNotBelow) {
  WatchIndex index;
  const auto id = added(index, "ad:17", 50);
  EXPECT_EQ(fired(index, "ad:17", 49), Ids{});
  EXPECT_EQ(fired(index, "ad:17", 50), Ids{id});
}

TEST(WatchIndex, FiresOnceForEachRegistration) {
  WatchIndex index;
  const auto id = added(index, "k", 5);
  EXPECT_EQ(fired(index, "k", 9), Ids{id});
  EXPECT_EQ(fired(index, "k", 10), Ids{});
  const auto again = added(index, "k", 5);
  EXPECT_NE(again, id);
  EXPECT_EQ(fired(index, "k", 10), Ids{again});
}

TEST(WatchIndex, FiresByThresholdThenByRegistration) {
  WatchIndex index;
  const auto late_high = added(index, "k", 30);
  const auto mid_first = added(index, "k", 20);
  const auto low = added(index, "k", -10);
  const auto mid_second = added(index, "k", 20);
  const auto out_of_reach = added(index, "k", 31);
  EXPECT_EQ(fired(index, "k", 30), (Ids{low, mid_first, mid_second, late_high}));
  EXPECT_EQ(index.size(), 1U);
  EXPECT_EQ(fired(index, "k", 31), Ids{out_of_reach});
}

TEST(WatchIndex, AppendsToWhatHasFiredBefore) {
  WatchIndex index;
  const auto a = added(index, "a", 1);
  const auto b = added(index, "b", 1);
  Ids ids;
  index.fire("b", 1, ids);
  index.fire("a", 1, ids);
  EXPECT_EQ(ids, (Ids{b, a}));
}

TEST(WatchIndex, KeepsVariablesApartByAllBytesOfTheirKeys) {
  WatchIndex index;
  const std::string with_zero("k\0", 2);
  const auto a = added(index, "k", 1);
  const auto b = added(index, with_zero, 1);
  const auto c = added(index, "", 1);
  EXPECT_EQ(index.variables(), 3U);
  EXPECT_EQ(fired(index, with_zero, 1), Ids{b});
  EXPECT_EQ(fired(index, "", 1), Ids{c});
  EXPECT_EQ(fired(index, "k", 1), Ids{a});
}

TEST(WatchIndex, ReachesBothEndsOfTheRange) {
  WatchIndex index;
  const auto lowest = added(index, "k", kLowest);
  const auto highest = added(index, "k", kHighest);
  EXPECT_EQ(fired(index, "k", kLowest), Ids{lowest});
  EXPECT_EQ(fired(index, "k", kHighest - 1), Ids{});
  EXPECT_EQ(fired(index, "k", kHighest), Ids{highest});
}

TEST(WatchIndex, CancelledWatchesDoNotFire) {
  WatchIndex index;
  const auto a = added(index, "k", 1);
  const auto b = added(index, "k", 1);
  EXPECT_TRUE(index.cancel(a));
  EXPECT_FALSE(index.cancel(a)) << "twice";
  EXPECT_EQ(fired(index, "k", 1), Ids{b});
  EXPECT_FALSE(index.cancel(b)) << "has fired";
  EXPECT_FALSE(index.cancel(0));
  EXPECT_FALSE(index.cancel(b + 1)) << "never was";
}

TEST(WatchIndex, ForgetsVariablesThatNobodyWaitsFor) {
  WatchIndex index;
  const auto a = added(index, "a", 1);
  added(index, "b", 1);
  EXPECT_EQ(index.variables(), 2U);
  index.cancel(a);
  EXPECT_EQ(index.variables(), 1U);
  fired(index, "b", 1);
  EXPECT_EQ(index.variables(), 0U);
  EXPECT_EQ(index.size(), 0U);
}

TEST(WatchIndex, RefusesMoreThanItsBoundAndNamesIt) {
  WatchIndex index(3);
  added(index, "a", 1);
  added(index, "b", 1);
  const auto third = added(index, "b", 2);
  const auto refused = index.add("c", 1);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, core::Errc::kFull);
  EXPECT_NE(refused.error().message().find("watches_max"), std::string::npos);
  EXPECT_NE(refused.error().message().find('3'), std::string::npos);
  EXPECT_EQ(index.size(), 3U);
  EXPECT_EQ(index.variables(), 2U) << "a refused watch leaves nothing behind";
  EXPECT_TRUE(index.cancel(third));
  EXPECT_TRUE(index.add("c", 1).has_value()) << "there is room again";
  EXPECT_FALSE(index.add("d", 1).has_value());
  fired(index, "a", 1);
  EXPECT_TRUE(index.add("d", 1).has_value()) << "firing makes room";
}

TEST(WatchIndex, HoldsAHundredThousandWatchesOnOneVariable) {
  constexpr std::size_t kCount = 100'000;
  core::Rng rng(11);
  WatchIndex index;
  std::vector<std::pair<std::int64_t, WatchId>> expected;
  for (std::size_t i = 0; i < kCount; ++i) {
    const auto at_least = static_cast<std::int64_t>(rng.below(1'000'000)) + 1;
    expected.emplace_back(at_least, added(index, "ad:17", at_least));
  }
  std::sort(expected.begin(), expected.end());
  for (int i = 0; i < 1'000'000; ++i)
    ASSERT_TRUE(fired(index, "ad:17", 0).empty()) << "a million updates that fire none";
  Ids order;
  for (std::int64_t value = 0; value <= 1'000'000; value += 997) index.fire("ad:17", value, order);
  index.fire("ad:17", 1'000'000, order);
  ASSERT_EQ(order.size(), kCount);
  for (std::size_t i = 0; i < kCount; ++i) ASSERT_EQ(order[i], expected[i].second) << i;
  EXPECT_EQ(index.size(), 0U);
}

/// The same contract as a list that is searched from end to end.
class NaiveIndex {
 public:
  explicit NaiveIndex(std::size_t watches_max) : watches_max_(watches_max) {}

  bool add(const std::string& key, std::int64_t at_least, WatchId id) {
    if (waiting_.size() >= watches_max_) return false;
    waiting_.emplace_back(key, at_least, id);
    return true;
  }
  bool cancel(WatchId id) {
    return std::erase_if(waiting_, [id](const Watch& watch) { return std::get<2>(watch) == id; }) == 1;
  }
  Ids fire(const std::string& key, std::int64_t value) {
    std::vector<std::pair<std::int64_t, WatchId>> due;
    std::erase_if(waiting_, [&](const Watch& watch) {
      if (std::get<0>(watch) != key || std::get<1>(watch) > value) return false;
      due.emplace_back(std::get<1>(watch), std::get<2>(watch));
      return true;
    });
    std::sort(due.begin(), due.end());
    Ids ids;
    for (const auto& [at_least, id] : due) ids.push_back(id);
    return ids;
  }
  [[nodiscard]] std::size_t size() const { return waiting_.size(); }

 private:
  using Watch = std::tuple<std::string, std::int64_t, WatchId>;

  std::size_t watches_max_;
  std::vector<Watch> waiting_;
};

struct Step {
  int kind;  // 0 and 1 add, 2 cancels, 3 fires
  std::string key;
  std::int64_t number;
  std::size_t which;
};

rc::Gen<Step> any_step() {
  return rc::gen::construct<Step>(
      rc::gen::inRange(0, 4), rc::gen::element<std::string>("", "a", "ab", "b"),
      rc::gen::oneOf(rc::gen::inRange<std::int64_t>(-5, 20), rc::gen::element(kLowest, kHighest)),
      rc::gen::inRange<std::size_t>(0, 64));
}

void showValue(const Step& step, std::ostream& out) {
  out << "{kind " << step.kind << ", key '" << step.key << "', " << step.number << ", which " << step.which << '}';
}

RC_GTEST_PROP(WatchIndex, AgreesWithAListThatIsSearchedFromEndToEnd, ()) {
  constexpr std::size_t kWatchesMax = 24;
  const auto steps = *rc::gen::container<std::vector<Step>>(any_step());
  WatchIndex index(kWatchesMax);
  NaiveIndex naive(kWatchesMax);
  Ids all;
  for (const Step& step : steps) {
    if (step.kind <= 1) {
      const auto id = index.add(step.key, step.number);
      RC_ASSERT(naive.add(step.key, step.number, id.value_or(0)) == id.has_value());
      if (!id) continue;
      RC_ASSERT((all.empty() || *id > all.back()));
      all.push_back(*id);
    } else if (step.kind == 2) {
      const WatchId id = all.empty() ? step.which : all[step.which % all.size()];
      RC_ASSERT(index.cancel(id) == naive.cancel(id));
    } else {
      RC_ASSERT(fired(index, step.key, step.number) == naive.fire(step.key, step.number));
    }
    RC_ASSERT(index.size() == naive.size());
  }
  for (const char* const key : {"", "a", "ab", "b"})
    RC_ASSERT(fired(index, key, kHighest) == naive.fire(key, kHighest));
  RC_ASSERT(index.size() == 0U);
  RC_ASSERT(index.variables() == 0U);
}

}  // namespace
}  // namespace anabranch::dataflow

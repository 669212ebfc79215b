#include <gtest/gtest.h>

#include "core/limits.hpp"
#include "lattice/gcounter.hpp"
#include "lattice/pncounter.hpp"

namespace anabranch::lattice {
namespace {

const core::Actor kServer = core::Actor::of({1, 1});
const core::Actor kPhone = core::Actor::edge(5, 6);
constexpr auto kLimit = static_cast<std::int64_t>(core::kCountMax);

GCounter after(GCounter counter, const core::Result<GCounter>& delta) {
  counter.join(delta.value());
  return counter;
}

TEST(GCounter, AddsUpItsActors) {
  GCounter counter;
  counter = after(counter, counter.increment(kServer, 5));
  counter = after(counter, counter.increment(kServer, 2));
  counter = after(counter, counter.raise_total(kPhone, 10));
  EXPECT_EQ(counter.value(), 17U);
  EXPECT_EQ(counter.count(kServer), 7U);
  EXPECT_EQ(counter.count(core::Actor::edge(5, 7)), 0U);
}

TEST(GCounter, TakesARunningTotalAnyNumberOfTimes) {
  GCounter counter;
  const GCounter four = counter.raise_total(kPhone, 4).value();
  const GCounter nine = counter.raise_total(kPhone, 9).value();
  EXPECT_TRUE(counter.join(nine));
  EXPECT_FALSE(counter.join(four));
  EXPECT_FALSE(counter.join(nine));
  EXPECT_EQ(counter.value(), 9U);
  EXPECT_EQ(counter.raise_total(kPhone, 9).value(), GCounter());
  EXPECT_EQ(counter.raise_total(kPhone, 3).value(), GCounter());
}

TEST(GCounter, RefusesTotalsThatAreNotAnEdgeClients) {
  EXPECT_EQ(GCounter().raise_total(kServer, 4).error().code, core::Errc::kRefused);
  EXPECT_EQ(GCounter().raise_total(kPhone, 0).error().code, core::Errc::kRefused);
  EXPECT_EQ(GCounter().raise_total(kPhone, -4).error().code, core::Errc::kRefused);
}

TEST(GCounter, BoundsTotalsByWhatTheCounterWouldBe) {
  GCounter counter = GCounter().increment(kServer, 10).value();
  EXPECT_EQ(counter.raise_total(kPhone, kLimit - 9).error().code, core::Errc::kOverflow);
  counter = after(counter, counter.raise_total(kPhone, kLimit - 10));
  EXPECT_EQ(counter.measure(), kLimit);
  EXPECT_EQ(counter.raise_total(kPhone, kLimit - 9).error().code, core::Errc::kOverflow);
}

TEST(GCounter, SaturatesWhereConcurrentIncrementsPassTheBound) {
  GCounter one;
  GCounter other;
  for (std::uint64_t i = 0; i < 9; ++i) {  // nine nodes, each of which saw only its own
    const GCounter part = GCounter().increment(core::Actor::of({i + 1, 1}), kLimit).value();
    one.join(part);
    other.join(one);
  }
  EXPECT_EQ(one.value(), UINT64_MAX);
  EXPECT_EQ(one.measure(), INT64_MAX);
  EXPECT_EQ(one, other);
  GCounter same_actors = one;
  GCounter lower = GCounter::from_entries(std::vector<GCounter::Entry>{{core::Actor::of({1, 1}), 5}}).value();
  EXPECT_FALSE(same_actors.join(lower));
  EXPECT_EQ(same_actors.value(), UINT64_MAX);
}

TEST(GCounter, SumsExactlyOnEveryPathOfJoin) {
  std::vector<GCounter::Entry> many;
  for (std::uint64_t i = 0; i < 100; ++i) many.push_back({core::Actor::edge(i, 0), i + 1});
  const GCounter base = GCounter::from_entries(many).value();
  for (GCounter::Entry& entry : many) entry.count += entry.actor.high % 2;
  const GCounter same_actors = GCounter::from_entries(many).value();
  const GCounter few = GCounter::from_entries(
                           std::vector<GCounter::Entry>{{core::Actor::edge(3, 0), 50}, {core::Actor::edge(200, 0), 7}})
                           .value();
  for (std::size_t i = 0; i < many.size(); ++i) many[i].actor.high *= 2;
  const GCounter interleaved = GCounter::from_entries(many).value();
  for (const GCounter& other : {same_actors, few, interleaved}) {
    GCounter joined = base;
    EXPECT_TRUE(joined.join(other));
    EXPECT_FALSE(joined.join(other));
    std::uint64_t sum = 0;
    joined.for_each([&](const core::Actor& actor, std::uint64_t count) {
      EXPECT_EQ(count, std::max(base.count(actor), other.count(actor)));
      sum += count;
    });
    EXPECT_EQ(joined.value(), sum);
    GCounter other_way = other;
    other_way.join(base);
    EXPECT_EQ(other_way, joined);
  }
}

TEST(GCounter, RefusesPartsThatAreNotCanonical) {
  const auto refused = [](std::vector<GCounter::Entry> entries) {
    return !GCounter::from_entries(entries).has_value();
  };
  EXPECT_TRUE(refused({{kServer, 0}}));
  EXPECT_TRUE(refused({{kServer, core::kCountMax + 1}}));
  EXPECT_TRUE(refused({{kServer, 1}, {kServer, 2}}));
  EXPECT_TRUE(refused({{kPhone, 1}, {kServer, 2}}));
  EXPECT_FALSE(refused({{kServer, 1}, {kPhone, core::kCountMax}}));
}

TEST(PnCounter, GoesBelowZero) {
  PnCounter counter;
  counter.join(counter.decrement(kServer, 3).value());
  EXPECT_EQ(counter.measure(), -3);
  counter.join(counter.increment(kServer, 5).value());
  EXPECT_EQ(counter.measure(), 2);
}

TEST(PnCounter, IsBoundedInBothDirections) {
  PnCounter counter;
  counter.join(counter.decrement(kServer, kLimit).value());
  EXPECT_EQ(counter.measure(), -kLimit);
  EXPECT_EQ(counter.decrement(core::Actor::of({2, 1}), 1).error().code, core::Errc::kOverflow);
  counter.join(counter.increment(kServer, 7).value());
  EXPECT_EQ(counter.decrement(kServer, 1).error().code, core::Errc::kOverflow);  // the actor's own count is full
  EXPECT_TRUE(counter.decrement(core::Actor::of({2, 1}), 7).has_value());
}

TEST(PnCounter, ShipsOnlyTheSideThatGrew) {
  PnCounter counter;
  counter.join(counter.increment(kServer, 5).value());
  const PnCounter delta = counter.decrement(kServer, 2).value();
  ASSERT_EQ(delta.entries().size(), 1U);
  EXPECT_EQ(delta.entries()[0].added, 0U);
  EXPECT_EQ(delta.entries()[0].taken, 2U);
}

TEST(PnCounter, RefusesPartsThatAreNotCanonical) {
  const auto refused = [](std::vector<PnCounter::Entry> entries) {
    return !PnCounter::from_entries(std::move(entries)).has_value();
  };
  EXPECT_TRUE(refused({{kServer, 0, 0}}));
  EXPECT_TRUE(refused({{kServer, core::kCountMax + 1, 0}}));
  EXPECT_TRUE(refused({{kServer, 0, core::kCountMax + 1}}));
  EXPECT_TRUE(refused({{kPhone, 1, 0}, {kServer, 1, 0}}));
  EXPECT_FALSE(refused({{kServer, 1, 0}, {kPhone, 0, 1}}));
}

}  // namespace
}  // namespace anabranch::lattice

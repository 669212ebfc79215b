// Dot stores: construction from parts, and what observers of a join are told.
#include <gtest/gtest.h>

#include <set>

#include "lattice/catalog.hpp"

namespace anabranch::lattice {
namespace {

const core::Origin kA{1, 1};
const core::Origin kB{2, 1};

using Map = DotMap<core::Bytes, DotSet>;

DotSet dots(std::vector<Dot> of) { return DotSet::from_dots(std::move(of)).value(); }

TEST(DotSet, RefusesPartsThatAreNotCanonical) {
  EXPECT_FALSE(DotSet::from_dots({{kA, 0}}).has_value());
  EXPECT_FALSE(DotSet::from_dots({{kA, kSequenceMax + 1}}).has_value());
  EXPECT_FALSE(DotSet::from_dots({{kA, 2}, {kA, 1}}).has_value());
  EXPECT_FALSE(DotSet::from_dots({{kA, 2}, {kA, 2}}).has_value());
  EXPECT_TRUE(DotSet::from_dots({{kA, 2}, {kB, 1}}).has_value());
}

TEST(DotFun, RefusesPartsThatAreNotCanonical) {
  using Fun = DotFun<core::Bytes>;
  EXPECT_FALSE(Fun::from_entries({{{kA, 0}, "x"}}).has_value());
  EXPECT_FALSE(Fun::from_entries({{{kA, 2}, "x"}, {{kA, 2}, "y"}}).has_value());
  EXPECT_TRUE(Fun::from_entries({{{kA, 2}, "x"}, {{kB, 1}, "x"}}).has_value());
}

TEST(DotFun, TakesTheGreaterOfTwoValuesUnderOneDot) {  // a fault of an origin must not split replicas
  using Register = Causal<MvRegister>;
  const Dot dot{kA, 1};
  Register low{{MvRegister::Store(dot, "bar")}, {}};
  Register high{{MvRegister::Store(dot, "baz")}, {}};
  low.context.insert(dot);
  high.context.insert(dot);
  EXPECT_TRUE(low.leq(high));
  EXPECT_FALSE(high.leq(low));
  EXPECT_EQ(high.delta(low), high);
  EXPECT_EQ(low.delta(high), Register());
  EXPECT_FALSE(high.join(low));
  EXPECT_TRUE(low.join(high));
  EXPECT_EQ(low, high);
}

TEST(DotMap, RefusesPartsThatAreNotCanonical) {
  EXPECT_FALSE(Map::from_entries({{"a", {}}}).has_value());
  EXPECT_FALSE(Map::from_entries({{"b", dots({{kA, 1}})}, {"a", dots({{kA, 2}})}}).has_value());
  EXPECT_FALSE(Map::from_entries({{"a", dots({{kA, 1}})}, {"a", dots({{kA, 2}})}}).has_value());
  EXPECT_FALSE(Map::from_entries({{"a", dots({{kA, 1}})}, {"b", dots({{kA, 1}})}}).has_value());
  EXPECT_TRUE(Map::from_entries({{"a", dots({{kA, 1}})}, {"b", dots({{kA, 2}})}}).has_value());
}

/// Keeps the live dots up to date from the news of joins alone.
struct Mirror {
  std::set<Dot> live;
  void born(const Dot& dot) { EXPECT_TRUE(live.insert(dot).second); }
  void died(const Dot& dot) { EXPECT_EQ(live.erase(dot), 1U); }
};

TEST(DotMap, TellsOfEveryBirthAndDeath) {
  Map map;
  CausalContext seen;
  Mirror mirror;
  const auto take = [&](const Map& store, CausalContext context) {
    map.join(seen, store, context, mirror);
    seen.join(context);
  };
  CausalContext first;
  first.insert(kA, 1, 3);
  take(Map::from_entries({{"a", dots({{kA, 1}, {kA, 2}})}, {"b", dots({{kA, 3}})}}).value(), first);
  CausalContext second;
  second.insert(kA, 2, 3);
  second.insert({kB, 1});
  take(Map::from_entries({{"c", dots({{kB, 1}})}}).value(), second);
  EXPECT_EQ(mirror.live, (std::set<Dot>{{kA, 1}, {kB, 1}}));
  std::set<Dot> live;
  map.for_each_dot([&](const Dot& dot) { live.insert(dot); });
  EXPECT_EQ(mirror.live, live);
  EXPECT_TRUE(map.contains({kB, 1}));
  EXPECT_FALSE(map.contains({kA, 2}));
  EXPECT_EQ(map.find("b"), nullptr);
}

TEST(Fragment, IsWellFormedOnlyIfItsContextHoldsItsDots) {
  EwFlag flag{DotSet(Dot{kA, 4})};
  Fragment fragment{flag, {}};
  EXPECT_FALSE(well_formed(fragment));
  fragment.context.insert(kA, 1, 3);
  EXPECT_FALSE(well_formed(fragment));
  fragment.context.insert({kA, 4});
  EXPECT_TRUE(well_formed(fragment));
  EXPECT_FALSE(well_formed({bottom(TypeId::kGSet), fragment.context}));
}

}  // namespace
}  // namespace anabranch::lattice

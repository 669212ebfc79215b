#include <gtest/gtest.h>

#include "lattice/catalog.hpp"

namespace anabranch::lattice {
namespace {

TEST(MaxInt, StartsAsNothingAndKeepsTheGreatest) {
  MaxInt most;
  EXPECT_EQ(most.read(), Reading());
  EXPECT_EQ(most.measure(), INT64_MIN);
  EXPECT_TRUE(most.join(most.set(-5)));
  EXPECT_EQ(most.read(), Reading(std::int64_t{-5}));
  EXPECT_EQ(most.set(-6), MaxInt());  // an operation that changes nothing
  EXPECT_EQ(most.set(-5), MaxInt());
  EXPECT_TRUE(most.join(most.set(0)));
  EXPECT_EQ(most.measure(), 0);
}

TEST(MinInt, StartsAsNothingAndKeepsTheLeast) {
  MinInt least;
  EXPECT_EQ(least.read(), Reading());
  EXPECT_EQ(least.measure(), INT64_MIN);
  EXPECT_TRUE(least.join(least.set(5)));
  EXPECT_EQ(least.set(6), MinInt());
  EXPECT_TRUE(least.join(least.set(-1)));
  EXPECT_EQ(least.measure(), -1);
}

TEST(GSet, SortsByBytesAndAddsOnlyWhatIsNew) {
  GSet set;
  EXPECT_TRUE(set.join(set.add({"b", "\xff", "", "b"})));
  EXPECT_EQ(set.read(), Reading(std::vector<core::Bytes>{"", "b", "\xff"}));
  EXPECT_EQ(set.add({"b", "c"}).elements(), (GSet::Elements{"c"}));
  EXPECT_EQ(set.measure(), 3);
}

TEST(GSet, RefusesPartsThatAreNotCanonical) {
  EXPECT_FALSE(GSet::from_elements({"b", "a"}).has_value());
  EXPECT_FALSE(GSet::from_elements({"a", "a"}).has_value());
  EXPECT_TRUE(GSet::from_elements({"", "a"}).has_value());
}

TEST(LwwRegister, ReadsNothingUntilItIsSetAndTheEmptyValueAfter) {
  LwwRegister cell;
  EXPECT_EQ(cell.read(), Reading());
  EXPECT_EQ(cell.measure(), 0);
  EXPECT_TRUE(cell.join(LwwRegister::from_parts(1, {1, 1}, "").value()));
  EXPECT_EQ(cell.read(), Reading(core::Bytes()));
  EXPECT_EQ(cell.measure(), 1);
}

TEST(LwwRegister, RefusesAStampThatNoClockGives) {
  EXPECT_FALSE(LwwRegister::from_parts(0, {1, 1}, "x").has_value());
  EXPECT_FALSE(LwwRegister::from_parts(UINT64_MAX, {1, 1}, "x").has_value());
}

TEST(LwwRegister, ShowsItsStampToWhoeverMustObserveIt) {
  EXPECT_EQ(stamp_of(LwwRegister::from_parts(77, {1, 1}, "x").value()), 77U);
  EXPECT_EQ(stamp_of(bottom(TypeId::kGSet)), 0U);
}

}  // namespace
}  // namespace anabranch::lattice

// The two flags and the multi-value register beyond what interleavings_test.cpp covers.
#include <gtest/gtest.h>

#include "lattice/catalog.hpp"
#include "tests/lattice/world.hpp"

namespace anabranch::lattice {
namespace {

Replica replica_of(TypeId type, core::NodeId node) {
  Replica replica;
  replica.origin = {node, 1};
  replica.state.object = bottom(type);
  return replica;
}

bool after_a_concurrent_pair(TypeId type) {
  Replica a = replica_of(type, 1);
  Replica b = replica_of(type, 2);
  EXPECT_TRUE(a.mutate({Verb::kEnable, 0, {}, {}}).has_value());
  join(b.state, a.state);
  EXPECT_TRUE(a.mutate({Verb::kEnable, 0, {}, {}}).has_value());
  EXPECT_TRUE(b.mutate({Verb::kDisable, 0, {}, {}}).has_value());
  join(a.state, b.state);
  join(b.state, a.state);
  EXPECT_EQ(a.state, b.state);
  return std::get<bool>(read(a.state.object));
}

TEST(Flags, DisagreeOnAConcurrentPair) {
  EXPECT_TRUE(after_a_concurrent_pair(TypeId::kEwFlag));
  EXPECT_FALSE(after_a_concurrent_pair(TypeId::kDwFlag));
}

TEST(Flags, AreFalseUntilEnabled) {
  EXPECT_EQ(read(bottom(TypeId::kEwFlag)), Reading(false));
  EXPECT_EQ(read(bottom(TypeId::kDwFlag)), Reading(false));
  EXPECT_EQ(measure(bottom(TypeId::kDwFlag)), 0);
}

TEST(EwFlag, TakesNoDotForADisableThatChangesNothing) {
  Replica replica = replica_of(TypeId::kEwFlag, 1);
  EXPECT_TRUE(replica.mutate({Verb::kDisable, 0, {}, {}})->empty());
  EXPECT_EQ(replica.last_dot, 0U);
}

TEST(DwFlag, LetsADisableOfANewFlagWinAgainstAnEnableThatHasNotSeenIt) {
  Replica a = replica_of(TypeId::kDwFlag, 1);
  Replica b = replica_of(TypeId::kDwFlag, 2);
  ASSERT_FALSE(a.mutate({Verb::kDisable, 0, {}, {}})->empty());
  ASSERT_TRUE(b.mutate({Verb::kEnable, 0, {}, {}}));
  join(a.state, b.state);
  EXPECT_EQ(read(a.state.object), Reading(false));
  ASSERT_TRUE(a.mutate({Verb::kEnable, 0, {}, {}}));
  EXPECT_EQ(read(a.state.object), Reading(true));
}

TEST(MvRegister, ShowsEqualConcurrentWritesOnce) {
  Replica a = replica_of(TypeId::kMvRegister, 1);
  Replica b = replica_of(TypeId::kMvRegister, 2);
  ASSERT_TRUE(a.mutate({Verb::kSet, 0, {"x"}, {}}));
  ASSERT_TRUE(b.mutate({Verb::kSet, 0, {"x"}, {}}));
  join(a.state, b.state);
  EXPECT_EQ(read(a.state.object), Reading(std::vector<core::Bytes>{"x"}));
  EXPECT_EQ(measure(a.state.object), 1);
  EXPECT_EQ(std::get<MvRegister>(a.state.object).store.entries().size(), 2U);
}

}  // namespace
}  // namespace anabranch::lattice

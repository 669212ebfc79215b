#include "lattice/awset.hpp"

#include <gtest/gtest.h>

#include "lattice/catalog.hpp"
#include "tests/lattice/world.hpp"

namespace anabranch::lattice {
namespace {

struct AwSetTest : testing::Test {
  AwSetTest() {
    replica.origin = {1, 1};
    replica.state.object = bottom(TypeId::kAwSet);
  }
  Replica replica;
};

TEST_F(AwSetTest, TakesADotForEachElementAddedAndOneForARemove) {
  ASSERT_TRUE(replica.mutate({Verb::kAdd, 0, {"b", "a", "b"}, {}}));
  EXPECT_EQ(replica.last_dot, 2U);
  const Fragment removed = *replica.mutate({Verb::kRemove, 0, {"a", "b", "ghost"}, {}});
  EXPECT_EQ(replica.last_dot, 3U);
  EXPECT_EQ(removed.context.dot_count(), 3U);  // two deaths, and the remove itself
  EXPECT_EQ(removed.object, bottom(TypeId::kAwSet));
  EXPECT_EQ(replica.state.context.contiguous(replica.origin), 3U);  // a dense history
}

TEST_F(AwSetTest, ClearKillsOnlyWhatItSaw) {
  ASSERT_TRUE(replica.mutate({Verb::kAdd, 0, {"a", "b"}, {}}));
  Replica other = replica;
  other.origin = {2, 1};
  other.last_dot = 0;
  ASSERT_TRUE(other.mutate({Verb::kAdd, 0, {"b"}, {}}));
  ASSERT_TRUE(replica.mutate({Verb::kClear, 0, {}, {}}));
  EXPECT_EQ(measure(replica.state.object), 0);
  join(replica.state, other.state);
  EXPECT_EQ(read(replica.state.object), Reading(std::vector<core::Bytes>{"b"}));
  EXPECT_TRUE(replica.mutate({Verb::kClear, 0, {}, {}}).has_value());
  EXPECT_TRUE(replica.mutate({Verb::kClear, 0, {}, {}})->empty());
}

TEST_F(AwSetTest, AddingAgainRenewsTheDot) {
  ASSERT_TRUE(replica.mutate({Verb::kAdd, 0, {"a"}, {}}));
  ASSERT_TRUE(replica.mutate({Verb::kAdd, 0, {"a"}, {}}));
  const auto& set = std::get<AwSet>(replica.state.object);
  ASSERT_NE(set.store.find("a"), nullptr);
  EXPECT_EQ(*set.store.find("a"), DotSet(Dot{replica.origin, 2}));
}

}  // namespace
}  // namespace anabranch::lattice

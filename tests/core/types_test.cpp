#include "core/types.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "core/hash.hpp"

namespace anabranch::core {
namespace {

TEST(Origin, OrdersByNodeThenIncarnation) {
  EXPECT_LT((Origin{1, 9}), (Origin{2, 0}));
  EXPECT_LT((Origin{1, 1}), (Origin{1, 2}));
  EXPECT_EQ((Origin{1, 1}), (Origin{1, 1}));
}

TEST(Origin, IncarnationsOfOneNodeHashApart) {
  const std::hash<Origin> hash;
  EXPECT_NE(hash(Origin{7, 1}), hash(Origin{7, 2}));
}

TEST(Actor, OfAnOriginIsNeverThatOfAnEdgeClient) {
  const Actor origin = Actor::of({std::numeric_limits<NodeId>::max(), std::numeric_limits<Incarnation>::max()});
  EXPECT_EQ(origin.low >> 63, 0U);
  EXPECT_EQ(Actor::edge(origin.high, origin.low).low >> 63, 1U);
  EXPECT_NE(Actor::edge(origin.high, origin.low), origin);
  EXPECT_EQ(edge_actor("any").low >> 63, 1U);
}

}  // namespace
}  // namespace anabranch::core

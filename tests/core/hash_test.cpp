#include "core/hash.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace anabranch::core {
namespace {

// XXH3_64 of no bytes with seed 0, as xxHash documents it: what is on disk and on the wire depends on it.
TEST(Hash, IsXxh3WithSeedZero) {
  EXPECT_EQ(hash64(""), 0x2D06800538D394C2ULL);
  EXPECT_NE(hash64("", 1), hash64("", 0));
}

TEST(Hash, PartitionIsTheHashModuloTheirNumber) {
  for (const std::uint32_t partitions : {1U, 2U, 64U, 4'096U}) {
    for (int i = 0; i < 100; ++i) {
      const std::string key = "key:" + std::to_string(i);
      EXPECT_EQ(partition_of(key, partitions), hash64(key) % partitions) << key;
    }
  }
}

TEST(Hash, KeysSpreadOverAllPartitions) {
  std::vector<int> keys(64);
  for (int i = 0; i < 6'400; ++i) ++keys[partition_of("ad:" + std::to_string(i), 64)];
  for (const int count : keys) EXPECT_GT(count, 50);  // 100 expected, standard deviation 10
}

TEST(EdgeActor, IsStableAndItsOwnForEachClient) {
  std::set<Actor> actors;
  for (int i = 0; i < 10'000; ++i) actors.insert(edge_actor("client-" + std::to_string(i)));
  EXPECT_EQ(actors.size(), 10'000U);
  EXPECT_EQ(edge_actor("client-1"), edge_actor("client-1"));
}

}  // namespace
}  // namespace anabranch::core

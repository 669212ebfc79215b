#include "core/spsc_ring.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace anabranch::core {
namespace {

TEST(SpscRing, RoundsItsCapacityUpToAPowerOfTwo) {
  EXPECT_EQ(SpscRing<int>(1).capacity(), 1U);
  EXPECT_EQ(SpscRing<int>(5).capacity(), 8U);
}

TEST(SpscRing, RefusesWhenFullAndLeavesTheValueAlone) {
  SpscRing<std::string> ring(2);
  EXPECT_TRUE(ring.push("a"));
  EXPECT_TRUE(ring.push("b"));
  std::string third = "c";
  EXPECT_FALSE(ring.push(std::move(third)));
  EXPECT_EQ(third, "c");
  std::string out;
  EXPECT_TRUE(ring.pop(out));
  EXPECT_EQ(out, "a");
  EXPECT_TRUE(ring.push(std::move(third)));
}

TEST(SpscRing, MovesBatchesAcrossTheWrapInOrder) {
  SpscRing<int> ring(8);
  int next_in = 0;
  int next_out = 0;
  for (int round = 0; round < 100; ++round) {
    std::array<int, 5> batch{};
    for (int& value : batch) value = next_in++;
    const std::size_t pushed = ring.push_batch(batch);
    next_in -= static_cast<int>(batch.size() - pushed);
    std::array<int, 3> out{};
    const std::size_t popped = ring.pop_batch(out);
    for (std::size_t i = 0; i < popped; ++i) EXPECT_EQ(out[i], next_out++);
  }
  EXPECT_GT(next_out, 200);
}

TEST(SpscRing, HandsEveryValueOnceFromThreadToThread) {
  constexpr int kValues = 200'000;
  SpscRing<std::unique_ptr<int>> ring(64);
  std::thread producer([&ring] {
    for (int i = 0; i < kValues; ++i) {
      auto value = std::make_unique<int>(i);
      while (!ring.push(std::move(value))) std::this_thread::yield();
    }
  });
  int expected = 0;
  std::unique_ptr<int> value;
  while (expected < kValues) {
    if (!ring.pop(value)) {
      std::this_thread::yield();
      continue;
    }
    ASSERT_EQ(*value, expected);
    ++expected;
  }
  producer.join();
  EXPECT_FALSE(ring.pop(value));
}

}  // namespace
}  // namespace anabranch::core

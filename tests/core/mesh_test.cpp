#include "core/mesh.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "core/arena.hpp"
#include "core/shard.hpp"

namespace anabranch::core {
namespace {

// Counts where its objects are destroyed: an item must die on the shard that made it.
struct Tracked {
  explicit Tracked(int number) : value(number), home(std::this_thread::get_id()) {}
  Tracked(Tracked&& other) noexcept : value(other.value), home(other.home) { other.value = -1; }
  Tracked& operator=(Tracked&& other) noexcept {
    value = other.value;
    home = other.home;
    other.value = -1;
    return *this;
  }
  ~Tracked() {
    if (value >= 0 && std::this_thread::get_id() != home) foreign_deaths.fetch_add(1);
  }
  int value;
  std::thread::id home;
  static inline std::atomic<int> foreign_deaths{0};
};

TEST(Mesh, DeliversAStagedBatchOnlyAfterTheFlush) {
  Mesh<int> mesh(3);
  mesh.stage(0, 2, 7);
  mesh.stage(0, 2, 8);
  std::vector<int> got;
  const auto sink = [&got](ShardId from, const int& item) {
    EXPECT_EQ(from, 0);
    got.push_back(item);
  };
  EXPECT_FALSE(mesh.drain(2, sink));
  EXPECT_TRUE(mesh.backlog(0));
  EXPECT_TRUE(mesh.flush(0));
  EXPECT_FALSE(mesh.backlog(0));
  EXPECT_TRUE(mesh.drain(2, sink));
  EXPECT_EQ(got, (std::vector<int>{7, 8}));
  EXPECT_FALSE(mesh.drain(1, sink));
}

TEST(Mesh, KeepsGrowingWhenTheRingIsFullAndSaysWhenItHasNoRoom) {
  Mesh<int> mesh(2);
  for (std::size_t i = 0; i < kMeshRingBatches; ++i) {
    mesh.stage(0, 1, static_cast<int>(i));
    ASSERT_TRUE(mesh.flush(0));
  }
  for (std::size_t i = 0; i < kMeshBatchItems; ++i) {
    ASSERT_TRUE(mesh.has_room(0));
    mesh.stage(0, 1, static_cast<int>(kMeshRingBatches + i));
    ASSERT_FALSE(mesh.flush(0));
  }
  EXPECT_FALSE(mesh.has_room(0));
  EXPECT_TRUE(mesh.backlog(0));
  int expected = 0;
  const auto sink = [&expected](ShardId, const int& item) { EXPECT_EQ(item, expected++); };
  EXPECT_TRUE(mesh.drain(1, sink));
  EXPECT_TRUE(mesh.flush(0));
  EXPECT_TRUE(mesh.has_room(0));
  EXPECT_TRUE(mesh.drain(1, sink));
  EXPECT_EQ(expected, static_cast<int>(kMeshRingBatches + kMeshBatchItems));
}

// Two shards on real loops exchange items; the receiver only looks, the sender frees.
class Exchange final : public Poller {
 public:
  Exchange(Mesh<Tracked>& mesh, ShardId self, int items, std::atomic<int>& seen)
      : mesh_(mesh), self_(self), items_(items), seen_(seen) {}
  bool poll(Instant) override {
    const bool received = mesh_.drain(self_, [this](ShardId, const Tracked& item) {
      EXPECT_EQ(item.value, expected_++);
      seen_.fetch_add(1);
    });
    for (int i = 0; i < 16 && sent_ < items_ && mesh_.has_room(self_); ++i)
      mesh_.stage(self_, static_cast<ShardId>(1 - self_), Tracked(sent_++));
    return mesh_.flush(self_) || received;
  }

 private:
  Mesh<Tracked>& mesh_;
  ShardId self_;
  int items_;
  std::atomic<int>& seen_;
  int sent_ = 0;
  int expected_ = 0;
};

TEST(Mesh, FreesEveryItemOnTheShardThatMadeIt) {
  constexpr int kItems = 50'000;
  Mesh<Tracked> mesh(2);
  std::atomic<int> seen{0};
  ShardLoop first(0, -1, mesh.waker(0));
  ShardLoop second(1, -1, mesh.waker(1));
  const auto work = [&](ShardLoop& loop) {
    ASSERT_TRUE(bind_thread_to_new_arena());
    Exchange exchange(mesh, loop.id(), kItems, seen);
    loop.add(exchange);
    loop.run();
  };
  Tracked::foreign_deaths = 0;
  std::thread one(work, std::ref(first));
  std::thread two(work, std::ref(second));
  for (int i = 0; i < 20'000 && seen.load() < 2 * kItems; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  first.stop();
  second.stop();
  one.join();
  two.join();
  EXPECT_EQ(seen.load(), 2 * kItems);
  EXPECT_EQ(Tracked::foreign_deaths.load(), 0);
}

}  // namespace
}  // namespace anabranch::core

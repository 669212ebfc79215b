#include "core/waker.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <thread>

namespace anabranch::core {
namespace {

constexpr int kWaitMs = 20'000;  // a bound, not an expectation

bool awake(const Waker& waker, int wait_ms = 0) {
  pollfd wait{waker.fd(), POLLIN, 0};
  return poll(&wait, 1, wait_ms) == 1;
}

TEST(Waker, LetsOnlyAnArmedSleeperBeWoken) {
  Waker waker;
  waker.notify();
  EXPECT_FALSE(awake(waker));
  waker.arm();
  EXPECT_FALSE(awake(waker));  // work of before arm() is what the sleeper looks for itself
  waker.notify();
  EXPECT_TRUE(awake(waker));
}

TEST(Waker, IsQuietAfterDisarm) {
  Waker waker;
  waker.arm();
  waker.notify();
  waker.disarm();
  EXPECT_FALSE(awake(waker));
  waker.notify();
  EXPECT_FALSE(awake(waker));
  waker.arm();
  waker.disarm();  // nobody wrote: does not block
  EXPECT_FALSE(awake(waker));
}

TEST(Waker, WakesAgainAfterEachArm) {
  Waker waker;
  for (int i = 0; i < 3; ++i) {
    waker.arm();
    waker.notify();
    waker.notify();
    EXPECT_TRUE(awake(waker)) << i;
    waker.disarm();
    EXPECT_FALSE(awake(waker)) << i;
  }
}

TEST(Waker, LosesNoWorkBetweenTheLookAndTheSleep) {
  constexpr int kItems = 5'000;
  Waker waker;
  std::atomic<int> published{0};
  std::atomic<int> seen{0};
  std::atomic<bool> stop{false};
  std::thread producer([&] {
    for (int item = 1; item <= kItems && !stop.load(); ++item) {
      published.store(item, std::memory_order_relaxed);
      waker.notify();
      while (seen.load() < item && !stop.load())
        std::this_thread::yield();  // each item finds the sleeper on its way to bed
    }
  });
  bool woken = true;
  while (woken && seen.load() < kItems) {
    waker.arm();
    if (published.load(std::memory_order_relaxed) == seen.load()) woken = awake(waker, kWaitMs);
    waker.disarm();
    seen.store(published.load(std::memory_order_relaxed));
  }
  stop.store(true);
  producer.join();
  EXPECT_TRUE(woken) << "asleep with " << published.load() - seen.load() << " items unseen";
  EXPECT_EQ(seen.load(), kItems);
}

}  // namespace
}  // namespace anabranch::core

#include "core/shard.hpp"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "core/arena.hpp"
#include "core/spsc_ring.hpp"

namespace anabranch::core {
namespace {

class Recorder final : public Poller {
 public:
  Recorder(char mark, std::string& trace) : mark_(mark), trace_(trace) {}
  bool poll(Instant) override {
    if (trace_.size() < 8) trace_.push_back(mark_);
    return false;
  }

 private:
  char mark_;
  std::string& trace_;
};

class Stopper final : public Poller {
 public:
  explicit Stopper(ShardLoop& loop) : loop_(loop) {}
  bool poll(Instant now) override {
    if (due_ == kNever) due_ = now + 2 * kMillisecond;
    if (now < due_) return false;
    loop_.stop();
    return true;
  }
  [[nodiscard]] Instant next_deadline() const override { return due_; }

 private:
  ShardLoop& loop_;
  Instant due_ = kNever;
};

TEST(ShardLoop, RunsItsPollersInTheOrderOfAddition) {
  Waker waker;
  ShardLoop loop(0, 0, waker);
  std::string trace;
  Recorder a('a', trace);
  Recorder b('b', trace);
  Stopper stopper(loop);
  loop.add(a);
  loop.add(b);
  loop.add(stopper);
  std::thread([&loop] { loop.run(); }).join();  // its own thread: run() pins and names it
  EXPECT_EQ(trace.substr(0, 4), "abab");
}

TEST(ShardLoop, SleepsUntilTheDeadlineInsteadOfSpinning) {
  Waker waker;
  ShardLoop loop(0, -1, waker);
  Stopper stopper(loop);
  loop.add(stopper);
  loop.run();
  EXPECT_GE(loop.stats().sleeps.load(), 1U);
  EXPECT_LE(loop.stats().passes.load(), 10U);  // a spin of two milliseconds would be thousands
}

class Consumer final : public Poller {
 public:
  explicit Consumer(SpscRing<int>& ring) : ring_(ring) {}
  bool poll(Instant) override {
    int value = 0;
    if (!ring_.pop(value)) return false;
    total += value;
    return true;
  }
  std::atomic<int> total{0};

 private:
  SpscRing<int>& ring_;
};

TEST(ShardLoop, NeverMissesANotification) {
  constexpr int kValues = 5'000;
  Waker waker;
  ShardLoop loop(3, -1, waker);
  SpscRing<int> ring(4);
  Consumer consumer(ring);
  loop.add(consumer);
  std::thread thread([&loop] { loop.run(); });
  for (int i = 0; i < kValues; ++i) {
    int one = 1;
    while (!ring.push(std::move(one))) std::this_thread::yield();
    waker.notify();
    // Every value is waited for, so that the loop goes to sleep between them: a lost wake-up hangs here, not for ever.
    for (int spin = 0; spin < 5'000'000 && consumer.total.load() <= i; ++spin)
      if (spin % 64 == 0) std::this_thread::yield();
    ASSERT_EQ(consumer.total.load(), i + 1);
  }
  loop.stop();
  thread.join();
}

class Reader final : public Poller {
 public:
  explicit Reader(int fd) : fd_(fd) {}
  bool poll(Instant) override {
    std::uint64_t count = 0;
    if (read(fd_, &count, sizeof count) != sizeof count) return false;
    seen += static_cast<int>(count);
    return true;
  }
  std::atomic<int> seen{0};

 private:
  int fd_;
};

TEST(ShardLoop, WakesWhenAWatchedDescriptorIsReadable) {
  const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  Waker waker;
  ShardLoop loop(0, -1, waker);
  Reader reader(fd);
  loop.add(reader);
  loop.watch(fd);
  std::thread thread([&loop] { loop.run(); });
  const std::uint64_t one = 1;
  ASSERT_EQ(write(fd, &one, sizeof one), static_cast<ssize_t>(sizeof one));
  for (int i = 0; i < 10'000 && reader.seen.load() == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(reader.seen.load(), 1);
  loop.stop();
  thread.join();
  close(fd);
}

#ifdef ANABRANCH_JEMALLOC
TEST(Arena, HoldsWhatItsThreadAllocates) {
  std::thread([] {
    const auto arena = bind_thread_to_new_arena();
    ASSERT_TRUE(arena);
    const auto before = arena_allocated_bytes(*arena);
    const std::vector<char> block(1 << 20, 'x');
    EXPECT_GE(arena_allocated_bytes(*arena), before + block.size());
  }).join();
}
#endif

}  // namespace
}  // namespace anabranch::core

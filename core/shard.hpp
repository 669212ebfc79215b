// The loop of one shard: pollers in their written order, the earliest deadline, and an idle that blocks until a socket, a
// notification or that deadline. It knows nothing of protocols or types.
#pragma once

#include <atomic>
#include <vector>

#include "core/counters.hpp"
#include "core/time.hpp"
#include "core/types.hpp"
#include "core/waker.hpp"

namespace anabranch::core {

/// Something that a shard's loop drives. All calls come from the shard's thread.
class Poller {
 public:
  virtual ~Poller() = default;
  /// Does what can be done at `now` without blocking; returns true if it did anything.
  virtual bool poll(Instant now) = 0;
  /// When it wants to be polled again although nothing arrives; kNever if it does not.
  [[nodiscard]] virtual Instant next_deadline() const { return kNever; }
};

/// What any thread may read of a running loop.
struct ShardStats {
  Counter passes;     // times that the pollers were run
  Counter sleeps;     // times that the loop blocked
  Counter last_pass;  // Instant of the last pass: /livez compares it with the clock
};

class ShardLoop {
 public:
  /// cpu  the core that run() pins its thread to; -1 does not pin
  ShardLoop(ShardId id, int cpu, Waker& waker);
  ~ShardLoop();
  ShardLoop(const ShardLoop&) = delete;
  ShardLoop& operator=(const ShardLoop&) = delete;

  /// Before run(): polled in the order of addition. Borrowed for the loop's life.
  void add(Poller& poller) { pollers_.push_back(&poller); }
  /// Before run(): the idle loop wakes when `fd` is readable.
  void watch(int fd);

  /// Pins the calling thread, then loops until stop().
  void run();
  /// Any thread.
  void stop();

  [[nodiscard]] const ShardStats& stats() const { return stats_; }
  [[nodiscard]] ShardId id() const { return id_; }

 private:
  bool pass();
  void sleep_until_due();

  ShardId id_;
  int cpu_;
  Waker& waker_;
  int epoll_;
  std::vector<Poller*> pollers_;
  std::atomic<bool> stopping_{false};
  ShardStats stats_;
};

}  // namespace anabranch::core

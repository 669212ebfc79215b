// Wakes a thread that blocks in epoll: an eventfd that is written only when the sleeper has said that it sleeps.
#pragma once

#include <atomic>

namespace anabranch::core {

/// The sleeper: arm(), look once more for work, then block on fd() and call disarm(); a producer that publishes work and then
/// calls notify() is either seen by that look or writes the eventfd. Neither copied nor moved.
class Waker {
 public:
  Waker();
  ~Waker();
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;

  [[nodiscard]] int fd() const { return fd_; }

  /// The sleeper's thread: from here on notify() writes the eventfd.
  void arm();
  /// The sleeper's thread: awake again; clears the eventfd.
  void disarm();
  /// Any thread, after publishing work. One system call if the sleeper is armed, else one atomic exchange.
  void notify();

 private:
  std::atomic<bool> armed_{false};
  int fd_;
};

}  // namespace anabranch::core

// Ctrl-C as something to ask for instead of something that happens: for commands that must end what they started.
#pragma once

#include <csignal>

namespace anabranch::cli {

/// Holds back SIGINT, SIGTERM and SIGHUP for this thread and for the threads that it starts from now on, and receives them by
/// descriptor. Make it before any thread; main thread only.
class Interrupt {
 public:
  Interrupt();
  /// Lets the signals through again.
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  /// One of the signals has come, now or earlier.
  [[nodiscard]] bool pending();

 private:
  sigset_t before_{};
  int fd_ = -1;
  bool seen_ = false;
};

}  // namespace anabranch::cli

#include "tools/cli/interrupt.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <pthread.h>

namespace anabranch::cli {

Interrupt::Interrupt() {
  sigset_t held;
  sigemptyset(&held);
  sigaddset(&held, SIGINT);
  sigaddset(&held, SIGTERM);
  sigaddset(&held, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &held, &before_);
  fd_ = signalfd(-1, &held, SFD_NONBLOCK | SFD_CLOEXEC);
}

Interrupt::~Interrupt() {
  if (fd_ >= 0) ::close(fd_);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool Interrupt::pending() {
  signalfd_siginfo info{};
  if (fd_ >= 0 && ::read(fd_, &info, sizeof info) == sizeof info) seen_ = true;
  return seen_;
}

}  // namespace anabranch::cli

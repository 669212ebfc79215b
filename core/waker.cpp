#include "core/waker.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "core/check.hpp"

namespace anabranch::core {

Waker::Waker() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { CHECK(fd_ >= 0, errno); }

Waker::~Waker() { close(fd_); }

// Both sides do one read-modify-write on `armed_`. If notify()'s comes later, it sees true and writes the eventfd; if it comes
// earlier, arm() synchronises with it, and the sleeper's next look sees the work. A plain load could pass the store that
// published the work and lose the wake-up.
void Waker::arm() { armed_.exchange(true, std::memory_order_seq_cst); }

void Waker::disarm() {
  armed_.store(false, std::memory_order_relaxed);
  std::uint64_t count = 0;
  const auto got = read(fd_, &count, sizeof count);  // EAGAIN when nobody wrote
  CHECK(got == static_cast<ssize_t>(sizeof count) || errno == EAGAIN, errno);
}

void Waker::notify() {
  if (!armed_.exchange(false, std::memory_order_seq_cst)) return;
  const std::uint64_t one = 1;
  const auto put = write(fd_, &one, sizeof one);
  CHECK(put == static_cast<ssize_t>(sizeof one), errno);
}

}  // namespace anabranch::core

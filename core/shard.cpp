#include "core/shard.hpp"

#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "core/check.hpp"

namespace anabranch::core {
namespace {

constexpr Duration kLongestSleep = 5 * kSecond;  // so that an idle loop is seen to live (/livez)

void pin_and_name(ShardId id, int cpu) {
  pthread_setname_np(pthread_self(), ("shard-" + std::to_string(id)).c_str());
  if (cpu < 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);  // a refusal (a container's cpuset) only costs locality
}

}  // namespace

ShardLoop::ShardLoop(ShardId id, int cpu, Waker& waker)
    : id_(id), cpu_(cpu), waker_(waker), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  CHECK(epoll_ >= 0, errno);
  watch(waker.fd());
}

ShardLoop::~ShardLoop() { close(epoll_); }

void ShardLoop::watch(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  CHECK(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0, errno, fd);
}

void ShardLoop::stop() {
  stopping_.store(true, std::memory_order_seq_cst);
  waker_.notify();
}

bool ShardLoop::pass() {
  const Instant now = monotonic_now();
  stats_.passes.add();
  stats_.last_pass.set(now);
  bool worked = false;
  for (Poller* poller : pollers_) worked |= poller->poll(now);
  return worked;
}

// Announce sleep, look once more, then block: work published before the look is seen by it, work published later writes the
// eventfd (waker.hpp).
void ShardLoop::sleep_until_due() {
  waker_.arm();
  if (!pass() && !stopping_.load(std::memory_order_seq_cst)) {
    Instant due = kNever;
    for (const Poller* poller : pollers_) due = std::min(due, poller->next_deadline());
    const Instant now = monotonic_now();
    const Duration wait = due <= now ? 0 : std::min(due - now, kLongestSleep);
    if (wait > 0) {
      const timespec timeout{static_cast<time_t>(wait / kSecond), static_cast<long>(wait % kSecond)};
      std::array<epoll_event, 8> events{};
      stats_.sleeps.add();
      epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
    }
  }
  waker_.disarm();
}

void ShardLoop::run() {
  pin_and_name(id_, cpu_);
  while (!stopping_.load(std::memory_order_seq_cst)) {
    if (!pass()) sleep_until_due();
  }
}

}  // namespace anabranch::core

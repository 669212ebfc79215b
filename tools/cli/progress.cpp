#include "tools/cli/progress.hpp"

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <stop_token>
#include <utility>

namespace anabranch::cli {
namespace {

constexpr core::Duration kFirst = 2 * core::kSecond;
constexpr core::Duration kEvery = 100 * core::kMillisecond;

}  // namespace

Progress::Progress(std::string label, std::uint64_t total)
    : label_(std::move(label)), total_(total), started_(core::monotonic_now()), terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() { wipe(); }

void Progress::update(std::uint64_t done, std::string_view note) {
  if (!terminal_) return;
  const core::Instant now = core::monotonic_now();
  if (now - started_ < kFirst || now - drawn_ < kEvery) return;
  drawn_ = now;
  visible_ = true;
  const double elapsed = static_cast<double>(now - started_) / static_cast<double>(core::kSecond);
  std::fprintf(stderr, "\r\033[K%s: %llu", label_.c_str(), static_cast<unsigned long long>(done));
  if (total_ > 0) {
    const double share = static_cast<double>(done) / static_cast<double>(total_);
    std::fprintf(stderr, " of %llu (%.0f %%)", static_cast<unsigned long long>(total_), share * 100);
  }
  std::fprintf(stderr, ", %.0f s%s%.*s", elapsed, note.empty() ? "" : ", ", static_cast<int>(note.size()), note.data());
  std::fflush(stderr);
}

void Progress::wipe() {
  if (!visible_) return;
  visible_ = false;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
}

Waiting::Waiting(std::string label) {
  if (isatty(STDERR_FILENO) == 0) return;
  thread_ = std::jthread([label = std::move(label)](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any ended;
    std::unique_lock lock(mutex);
    unsigned seconds = 0;
    while (!ended.wait_for(lock, stop, std::chrono::seconds(1), [&] { return stop.stop_requested(); })) {
      if (++seconds >= 2) std::fprintf(stderr, "\r\033[K%s, %u s", label.c_str(), seconds);
    }
    if (seconds >= 2) std::fputs("\r\033[K", stderr);
  });
}

}  // namespace anabranch::cli

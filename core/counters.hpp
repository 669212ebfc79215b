// A number that one thread writes and any thread may read: a relaxed load and store, no read-modify-write (0.25 ns).
#pragma once

#include <atomic>
#include <cstdint>

namespace anabranch::core {

class Counter {
 public:
  /// The owner's thread only.
  void add(std::uint64_t amount = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  /// The owner's thread only.
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  /// Any thread; a recent value.
  [[nodiscard]] std::uint64_t load() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace anabranch::core

// A bounded queue from one thread to one other thread, without locks: each side owns an index and keeps a cached copy of
// the other's, so that an uncontended operation touches no line of the other core (the scheme of rigtorp's SPSCQueue).
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "core/check.hpp"

namespace anabranch::core {

inline constexpr std::size_t kCacheLineBytes = 64;

/// T is moved in and out. `push` and `push_batch` belong to the producer thread, `pop`, `pop_batch` to the consumer thread;
/// `size_hint` to either. Neither copied nor moved.
template <class T>
class SpscRing {
 public:
  /// capacity  at least 1, rounded up to a power of two
  explicit SpscRing(std::size_t capacity)
      : mask_(std::bit_ceil(capacity) - 1), slots_(std::make_unique<T[]>(mask_ + 1)) {
    CHECK(capacity >= 1);
  }
  SpscRing(const SpscRing&) = delete;
  SpscRing& operator=(const SpscRing&) = delete;

  [[nodiscard]] std::size_t capacity() const { return mask_ + 1; }

  /// False when the ring is full; `value` is then untouched.
  [[nodiscard]] bool push(T&& value) { return push_batch(std::span<T>(&value, 1)) == 1; }

  /// Moves as many of `values` as fit, in order; returns how many.
  [[nodiscard]] std::size_t push_batch(std::span<T> values) {
    const std::size_t tail = producer_.index.load(std::memory_order_relaxed);
    if (tail + values.size() - producer_.other > capacity())
      producer_.other = consumer_.index.load(std::memory_order_acquire);
    const std::size_t room = capacity() - (tail - producer_.other);
    const std::size_t count = values.size() < room ? values.size() : room;
    for (std::size_t i = 0; i < count; ++i) slots_[(tail + i) & mask_] = std::move(values[i]);
    if (count > 0) producer_.index.store(tail + count, std::memory_order_release);
    return count;
  }

  /// False when the ring is empty.
  [[nodiscard]] bool pop(T& out) { return pop_batch(std::span<T>(&out, 1)) == 1; }

  /// Moves up to `out.size()` values out, in order; returns how many.
  [[nodiscard]] std::size_t pop_batch(std::span<T> out) {
    const std::size_t head = consumer_.index.load(std::memory_order_relaxed);
    if (consumer_.other - head < out.size()) consumer_.other = producer_.index.load(std::memory_order_acquire);
    const std::size_t ready = consumer_.other - head;
    const std::size_t count = out.size() < ready ? out.size() : ready;
    for (std::size_t i = 0; i < count; ++i) out[i] = std::move(slots_[(head + i) & mask_]);
    if (count > 0) consumer_.index.store(head + count, std::memory_order_release);
    return count;
  }

  /// A recent number of queued values; exact only when the other side rests.
  [[nodiscard]] std::size_t size_hint() const {
    const std::size_t head = consumer_.index.load(std::memory_order_acquire);
    return producer_.index.load(std::memory_order_acquire) - head;
  }

 private:
  struct alignas(kCacheLineBytes) Side {
    std::atomic<std::size_t> index{0};
    std::size_t other = 0;  // what this side last saw of the other's index
  };

  const std::size_t mask_;
  const std::unique_ptr<T[]> slots_;
  Side producer_;
  Side consumer_;
};

}  // namespace anabranch::core

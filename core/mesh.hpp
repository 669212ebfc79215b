// The rings between the shards of a node: one SPSC ring of batches for each ordered pair, and one for the way back, so that
// what a shard allocates that shard frees. A batch is private while it grows and crosses when it is full or at the end of a loop.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/check.hpp"
#include "core/spsc_ring.hpp"
#include "core/types.hpp"
#include "core/waker.hpp"

namespace anabranch::core {

inline constexpr std::size_t kMeshRingBatches = 1'024;  // design section 9
inline constexpr std::size_t kMeshBatchItems = 4'096;   // design section 9: then the sender's port stops receiving

/// Items of type T between `shards` shards. Every call names the shard whose thread it runs on.
template <class T>
class Mesh {
 public:
  explicit Mesh(std::uint32_t shards) : shards_(shards), wakers_(shards) {
    for (auto& waker : wakers_) waker = std::make_unique<Waker>();
    for (std::uint32_t i = 0; i < shards * shards; ++i) pairs_.push_back(std::make_unique<Pair>());
  }

  [[nodiscard]] std::uint32_t shards() const { return shards_; }
  /// The waker of `shard`: its loop sleeps on it, everyone who gives it work notifies it.
  [[nodiscard]] Waker& waker(ShardId shard) { return *wakers_[shard]; }

  /// True while `from` may stage another item for every shard; false asks its door to stop receiving.
  [[nodiscard]] bool has_room(ShardId from) const {
    for (std::uint32_t to = 0; to < shards_; ++to)
      if (pair(from, static_cast<ShardId>(to)).growing.size() >= kMeshBatchItems) return false;
    return true;
  }

  /// Adds an item to the batch that grows on `from` for `to`. The item stays owned by `from`.
  void stage(ShardId from, ShardId to, T item) {
    CHECK(from != to, from);
    pair(from, to).growing.push_back(std::move(item));
  }

  /// Sends the grown batches of `from` and reclaims the returned ones; called at the end of its loop. A batch whose ring is
  /// full stays and goes on growing. Returns true if anything was sent.
  bool flush(ShardId from) {
    bool sent = false;
    for (std::uint32_t to = 0; to < shards_; ++to) sent |= flush_pair(from, static_cast<ShardId>(to));
    return sent;
  }

  /// True while a batch of `from` could not be sent: flush again soon.
  [[nodiscard]] bool backlog(ShardId from) const {
    for (std::uint32_t to = 0; to < shards_; ++to)
      if (!pair(from, static_cast<ShardId>(to)).growing.empty()) return true;
    return false;
  }

  /// Calls sink(sender, const T&) for every item that has arrived for `self`; the items go back to their sender to be freed.
  template <class Sink>
  bool drain(ShardId self, Sink&& sink) {
    bool any = false;
    for (std::uint32_t from = 0; from < shards_; ++from) {
      Pair& lane = pair(static_cast<ShardId>(from), self);
      Batch batch;
      // Bounded by what is there now, so that a fast sender cannot hold this loop.
      for (std::size_t left = lane.forward.size_hint(); left > 0 && lane.forward.pop(batch); --left) {
        for (const T& item : *batch) sink(static_cast<ShardId>(from), item);
        any = true;
        const bool returned = lane.back.push(std::move(batch));
        CHECK(returned);  // `back` holds as many batches as `forward` and the batches in hand
      }
    }
    return any;
  }

 private:
  using Batch = std::unique_ptr<std::vector<T>>;

  struct Pair {
    SpscRing<Batch> forward{kMeshRingBatches};
    SpscRing<Batch> back{2 * kMeshRingBatches};
    std::vector<T> growing;    // the sender's
    std::vector<Batch> spare;  // the sender's: empty batches to fill
    std::size_t out = 0;       // the sender's: batches that have not come back
  };

  [[nodiscard]] Pair& pair(ShardId from, ShardId to) { return *pairs_[from * shards_ + to]; }
  [[nodiscard]] const Pair& pair(ShardId from, ShardId to) const { return *pairs_[from * shards_ + to]; }

  bool flush_pair(ShardId from, ShardId to) {
    Pair& lane = pair(from, to);
    Batch batch;
    while (lane.back.pop(batch)) {
      batch->clear();
      --lane.out;
      lane.spare.push_back(std::move(batch));
    }
    if (lane.growing.empty() || lane.out >= kMeshRingBatches) return false;
    if (lane.spare.empty()) lane.spare.push_back(std::make_unique<std::vector<T>>());
    batch = std::move(lane.spare.back());
    lane.spare.pop_back();
    batch->swap(lane.growing);
    const bool pushed = lane.forward.push(std::move(batch));
    CHECK(pushed);  // `out` bounds the ring
    ++lane.out;
    waker(to).notify();
    return true;
  }

  std::uint32_t shards_;
  std::vector<std::unique_ptr<Waker>> wakers_;
  std::vector<std::unique_ptr<Pair>> pairs_;
};

}  // namespace anabranch::core

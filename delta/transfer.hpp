// Whole states for peers that are behind the log. The sender captures the partition at one instant, cut into chunks that
// fit a message; the receiver pulls chunks, keeps them all aside, and joins them in one step when none is missing: a
// transfer that breaks off leaves nothing behind. Owned by the replica's shard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"
#include "delta/message.hpp"
#include "delta/store.hpp"

namespace anabranch::delta {

inline constexpr std::uint32_t kTransferWindow = 32;                    // guess: chunks asked for at once
inline constexpr core::Duration kTransferSilence = 10 * core::kSecond;  // guess: then either side gives up
inline constexpr std::uint32_t kTransferChunksMax = 1u << 22;           // 4 GiB at 1 KiB a chunk

/// The sender's side: one state, for one peer.
class Capture {
 public:
  /// Cuts `store`, which is exactly at `vector` (nothing pending), into chunks of at most `limit` bytes.
  ///   cost  O(partition), in time and memory
  Capture(const Store& store, const Vector& vector, std::uint64_t id, NodeId peer, std::size_t limit,
          core::Instant now);

  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] NodeId peer() const { return peer_; }
  /// Chunks [first, first + count), as far as they exist and at most a window.
  std::vector<TransferChunk> chunks(std::uint32_t first, std::uint32_t count, core::Instant now);
  /// Has the last chunk been given out?
  [[nodiscard]] bool served() const { return served_; }
  /// When it is dropped if nobody asks.
  [[nodiscard]] core::Instant deadline() const { return last_asked_ + kTransferSilence; }

 private:
  std::uint64_t id_;
  NodeId peer_;
  core::Instant last_asked_;
  bool served_ = false;
  std::vector<TransferChunk> chunks_;
};

/// The receiver's side.
class Staging {
 public:
  Staging(NodeId peer, core::Instant now, core::Duration again);

  [[nodiscard]] NodeId peer() const { return peer_; }
  [[nodiscard]] std::uint64_t id() const { return id_; }
  /// When to ask again, or to give up.
  [[nodiscard]] core::Instant deadline() const { return deadline_; }
  [[nodiscard]] bool silent(core::Instant now) const { return now >= last_heard_ + kTransferSilence; }

  /// What to ask for now: what is missing of the current window, or a new transfer. Asks again at `now + again`.
  TransferRequest request(core::Instant now);
  /// The sender serves another peer: ask again at `until`.
  void postpone(core::Instant now, core::Instant until);
  /// Takes a chunk in. False if it is of no use (another transfer's, a duplicate, senseless).
  bool add(TransferChunk chunk, core::Instant now);
  /// Is the window full, so that the next should be asked for at once?
  [[nodiscard]] bool window_full() const { return id_ != 0 && missing_ >= window_; }
  [[nodiscard]] bool complete() const { return count_ > 0 && chunks_.size() == count_; }

  struct Whole {
    Vector vector;
    lattice::CausalContext context;
    std::vector<Entry> entries;  // sorted by (key, type), complete objects
  };
  /// The captured state; the staging is empty afterwards. kMalformed if the chunks do not make a state (a live dot
  /// outside the context).
  core::Result<Whole> assemble();

 private:
  NodeId peer_;
  std::uint64_t id_ = 0;
  std::uint32_t count_ = 0;
  std::uint32_t missing_ = 0;  // the first chunk that is not there
  std::uint32_t window_ = 0;   // asked for up to here
  core::Duration again_;
  core::Instant last_heard_;
  core::Instant deadline_ = 0;
  std::map<std::uint32_t, TransferChunk> chunks_;
};

}  // namespace anabranch::delta

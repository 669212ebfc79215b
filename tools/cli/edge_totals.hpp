// What edge clients know: a running total per (client, key), and how much of it the cluster has acknowledged. A total is sent
// whole, never as an increment, so a batch may be sent to any node any number of times. A plain value without clock or thread;
// EdgeSender guards it with its mutex.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "core/hash.hpp"
#include "core/types.hpp"
#include "tools/node/command.hpp"

namespace anabranch::cli {

/// Totals on their way to one node. `totals[i]` is what `updates[i]` says of `entries[i]`.
struct EdgeBatch {
  std::vector<std::uint32_t> entries;
  std::vector<std::uint64_t> totals;
  std::vector<node::Update> updates;
};

class EdgeTotals {
 public:
  using Entry = std::uint32_t;

  /// Entries wait in `lanes` queues; a batch takes from one of them.
  explicit EdgeTotals(std::size_t lanes) : queues_(lanes) {}

  /// The entry of (client, key), made at 0 if it is new; a new one waits in `lane`. Entries are numbered from 0.
  Entry open(std::string_view client, std::string_view key, std::size_t lane);

  /// Lifts the total of `entry` to at least `total`.
  void raise(Entry entry, std::uint64_t total);
  void add_one(Entry entry) { raise(entry, entries_[entry].total + 1); }

  /// Fills `into` with at most `max` totals that wait in `lane`, the latest of each entry; false if none waits. An entry is
  /// in one batch at a time; what it gains meanwhile waits until that batch is settled.
  bool take(std::size_t lane, std::size_t max, EdgeBatch& into);

  /// Settles a batch. acknowledge: enough nodes hold it, but for the `refused` indexes, which are never sent again, and those
  /// `put_off`, which wait again. give_back: its outcome is not known; all of it waits again.
  void acknowledge(const EdgeBatch& batch, const std::vector<std::uint32_t>& refused,
                   const std::vector<std::uint32_t>& put_off);
  void give_back(const EdgeBatch& batch);

  [[nodiscard]] std::size_t queued(std::size_t lane) const { return queues_[lane].size(); }
  /// Entries with a total that is not acknowledged: queued or in a batch.
  [[nodiscard]] std::size_t waiting() const { return waiting_; }
  [[nodiscard]] std::size_t entries() const { return entries_.size(); }
  [[nodiscard]] std::size_t clients() const { return actors_.size(); }
  [[nodiscard]] std::size_t keys() const { return keys_.size(); }
  /// The sum of all acknowledged totals, and of the totals that were refused.
  [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  [[nodiscard]] const core::Bytes& key_of(Entry entry) const { return keys_[entries_[entry].key]; }

 private:
  struct State {
    std::uint32_t client = 0, key = 0;
    std::uint64_t total = 0, acknowledged = 0;
    std::uint16_t lane = 0;
    bool queued = false, in_batch = false, refused = false;
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return static_cast<std::size_t>(core::hash64(text)); }
  };
  using Numbers = boost::unordered_flat_map<std::string, std::uint32_t, TextHash, std::equal_to<>>;

  void settle(Entry entry);

  Numbers client_numbers_, key_numbers_;
  boost::unordered_flat_map<std::uint64_t, Entry> entry_numbers_;  // client << 32 | key
  std::vector<core::Actor> actors_;
  std::vector<core::Bytes> keys_;
  std::vector<State> entries_;
  std::vector<std::deque<Entry>> queues_;
  std::size_t waiting_ = 0;
  std::uint64_t acknowledged_ = 0, refused_ = 0;
};

}  // namespace anabranch::cli

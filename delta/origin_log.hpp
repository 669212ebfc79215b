// The flushes of every origin of a partition, as they came: what is shipped to peers that lag. Bounded in bytes over all
// origins; the oldest entry goes first and raises its origin's floor. Owned by the replica's shard.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "delta/message.hpp"

namespace anabranch::delta {

class OriginLogs {
 public:
  explicit OriginLogs(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Appends an interval that reaches beyond what the log of its origin holds; `interval.base` may overlap it, but must
  /// not leave a hole (CHECK).
  void append(Interval interval);
  /// Empties the origin's log: a transfer raised the origin to `floor`, and the flushes below were never seen here.
  ///   cost  O(intervals in all logs)
  void restart(const Origin& origin, FlushNumber floor);

  /// The lowest `after` that `read` can serve.
  [[nodiscard]] FlushNumber floor(const Origin& origin) const;
  /// The last flush in the log, or the floor.
  [[nodiscard]] FlushNumber top(const Origin& origin) const;

  /// The join of the flushes after `after`, as far as its weight stays within `limit` and cut at the boundaries of what
  /// was appended (so its base may be below `after`: overlap is harmless). The first appended interval is returned alone,
  /// even if it is beyond the limit: the caller looks at its weight.
  ///   requires  after >= floor(origin)
  ///   returns   nothing if there is nothing after `after`
  ///   cost      O(log of the entries + what is joined), at most kJoinMax appended intervals
  [[nodiscard]] std::optional<Interval> read(const Origin& origin, FlushNumber after, std::size_t limit) const;

  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  static constexpr std::size_t kJoinMax = 1'024;  // guess: bounds the time of one call

 private:
  struct Item {
    Interval interval;
    std::uint64_t age = 0;
    std::size_t bytes = 0;
  };
  struct Log {
    FlushNumber floor = 0;
    std::deque<Item> items;  // ascending by top
  };

  void drop_oldest();

  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::uint64_t next_age_ = 0;
  std::map<Origin, Log> logs_;
  std::deque<std::pair<std::uint64_t, Origin>> ages_;  // of all items, in order of arrival
};

}  // namespace anabranch::delta

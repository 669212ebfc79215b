// What this replica lacks and has heard of: intervals that arrived before their predecessors, and when to ask whom for
// the rest (Plumtree's missing messages and their timers). Bounded. Owned by the replica's shard.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "core/time.hpp"
#include "delta/message.hpp"

namespace anabranch::delta {

class Wants {
 public:
  static constexpr std::size_t kEarlyMax = 64;  // guess: intervals that wait, over all origins

  /// `from` has something of `origin` that this replica, which holds `held`, lacks. If nothing is asked for yet, it will
  /// be at `deadline`.
  ///   returns  true iff this is new
  bool add(const Origin& origin, FlushNumber held, NodeId from, core::Instant deadline);
  /// Nothing of `origin` is known to be missing any more.
  void settle(const Origin& origin);
  [[nodiscard]] bool wants(const Origin& origin) const { return wants_.contains(origin); }
  [[nodiscard]] bool empty() const { return wants_.empty(); }
  [[nodiscard]] std::vector<Origin> origins() const;

  /// Keeps an interval that came too early. False, and it is dropped, if the buffer is full.
  bool keep(NodeId from, Interval interval);
  struct Early {
    NodeId from = 0;
    Interval interval;
  };
  /// Takes out an interval of `origin` that can be joined now that `held` is held; those that are of no use any more are
  /// dropped on the way.
  std::optional<Early> next_early(const Origin& origin, FlushNumber held);
  void forget_early_of(NodeId peer);

  struct Due {
    Origin origin;
    NodeId first_heard_from = 0;
    unsigned tries = 0;
  };
  /// What is to be asked for at `now`; each is due again at `now + again`, and is skipped this time if it has moved since.
  ///   held  the vector, to see what has moved
  std::vector<Due> due(core::Instant now, core::Duration again, const Vector& held);
  [[nodiscard]] core::Instant next_deadline() const { return next_; }

 private:
  struct Want {
    NodeId from = 0;
    core::Instant deadline = 0;
    FlushNumber held = 0;  // when it was last looked at
    unsigned tries = 0;
  };
  void find_next();

  std::map<Origin, Want> wants_;
  std::map<Origin, std::vector<Early>> early_;
  std::size_t early_count_ = 0;
  core::Instant next_ = core::kNever;
};

}  // namespace anabranch::delta

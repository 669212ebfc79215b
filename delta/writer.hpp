// This origin's mutations and its pending flush: mints dots and stamps, cuts what does not fit a message. Owned by the
// replica's shard.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/result.hpp"
#include "delta/interval_builder.hpp"
#include "delta/message.hpp"
#include "delta/store.hpp"

namespace anabranch::delta {

class Writer {
 public:
  /// `limit` bounds the weight of the message that a flush becomes.
  Writer(const Origin& self, std::size_t limit) : self_(self), limit_(limit), builder_(self, limit) {}

  /// Applies the operation to `store` and to the pending flush.
  ///   sealed   gets the flushes that became full on the way, in order
  ///   returns  true iff the variable grew
  ///   errors   as Replica::update; nothing is taken, changed or sealed then
  core::Result<bool> update(Store& store, BytesView key, lattice::TypeId type, const lattice::Operation& operation,
                            std::uint64_t wall_ms, std::vector<Interval>& sealed);
  /// Creates the variable at bottom. True iff it is new.
  core::Result<bool> declare(Store& store, BytesView key, lattice::TypeId type, std::vector<Interval>& sealed);

  /// Numbers the pending flush and hands it out; nothing if nothing is pending.
  std::optional<Interval> seal();
  [[nodiscard]] bool pending() const { return !builder_.empty(); }
  /// The last flush that was numbered.
  [[nodiscard]] FlushNumber last() const { return last_; }

 private:
  struct Target {
    Store& store;
    BytesView key;
    lattice::TypeId type;
    std::uint64_t wall_ms;
    std::vector<Interval>& sealed;
  };

  core::Result<bool> apply(const Target& target, const lattice::Operation& operation);
  core::Result<bool> apply_halves(const Target& target, lattice::Operation operation);
  bool take(const Target& target, const lattice::Fragment& fragment, std::uint64_t dots_before);

  Origin self_;
  std::size_t limit_;
  IntervalBuilder builder_;
  FlushNumber last_ = 0;
  std::uint64_t last_dot_ = 0;
  std::uint64_t flushed_dots_ = 0;  // the last dot of the flushes that are numbered
  lattice::Hlc clock_;
};

}  // namespace anabranch::delta

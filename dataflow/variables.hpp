// The variables of one shard, by key: declare, update, query, threshold read. Programs and doors speak to these; which
// partition holds a key is settled here. Owned by a shard, its thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "core/types.hpp"
#include "dataflow/watch_index.hpp"
#include "delta/outbox.hpp"
#include "delta/replica.hpp"
#include "lattice/catalog.hpp"

namespace anabranch::dataflow {

/// The replicas that a shard owns, by partition; a null pointer where another shard owns it.
using Replicas = std::vector<std::unique_ptr<delta::Replica>>;

/// Where a mutation will travel: the partition, and this origin's flush of it.
struct Ticket {
  core::PartitionId partition = 0;
  core::FlushNumber flush = 0;
};

/// A variable as it is now; borrowed until the shard's next mutation or message.
struct View {
  core::BytesView key;
  lattice::TypeId type{};
  const lattice::Object* object = nullptr;
};

class Variables {
 public:
  /// `replicas` is borrowed for life.
  explicit Variables(Replicas& replicas) : replicas_(replicas) {}

  /// Makes the variable known at its type's bottom; nothing happens if it exists with this type.
  ///   errors  kRefused (a key of another shard), kTypeMismatch, kTooLarge, kMalformed
  core::Result<Ticket> declare(core::BytesView key, lattice::TypeId type, delta::Outbox& outbox);

  /// Joins the operation's delta into the variable, which is created if need be.
  ///   wall_ms  Unix time, for hybrid logical clocks
  ///   errors   as declare, and those of lattice::mutate; a refused operation takes nothing
  core::Result<Ticket> update(core::BytesView key, lattice::TypeId type, const lattice::Operation& operation,
                              std::uint64_t wall_ms, delta::Outbox& outbox);

  /// The variable now, or nothing if nobody declared or updated it yet.
  [[nodiscard]] std::optional<View> query(core::BytesView key) const;

  /// The variables whose keys begin with `prefix` and are greater than `after` (unless it is null), by key.
  ///   limit    of the answer; at least 1
  ///   returns  the views, and whether more follow
  ///   cost     O(limit) for each partition; keys that are new since the last scan are sorted in first
  [[nodiscard]] std::pair<std::vector<View>, bool> scan(core::BytesView prefix, const core::Bytes* after,
                                                        std::size_t limit) const;

  /// A threshold read: does the variable measure at least `at_least` (dataflow/threshold.hpp)?
  ///   returns  the variable if it does; if not, a registration that fire() ends once it does, also for a variable
  ///            that does not exist yet
  ///   errors   kFull, naming the bound
  struct Read {
    std::optional<View> now;
    WatchId later = 0;
  };
  core::Result<Read> read(core::BytesView key, std::int64_t at_least);

  /// Forgets a registration; false if it is over already.
  bool cancel(WatchId watch) { return watches_.cancel(watch); }

  /// Ends the registrations whose thresholds the grown variables of `outbox` meet.
  struct Fired {
    WatchId watch = 0;
    View view;
  };
  void fire(const delta::Outbox& outbox, std::vector<Fired>& fired);

  /// The replica of a partition of this shard (CHECK).
  [[nodiscard]] delta::Replica& replica(core::PartitionId partition);

  [[nodiscard]] std::size_t watches() const { return watches_.size(); }

 private:
  [[nodiscard]] core::PartitionId partition_of(core::BytesView key) const;

  Replicas& replicas_;
  WatchIndex watches_;
  std::vector<WatchId> fired_;  // scratch
};

}  // namespace anabranch::dataflow

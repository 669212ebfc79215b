// One partition on one node: its variables, its causal context, its origins' logs and what it knows of its peers.
// A sans-I/O machine that the owning shard calls and nobody else; it has no clock, no socket and no randomness.
//
// Replication is by origin intervals: a local update is joined at once and waits in the pending flush; `flush` numbers
// it; `ship` joins what a peer has not been sent; digests tell who holds what and repair what was lost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"
#include "core/types.hpp"
#include "delta/message.hpp"
#include "delta/outbox.hpp"

namespace anabranch::delta {

/// Where an update will travel: this origin's flush that contains it (its last part, if it was cut into several).
struct Ticket {
  FlushNumber flush = 0;
};

/// Counts since the start, except where a comment says "now".
struct Stats {
  std::uint64_t updates = 0;  // accepted
  std::uint64_t refused = 0;  // updates refused, for any reason
  std::uint64_t flushes = 0;  // of this origin
  std::uint64_t intervals_sent = 0;
  std::uint64_t intervals_joined = 0;
  std::uint64_t duplicates = 0;    // intervals that brought no flush
  std::uint64_t gaps = 0;          // intervals that arrived before their predecessors
  std::uint64_t gaps_dropped = 0;  // of these, dropped because the buffer was full
  std::uint64_t grafts = 0;        // Missing sent
  std::uint64_t prunes = 0;        // Duplicate sent
  std::uint64_t digests_sent = 0;
  std::uint64_t transfers_served = 0;  // captures whose last chunk was asked for
  std::uint64_t transfers_joined = 0;
  std::uint64_t transfers_dropped = 0;   // captures and stagings given up
  std::uint64_t fingerprint_alarms = 0;  // equal vectors, different states: a defect somewhere
  std::uint64_t refused_messages = 0;    // of an unknown peer, of this origin, or senseless
  std::size_t variables = 0;             // now
  std::size_t clashes = 0;               // now: keys that exist with more than one type
  std::size_t log_bytes = 0;             // now
  std::size_t peers = 0;                 // now
};

class Replica {
 public:
  struct Config {
    PartitionId partition = 0;
    Origin self;
    std::size_t message_bytes = 1'400;        // a packet of one message aims to fit this
    std::size_t log_bytes_max = 64ull << 20;  // all origins together; the oldest is dropped
    core::Duration digest_interval = core::kSecond;
    core::Duration graft_timeout = 300 * core::kMillisecond;  // above the spread of a tree's paths; overlay.md 2.2
  };

  explicit Replica(const Config& config);
  ~Replica();
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  // ---- doors ---------------------------------------------------------------------------------------------------

  /// Applies `operation`, joins it here at once and puts it into the pending flush. Adds, removes and clears that do not
  /// fit a message are cut into several mutations; a refused operation takes nothing.
  ///   key       1 to core::kKeyBytesMax bytes; the variable is created if need be
  ///   wall_ms   Unix time for hybrid logical clocks
  ///   outbox    `changed` gets the variable if it grew
  ///   errors    kTypeMismatch (names both types), kTooLarge, and those of lattice::mutate
  core::Result<Ticket> update(BytesView key, lattice::TypeId type, const lattice::Operation& operation,
                              std::uint64_t wall_ms, Outbox& outbox);

  /// Creates the variable at its bottom; nothing happens if it exists with this type.
  ///   errors    kTypeMismatch, kTooLarge, kMalformed (empty key)
  core::Result<Ticket> declare(BytesView key, lattice::TypeId type, Outbox& outbox);

  /// The variable, or nullptr. Where a key exists with several types: the one with the lowest catalog number.
  ///   type      if not null, gets the type
  ///   returns   borrowed until the next call that is not const
  const lattice::Object* find(BytesView key, lattice::TypeId* type = nullptr) const;

  /// Appends every variable whose key starts with `prefix`, sorted by key; borrowed like find's.
  void scan(BytesView prefix, std::vector<std::pair<BytesView, const lattice::Object*>>& out) const;
  /// As above, in pages.
  ///   after     if not null, only keys greater than it
  ///   limit     of what is appended
  ///   cost      O(log variables + appended); O(variables log variables) if a key is new since the last scan
  void scan(BytesView prefix, const Bytes* after, std::size_t limit,
            std::vector<std::pair<BytesView, const lattice::Object*>>& out) const;

  /// `outbox.reached` gets `token` once `copies` nodes (this one included) hold this origin's flush; now, if they do.
  void wait(FlushNumber flush, std::uint32_t copies, std::uint64_t token, Outbox& outbox);
  void cancel_wait(std::uint64_t token);

  // ---- peers ---------------------------------------------------------------------------------------------------

  /// A link to `peer` is up (again): both announce all they hold, and each asks for what it lacks.
  void peer_up(NodeId peer, core::Instant now, Outbox& outbox);
  /// The link is gone: everything remembered of the peer is dropped.
  void peer_down(NodeId peer, Outbox& outbox);
  /// Takes a decoded message of a peer that is up; others are counted and dropped.
  void handle(NodeId from, Message message, core::Instant now, Outbox& outbox);

  /// Numbers what is pending; it can be shipped from now on. Nothing happens if nothing is pending.
  void flush(core::Instant now, Outbox& outbox);
  bool pending() const;

  /// Whether `ship` has something for this peer.
  bool has_news(NodeId peer) const;
  /// The next message for this peer: flushes of one origin that it has not been sent, joined as far as they fit.
  ///   budget_bytes  for the message's weight, the packet's overhead not included. A flush that does not fit is given
  ///                 only if it would not fit a packet of its own either (a large value); then it is returned alone,
  ///                 and goes as fragments.
  ///   returns       nothing: no news, or no room in this packet
  std::optional<Message> ship(NodeId peer, std::size_t budget_bytes, core::Instant now);
  /// The frame that carried (base, …] of `origin` to this peer is taken as lost: it will be shipped again.
  void lost(NodeId peer, Origin origin, FlushNumber base);

  /// To be called when next_deadline() has passed: digests, requests that repeat, time-outs.
  void on_deadline(core::Instant now, Outbox& outbox);
  /// core::kNever without peers. Ticks are multiples of the interval, so that all replicas of a shard wake together.
  core::Instant next_deadline() const;

  // ---- what it holds -------------------------------------------------------------------------------------------

  Stats stats() const;
  Vector vector() const;
  /// Hash of variables and context: equal at equal vectors. The pending flush counts as state.
  ///   cost      O(partition) after a change, else O(1)
  std::uint64_t fingerprint() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace anabranch::delta

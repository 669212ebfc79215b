// What a replica is made of, and its handlers; internal to delta. replica.cpp routes, the handlers are in intervals.cpp,
// digests.cpp and transfers.cpp.
#pragma once

#include <map>
#include <optional>
#include <utility>

#include "delta/origin_log.hpp"
#include "delta/peers.hpp"
#include "delta/replica.hpp"
#include "delta/store.hpp"
#include "delta/transfer.hpp"
#include "delta/waits.hpp"
#include "delta/wants.hpp"
#include "delta/writer.hpp"

namespace anabranch::delta {

struct Replica::Parts {
  explicit Parts(const Config& configuration);

  // ---- replica.cpp ----
  void send(NodeId to, Body body, Outbox& outbox) const;
  /// Logs and announces a flush of this origin.
  void number(Interval flush, Outbox& outbox);
  void flush(Outbox& outbox);
  FlushNumber held(const Origin& origin) const;
  /// The vector has risen; whoever lacks it will be told.
  void raise(const Origin& origin, FlushNumber top, Outbox& outbox);
  /// Nothing of `origin` is missing any more if no peer is known to hold more.
  void settle_want(const Origin& origin);
  void settle_waits(Outbox& outbox);

  // ---- intervals.cpp ----
  void on(NodeId from, Interval& interval, core::Instant now, Outbox& outbox);
  void on(NodeId from, Held& told, core::Instant now, Outbox& outbox);
  void on(NodeId from, Missing& asked, core::Instant now, Outbox& outbox);
  void on(NodeId from, Duplicate& told, core::Instant now, Outbox& outbox);
  void take(NodeId from, Interval interval, Outbox& outbox);
  /// Joins what waited for what is held now.
  void take_early(const Origin& origin, Outbox& outbox);
  void acknowledge(NodeId from, const Origin& origin, Outbox& outbox) const;
  void ask_for_due(core::Instant now, Outbox& outbox);
  void forget_parent(NodeId peer, Outbox& outbox);
  std::optional<Message> ship(Peer& peer, std::size_t budget_bytes);

  // ---- digests.cpp ----
  void on(NodeId from, Digest& digest, core::Instant now, Outbox& outbox);
  void on(NodeId from, DigestSeen& seen, core::Instant now, Outbox& outbox);
  void compare(NodeId from, Peer& peer, const Digest& digest, core::Instant now, Outbox& outbox);
  void announce(NodeId to, Peer& peer, bool full, Outbox& outbox);
  void tick(core::Instant now, Outbox& outbox);
  core::Instant next_tick() const;
  std::uint64_t vector_hash() const;

  // ---- transfers.cpp ----
  void on(NodeId from, TransferOffer& offer, core::Instant now, Outbox& outbox);
  void on(NodeId from, TransferRequest& request, core::Instant now, Outbox& outbox);
  void on(NodeId from, TransferChunk& chunk, core::Instant now, Outbox& outbox);
  void start_transfer(NodeId from, core::Instant now, Outbox& outbox);
  void complete_transfer(Outbox& outbox);
  void drop_transfers_of(NodeId peer);
  void run_transfer_deadlines(core::Instant now, Outbox& outbox);

  Config config;
  std::size_t limit;  // weight of one message that fills a packet
  Store store;
  Writer writer;
  OriginLogs logs;
  Vector vector;                     // logs.top of each origin, and of this one what is numbered
  std::map<Origin, NodeId> parents;  // the link over which each origin's news comes first
  Peers peers;
  Wants wants;
  Waits waits;
  std::optional<Capture> capture;
  std::optional<Staging> staging;
  std::uint64_t transfer_ids = 0;
  std::uint64_t last_tick = 0;
  Stats stats;
};

}  // namespace anabranch::delta

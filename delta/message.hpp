// What replicas of one partition say to each other, as plain values. The codec turns them into bytes; machines never see
// anything else.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <variant>
#include <vector>

#include "core/types.hpp"
#include "lattice/catalog.hpp"

namespace anabranch::delta {

using core::Bytes;
using core::BytesView;
using core::FlushNumber;
using core::NodeId;
using core::Origin;
using core::PartitionId;

/// One variable's part of an interval, or (in a transfer) of a whole state. In an interval `fragment.context` holds
/// exactly the dots of this key that the interval knows about, born and dead; in a transfer it is empty.
struct Entry {
  Bytes key;
  lattice::Fragment fragment;
};

/// The flushes (base, top] of one origin, joined.
struct Interval {
  Origin origin;
  FlushNumber base = 0;
  FlushNumber top = 0;
  std::uint64_t dots_low = 1;   // the origin's dots minted in these flushes, inclusive;
  std::uint64_t dots_high = 0;  // high < low: none
  bool ack_wanted = false;      // somebody waits: answer Held at once
  std::vector<Entry> entries;   // sorted by (key, type), no two alike, at most core::kListMax
};

struct VectorEntry {
  Origin origin;
  FlushNumber flush = 0;
  friend auto operator<=>(const VectorEntry&, const VectorEntry&) = default;
};

/// What the sender holds: acknowledgement and announcement in one. Entries absent are unchanged, not zero.
struct Digest {
  std::uint64_t number = 0;          // numbers the digests of one link, for DigestSeen
  bool greeting = false;             // the link is new: ask at once for what you lack
  std::vector<VectorEntry> entries;  // sorted by origin
  std::uint64_t vector_hash = 0;     // of the whole vector; 0: not this time
  std::uint64_t fingerprint = 0;     // of the state at that vector; 0: not this time
};

/// The digest was taken in and need not be repeated.
struct DigestSeen {
  std::uint64_t number = 0;
};

/// The sender holds the origin's flushes up to `flush` (an acknowledgement that somebody waits for).
struct Held {
  Origin origin;
  FlushNumber flush = 0;
};

/// The sender holds the origin up to `held` and wants what follows, from now on at once (Plumtree's GRAFT).
struct Missing {
  Origin origin;
  FlushNumber held = 0;
};

/// The sender got this origin's news elsewhere first: announce it only (Plumtree's PRUNE).
struct Duplicate {
  Origin origin;
  FlushNumber held = 0;
};

/// "My log no longer reaches back to what you hold: ask for a transfer"; busy: "I serve another peer, ask again"; with
/// an id: "that transfer is gone, ask anew".
struct TransferOffer {
  bool busy = false;
  std::uint64_t id = 0;
};

/// Asks for chunks [first, first + count) of transfer `id`; id 0 asks for a new one, count 0 says that all are in.
struct TransferRequest {
  std::uint64_t id = 0;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

/// Piece `index` of `count` of a whole state captured at one instant. Vector, context and objects may be spread over
/// the chunks in any way: they mean something only when all have been put together.
struct TransferChunk {
  std::uint64_t id = 0;
  std::uint32_t index = 0;
  std::uint32_t count = 0;
  std::vector<VectorEntry> vector;
  lattice::CausalContext context;
  std::vector<Entry> entries;  // sorted by (key, type)
};

using Body =
    std::variant<Interval, Digest, DigestSeen, Held, Missing, Duplicate, TransferOffer, TransferRequest, TransferChunk>;

struct Message {
  PartitionId partition = 0;
  Body body;
};

/// What one frame carries.
struct Packet {
  std::vector<Message> messages;
};

/// Per origin the last flush up to which all is held.
using Vector = std::map<Origin, FlushNumber>;

}  // namespace anabranch::delta

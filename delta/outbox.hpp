// What a step of a replica wants done.
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "delta/message.hpp"

namespace anabranch::delta {

struct Envelope {
  NodeId to = 0;
  Message message;
};

/// A variable that grew in this step.
struct Changed {
  Bytes key;
  lattice::TypeId type;
  friend auto operator<=>(const Changed&, const Changed&) = default;
};

/// What a step wants done. The caller lends it, empties it, and may hand in one that is not empty.
struct Outbox {
  std::vector<Envelope> messages;
  std::vector<Changed> changed;        // no variable twice within one call
  std::vector<std::uint64_t> reached;  // tokens of waits that are over
};

}  // namespace anabranch::delta

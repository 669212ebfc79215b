// A world of a few replicas over a network that loses, doubles and reorders; nodes crash and come back empty under a new
// id; links break and heal. Everything is drawn from one seed. Rules are removed by falsifying messages on their way,
// never inside the replica.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/rng.hpp"
#include "delta/replica.hpp"
#include "tests/delta/model_oracle.hpp"

namespace anabranch::delta::model {

/// One rule removed.
enum class Mutation {
  kNone,
  kWholeContext,  // an interval carries the context of its own dots only
  kNoGapCheck,    // an interval is joined only when base <= VV
  kLinkAck,       // an acknowledgement of a link never raises what a peer is known to hold
  kApplyEarly,    // the chunks of a transfer are joined in one step
  kSameOrigin,    // every start is a new origin
  kDigestOnce,    // digest entries repeat until confirmed, and every tenth carries a hash of the vector
  kLostEntry,     // an interval is joined whole
};

struct Tally {
  std::uint64_t operations = 0, delivered = 0, lost = 0, crashes = 0, breaks = 0, promises = 0;
  std::uint64_t transfers = 0, gaps = 0, duplicates = 0, prunes = 0, checks = 0;
  std::uint64_t slowest_ms = 0;  // of virtual time, from the last fault to agreement
};

class World {
 public:
  explicit World(std::uint64_t seed, Mutation mutation = Mutation::kNone);

  /// Runs the world to quiet. Throws Broken if the oracle finds something.
  void run();
  [[nodiscard]] const Tally& tally() const { return tally_; }

 private:
  struct Node {
    Origin origin;
    std::unique_ptr<Replica> replica;
    Vector last_seen;
    std::map<std::uint64_t, std::pair<FlushNumber, std::uint32_t>> waits;
  };
  struct LinkState {
    bool up = false;       // both ends think so
    bool blocked = false;  // nothing passes
    std::uint32_t epoch = 0;
  };
  struct Flight {
    std::size_t from = 0, to = 0;
    std::uint32_t epoch = 0;
    Bytes bytes;
  };

  LinkState& link(std::size_t a, std::size_t b) { return links_[{std::min(a, b), std::max(a, b)}]; }
  void start(std::size_t slot, core::NodeId id);
  void raise_link(std::size_t a, std::size_t b);
  void break_link(std::size_t a, std::size_t b);
  void crash(std::size_t slot);
  void operate(std::size_t slot);
  void pump(std::size_t slot, bool gentle);
  void post(std::size_t from, NodeId to, Message message);
  void deliver(std::size_t index, bool keep);
  void falsify_sent(std::size_t from, std::size_t to, Message& message);
  void falsify_received(std::size_t to, Message& message);
  void absorb(std::size_t slot, Outbox& outbox);
  void check(std::size_t slot);
  void step();
  void quiesce();
  [[nodiscard]] bool settled() const;
  void verdict();
  [[nodiscard]] std::size_t slot_of(NodeId id) const;

  std::uint64_t seed_;
  Mutation mutation_;
  core::Rng rng_;
  double loss_ = 0;
  core::Instant now_ = 1'000 * core::kSecond;
  Replica::Config config_;
  core::NodeId next_id_ = 1;
  std::uint64_t next_token_ = 1;
  std::vector<Node> nodes_;
  std::map<std::pair<std::size_t, std::size_t>, LinkState> links_;
  std::vector<Flight> flights_;
  Oracle oracle_;
  Tally tally_;
  std::map<Origin, std::map<NodeId, FlushNumber>> ever_held_;
  std::map<Origin, std::map<FlushNumber, std::uint64_t>> dots_until_;         // for kWholeContext
  std::map<std::pair<NodeId, std::uint64_t>, TransferChunk> transfer_heads_;  // for kApplyEarly
};

}  // namespace anabranch::delta::model

// What a replica remembers of its peers: two numbers and two bits for each peer and origin, and which digest entries a
// peer has not confirmed. Nothing here grows with what a peer misses. Owned by the replica's shard.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <vector>

#include "delta/message.hpp"

namespace anabranch::delta {

/// One origin as seen on the link to one peer.
struct Link {
  FlushNumber known = 0;  // the peer said that it holds these
  FlushNumber sent = 0;   // shipped, or announced at the start of the link; says nothing of what is held
  bool lazy = false;      // the peer gets this origin elsewhere: announce only
  bool pruned = false;    // we told the peer so
};

struct Peer {
  std::map<Origin, Link> links;
  std::set<Origin> news;         // what there may be to ship
  std::set<Origin> unconfirmed;  // what the next digest says
  bool greeting = true;          // nothing has been confirmed yet
  Origin last_shipped;           // origins take turns

  struct Sent {
    std::uint64_t number = 0;
    std::vector<VectorEntry> entries;
  };
  std::uint64_t digests = 0;
  std::deque<Sent> outstanding;  // digests that may still be confirmed, at most kOutstandingMax

  static constexpr std::size_t kOutstandingMax = 32;  // guess: four ticks of eight digests
};

class Peers {
 public:
  /// A new link: all that `vector` has is to be announced, and none of it to be shipped before the peer asks.
  void add(NodeId peer, const Vector& vector);
  void remove(NodeId peer) { peers_.erase(peer); }
  /// nullptr if the peer is not up; borrowed until it goes down.
  [[nodiscard]] Peer* find(NodeId peer);
  [[nodiscard]] const Peer* find(NodeId peer) const;
  [[nodiscard]] std::map<NodeId, Peer>& all() { return peers_; }
  [[nodiscard]] const std::map<NodeId, Peer>& all() const { return peers_; }

  /// This node now holds `origin` up to `top`: announce it to all, ship it where the link is eager.
  ///   cost  O(peers)
  void raised(const Origin& origin, FlushNumber top);
  /// The last flush of `origin` that each peer is known to hold.
  [[nodiscard]] std::vector<FlushNumber> known(const Origin& origin) const;
  /// Does any peer lack a confirmation?
  [[nodiscard]] bool unconfirmed() const;

 private:
  std::map<NodeId, Peer> peers_;
};

/// The digests that `peer` is due: its unconfirmed entries as of `vector`, at most `limit` bytes each and a bounded
/// number of them; one that is empty if there are none and `always`.
std::vector<Digest> due_digests(Peer& peer, const Vector& vector, std::size_t limit, bool always);
/// The peer has taken in digest `number`: what has not changed since need not be repeated.
void confirm(Peer& peer, std::uint64_t number, const Vector& vector);

}  // namespace anabranch::delta

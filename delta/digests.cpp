// Digests: who holds what, said until it is confirmed; and now and then whether equal vectors mean equal states.
#include <algorithm>

#include "delta/replica_parts.hpp"
#include "lattice/hashing.hpp"

namespace anabranch::delta {
namespace {

constexpr std::uint64_t kFullEvery = 10;  // design 11: every tenth digest carries a hash of the whole vector

/// The number of the first full tick after `tick`; partitions take turns, so that one tick does not hash the whole node.
std::uint64_t next_full(std::uint64_t tick, PartitionId partition) {
  const std::uint64_t turn = partition % kFullEvery;
  return tick + 1 + (turn + kFullEvery - (tick + 1) % kFullEvery) % kFullEvery;
}

}  // namespace

std::uint64_t Replica::Parts::vector_hash() const {
  std::uint64_t hash = 1;
  for (const auto& [origin, flush] : vector)
    hash = lattice::hash_words(hash, origin.node, std::uint64_t{origin.incarnation}, flush);
  return hash == 0 ? 1 : hash;  // 0 means "not given" on the wire
}

core::Instant Replica::Parts::next_tick() const {
  if (peers.all().empty()) return core::kNever;
  const std::uint64_t next = peers.unconfirmed() ? last_tick + 1 : next_full(last_tick, config.partition);
  return next * config.digest_interval;
}

void Replica::Parts::tick(core::Instant now, Outbox& outbox) {
  const std::uint64_t number = now / config.digest_interval;
  const bool full = next_full(last_tick, config.partition) <= number;
  last_tick = number;
  flush(outbox);  // a fingerprint is that of the vector beside it
  for (auto& [node, peer] : peers.all()) announce(node, peer, full, outbox);
}

void Replica::Parts::announce(NodeId to, Peer& peer, bool full, Outbox& outbox) {
  auto digests = due_digests(peer, vector, limit, full);
  if (full) {
    digests.front().vector_hash = vector_hash();
    digests.front().fingerprint = store.fingerprint();
  }
  for (Digest& digest : digests) {
    ++stats.digests_sent;
    send(to, std::move(digest), outbox);
  }
}

void Replica::Parts::on(NodeId from, Digest& digest, core::Instant now, Outbox& outbox) {
  Peer& peer = *peers.find(from);
  for (const VectorEntry& entry : digest.entries) {
    Link& link = peer.links[entry.origin];
    link.known = std::max(link.known, entry.flush);
    const FlushNumber top = held(entry.origin);
    if (entry.flush <= top) continue;
    if (entry.origin == config.self) {  // nobody knows our flushes before we do
      ++stats.refused_messages;
      continue;
    }
    // On a new link nothing is on its way: there is nothing to wait for.
    wants.add(entry.origin, top, from, digest.greeting ? now : now + config.graft_timeout);
  }
  send(from, DigestSeen{digest.number}, outbox);
  if (digest.greeting) ask_for_due(now, outbox);
  settle_waits(outbox);
  if (digest.vector_hash != 0) compare(from, peer, digest, now, outbox);
}

void Replica::Parts::compare(NodeId from, Peer& peer, const Digest& digest, core::Instant now, Outbox& outbox) {
  flush(outbox);
  if (digest.vector_hash != vector_hash()) {
    // Either something is under way, or one of us has not heard the other out.
    if (!peer.unconfirmed.empty() || !wants.empty()) return;
    for (const auto& [origin, top] : vector) peer.unconfirmed.insert(origin);
    return;
  }
  if (digest.fingerprint == store.fingerprint()) return;
  ++stats.fingerprint_alarms;
  if (!staging) start_transfer(from, now, outbox);
}

void Replica::Parts::on(NodeId from, DigestSeen& seen, core::Instant /*now*/, Outbox& /*outbox*/) {
  confirm(*peers.find(from), seen.number, vector);
}

}  // namespace anabranch::delta

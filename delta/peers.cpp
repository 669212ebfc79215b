#include "delta/peers.hpp"

#include <algorithm>

#include "core/limits.hpp"
#include "delta/sizes.hpp"

namespace anabranch::delta {
namespace {

constexpr std::size_t kDigestsPerTick = 8;  // guess: 8 x 42 origins a tick at 1,400 bytes; the rest waits for the next

}  // namespace

void Peers::add(NodeId peer, const Vector& vector) {
  Peer& fresh = peers_[peer];
  fresh = Peer();
  for (const auto& [origin, top] : vector) {
    fresh.links[origin].sent = top;
    fresh.unconfirmed.insert(origin);
  }
}

Peer* Peers::find(NodeId peer) {
  const auto at = peers_.find(peer);
  return at != peers_.end() ? &at->second : nullptr;
}

const Peer* Peers::find(NodeId peer) const {
  const auto at = peers_.find(peer);
  return at != peers_.end() ? &at->second : nullptr;
}

void Peers::raised(const Origin& origin, FlushNumber top) {
  for (auto& [node, peer] : peers_) {
    peer.unconfirmed.insert(origin);
    const Link& link = peer.links[origin];
    if (!link.lazy && node != origin.node && std::max(link.known, link.sent) < top) peer.news.insert(origin);
  }
}

std::vector<FlushNumber> Peers::known(const Origin& origin) const {
  std::vector<FlushNumber> known;
  for (const auto& [node, peer] : peers_) {
    const auto link = peer.links.find(origin);
    known.push_back(link != peer.links.end() ? link->second.known : 0);
  }
  return known;
}

bool Peers::unconfirmed() const {
  return std::any_of(peers_.begin(), peers_.end(), [](const auto& peer) { return !peer.second.unconfirmed.empty(); });
}

std::vector<Digest> due_digests(Peer& peer, const Vector& vector, std::size_t limit, bool always) {
  const std::size_t room = limit > kMessageFrameBytes ? limit - kMessageFrameBytes : 0;
  const std::size_t entries_max = std::clamp<std::size_t>(room / (kVectorEntryBytes + kOriginBytes), 1, core::kListMax);
  std::vector<Digest> digests;
  auto origin = peer.unconfirmed.begin();
  while (digests.size() < kDigestsPerTick && (origin != peer.unconfirmed.end() || (always && digests.empty()))) {
    Digest digest;
    digest.number = ++peer.digests;
    digest.greeting = peer.greeting;
    for (; origin != peer.unconfirmed.end() && digest.entries.size() < entries_max; ++origin) {
      digest.entries.push_back({*origin, vector.at(*origin)});
    }
    peer.outstanding.push_back({digest.number, digest.entries});
    if (peer.outstanding.size() > Peer::kOutstandingMax) peer.outstanding.pop_front();
    digests.push_back(std::move(digest));
  }
  return digests;
}

void confirm(Peer& peer, std::uint64_t number, const Vector& vector) {
  const auto at = std::find_if(peer.outstanding.begin(), peer.outstanding.end(),
                               [&](const Peer::Sent& sent) { return sent.number == number; });
  if (at == peer.outstanding.end()) return;
  peer.greeting = false;
  for (const VectorEntry& entry : at->entries) {
    if (vector.at(entry.origin) == entry.flush) peer.unconfirmed.erase(entry.origin);
  }
  peer.outstanding.erase(at);
}

}  // namespace anabranch::delta

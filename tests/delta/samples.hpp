// Generated deltas and messages for the tests of delta: fragments of every type, made by mutating as a node would.
#pragma once

#include <string>
#include <vector>

#include "core/rng.hpp"
#include "delta/message.hpp"

namespace anabranch::delta::samples {

inline lattice::Operation random_operation(lattice::TypeId type, core::Rng& rng) {
  using lattice::TypeId;
  using lattice::Verb;
  const auto element = [&] { return Bytes(rng.below(20), static_cast<char>('a' + rng.below(4))); };
  const auto amount = static_cast<std::int64_t>(1 + rng.below(1'000));
  switch (type) {
    case TypeId::kGCounter:
      if (rng.chance(0.5)) return {Verb::kTotal, amount, {}, core::Actor::edge(rng.below(3), rng.below(50))};
      return {Verb::kIncrement, amount, {}, {}};
    case TypeId::kPnCounter: return {rng.chance(0.5) ? Verb::kIncrement : Verb::kDecrement, amount, {}, {}};
    case TypeId::kMaxInt:
    case TypeId::kMinInt: return {Verb::kSet, amount - 500, {}, {}};
    case TypeId::kGSet: return {Verb::kAdd, 0, {element(), element()}, {}};
    case TypeId::kAwSet:
      if (rng.chance(0.1)) return {Verb::kClear, 0, {}, {}};
      return {rng.chance(0.6) ? Verb::kAdd : Verb::kRemove, 0, {element(), element()}, {}};
    case TypeId::kLwwRegister:
    case TypeId::kMvRegister: return {Verb::kSet, 0, {element()}, {}};
    case TypeId::kEwFlag:
    case TypeId::kDwFlag: return {rng.chance(0.5) ? Verb::kEnable : Verb::kDisable, 0, {}, {}};
  }
  return {};
}

/// One of a few origins that know of each other.
inline Origin origin(std::uint64_t index) { return {100 + index, static_cast<core::Incarnation>(index % 3)}; }

/// An interval of origin 0 over `types` keys of every type, made on a replica that has seen other origins.
inline Interval random_interval(std::uint64_t seed, std::size_t operations = 30) {
  core::Rng rng(seed);
  Interval interval;
  interval.origin = origin(0);
  interval.base = rng.below(1'000);
  interval.top = interval.base + 1 + rng.below(10);
  interval.ack_wanted = rng.chance(0.5);
  std::map<std::pair<Bytes, lattice::TypeId>, std::pair<lattice::Object, lattice::Fragment>> variables;
  std::map<Origin, std::uint64_t> dots;
  lattice::Hlc clock;
  lattice::CausalContext seen;
  std::uint64_t first_own = 0;
  for (std::size_t i = 0; i < operations; ++i) {
    const Origin who = origin(i < operations / 2 ? 1 + rng.below(3) : 0);  // the past of others first
    if (who == interval.origin && first_own == 0) first_own = dots[who] + 1;
    const auto type = lattice::catalog()[rng.below(lattice::catalog().size())];
    const Bytes key = "key" + std::to_string(rng.below(4)) + Bytes(rng.below(9), 'x');
    auto [at, fresh] =
        variables.try_emplace({key, type}, lattice::bottom(type), lattice::Fragment{lattice::bottom(type), {}});
    lattice::Mutator mutator{who, &dots[who], &clock, 1'700'000'000'000};
    auto fragment = lattice::mutate(at->second.first, random_operation(type, rng), mutator);
    if (!fragment) continue;
    lattice::join(at->second.first, seen, *fragment);
    seen.join(fragment->context);
    if (who == interval.origin) lattice::join(at->second.second, *fragment);
  }
  interval.dots_low = first_own == 0 ? 1 : first_own;
  interval.dots_high = dots[interval.origin];
  for (auto& [name, pair] : variables) {
    if (!pair.second.empty() || rng.chance(0.3)) interval.entries.push_back({name.first, std::move(pair.second)});
  }
  return interval;
}

/// Messages of every kind.
inline Packet random_packet(std::uint64_t seed) {
  core::Rng rng(seed);
  const auto flush = [&] { return rng.below(1'000'000); };
  const auto vector = [&] {
    std::vector<VectorEntry> entries;
    for (std::uint64_t i = 0; i < rng.below(5); ++i) entries.push_back({{i, 1}, flush()});
    return entries;
  };
  Packet packet;
  packet.messages.push_back({1, random_interval(seed)});
  packet.messages.push_back({2, Digest{rng(), rng.chance(0.5), vector(), rng(), rng()}});
  packet.messages.push_back({3, DigestSeen{rng()}});
  packet.messages.push_back({4, Held{origin(rng.below(9)), flush()}});
  packet.messages.push_back({5, Missing{origin(rng.below(9)), flush()}});
  packet.messages.push_back({6, Duplicate{origin(rng.below(9)), flush()}});
  packet.messages.push_back({7, TransferOffer{rng.chance(0.5), rng()}});
  packet.messages.push_back({8, TransferRequest{rng(), 3, 32}});
  TransferChunk chunk{rng(), 4, 9, vector(), {}, {}};
  const Interval interval = random_interval(seed + 1);
  for (const Entry& entry : interval.entries) {
    chunk.context.join(entry.fragment.context);
    chunk.entries.push_back({entry.key, {entry.fragment.object, {}}});
  }
  packet.messages.push_back({9, std::move(chunk)});
  return packet;
}

}  // namespace anabranch::delta::samples

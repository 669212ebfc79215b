// The identifiers that every layer speaks of. Plain values, ordered, hashable.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace anabranch::core {

/// A process. Random at each start with the memory backend; kept in the data directory otherwise.
using NodeId = std::uint64_t;
/// How often a NodeId has started without a verified clean shutdown before.
using Incarnation = std::uint32_t;
/// A fixed slice of the key space: XXH3_64(key) mod the cluster's partition count.
using PartitionId = std::uint16_t;
/// A core of this node and the partitions that it owns: partition mod shards.
using ShardId = std::uint16_t;
/// Names one life of a link between two nodes; a frame of another epoch changes nothing.
using LinkEpoch = std::uint32_t;
/// Numbers the flushes of one origin in one partition, from 1.
using FlushNumber = std::uint64_t;

using Bytes = std::string;           // an owned sequence of bytes (keys, elements, encoded messages)
using BytesView = std::string_view;  // a borrowed one

/// Who mints dots and counts: one incarnation of one node.
struct Origin {
  NodeId node = 0;
  Incarnation incarnation = 0;
  friend auto operator<=>(const Origin&, const Origin&) = default;
};

/// Who owns an entry of a counter: an origin, or an edge client that reports running totals.
/// The two never collide: an edge actor has the top bit of `low` set, an origin has not.
struct Actor {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend auto operator<=>(const Actor&, const Actor&) = default;

  static constexpr Actor of(Origin origin) { return {origin.node, origin.incarnation}; }
  static constexpr Actor edge(std::uint64_t high, std::uint64_t low) { return {high, low | (std::uint64_t{1} << 63)}; }
};

}  // namespace anabranch::core

template <>
struct std::hash<anabranch::core::Origin> {
  std::size_t operator()(const anabranch::core::Origin& origin) const noexcept {
    return static_cast<std::size_t>((origin.node ^ origin.incarnation) * 0x9E3779B97F4A7C15ULL);
  }
};

template <>
struct std::hash<anabranch::core::Actor> {
  std::size_t operator()(const anabranch::core::Actor& actor) const noexcept {
    return static_cast<std::size_t>((actor.high ^ (actor.low * 0x9E3779B97F4A7C15ULL)) * 0xD6E8FEB86659FD93ULL);
  }
};

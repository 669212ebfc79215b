// Packets to bytes and back. Called by the shard that sends or has opened a frame; Cap'n Proto stays in
// codec_encode.cpp and codec_decode.cpp, the schema is delta/delta.capnp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/limits.hpp"
#include "core/result.hpp"
#include "delta/message.hpp"

namespace anabranch::delta {

/// Encoded bytes of a packet beyond the weights of its messages.
inline constexpr std::size_t kPacketOverhead = 32;

/// One flat Cap'n Proto segment; its length is a multiple of 8.
///   packet  lists within core::kListMax, as the replica builds them (CHECK)
///   cost    O(bytes)
core::Bytes encode(const Packet& packet);

/// Reads one flat segment. Everything is checked before anything is believed: a packet is taken whole or not at all.
///   bytes       8-byte aligned or not (a copy is made if not)
///   partitions  of the cluster; a message of another partition is an error
///   errors      kTooLarge (more than core::kMessageBytesMax, a list beyond core::kListMax, a key or value over its bound),
///               kUnknown (a body or a type of a newer version: the handshake should have prevented it; skipping the
///               entry would raise the vector over state that was dropped), kOverflow (a count beyond 2^62), kMalformed
core::Result<Packet> decode(core::BytesView bytes, std::uint32_t partitions);

/// An upper bound of the bytes that `message` takes inside a packet.
///   cost    O(entries of the message)
std::size_t weight(const Message& message);

}  // namespace anabranch::delta

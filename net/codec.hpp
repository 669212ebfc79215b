// Handshake, acknowledgement and fragment bodies (net.capnp) as plain values. Cap'n Proto stays in codec.cpp. Pure
// functions, any thread. Every decoded value has been checked against the bounds that the schema names.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "core/address.hpp"
#include "core/limits.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "net/frame.hpp"

namespace anabranch::net {

inline constexpr std::uint16_t kProtocolVersion = 1;
inline constexpr std::size_t kNameBytesMax = 256;                  // a node's label, a refusal's sentence
inline constexpr std::size_t kFragmentBytes = kFrameBodyMax - 32;  // the rest is the struct around the piece
inline constexpr std::size_t kFragmentsMax = (core::kMessageBytesMax + kFragmentBytes - 1) / kFragmentBytes;
static_assert(kFragmentBytes == 1'416 && kFragmentsMax == 787, "net.capnp names these figures");

/// Why a link ended.
enum class CloseReason : std::uint8_t {
  kFailed,        // nothing was heard for too long
  kLeft,          // the closing side leaves the cluster
  kReplaced,      // by a newer link to the same peer, or by another node at its address
  kRefused,       // the closing side does not want this link
  kStale,         // the closing side knows a higher incarnation of the other, or that this one left
  kUnknownEpoch,  // the peer has no such link (any more)
};

/// Why a HELLO was not accepted.
enum class RefuseReason : std::uint8_t {
  kPartitions,  // another number of partitions
  kProtocol,    // another version of the messages above the frame
  kStale,       // a higher incarnation of the node is linked already
  kSameNode,    // another process has the NodeId of the node that was dialled
  kFull,        // no room for another link
};

std::string_view name(CloseReason reason);
std::string_view name(RefuseReason reason);

struct Hello {
  std::uint64_t nonce = 0;
  core::NodeId node = 0;
  core::Incarnation incarnation = 0;
  std::uint16_t protocol = kProtocolVersion;
  std::uint32_t partitions = 0;
  std::uint64_t capabilities = 0;
  std::string name{};
  friend bool operator==(const Hello&, const Hello&) = default;
};

struct Welcome {
  Hello hello{};
  std::uint64_t echo = 0;
  core::LinkEpoch current = 0;
  core::Address observed{};
  friend bool operator==(const Welcome&, const Welcome&) = default;
};

struct Confirm {
  core::NodeId node = 0;
  std::uint64_t nonce = 0;
  std::uint64_t echo = 0;
  std::uint64_t ordinal = 0;
  friend bool operator==(const Confirm&, const Confirm&) = default;
};

struct Refuse {
  std::uint64_t echo = 0;
  RefuseReason reason = RefuseReason::kFull;
  std::string detail{};
  friend bool operator==(const Refuse&, const Refuse&) = default;
};

struct Goodbye {
  core::LinkEpoch epoch = 0;
  CloseReason reason = CloseReason::kFailed;
  friend bool operator==(const Goodbye&, const Goodbye&) = default;
};

using Handshake = std::variant<Hello, Welcome, Confirm, Refuse, Goodbye>;

/// What has arrived on a lane: `largest`, and bit i of received[w] says that largest - 1 - 64 w - i has.
struct Ack {
  std::uint8_t lane = 0;
  std::uint64_t largest = 0;
  std::array<std::uint64_t, 4> received{};
  std::uint32_t delay_us = 0;
  friend bool operator==(const Ack&, const Ack&) = default;
};
inline constexpr std::size_t kAckBits = 256;

/// One piece of a large message. `data` borrows from the body that was decoded.
struct Fragment {
  std::uint64_t message = 0;
  std::uint16_t index = 0;
  std::uint16_t count = 0;
  core::BytesView data{};
  friend bool operator==(const Fragment&, const Fragment&) = default;
};

/// The epoch that two nonces agree on. May be 0, which names no link: then another nonce is drawn.
core::LinkEpoch link_epoch(std::uint64_t hello_nonce, std::uint64_t welcome_nonce);

/// Bodies, a multiple of 8 bytes and at most kFrameBodyMax long. Fields beyond their bounds are a bug (CHECK).
core::Bytes encode_handshake(const Handshake& message);
core::Bytes encode_ack(const Ack& ack);
core::Bytes encode_fragment(const Fragment& fragment);

/// errors  kMalformed (does not parse, or a field that must not be 0 is), kTooLarge (a name or piece over its bound)
core::Result<Handshake> decode_handshake(core::BytesView body);
core::Result<Ack> decode_ack(core::BytesView body);
core::Result<Fragment> decode_fragment(core::BytesView body);

}  // namespace anabranch::net

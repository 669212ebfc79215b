// Control messages (overlay.capnp) as plain values. Cap'n Proto stays in codec.cpp. Pure functions, any thread. Every
// decoded value has been checked against the bounds that the schema names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/address.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace anabranch::overlay {

inline constexpr std::size_t kNameBytesMax = 256;
inline constexpr std::size_t kControlBytesMax = 8'192;  // of a message; a frame of the net layer holds less

/// One incarnation of one node, as members tell each other of it.
struct MemberSpec {
  core::NodeId node = 0;
  core::Incarnation incarnation = 0;
  core::Address address{};  // ip 0: only its peers can see it
  std::string name{};       // at most kNameBytesMax
  bool left = false;
  friend bool operator==(const MemberSpec&, const MemberSpec&) = default;
};

struct Keepalive {
  std::uint64_t digest = 0;
  std::uint32_t members = 0;
  friend bool operator==(const Keepalive&, const Keepalive&) = default;
};

struct MemberList {
  std::vector<MemberSpec> members;  // at most core::kListMax, by NodeId
  friend bool operator==(const MemberList&, const MemberList&) = default;
};

using ControlMessage = std::variant<Keepalive, MemberList>;

/// Bytes that `spec` takes in an encoded list, and those of a list without entries.
std::size_t encoded_bytes(const MemberSpec& spec);
inline constexpr std::size_t kListOverheadBytes = 48;

/// One flat segment, a multiple of 8 bytes. Fields beyond their bounds are a bug (CHECK).
core::Bytes encode_control(const ControlMessage& message);

/// errors  kMalformed (does not parse, NodeId 0, not in ascending order), kTooLarge (a name or the list over its bound)
core::Result<ControlMessage> decode_control(core::BytesView body);

}  // namespace anabranch::overlay

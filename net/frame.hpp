// A frame is one datagram between nodes: a clear header of 24 bytes and a body, one flat Cap'n Proto segment.
// Encoded and parsed by the shard that owns the port; pure functions, any thread.
//
//   offset 0  version u8 = 1      4  link_epoch u32      16  cluster u32 (cluster_hash of its name)
//          1  type u8             8  sequence u64        20  checksum u32 (see parse_frame)
//          2  lane u8 (sending shard)                    24  body, a multiple of 8 bytes
//          3  key_phase u8 = 0 until frames are sealed
//
// All integers are little endian. A datagram buffer that is 8-byte aligned has an 8-byte aligned body.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/limits.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace anabranch::net {

inline constexpr std::uint8_t kFrameVersion = 1;
inline constexpr std::size_t kFrameHeaderBytes = 24;
inline constexpr std::size_t kFrameBodyMax = core::kDatagramBytes - kFrameHeaderBytes;  // 1,448, a multiple of 8
static_assert(kFrameBodyMax % 8 == 0);

enum class FrameType : std::uint8_t {
  kHandshake = 1,  // HELLO, WELCOME, CONFIRM, REFUSE, GOODBYE: net.capnp
  kControl = 2,    // a message of the overlay: overlay.capnp
  kLattice = 3,    // a whole message of the delta layer: delta.capnp
  kAck = 4,        // what a lane has received: net.capnp
  kFragment = 5,   // a piece of a message that is larger than a frame: net.capnp
};

/// The header's fields that a sender chooses; version, key phase and checksum are set by make_frame.
struct FrameHeader {
  FrameType type = FrameType::kControl;
  std::uint8_t lane = 0;           // the sending shard
  core::LinkEpoch link_epoch = 0;  // 0 in handshake frames that have no epoch yet
  std::uint64_t sequence = 0;      // per link and lane
  std::uint32_t cluster = 0;       // cluster_hash(name)
  friend bool operator==(const FrameHeader&, const FrameHeader&) = default;
};

/// A frame that passed every check. `body` borrows from the datagram.
struct FrameView {
  FrameHeader header;
  core::BytesView body;
};

/// Why a datagram is not a frame of ours, in the order in which parse_frame asks.
enum class FrameFault : std::uint8_t {
  kTruncated,  // shorter than a header
  kOversized,  // longer than core::kDatagramBytes
  kVersion,    // another protocol version
  kCluster,    // another cluster
  kAlignment,  // the body is not a multiple of 8 bytes
  kChecksum,   // damaged on the way
  kKeyPhase,   // sealed with a key that we do not have
  kType,       // a type that this version does not know
};
inline constexpr std::size_t kFrameFaults = 8;

/// "truncated", "version", …: label of the counter in the metrics.
std::string_view name(FrameFault fault);

/// Counts refused datagrams by reason. A value; owned by the shard that receives.
struct FrameDrops {
  std::array<std::uint64_t, kFrameFaults> by_fault{};

  [[nodiscard]] std::uint64_t operator[](FrameFault fault) const { return by_fault[static_cast<std::size_t>(fault)]; }
  [[nodiscard]] std::uint64_t total() const;
};

/// The low 32 bits of XXH3 of a cluster's name.
std::uint32_t cluster_hash(std::string_view cluster_name);

/// Checks a datagram and gives a view into it; copies nothing, allocates nothing.
///   checksum  low 32 bits of XXH3_64 over the whole datagram with the checksum field as zero; against accidents, not
///             attackers
///   drops     if not null, the counter of the reason is raised on failure
///   errors    kWrongCluster (version, cluster), kTooLarge (oversized), kMalformed (the rest); `what` names the reason
core::Result<FrameView> parse_frame(core::BytesView datagram, std::uint32_t cluster, FrameDrops* drops = nullptr);

/// The datagram of `header` and `body`.
///   body  a multiple of 8 bytes, at most kFrameBodyMax; anything else is a bug (CHECK)
core::Bytes make_frame(const FrameHeader& header, core::BytesView body);

/// As make_frame, into `out`, whose memory is used again.
void make_frame_into(const FrameHeader& header, core::BytesView body, core::Bytes& out);

}  // namespace anabranch::net

#include "net/frame.hpp"

#include <cstring>
#include <numeric>

#include "core/check.hpp"
#include "core/hash.hpp"

namespace anabranch::net {
namespace {

constexpr std::size_t kTypeAt = 1;
constexpr std::size_t kLaneAt = 2;
constexpr std::size_t kKeyPhaseAt = 3;
constexpr std::size_t kEpochAt = 4;
constexpr std::size_t kSequenceAt = 8;
constexpr std::size_t kClusterAt = 16;
constexpr std::size_t kChecksumAt = 20;

std::uint8_t byte_at(core::BytesView bytes, std::size_t offset) { return static_cast<std::uint8_t>(bytes[offset]); }

template <class Integer>
Integer load(core::BytesView bytes, std::size_t offset) {
  Integer value = 0;
  for (std::size_t i = 0; i < sizeof(Integer); ++i)
    value = static_cast<Integer>(value | static_cast<Integer>(byte_at(bytes, offset + i)) << (8 * i));
  return value;
}

template <class Integer>
void store(char* at, Integer value) {
  for (std::size_t i = 0; i < sizeof(Integer); ++i) at[i] = static_cast<char>(value >> (8 * i));
}

std::uint32_t low32(std::uint64_t hash) { return static_cast<std::uint32_t>(hash); }

/// One-shot XXH3 over a copy on the stack: cheaper than the streaming form at this size.
std::uint32_t checksum_of(core::BytesView datagram) {
  std::array<char, core::kDatagramBytes> copy;
  std::memcpy(copy.data(), datagram.data(), datagram.size());
  std::memset(copy.data() + kChecksumAt, 0, sizeof(std::uint32_t));
  return low32(core::hash64({copy.data(), datagram.size()}));
}

tl::unexpected<core::Error> refuse(FrameFault fault, FrameDrops* drops) {
  if (drops != nullptr) ++drops->by_fault[static_cast<std::size_t>(fault)];
  switch (fault) {
    case FrameFault::kTruncated: return core::fail(core::Errc::kMalformed, "frame: shorter than its header");
    case FrameFault::kOversized: return core::fail(core::Errc::kTooLarge, "frame: longer than 1,472 bytes");
    case FrameFault::kVersion: return core::fail(core::Errc::kWrongCluster, "frame: of another protocol version");
    case FrameFault::kCluster: return core::fail(core::Errc::kWrongCluster, "frame: of another cluster");
    case FrameFault::kAlignment: return core::fail(core::Errc::kMalformed, "frame: body not a multiple of 8 bytes");
    case FrameFault::kChecksum: return core::fail(core::Errc::kMalformed, "frame: checksum does not match");
    case FrameFault::kKeyPhase: return core::fail(core::Errc::kMalformed, "frame: sealed with an unknown key");
    case FrameFault::kType: return core::fail(core::Errc::kMalformed, "frame: of an unknown type");
  }
  return core::fail(core::Errc::kMalformed, "frame");
}

bool known(std::uint8_t type) {
  return type >= static_cast<std::uint8_t>(FrameType::kHandshake) &&
         type <= static_cast<std::uint8_t>(FrameType::kFragment);
}

}  // namespace

std::string_view name(FrameFault fault) {
  switch (fault) {
    case FrameFault::kTruncated: return "truncated";
    case FrameFault::kOversized: return "oversized";
    case FrameFault::kVersion: return "version";
    case FrameFault::kCluster: return "cluster";
    case FrameFault::kAlignment: return "alignment";
    case FrameFault::kChecksum: return "checksum";
    case FrameFault::kKeyPhase: return "key_phase";
    case FrameFault::kType: return "type";
  }
  return "unknown";
}

std::uint64_t FrameDrops::total() const { return std::accumulate(by_fault.begin(), by_fault.end(), std::uint64_t{0}); }

std::uint32_t cluster_hash(std::string_view cluster_name) { return low32(core::hash64(cluster_name)); }

core::Result<FrameView> parse_frame(core::BytesView datagram, std::uint32_t cluster, FrameDrops* drops) {
  if (datagram.size() < kFrameHeaderBytes) return refuse(FrameFault::kTruncated, drops);
  if (datagram.size() > core::kDatagramBytes) return refuse(FrameFault::kOversized, drops);
  if (byte_at(datagram, 0) != kFrameVersion) return refuse(FrameFault::kVersion, drops);
  if (load<std::uint32_t>(datagram, kClusterAt) != cluster) return refuse(FrameFault::kCluster, drops);
  if (datagram.size() % 8 != 0) return refuse(FrameFault::kAlignment, drops);
  if (load<std::uint32_t>(datagram, kChecksumAt) != checksum_of(datagram)) return refuse(FrameFault::kChecksum, drops);
  if (byte_at(datagram, kKeyPhaseAt) != 0) return refuse(FrameFault::kKeyPhase, drops);
  if (!known(byte_at(datagram, kTypeAt))) return refuse(FrameFault::kType, drops);
  FrameView view;
  view.header.type = static_cast<FrameType>(byte_at(datagram, kTypeAt));
  view.header.lane = byte_at(datagram, kLaneAt);
  view.header.link_epoch = load<core::LinkEpoch>(datagram, kEpochAt);
  view.header.sequence = load<std::uint64_t>(datagram, kSequenceAt);
  view.header.cluster = cluster;
  view.body = datagram.substr(kFrameHeaderBytes);
  return view;
}

core::Bytes make_frame(const FrameHeader& header, core::BytesView body) {
  core::Bytes frame;
  make_frame_into(header, body, frame);
  return frame;
}

void make_frame_into(const FrameHeader& header, core::BytesView body, core::Bytes& out) {
  CHECK(body.size() <= kFrameBodyMax, body.size());
  CHECK(body.size() % 8 == 0, body.size());
  CHECK(known(static_cast<std::uint8_t>(header.type)), static_cast<int>(header.type));
  out.clear();
  out.resize(kFrameHeaderBytes);
  out.append(body);
  char* const at = out.data();
  store(at, kFrameVersion);
  store(at + kTypeAt, static_cast<std::uint8_t>(header.type));
  store(at + kLaneAt, header.lane);
  store(at + kKeyPhaseAt, std::uint8_t{0});
  store(at + kEpochAt, header.link_epoch);
  store(at + kSequenceAt, header.sequence);
  store(at + kClusterAt, header.cluster);
  store(at + kChecksumAt, std::uint32_t{0});
  store(at + kChecksumAt, low32(core::hash64(out)));
}

}  // namespace anabranch::net

// libFuzzer target of the frame decoder: no input may crash it or be read out of bounds, every refusal is counted once,
// and what it accepts is exactly what make_frame would have made.
#include <cstddef>
#include <cstdint>

#include "core/check.hpp"
#include "core/hash.hpp"
#include "net/frame.hpp"

namespace {

using namespace anabranch;

const std::uint32_t kCluster = net::cluster_hash("fuzz");

void parse_checked(core::BytesView datagram) {
  net::FrameDrops drops;
  const auto view = net::parse_frame(datagram, kCluster, &drops);
  CHECK(drops.total() == (view ? 0U : 1U));
  if (view) CHECK(net::make_frame(view->header, view->body) == datagram);
}

/// Gives the input the version, cluster and checksum that pass, so that the later checks are reached too.
core::Bytes repaired(core::Bytes datagram) {
  if (datagram.size() < net::kFrameHeaderBytes) return datagram;
  datagram[0] = static_cast<char>(net::kFrameVersion);
  for (std::size_t i = 0; i < 4; ++i) datagram[16 + i] = static_cast<char>(kCluster >> (8 * i));
  for (std::size_t i = 0; i < 4; ++i) datagram[20 + i] = 0;
  const std::uint64_t hash = core::hash64(datagram);
  for (std::size_t i = 0; i < 4; ++i) datagram[20 + i] = static_cast<char>(hash >> (8 * i));
  return datagram;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const core::Bytes datagram(reinterpret_cast<const char*>(data), size);
  parse_checked(datagram);
  parse_checked(repaired(datagram));
  return 0;
}

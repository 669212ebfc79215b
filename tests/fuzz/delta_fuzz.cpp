// libFuzzer target of the delta decoder: no input may crash it, and what it accepts can be encoded again, within its
// weight, to bytes that are read as the same.
#include <cstddef>
#include <cstdint>

#include "core/check.hpp"
#include "delta/codec.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace anabranch;
  constexpr std::uint32_t kPartitions = 64;
  const auto packet = delta::decode({reinterpret_cast<const char*>(data), size}, kPartitions);
  if (!packet) return 0;
  std::size_t weights = delta::kPacketOverhead;
  for (const delta::Message& message : packet->messages) weights += delta::weight(message);
  const core::Bytes bytes = delta::encode(*packet);
  CHECK(bytes.size() <= weights, bytes.size(), weights);
  // Bytes on the wire may alias each other; written out they can pass the bound, and are not sent then.
  if (bytes.size() > core::kMessageBytesMax) return 0;
  const auto again = delta::decode(bytes, kPartitions);
  CHECK(again.has_value(), again ? "" : again.error().message());
  CHECK(delta::encode(*again) == bytes);
  return 0;
}

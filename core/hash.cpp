#include "core/hash.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace anabranch::core {

std::uint64_t hash64(BytesView bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

PartitionId partition_of(BytesView key, std::uint32_t partitions) {
  return static_cast<PartitionId>(hash64(key) & (partitions - 1));
}

Actor edge_actor(BytesView client) {
  const XXH128_hash_t hash = XXH3_128bits(client.data(), client.size());
  return Actor::edge(hash.high64, hash.low64);
}

}  // namespace anabranch::core

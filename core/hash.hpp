// XXH3 behind four names: which partition a key is in, what an edge client's id is, a frame's checksum, a run's trace.
#pragma once

#include <cstdint>

#include "core/types.hpp"

namespace anabranch::core {

/// XXH3_64 of `bytes`, seeded. Not keyed against adversaries.
std::uint64_t hash64(BytesView bytes, std::uint64_t seed = 0);

/// XXH3_64(key, seed 0) mod `partitions`; `partitions` is a power of two.
PartitionId partition_of(BytesView key, std::uint32_t partitions);

/// The counter entry of the edge client that calls itself `client`: XXH3_128 of its id.
Actor edge_actor(BytesView client);

}  // namespace anabranch::core

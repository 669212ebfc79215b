// One jemalloc arena per shard: what a shard allocates lies together and is never contended with another core.
#pragma once

#include <cstdint>

#include "core/result.hpp"

namespace anabranch::core {

/// Creates an arena and binds the calling thread to it for all its later allocations.
///   returns the arena's number; 0 where the program is built without jemalloc (sanitizers)
///   errors  kIo when jemalloc refuses
Result<unsigned> bind_thread_to_new_arena();

/// Bytes in live allocations of `arena`, as of the last statistics epoch (this call advances it). 0 without jemalloc.
std::uint64_t arena_allocated_bytes(unsigned arena);

}  // namespace anabranch::core

#include "core/arena.hpp"

#ifdef ANABRANCH_JEMALLOC
#include <jemalloc/jemalloc.h>

#include <string>
#endif

namespace anabranch::core {

#ifdef ANABRANCH_JEMALLOC

Result<unsigned> bind_thread_to_new_arena() {
  unsigned arena = 0;
  std::size_t size = sizeof arena;
  if (mallctl("arenas.create", &arena, &size, nullptr, 0) != 0)
    return fail(Errc::kIo, "jemalloc could not create an arena");
  if (mallctl("thread.arena", nullptr, nullptr, &arena, sizeof arena) != 0)
    return fail(Errc::kIo, "jemalloc could not bind the thread to its arena");
  return arena;
}

std::uint64_t arena_allocated_bytes(unsigned arena) {
  std::uint64_t epoch = 1;
  std::size_t size = sizeof epoch;
  mallctl("epoch", &epoch, &size, &epoch, sizeof epoch);
  const std::string prefix = "stats.arenas." + std::to_string(arena);
  std::size_t small = 0;
  std::size_t large = 0;
  size = sizeof small;
  mallctl((prefix + ".small.allocated").c_str(), &small, &size, nullptr, 0);
  mallctl((prefix + ".large.allocated").c_str(), &large, &size, nullptr, 0);
  return small + large;
}

#else

Result<unsigned> bind_thread_to_new_arena() { return 0U; }
std::uint64_t arena_allocated_bytes(unsigned) { return 0; }

#endif

}  // namespace anabranch::core

// How often this test program has called operator new, by all threads.
#pragma once

#include <cstdint>

namespace anabranch::net {

std::uint64_t allocations();

}  // namespace anabranch::net

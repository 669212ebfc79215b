// Kernel: the join of two dense columns of counts. Google Highway, the best instruction set that the CPU has.
#pragma once

#include <cstdint>
#include <span>

namespace anabranch::lattice::kernels {

/// into[i] = max(into[i], from[i]). True iff an entry grew. Equal lengths, else CHECK; may be the same memory.
bool max_join(std::span<std::uint64_t> into, std::span<const std::uint64_t> from);

}  // namespace anabranch::lattice::kernels

// Kernel: the join of two dense columns of counts, on Google Highway. The best instruction set of the CPU is chosen once
// at first use; the environment variable ANABRANCH_ISA (a name below, any case) forces another. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/result.hpp"

namespace anabranch::lattice::kernels {

/// into[i] = max(into[i], from[i]). True iff an entry grew. Equal lengths, else CHECK; may be the same memory, but must
/// not overlap otherwise.
bool max_join(std::span<std::uint64_t> into, std::span<const std::uint64_t> from);

/// One way to do it: the kernel compiled for one instruction set ("avx3", "avx2", "sse4", …), or plain "scalar" code.
struct MaxJoin {
  std::string_view target;
  bool (*run)(std::uint64_t* into, const std::uint64_t* from, std::size_t entries) = nullptr;
};

/// Every kernel that this CPU can run, the best first, "scalar" last. For tests and benchmarks.
std::span<const MaxJoin> max_join_kernels();

/// The one that max_join uses. kUnknown if ANABRANCH_ISA names none of them: then max_join ends the process, so ask first.
core::Result<MaxJoin> chosen_max_join();

}  // namespace anabranch::lattice::kernels

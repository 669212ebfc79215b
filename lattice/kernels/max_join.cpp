#include "lattice/kernels/max_join.hpp"

#include "core/check.hpp"

namespace anabranch::lattice::kernels {

bool max_join(std::span<std::uint64_t> into, std::span<const std::uint64_t> from) {
  CHECK(into.size() == from.size(), into.size(), from.size());
  bool grew = false;
  for (std::size_t i = 0; i < into.size(); ++i) {
    if (from[i] > into[i]) {
      into[i] = from[i];
      grew = true;
    }
  }
  return grew;
}

}  // namespace anabranch::lattice::kernels

#include "core/rng.hpp"

#include <sys/random.h>

#include "core/check.hpp"

namespace anabranch::core {

std::uint64_t entropy_seed() {
  std::uint64_t seed = 0;
  const auto got = getrandom(&seed, sizeof seed, 0);
  CHECK(got == static_cast<ssize_t>(sizeof seed), got);
  return seed;
}

}  // namespace anabranch::core

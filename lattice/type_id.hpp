// The catalog's numbers. They are stored and sent: never renumbered, never used again.
#pragma once

#include <cstdint>

namespace anabranch::lattice {

enum class TypeId : std::uint8_t {
  kGCounter = 1,
  kPnCounter = 2,
  kMaxInt = 3,
  kMinInt = 4,
  kGSet = 5,
  kAwSet = 6,
  kLwwRegister = 7,
  kMvRegister = 8,
  kEwFlag = 9,
  kDwFlag = 10,
};

}  // namespace anabranch::lattice

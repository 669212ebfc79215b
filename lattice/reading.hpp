// The value of a variable as people and doors see it. Canonical: equal states give equal readings.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "core/types.hpp"

namespace anabranch::lattice {

/// null (a register or extremum never set), a flag, a number, a register's bytes, or a sorted set without duplicates.
using Reading = std::variant<std::monostate, bool, std::int64_t, core::Bytes, std::vector<core::Bytes>>;

}  // namespace anabranch::lattice

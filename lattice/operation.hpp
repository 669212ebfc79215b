// What a user can do to a variable, and what a node lends to a mutation. Shared by all types of the catalog.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/types.hpp"
#include "lattice/dot.hpp"
#include "lattice/hlc.hpp"

namespace anabranch::lattice {

enum class Verb : std::uint8_t { kIncrement, kDecrement, kSet, kEnable, kDisable, kAdd, kRemove, kClear, kTotal };

/// The word of the command line: "increment", …
std::string_view name(Verb verb);
/// The verb of a word that a user may say. kTotal has none: it comes from ingest only.
std::optional<Verb> verb_named(std::string_view word);

struct Operation {
  Verb verb = Verb::kIncrement;
  std::int64_t amount = 0;            // increment, decrement, set of maxint and minint, total
  std::vector<core::Bytes> elements;  // add, remove (one or more), set of a register (exactly one)
  core::Actor actor;                  // total: the edge client
};

/// Who mutates, and where fresh dots and stamps come from. The caller owns both counters and makes them durable before
/// the delta leaves; a refused operation takes nothing from them.
struct Mutator {
  core::Origin origin;
  std::uint64_t* last_dot = nullptr;
  Hlc* clock = nullptr;
  std::uint64_t wall_ms = 0;

  [[nodiscard]] Dot fresh_dot() { return {origin, ++*last_dot}; }
};

/// kMalformed if there are elements; kRefused if the amount is not positive; kOverflow beyond core::kCountMax.
core::Status check_positive(const Operation& operation);
/// kMalformed if there are elements; kOverflow beyond core::kCountMax in either direction.
core::Status check_number(const Operation& operation);
/// kMalformed unless there are `at_least` to `at_most` elements; kTooLarge beyond core::kValueBytesMax or kListMax.
core::Status check_elements(const Operation& operation, std::size_t at_least, std::size_t at_most);
/// kMalformed if there are elements.
core::Status check_bare(const Operation& operation);

}  // namespace anabranch::lattice

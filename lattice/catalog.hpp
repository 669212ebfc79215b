// The catalog of types: closed, static inside, tagged outside. This is what delta, dataflow and tools use; they never
// name a type. A new type costs its file, its number in type_id.hpp and a line in `Object`. Any thread, one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.hpp"
#include "lattice/awset.hpp"
#include "lattice/causal_context.hpp"
#include "lattice/dot.hpp"
#include "lattice/dwflag.hpp"
#include "lattice/ewflag.hpp"
#include "lattice/extremum.hpp"
#include "lattice/gcounter.hpp"
#include "lattice/gset.hpp"
#include "lattice/lwwregister.hpp"
#include "lattice/mvregister.hpp"
#include "lattice/operation.hpp"
#include "lattice/pncounter.hpp"
#include "lattice/reading.hpp"
#include "lattice/type_id.hpp"

namespace anabranch::lattice {

/// The value of one variable: a plain lattice, or the dot store of a causal type (its context belongs to the partition).
using Object = std::variant<GCounter,     // 1
                            PnCounter,    // 2
                            MaxInt,       // 3
                            MinInt,       // 4
                            GSet,         // 5
                            AwSet,        // 6
                            LwwRegister,  // 7
                            MvRegister,   // 8
                            EwFlag,       // 9
                            DwFlag>;      // 10

/// The types in the order of their numbers.
std::span<const TypeId> catalog();
/// "gcounter", …
std::string_view name(TypeId type);
/// Also accepts "orset" for awset.
std::optional<TypeId> type_named(std::string_view word);
/// The type of a number that came from outside.
std::optional<TypeId> type_numbered(std::uint64_t number);
/// Does its delta carry a context?
bool is_causal(TypeId type);

TypeId type_of(const Object& object);
Object bottom(TypeId type);

/// A delta of one variable. For causal types `context` holds exactly the dots of this variable that the delta knows
/// about, born and dead; for plain types it is empty.
struct Fragment {
  Object object;
  CausalContext context;

  /// Does it say nothing? Then it need be neither logged nor sent.
  [[nodiscard]] bool empty() const;
  friend bool operator==(const Fragment&, const Fragment&) = default;
};

/// Are the live dots of `fragment` in its context, and is a plain one without context? Decoders refuse others.
bool well_formed(const Fragment& fragment);

/// Joins `delta` into `object`, whose partition has seen the dots in `seen`. Does not grow `seen`: the caller does, once
/// all entries of a flush are joined.
///   requires  both of one type, else CHECK
///   returns   true iff (object, seen) strictly grew because of this delta; news of a dead dot alone counts
bool join(Object& object, const CausalContext& seen, const Fragment& delta);
/// Joins two deltas of the same variable (coalescing in logs and pending flushes). Both of one type, else CHECK.
///   returns  true iff `into` strictly grew
bool join(Fragment& into, const Fragment& delta);

/// Has `type` this operation?
bool accepts(TypeId type, Verb verb);
/// The words of the operations of `type` that a user may say, for error messages.
std::vector<std::string_view> words(TypeId type);

/// The delta of applying `operation` to `object`, which is not changed. A mutation of a causal type takes a dot, removes
/// too (that dot is in the context, never live). An operation that changes nothing gives an empty fragment and takes none.
///   errors  kRefused (not an operation of the type, amount not positive), kMalformed (arguments), kOverflow (beyond
///           2^62), kTooLarge (a value beyond core::kValueBytesMax); a refused operation takes nothing from `mutator`
core::Result<Fragment> mutate(const Object& object, const Operation& operation, Mutator& mutator);

/// What people and doors see. Equal states give equal readings.
Reading read(const Object& object);
/// What numeric thresholds compare: value of a counter or extremum, cardinality of a set or register, flag as 0 or 1.
/// A maxint or minint that was never set measures INT64_MIN: nothing meets no threshold.
std::int64_t measure(const Object& object);

/// Approximate bytes when encoded, for cutting flushes and bounding logs. O(elements) for sets and causal types.
std::size_t weight_bytes(const Object& object);
std::size_t weight_bytes(const Fragment& fragment);

/// A hash of the state that is the same on every node; XOR over join-irreducibles, 0 for bottom of any type.
std::uint64_t fingerprint(const Object& object, std::uint64_t seed);

/// The stamp that a register's write carries, 0 where there is none: Hlc::observe it before joining a peer's delta.
std::uint64_t stamp_of(const Object& object);

}  // namespace anabranch::lattice

// What a lattice is, one small concept per aspect, each with its laws. The law suite in tests/lattice/laws.hpp checks
// them for every type of the catalog; every type asserts the concepts that it models.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>

#include "lattice/causal_context.hpp"
#include "lattice/dot.hpp"
#include "lattice/reading.hpp"

namespace anabranch::lattice {

/// T{} is bottom, the least state. Laws: bottom join x == x, bottom <= x.
template <class T>
concept Bounded = std::default_initializable<T> && std::copyable<T> && std::equality_comparable<T>;

/// a.join(b) makes `a` the least upper bound of both and returns true iff `a` strictly grew.
/// Laws: associative, commutative, idempotent; the result is false exactly when the left side did not change.
template <class T>
concept Joinable = requires(T a, const T& b) {
  { a.join(b) } -> std::same_as<bool>;
};

/// a.leq(b): does `b` hold everything that `a` holds? Laws: a partial order; a <= b iff a join b == b.
template <class T>
concept Ordered = requires(const T& a, const T& b) {
  { a.leq(b) } -> std::same_as<bool>;
};

/// a.decompose(sink) hands out join-irreducible parts, ascending in the type's canonical order.
/// Laws: the join of the parts is `a`; leaving one out loses something; no part is the join of two smaller states.
template <class T>
concept Decomposable = requires(const T& a, void (&sink)(T)) {
  a.decompose(sink);
  { a.irreducibles() } -> std::same_as<std::uint64_t>;
};

/// a.delta(b) is the least d with d join b == a join b, by a direct formula.
/// Laws: d <= a; every irreducible of d is not <= b; a.delta(a) is bottom.
template <class T>
concept Differencing = requires(const T& a, const T& b) {
  { a.delta(b) } -> std::same_as<T>;
};

template <class T>
concept Lattice = Bounded<T> && Joinable<T> && Ordered<T> && Decomposable<T> && Differencing<T>;

/// Is told which dots a join brought to life and which it killed.
struct IgnoreDots {
  void born(const Dot&) const {}
  void died(const Dot&) const {}
};

/// The live dots of a causal type, and what they carry. A store alone is no lattice: which of its dots are dead is
/// known only to a context, so every operation takes the contexts of both sides (`mine`, `theirs`). The pair
/// (store, context) is the lattice: see causal.hpp. Requires dots(store) subset of its context, on both sides.
template <class S>
concept DotStore = std::default_initializable<S> && std::equality_comparable<S> &&
                   requires(S s, const S& other, const CausalContext& mine, const CausalContext& theirs,
                            CausalContext& told, const Dot& dot, void (&sink)(const Dot&)) {
                     { other.empty() } -> std::same_as<bool>;
                     { other.contains(dot) } -> std::same_as<bool>;
                     other.for_each_dot(sink);
                     // The store's half of the causal join; true iff the store changed.
                     { s.join(mine, other, theirs, IgnoreDots{}) } -> std::same_as<bool>;
                     // The store's half of the causal order.
                     { other.leq(mine, other, theirs) } -> std::same_as<bool>;
                     // What `theirs` lacks; adds to `told` the dots of deaths and changes that it has not heard of.
                     { other.delta(mine, other, theirs, told) } -> std::same_as<S>;
                     // The restriction to one dot.
                     { other.only(dot) } -> std::same_as<S>;
                     { other.fingerprint(std::uint64_t{}) } -> std::same_as<std::uint64_t>;
                     { other.weight_bytes() } -> std::same_as<std::size_t>;
                   };

/// A type whose state is a dot store; its context belongs to the partition.
template <class T>
concept CausalType = DotStore<typename T::Store> && Bounded<T> && requires(T t) {
  { t.store } -> std::same_as<typename T::Store&>;
};

/// What the catalog asks of a type besides being a lattice (plain types) or a dot store (causal types).
///   kId, kName, kVerbs   its number, its word, the operations that it has
///   apply                (operation, mutator) -> the delta of an operation; does not change the object. See catalog.hpp
///   read, measure        what people and thresholds see; equal states give equal readings
///   fingerprint          XOR over irreducibles of a seeded hash; bottom has 0; equal states have equal fingerprints
template <class T>
concept Catalogued = Bounded<T> && requires(const T& t, std::uint64_t seed) {
  T::kId;
  T::kName;
  T::kVerbs;
  { t.read() } -> std::same_as<Reading>;
  { t.measure() } -> std::same_as<std::int64_t>;
  { t.fingerprint(seed) } -> std::same_as<std::uint64_t>;
  { t.weight_bytes() } -> std::same_as<std::size_t>;
};

}  // namespace anabranch::lattice

// A causal type with a context of its own: the lattice that the laws speak of, and the shape of a causal delta.
#pragma once

#include <utility>

#include "lattice/concepts.hpp"

namespace anabranch::lattice {

/// Invariant: the dots of `object` are in `context`. A dot that is only in `context` is dead.
/// T is a CausalType; not required here, because a type names its own delta before it is complete.
///   source  Almeida, Shoker, Baquero 2018, section 7
template <class T>
struct Causal {
  T object;
  CausalContext context;

  bool join(const Causal& other) {
    const bool changed = object.store.join(context, other.object.store, other.context, IgnoreDots{});
    return context.join(other.context) || changed;
  }

  [[nodiscard]] bool leq(const Causal& other) const {
    return context.leq(other.context) && object.store.leq(context, other.object.store, other.context);
  }

  [[nodiscard]] Causal delta(const Causal& other) const {
    Causal news;
    news.context = context.minus(other.context);
    news.object.store = object.store.delta(context, other.object.store, other.context, news.context);
    return news;
  }

  /// One part for each dot of the context. The only function here that enumerates dots: for tests and metrics.
  template <class Sink>
  void decompose(Sink&& sink) const {
    context.for_each_run([&](const core::Origin& origin, std::uint64_t lo, std::uint64_t hi) {
      for (std::uint64_t sequence = lo; sequence <= hi; ++sequence) {
        const Dot dot{origin, sequence};
        Causal part;
        part.object.store = object.store.only(dot);
        part.context.insert(dot);
        sink(std::move(part));
      }
    });
  }
  [[nodiscard]] std::uint64_t irreducibles() const { return context.dot_count(); }

  friend bool operator==(const Causal&, const Causal&) = default;
};

}  // namespace anabranch::lattice

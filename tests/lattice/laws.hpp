// The law suite, a library. A law is a predicate over up to three states of a lattice L (a plain type, or Causal<T>); it
// is fed with samples (every pair, every triple) and with what RapidCheck generates. A type needs no code of its own to
// run it: its verbs make its states. Nothing here asserts: it returns what is broken, so that tests can expect a break.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lattice/catalog.hpp"
#include "lattice/causal.hpp"

namespace anabranch::lattice::laws {

template <class L>
struct Law {
  std::string_view name;
  int arity;  // how many of the three states it looks at
  bool (*holds)(const L& a, const L& b, const L& c);
};

template <class L>
L joined(L a, const L& b) {
  a.join(b);
  return a;
}

template <class L>
std::vector<L> parts_of(const L& a) {
  std::vector<L> parts;
  a.decompose([&](L part) { parts.push_back(std::move(part)); });
  return parts;
}

template <class L>
L join_of(const std::vector<L>& parts, std::size_t without = SIZE_MAX) {
  L whole{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i != without) whole.join(parts[i]);
  }
  return whole;
}

/// join, bottom and leq.
template <class L>
std::vector<Law<L>> order_laws() {
  using X = const L&;
  return {
      {"join is associative", 3, [](X a, X b, X c) { return joined(joined(a, b), c) == joined(a, joined(b, c)); }},
      {"join is commutative", 2, [](X a, X b, X) { return joined(a, b) == joined(b, a); }},
      {"join is idempotent", 1, [](X a, X, X) { return joined(a, a) == a; }},
      {"a state may be joined with itself", 1,
       [](X a, X, X) {
         L self = a;
         return !self.join(self) && self == a;
       }},
      {"bottom changes nothing", 1, [](X a, X, X) { return joined(a, L{}) == a && joined(L{}, a) == a; }},
      {"bottom is least", 1, [](X a, X, X) { return L{}.leq(a) && (!a.leq(L{}) || a == L{}); }},
      {"leq is reflexive", 1, [](X a, X, X) { return a.leq(a); }},
      {"leq is antisymmetric", 2, [](X a, X b, X) { return !(a.leq(b) && b.leq(a)) || a == b; }},
      {"leq is transitive", 3, [](X a, X b, X c) { return !(a.leq(b) && b.leq(c)) || a.leq(c); }},
      {"a <= b iff a join b == b", 2, [](X a, X b, X) { return a.leq(b) == (joined(a, b) == b); }},
      {"join is an upper bound", 2,
       [](X a, X b, X) {
         const L both = joined(a, b);
         return a.leq(both) && b.leq(both);
       }},
      {"join is the least upper bound", 3,
       [](X a, X b, X c) { return !(a.leq(c) && b.leq(c)) || joined(a, b).leq(c); }},
      {"join returns true iff it grew", 2,
       [](X a, X b, X) {
         L left = a;
         const bool grew = left.join(b);
         return grew == (left != a) && grew == !b.leq(a);
       }},
      {"a copy is independent", 2,
       [](X a, X b, X) {
         const L before = joined(L{}, a);  // made without a copy
         L copy = a;
         L moved = std::move(copy);
         copy = b;
         moved.join(b);
         copy.join(a);
         return a == before && moved == joined(a, b) && copy == joined(b, a);
       }},
  };
}

/// decompose and delta.
template <class L>
std::vector<Law<L>> difference_laws() {
  using X = const L&;
  return {
      {"the parts give back the whole", 1, [](X a, X, X) { return join_of(parts_of(a)) == a; }},
      {"no part is redundant", 1,
       [](X a, X, X) {
         const auto parts = parts_of(a);
         for (std::size_t i = 0; i < parts.size(); ++i) {
           if (join_of(parts, i) == a) return false;
         }
         return true;
       }},
      {"each part is its own only part", 1,
       [](X a, X, X) {
         const auto parts = parts_of(a);
         return std::all_of(parts.begin(), parts.end(),
                            [](const L& part) { return parts_of(part) == std::vector<L>{part}; });
       }},
      {"no part is the join of two smaller states", 3,
       [](X a, X b, X c) {
         const L both = joined(b, c);
         const auto parts = parts_of(a);
         return std::all_of(parts.begin(), parts.end(),
                            [&](const L& part) { return part != both || part == b || part == c; });
       }},
      {"irreducibles() counts the parts", 1, [](X a, X, X) { return parts_of(a).size() == a.irreducibles(); }},
      {"delta(a, b) join b == a join b", 2, [](X a, X b, X) { return joined(a.delta(b), b) == joined(a, b); }},
      {"delta(a, b) <= a", 2, [](X a, X b, X) { return a.delta(b).leq(a); }},
      {"delta(a, b) is the join of the parts that b lacks", 2,
       [](X a, X b, X) {
         L lacking{};
         for (const L& part : parts_of(a)) {
           if (!part.leq(b)) lacking.join(part);
         }
         return a.delta(b) == lacking;
       }},
      {"each part of delta(a, b) is news to b", 2,
       [](X a, X b, X) {
         const auto parts = parts_of(a.delta(b));
         return std::none_of(parts.begin(), parts.end(), [&](const L& part) { return part.leq(b); });
       }},
      {"delta of nothing new is bottom", 2,
       [](X a, X b, X) { return a.delta(a) == L{} && a.delta(joined(a, b)) == L{} && a.delta(L{}) == a; }},
  };
}

/// Every pair and triple of `samples` under every law: the names of the laws that break, each once.
/// `checks`, if given, is raised by the number of predicates evaluated.
template <class L>
std::vector<std::string> broken(const std::vector<Law<L>>& laws, const std::vector<L>& samples,
                                std::uint64_t* checks = nullptr) {
  std::vector<std::string> names;
  for (const Law<L>& law : laws) {
    const std::size_t b_end = law.arity >= 2 ? samples.size() : std::min<std::size_t>(1, samples.size());
    const std::size_t c_end = law.arity >= 3 ? samples.size() : std::min<std::size_t>(1, samples.size());
    bool holds = true;
    for (std::size_t i = 0; i < samples.size() && holds; ++i) {
      for (std::size_t j = 0; j < b_end && holds; ++j) {
        for (std::size_t k = 0; k < c_end && holds; ++k) {
          holds = law.holds(samples[i], samples[j], samples[k]);
          if (checks != nullptr) ++*checks;
        }
      }
    }
    if (!holds) names.emplace_back(law.name);
  }
  return names;
}

/// The lattice that the laws of T speak of, and its states as the catalog tags them.
template <class T>
struct Tagged {
  using L = T;
  static L untag(const Fragment& fragment) { return std::get<T>(fragment.object); }
  static Fragment tag(const L& state) { return {state, {}}; }
};
template <CausalType T>
struct Tagged<T> {
  using L = Causal<T>;
  static L untag(const Fragment& fragment) { return {std::get<T>(fragment.object), fragment.context}; }
  static Fragment tag(const L& state) { return {state.object, state.context}; }
};

}  // namespace anabranch::lattice::laws

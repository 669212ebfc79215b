// Add-wins set (observed-remove set): a remove kills the adds that it has seen, and no others.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

#include "core/limits.hpp"
#include "core/result.hpp"
#include "lattice/causal.hpp"
#include "lattice/dot_map.hpp"
#include "lattice/dot_set.hpp"
#include "lattice/operation.hpp"
#include "lattice/type_id.hpp"

namespace anabranch::lattice {

/// Plain value; its context belongs to the partition.
struct AwSet {
  static constexpr TypeId kId = TypeId::kAwSet;
  static constexpr std::string_view kName = "awset";
  static constexpr std::array kVerbs = {Verb::kAdd, Verb::kRemove, Verb::kClear};
  using Store = DotMap<core::Bytes, DotSet>;

  Store store;
  friend bool operator==(const AwSet&, const AwSet&) = default;

  [[nodiscard]] bool contains(core::BytesView element) const { return store.find(element) != nullptr; }

  /// The delta of adding `element` under the fresh `dot`. Adding again protects against a concurrent remove.
  [[nodiscard]] Causal<AwSet> add(const Dot& dot, const core::Bytes& element) const {
    Causal<AwSet> change = remove(dot, element);
    change.object.store.insert(element, DotSet(dot));
    return change;
  }
  /// The delta of removing `element`. `dot` is never live.
  [[nodiscard]] Causal<AwSet> remove(const Dot& dot, core::BytesView element) const {
    Causal<AwSet> change;
    if (const DotSet* dots = store.find(element)) {
      dots->for_each_dot([&](const Dot& seen) { change.context.insert(seen); });
    }
    change.context.insert(dot);
    return change;
  }
  /// The delta of removing everything. `dot` is never live.
  [[nodiscard]] Causal<AwSet> clear(const Dot& dot) const {
    Causal<AwSet> change;
    store.for_each_dot([&](const Dot& seen) { change.context.insert(seen); });
    change.context.insert(dot);
    return change;
  }

  /// Each element added takes a dot of its own; a remove or clear takes one, or none if nothing is there to remove.
  [[nodiscard]] core::Result<Causal<AwSet>> apply(const Operation& operation, Mutator& mutator) const {
    const bool clears = operation.verb == Verb::kClear;
    auto valid = clears ? check_bare(operation) : check_elements(operation, 1, core::kListMax);
    if (!valid) return tl::unexpected(std::move(valid.error()));
    Causal<AwSet> change;
    if (clears) return store.empty() ? change : clear(mutator.fresh_dot());
    const std::set<core::Bytes> distinct(operation.elements.begin(), operation.elements.end());
    if (operation.verb == Verb::kAdd) {
      for (const core::Bytes& element : distinct) change.join(add(mutator.fresh_dot(), element));
      return change;
    }
    Dot dot;
    for (const core::Bytes& element : distinct) {
      if (!contains(element)) continue;
      if (dot.sequence == 0) dot = mutator.fresh_dot();
      change.join(remove(dot, element));
    }
    return change;
  }
  [[nodiscard]] Reading read() const {
    std::vector<core::Bytes> elements;
    for (const auto& entry : store.entries()) elements.push_back(entry.first);
    return elements;
  }
  /// How many elements.
  [[nodiscard]] std::int64_t measure() const { return static_cast<std::int64_t>(store.size()); }
  [[nodiscard]] std::uint64_t fingerprint(std::uint64_t seed) const { return store.fingerprint(seed); }
  /// O(elements).
  [[nodiscard]] std::size_t weight_bytes() const { return 8 + store.weight_bytes(); }
};

static_assert(CausalType<AwSet> && Lattice<Causal<AwSet>> && Catalogued<AwSet>);

}  // namespace anabranch::lattice

// Enable-wins flag: true as long as an enable lives that no disable has seen.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/result.hpp"
#include "lattice/causal.hpp"
#include "lattice/dot_set.hpp"
#include "lattice/operation.hpp"
#include "lattice/type_id.hpp"

namespace anabranch::lattice {

/// Plain value; its context belongs to the partition.
struct EwFlag {
  static constexpr TypeId kId = TypeId::kEwFlag;
  static constexpr std::string_view kName = "ewflag";
  static constexpr std::array kVerbs = {Verb::kEnable, Verb::kDisable};
  using Store = DotSet;

  Store store;
  friend bool operator==(const EwFlag&, const EwFlag&) = default;

  [[nodiscard]] bool enabled() const { return !store.empty(); }

  /// The delta of enabling under the fresh `dot`. Enabling again protects against a concurrent disable.
  [[nodiscard]] Causal<EwFlag> enable(const Dot& dot) const {
    Causal<EwFlag> change = disable(dot);
    change.object.store = Store(dot);
    return change;
  }
  /// The delta of disabling: kills every enable that is here. `dot` is never live.
  [[nodiscard]] Causal<EwFlag> disable(const Dot& dot) const {
    Causal<EwFlag> change;
    store.for_each_dot([&](const Dot& seen) { change.context.insert(seen); });
    change.context.insert(dot);
    return change;
  }

  [[nodiscard]] core::Result<Causal<EwFlag>> apply(const Operation& operation, Mutator& mutator) const {
    if (auto valid = check_bare(operation); !valid) return tl::unexpected(std::move(valid.error()));
    if (operation.verb == Verb::kEnable) return enable(mutator.fresh_dot());
    if (!enabled()) return Causal<EwFlag>();  // nothing to kill
    return disable(mutator.fresh_dot());
  }
  [[nodiscard]] Reading read() const { return enabled(); }
  [[nodiscard]] std::int64_t measure() const { return enabled() ? 1 : 0; }
  [[nodiscard]] std::uint64_t fingerprint(std::uint64_t seed) const { return store.fingerprint(seed); }
  [[nodiscard]] std::size_t weight_bytes() const { return 8 + store.weight_bytes(); }
};

static_assert(CausalType<EwFlag> && Lattice<Causal<EwFlag>> && Catalogued<EwFlag>);

}  // namespace anabranch::lattice

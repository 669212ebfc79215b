// Disable-wins flag: true if an enable lives and no disable does. False until it is first enabled.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/result.hpp"
#include "lattice/causal.hpp"
#include "lattice/dot_map.hpp"
#include "lattice/dot_set.hpp"
#include "lattice/operation.hpp"
#include "lattice/type_id.hpp"

namespace anabranch::lattice {

/// Two-sided: enables live under `true`, disables under `false`, and each operation kills what it has seen on both
/// sides. The one-sided form of the delta papers starts as true, which no user of a new flag expects.
/// Plain value; its context belongs to the partition.
struct DwFlag {
  static constexpr TypeId kId = TypeId::kDwFlag;
  static constexpr std::string_view kName = "dwflag";
  static constexpr std::array kVerbs = {Verb::kEnable, Verb::kDisable};
  using Store = DotMap<bool, DotSet>;

  Store store;
  friend bool operator==(const DwFlag&, const DwFlag&) = default;

  [[nodiscard]] bool enabled() const { return store.find(true) != nullptr && store.find(false) == nullptr; }

  /// The delta of enabling (`to` true) or disabling under the fresh `dot`. A disable counts on a flag that is not
  /// enabled, too: it must win against an enable that has not seen it.
  [[nodiscard]] Causal<DwFlag> set(const Dot& dot, bool to) const {
    Causal<DwFlag> change;
    store.for_each_dot([&](const Dot& seen) { change.context.insert(seen); });
    change.context.insert(dot);
    change.object.store.insert(to, DotSet(dot));
    return change;
  }

  [[nodiscard]] core::Result<Causal<DwFlag>> apply(const Operation& operation, Mutator& mutator) const {
    if (auto valid = check_bare(operation); !valid) return tl::unexpected(std::move(valid.error()));
    return set(mutator.fresh_dot(), operation.verb == Verb::kEnable);
  }
  [[nodiscard]] Reading read() const { return enabled(); }
  [[nodiscard]] std::int64_t measure() const { return enabled() ? 1 : 0; }
  [[nodiscard]] std::uint64_t fingerprint(std::uint64_t seed) const { return store.fingerprint(seed); }
  [[nodiscard]] std::size_t weight_bytes() const { return 8 + store.weight_bytes(); }
};

static_assert(CausalType<DwFlag> && Lattice<Causal<DwFlag>> && Catalogued<DwFlag>);

}  // namespace anabranch::lattice

// Multi-value register: keeps every value that no later write has seen.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "lattice/causal.hpp"
#include "lattice/dot_fun.hpp"
#include "lattice/operation.hpp"
#include "lattice/type_id.hpp"

namespace anabranch::lattice {

/// Plain value; its context belongs to the partition.
struct MvRegister {
  static constexpr TypeId kId = TypeId::kMvRegister;
  static constexpr std::string_view kName = "mvregister";
  static constexpr std::array kVerbs = {Verb::kSet};
  using Store = DotFun<core::Bytes>;

  Store store;
  friend bool operator==(const MvRegister&, const MvRegister&) = default;

  /// The delta of writing `value` under the fresh `dot`: it supersedes every value that is here.
  [[nodiscard]] Causal<MvRegister> set(const Dot& dot, core::Bytes value) const {
    Causal<MvRegister> written{{Store(dot, std::move(value))}, {}};
    store.for_each_dot([&](const Dot& seen) { written.context.insert(seen); });
    written.context.insert(dot);
    return written;
  }

  [[nodiscard]] core::Result<Causal<MvRegister>> apply(const Operation& operation, Mutator& mutator) const {
    if (auto valid = check_elements(operation, 1, 1); !valid) return tl::unexpected(std::move(valid.error()));
    return set(mutator.fresh_dot(), operation.elements.front());
  }
  /// The values, each once: two writers may have written the same.
  [[nodiscard]] std::vector<core::Bytes> values() const {
    std::set<core::Bytes> distinct;
    for (const auto& [dot, value] : store.entries()) distinct.insert(value);
    return {distinct.begin(), distinct.end()};
  }
  [[nodiscard]] Reading read() const { return values(); }
  /// How many distinct values.
  [[nodiscard]] std::int64_t measure() const { return static_cast<std::int64_t>(values().size()); }
  [[nodiscard]] std::uint64_t fingerprint(std::uint64_t seed) const { return store.fingerprint(seed); }
  [[nodiscard]] std::size_t weight_bytes() const { return 8 + store.weight_bytes(); }
};

static_assert(CausalType<MvRegister> && Lattice<Causal<MvRegister>> && Catalogued<MvRegister>);

}  // namespace anabranch::lattice

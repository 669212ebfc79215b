// The state of one partition: a table of variables and the causal context that they share. Everything that changes state
// goes through here. Owned by the replica's shard.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/hash.hpp"
#include "delta/message.hpp"
#include "delta/outbox.hpp"

namespace anabranch::delta {

class Store {
 public:
  /// The variable of the key with the lowest type, or nullptr; borrowed until the store changes.
  [[nodiscard]] const lattice::Object* find(BytesView key) const;
  /// The variable of exactly this type, or nullptr; borrowed likewise.
  [[nodiscard]] const lattice::Object* find(BytesView key, lattice::TypeId type) const;
  /// Appends the variables whose key starts with `prefix`, lowest types only, sorted by key; borrowed likewise.
  ///   after  if not null, only keys greater than it
  ///   limit  of what is appended
  ///   cost   O(log variables + appended); O(variables log variables) if a key is new since the last scan
  void scan(BytesView prefix, const Bytes* after, std::size_t limit,
            std::vector<std::pair<BytesView, const lattice::Object*>>& out) const;
  /// Calls f(key, object) for every variable, in no order that means anything.
  template <class F>
  void for_each(F&& f) const {
    for (const auto& [key, variable] : table_) {
      f(BytesView(key), variable.object);
      for (const lattice::Object& other : variable.others) f(BytesView(key), other);
    }
  }

  /// Joins a delta of one variable, creating it if need be, and takes its dots into the context.
  ///   returns  true iff (variable, context) grew or the variable is new
  bool join(BytesView key, const lattice::Fragment& fragment);
  /// Joins the entries of an interval under the context as it is before, then takes in all their dots.
  ///   changed  gets the variables that grew
  void join(const Interval& interval, std::vector<Changed>& changed);
  /// Joins a whole state, in one step: a dot in `context` that none of `entries` has is dead.
  ///   entries  complete objects (their fragments' contexts are not used), sorted by (key, type), none twice
  ///   cost     O(partition)
  void join_whole(std::vector<Entry> entries, const lattice::CausalContext& context, std::vector<Changed>& changed);

  [[nodiscard]] const lattice::CausalContext& context() const { return context_; }
  [[nodiscard]] std::size_t variables() const { return variables_; }
  /// Keys that exist with several types.
  [[nodiscard]] std::size_t clashes() const { return clashes_; }
  /// Equal states, equal numbers. Computed when asked for after a change: O(partition), else O(1).
  [[nodiscard]] std::uint64_t fingerprint() const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(BytesView key) const { return static_cast<std::size_t>(core::hash64(key, kSeed)); }
    static constexpr std::uint64_t kSeed = 0x616E61;  // not the partition's: all keys here share its low bits
  };
  /// Nearly every key has one type; `others` are higher ones, ascending.
  struct Variable {
    lattice::Object object;
    std::vector<lattice::Object> others;
  };

  lattice::Object& obtain(BytesView key, lattice::TypeId type, bool& fresh);
  bool join_object(BytesView key, const lattice::Fragment& fragment);

  using Table = boost::unordered_flat_map<Bytes, Variable, Hash, std::equal_to<>>;
  void sort_keys() const;

  Table table_;
  mutable std::vector<const Table::value_type*> sorted_;  // by key; of the last scan, empty once a key is new
  lattice::CausalContext context_;
  std::size_t variables_ = 0;
  std::size_t clashes_ = 0;
  mutable std::optional<std::uint64_t> fingerprint_;
};

}  // namespace anabranch::delta

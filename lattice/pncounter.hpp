// Counter that goes both ways: each actor owns a pair of what it added and what it took away.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "lattice/concepts.hpp"
#include "lattice/operation.hpp"
#include "lattice/type_id.hpp"

namespace anabranch::lattice {

/// Actor -> (added, taken), pointwise max on both; a pair of zeros is not kept. Sorted by actor. Plain value.
class PnCounter {
 public:
  static constexpr TypeId kId = TypeId::kPnCounter;
  static constexpr std::string_view kName = "pncounter";
  static constexpr std::array kVerbs = {Verb::kIncrement, Verb::kDecrement};

  struct Entry {
    core::Actor actor;
    std::uint64_t added = 0;
    std::uint64_t taken = 0;
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  PnCounter() = default;
  /// kMalformed unless the actors ascend strictly, no pair is (0, 0) and no count passes core::kCountMax.
  static core::Result<PnCounter> from_entries(std::vector<Entry> entries);

  /// By ascending actor. Borrowed until the counter changes.
  [[nodiscard]] std::span<const Entry> entries() const { return entries_; }

  /// The delta that adds `amount` to the value, or takes it away, in the entry of `actor`.
  /// kRefused unless positive; kOverflow if the value or the actor's count would pass 2^62 in either direction.
  [[nodiscard]] core::Result<PnCounter> increment(const core::Actor& actor, std::int64_t amount) const;
  [[nodiscard]] core::Result<PnCounter> decrement(const core::Actor& actor, std::int64_t amount) const;

  bool join(const PnCounter& other);
  [[nodiscard]] bool leq(const PnCounter& other) const;
  [[nodiscard]] PnCounter delta(const PnCounter& other) const;
  template <class Sink>
  void decompose(Sink&& sink) const {
    for (const Entry& entry : entries_) {
      if (entry.added > 0) sink(PnCounter(Entry{entry.actor, entry.added, 0}));
      if (entry.taken > 0) sink(PnCounter(Entry{entry.actor, 0, entry.taken}));
    }
  }
  [[nodiscard]] std::uint64_t irreducibles() const;
  friend bool operator==(const PnCounter&, const PnCounter&) = default;

  [[nodiscard]] core::Result<PnCounter> apply(const Operation& operation, Mutator& mutator) const;
  [[nodiscard]] Reading read() const { return measure(); }
  /// What was added less what was taken, saturated at both ends of 64 bits.
  [[nodiscard]] std::int64_t measure() const;
  [[nodiscard]] std::uint64_t fingerprint(std::uint64_t seed) const;
  [[nodiscard]] std::size_t weight_bytes() const { return 8 + entries_.size() * 32; }

 private:
  explicit PnCounter(const Entry& entry) : entries_{entry} { add_to_sums(entry.added, entry.taken); }
  [[nodiscard]] Entry entry_of(const core::Actor& actor) const;
  bool raise(const Entry& entry);
  void add_to_sums(std::uint64_t added, std::uint64_t taken);

  std::vector<Entry> entries_;
  std::uint64_t added_ = 0;  // sums over all entries, saturated
  std::uint64_t taken_ = 0;
};

static_assert(Lattice<PnCounter> && Catalogued<PnCounter>);

}  // namespace anabranch::lattice

// Which dots a replica has seen, live or dead: runs of sequence numbers per origin. An origin's history is dense, so in
// the steady state each origin is one run that starts at 1 (its contiguous counter); holes cost a run each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/result.hpp"
#include "core/types.hpp"
#include "lattice/dot.hpp"

namespace anabranch::lattice {

/// The dots lo..hi, both included, of one origin.
struct Run {
  core::Origin origin;
  std::uint64_t lo = 0;
  std::uint64_t hi = 0;
  friend bool operator==(const Run&, const Run&) = default;
};

/// A set of dots, run-length. Runs are sorted by (origin, lo) and neither overlap nor touch, so that equal sets are equal
/// values. Nothing here enumerates dots. Plain value; any thread, one at a time.
///   source  Almeida, Shoker, Baquero 2018 (causal context); the compact form is Lasp's, over runs instead of a cloud
class CausalContext {
 public:
  CausalContext() = default;
  /// The context of these runs, as a decoder has them. kMalformed if they are not in canonical form.
  static core::Result<CausalContext> from_runs(std::vector<Run> runs);

  [[nodiscard]] bool empty() const { return runs_.empty(); }
  [[nodiscard]] bool contains(const Dot& dot) const;
  /// Adds one dot, or lo..hi of `origin` (1 <= lo <= hi <= kSequenceMax, else CHECK). True iff the context grew.
  bool insert(const Dot& dot) { return insert(dot.origin, dot.sequence, dot.sequence); }
  bool insert(const core::Origin& origin, std::uint64_t lo, std::uint64_t hi);

  /// Adds every dot of `other`. True iff this context grew. O(runs of both), or O(log) for each run of a small `other`.
  bool join(const CausalContext& other);
  /// Is every dot of this context in `other`?
  [[nodiscard]] bool leq(const CausalContext& other) const;
  /// The dots that are here and not in `other`.
  [[nodiscard]] CausalContext minus(const CausalContext& other) const;

  /// The largest n such that the dots 1..n of `origin` are all here; 0 if its first dot is not.
  [[nodiscard]] std::uint64_t contiguous(const core::Origin& origin) const;
  /// How many dots are in the set.
  [[nodiscard]] std::uint64_t dot_count() const;

  /// In canonical order: by origin, then ascending. Borrowed until the context changes.
  [[nodiscard]] std::span<const Run> runs() const { return runs_; }
  template <class F>
  void for_each_run(F&& f) const {
    for (const Run& run : runs_) f(run.origin, run.lo, run.hi);
  }

  /// Approximate bytes when encoded.
  [[nodiscard]] std::size_t weight_bytes() const { return runs_.size() * 32; }

  friend bool operator==(const CausalContext&, const CausalContext&) = default;

 private:
  void join_linear(const CausalContext& other);

  std::vector<Run> runs_;
};

}  // namespace anabranch::lattice

#include "lattice/causal_context.hpp"

#include <algorithm>
#include <tuple>

#include "core/check.hpp"

namespace anabranch::lattice {
namespace {

// Below this many runs of the other side, a search for each is cheaper than walking both. // guess
constexpr std::size_t kFewRuns = 8;

/// The first run that ends at or after `sequence` in `origin`, or lies in a later origin.
template <class Runs>
auto first_reaching(Runs& runs, const core::Origin& origin, std::uint64_t sequence) {
  return std::lower_bound(runs.begin(), runs.end(), std::tie(origin, sequence),
                          [](const Run& run, const auto& at) { return std::tie(run.origin, run.hi) < at; });
}

/// Appends a run that does not start before the last one, absorbing it where they overlap or touch.
void append(std::vector<Run>& runs, const Run& run) {
  if (!runs.empty() && runs.back().origin == run.origin && run.lo <= runs.back().hi + 1) {
    runs.back().hi = std::max(runs.back().hi, run.hi);
  } else {
    runs.push_back(run);
  }
}

}  // namespace

core::Result<CausalContext> CausalContext::from_runs(std::vector<Run> runs) {
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Run& run = runs[i];
    if (run.lo < 1 || run.lo > run.hi || run.hi > kSequenceMax)
      return core::fail(core::Errc::kMalformed, "a run of dots has no valid bounds");
    if (i == 0) continue;
    const Run& before = runs[i - 1];
    if (run.origin < before.origin || (run.origin == before.origin && run.lo <= before.hi + 1))
      return core::fail(core::Errc::kMalformed, "runs of dots are unsorted, overlap or touch");
  }
  CausalContext context;
  context.runs_ = std::move(runs);
  return context;
}

bool CausalContext::contains(const Dot& dot) const {
  const auto run = first_reaching(runs_, dot.origin, dot.sequence);
  return run != runs_.end() && run->origin == dot.origin && run->lo <= dot.sequence;
}

bool CausalContext::insert(const core::Origin& origin, std::uint64_t lo, std::uint64_t hi) {
  CHECK(lo >= 1 && lo <= hi && hi <= kSequenceMax, lo, hi);
  const auto first = first_reaching(runs_, origin, lo - 1);  // touching below counts
  if (first == runs_.end() || first->origin != origin || first->lo > hi + 1) {
    runs_.insert(first, Run{origin, lo, hi});
    return true;
  }
  if (first->lo <= lo && hi <= first->hi) return false;
  first->lo = std::min(first->lo, lo);
  first->hi = std::max(first->hi, hi);
  auto last = first + 1;
  for (; last != runs_.end() && last->origin == origin && last->lo <= first->hi + 1; ++last)
    first->hi = std::max(first->hi, last->hi);
  runs_.erase(first + 1, last);
  return true;
}

bool CausalContext::join(const CausalContext& other) {
  if (other.runs_.size() <= kFewRuns) {
    bool grew = false;
    for (const Run& run : other.runs_) grew |= insert(run.origin, run.lo, run.hi);
    return grew;
  }
  if (other.leq(*this)) return false;
  join_linear(other);
  return true;
}

void CausalContext::join_linear(const CausalContext& other) {
  std::vector<Run> joined;
  joined.reserve(runs_.size() + other.runs_.size());
  auto mine = runs_.begin();
  auto theirs = other.runs_.begin();
  while (mine != runs_.end() || theirs != other.runs_.end()) {
    const bool take_mine =
        theirs == other.runs_.end() ||
        (mine != runs_.end() && std::tie(mine->origin, mine->lo) <= std::tie(theirs->origin, theirs->lo));
    append(joined, take_mine ? *mine++ : *theirs++);
  }
  runs_ = std::move(joined);
}

bool CausalContext::leq(const CausalContext& other) const {
  const auto covered = [&](auto in, const Run& run) {
    return in != other.runs_.end() && in->origin == run.origin && in->lo <= run.lo && run.hi <= in->hi;
  };
  if (runs_.size() <= kFewRuns) {
    return std::all_of(runs_.begin(), runs_.end(),
                       [&](const Run& run) { return covered(first_reaching(other.runs_, run.origin, run.lo), run); });
  }
  auto in = other.runs_.begin();
  for (const Run& run : runs_) {
    while (in != other.runs_.end() && std::tie(in->origin, in->hi) < std::tie(run.origin, run.lo)) ++in;
    if (!covered(in, run)) return false;
  }
  return true;
}

CausalContext CausalContext::minus(const CausalContext& other) const {
  CausalContext rest;
  for (const Run& run : runs_) {
    std::uint64_t next = run.lo;  // the first dot of `run` that is not yet settled
    auto cut = first_reaching(other.runs_, run.origin, run.lo);
    for (; cut != other.runs_.end() && cut->origin == run.origin && cut->lo <= run.hi; ++cut) {
      if (cut->lo > next) rest.runs_.push_back({run.origin, next, cut->lo - 1});
      next = cut->hi + 1;
    }
    if (next <= run.hi) rest.runs_.push_back({run.origin, next, run.hi});
  }
  return rest;
}

std::uint64_t CausalContext::contiguous(const core::Origin& origin) const {
  const auto run = first_reaching(runs_, origin, 1);
  return run != runs_.end() && run->origin == origin && run->lo == 1 ? run->hi : 0;
}

std::uint64_t CausalContext::dot_count() const {
  std::uint64_t count = 0;
  for (const Run& run : runs_) count += run.hi - run.lo + 1;
  return count;
}

}  // namespace anabranch::lattice

#include "lattice/gcounter.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>

#include "core/limits.hpp"
#include "lattice/hashing.hpp"
#include "lattice/kernels/max_join.hpp"

namespace anabranch::lattice {
namespace {

// With fewer entries than this share of ours, a search for each is cheaper than walking both. // guess
constexpr std::size_t kFewShare = 8;

bool same_actors(std::span<const core::Actor> a, std::span<const core::Actor> b) {
  static_assert(std::has_unique_object_representations_v<core::Actor>);
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

std::uint64_t saturating_sum(std::span<const std::uint64_t> counts) {
  std::uint64_t bits = 0;
  std::uint64_t sum = 0;
  for (const std::uint64_t count : counts) {  // two reductions without a branch, for the vectoriser
    bits |= count;
    sum += count;
  }
  if (std::bit_width(bits) + std::bit_width(counts.size()) <= 64) return sum;  // cannot have wrapped
  sum = 0;
  for (const std::uint64_t count : counts) sum = count > UINT64_MAX - sum ? UINT64_MAX : sum + count;
  return sum;
}

}  // namespace

core::Result<GCounter> GCounter::from_entries(std::span<const Entry> entries) {
  GCounter counter;
  for (const Entry& entry : entries) {
    if (entry.count < 1 || entry.count > core::kCountMax)
      return core::fail(core::Errc::kMalformed, "a counter entry is zero or beyond 2^62");
    if (!counter.actors_.empty() && !(counter.actors_.back() < entry.actor))
      return core::fail(core::Errc::kMalformed, "counter entries are unsorted");
    counter.push_back(entry.actor, entry.count);
  }
  return counter;
}

GCounter GCounter::single(const core::Actor& actor, std::uint64_t count) {
  GCounter counter;
  counter.push_back(actor, count);
  return counter;
}

std::uint64_t GCounter::count(const core::Actor& actor) const {
  const auto at = std::lower_bound(actors_.begin(), actors_.end(), actor);
  return at != actors_.end() && *at == actor ? counts_[static_cast<std::size_t>(at - actors_.begin())] : 0;
}

core::Result<GCounter> GCounter::increment(const core::Actor& actor, std::int64_t amount) const {
  if (amount <= 0) return core::fail(core::Errc::kRefused, "the amount must be positive");
  const auto more = static_cast<std::uint64_t>(amount);
  if (more > core::kCountMax || sum_ > core::kCountMax - more)
    return core::fail(core::Errc::kOverflow, "the counter would pass 2^62");
  return single(actor, count(actor) + more);
}

core::Result<GCounter> GCounter::raise_total(const core::Actor& actor, std::int64_t total) const {
  if (total <= 0) return core::fail(core::Errc::kRefused, "the total must be positive");
  if ((actor.low >> 63) == 0) return core::fail(core::Errc::kRefused, "only an edge client reports totals");
  const std::uint64_t now = count(actor);
  const auto then = static_cast<std::uint64_t>(total);
  if (then <= now) return GCounter();
  if (then > core::kCountMax || sum_ > core::kCountMax || sum_ - now > core::kCountMax - then)
    return core::fail(core::Errc::kOverflow, "the counter would pass 2^62");
  return single(actor, then);
}

bool GCounter::join(const GCounter& other) {
  if (same_actors(actors_, other.actors_)) {
    if (!kernels::max_join(counts_, other.counts_)) return false;
    sum_ = saturating_sum(counts_);
    return true;
  }
  if (other.size() < size() / kFewShare + 2) {
    bool grew = false;
    for (std::size_t i = 0; i < other.size(); ++i) grew |= raise(other.actors_[i], other.counts_[i]);
    return grew;
  }
  return join_linear(other);
}

bool GCounter::raise(const core::Actor& actor, std::uint64_t count) {
  const auto at = std::lower_bound(actors_.begin(), actors_.end(), actor) - actors_.begin();
  const auto index = static_cast<std::size_t>(at);
  if (index < actors_.size() && actors_[index] == actor) {
    if (count <= counts_[index]) return false;
    add_to_sum(count - counts_[index]);
    counts_[index] = count;
    return true;
  }
  actors_.insert(actors_.begin() + at, actor);
  counts_.insert(counts_.begin() + at, count);
  add_to_sum(count);
  return true;
}

bool GCounter::join_linear(const GCounter& other) {
  GCounter joined;
  joined.actors_.reserve(size() + other.size());
  joined.counts_.reserve(size() + other.size());
  bool grew = false;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < size() || j < other.size()) {
    if (j == other.size() || (i < size() && actors_[i] < other.actors_[j])) {
      joined.push_back(actors_[i], counts_[i]);
      ++i;
    } else if (i == size() || other.actors_[j] < actors_[i]) {
      joined.push_back(other.actors_[j], other.counts_[j]);
      grew = true;
      ++j;
    } else {
      grew |= counts_[i] < other.counts_[j];
      joined.push_back(actors_[i], std::max(counts_[i], other.counts_[j]));
      ++i;
      ++j;
    }
  }
  if (grew) *this = std::move(joined);
  return grew;
}

bool GCounter::leq(const GCounter& other) const {
  if (sum_ > other.sum_ || size() > other.size()) return false;
  std::size_t j = 0;
  for (std::size_t i = 0; i < size(); ++i) {
    while (j < other.size() && other.actors_[j] < actors_[i]) ++j;
    if (j == other.size() || other.actors_[j] != actors_[i] || other.counts_[j] < counts_[i]) return false;
  }
  return true;
}

GCounter GCounter::delta(const GCounter& other) const {
  GCounter news;
  std::size_t j = 0;
  for (std::size_t i = 0; i < size(); ++i) {
    while (j < other.size() && other.actors_[j] < actors_[i]) ++j;
    const bool known = j < other.size() && other.actors_[j] == actors_[i];
    if (!known || other.counts_[j] < counts_[i]) news.push_back(actors_[i], counts_[i]);
  }
  return news;
}

void GCounter::push_back(const core::Actor& actor, std::uint64_t count) {
  actors_.push_back(actor);
  counts_.push_back(count);
  add_to_sum(count);
}

// Saturation is canonical: the true sum only grows, so a sum that passed the limit once is beyond it for ever.
void GCounter::add_to_sum(std::uint64_t amount) { sum_ = amount > UINT64_MAX - sum_ ? UINT64_MAX : sum_ + amount; }

core::Result<GCounter> GCounter::apply(const Operation& operation, Mutator& mutator) const {
  if (auto valid = check_positive(operation); !valid) return tl::unexpected(std::move(valid.error()));
  if (operation.verb == Verb::kTotal) return raise_total(operation.actor, operation.amount);
  return increment(core::Actor::of(mutator.origin), operation.amount);
}

std::int64_t GCounter::measure() const {
  return static_cast<std::int64_t>(std::min(sum_, static_cast<std::uint64_t>(INT64_MAX)));
}

std::uint64_t GCounter::fingerprint(std::uint64_t seed) const {
  std::uint64_t sum = 0;
  for_each(
      [&](const core::Actor& actor, std::uint64_t count) { sum ^= hash_words(seed, actor.high, actor.low, count); });
  return sum;
}

}  // namespace anabranch::lattice

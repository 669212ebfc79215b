#include "lattice/pncounter.hpp"

#include <algorithm>

#include "core/limits.hpp"
#include "lattice/hashing.hpp"

namespace anabranch::lattice {
namespace {

__extension__ using Wide = __int128;
constexpr auto kValueMax = static_cast<Wide>(core::kCountMax);

bool before(const PnCounter::Entry& entry, const core::Actor& actor) { return entry.actor < actor; }

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) { return b > UINT64_MAX - a ? UINT64_MAX : a + b; }

core::Result<std::uint64_t> positive(std::int64_t amount) {
  if (amount <= 0) return core::fail(core::Errc::kRefused, "the amount must be positive");
  return static_cast<std::uint64_t>(amount);
}

core::Result<std::uint64_t> raised(std::uint64_t count, std::uint64_t amount, Wide value_after) {
  if (amount > core::kCountMax || count > core::kCountMax - amount || value_after > kValueMax ||
      value_after < -kValueMax)
    return core::fail(core::Errc::kOverflow, "the counter would pass 2^62");
  return count + amount;
}

}  // namespace

core::Result<PnCounter> PnCounter::from_entries(std::vector<Entry> entries) {
  PnCounter counter;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    if ((entry.added == 0 && entry.taken == 0) || entry.added > core::kCountMax || entry.taken > core::kCountMax)
      return core::fail(core::Errc::kMalformed, "a counter entry is zero or beyond 2^62");
    if (i > 0 && !(entries[i - 1].actor < entry.actor))
      return core::fail(core::Errc::kMalformed, "counter entries are unsorted");
    counter.add_to_sums(entry.added, entry.taken);
  }
  counter.entries_ = std::move(entries);
  return counter;
}

PnCounter::Entry PnCounter::entry_of(const core::Actor& actor) const {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), actor, before);
  return at != entries_.end() && at->actor == actor ? *at : Entry{actor, 0, 0};
}

core::Result<PnCounter> PnCounter::increment(const core::Actor& actor, std::int64_t amount) const {
  const auto more = positive(amount);
  if (!more) return tl::unexpected(more.error());
  const auto added = raised(entry_of(actor).added, *more, static_cast<Wide>(added_) - taken_ + *more);
  if (!added) return tl::unexpected(added.error());
  return PnCounter(Entry{actor, *added, 0});
}

core::Result<PnCounter> PnCounter::decrement(const core::Actor& actor, std::int64_t amount) const {
  const auto more = positive(amount);
  if (!more) return tl::unexpected(more.error());
  const auto taken = raised(entry_of(actor).taken, *more, static_cast<Wide>(added_) - taken_ - *more);
  if (!taken) return tl::unexpected(taken.error());
  return PnCounter(Entry{actor, 0, *taken});
}

bool PnCounter::join(const PnCounter& other) {
  bool grew = false;
  for (const Entry& entry : other.entries_) grew |= raise(entry);
  return grew;
}

bool PnCounter::raise(const Entry& entry) {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), entry.actor, before);
  if (at == entries_.end() || at->actor != entry.actor) {
    entries_.insert(at, entry);
    add_to_sums(entry.added, entry.taken);
    return true;
  }
  const std::uint64_t added = std::max(at->added, entry.added);
  const std::uint64_t taken = std::max(at->taken, entry.taken);
  if (added == at->added && taken == at->taken) return false;
  add_to_sums(added - at->added, taken - at->taken);
  at->added = added;
  at->taken = taken;
  return true;
}

bool PnCounter::leq(const PnCounter& other) const {
  return std::all_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    const Entry theirs = other.entry_of(entry.actor);
    return entry.added <= theirs.added && entry.taken <= theirs.taken;
  });
}

PnCounter PnCounter::delta(const PnCounter& other) const {
  PnCounter news;
  for (const Entry& entry : entries_) {
    const Entry theirs = other.entry_of(entry.actor);
    const Entry fresh{entry.actor, entry.added > theirs.added ? entry.added : 0,
                      entry.taken > theirs.taken ? entry.taken : 0};
    if (fresh.added > 0 || fresh.taken > 0) news.raise(fresh);
  }
  return news;
}

std::uint64_t PnCounter::irreducibles() const {
  std::uint64_t count = 0;
  for (const Entry& entry : entries_) count += (entry.added > 0 ? 1U : 0U) + (entry.taken > 0 ? 1U : 0U);
  return count;
}

void PnCounter::add_to_sums(std::uint64_t added, std::uint64_t taken) {
  added_ = saturating_add(added_, added);
  taken_ = saturating_add(taken_, taken);
}

core::Result<PnCounter> PnCounter::apply(const Operation& operation, Mutator& mutator) const {
  if (auto valid = check_positive(operation); !valid) return tl::unexpected(std::move(valid.error()));
  const core::Actor actor = core::Actor::of(mutator.origin);
  return operation.verb == Verb::kDecrement ? decrement(actor, operation.amount) : increment(actor, operation.amount);
}

std::int64_t PnCounter::measure() const {
  const Wide value = static_cast<Wide>(added_) - static_cast<Wide>(taken_);
  return static_cast<std::int64_t>(std::clamp<Wide>(value, INT64_MIN, INT64_MAX));
}

std::uint64_t PnCounter::fingerprint(std::uint64_t seed) const {
  std::uint64_t sum = 0;
  for (const Entry& entry : entries_) {
    if (entry.added > 0) sum ^= hash_words(seed, entry.actor.high, entry.actor.low, 0, entry.added);
    if (entry.taken > 0) sum ^= hash_words(seed, entry.actor.high, entry.actor.low, 1, entry.taken);
  }
  return sum;
}

}  // namespace anabranch::lattice

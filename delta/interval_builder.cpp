#include "delta/interval_builder.hpp"

#include "core/limits.hpp"

namespace anabranch::delta {

IntervalBuilder::IntervalBuilder(const Origin& origin, std::size_t limit) : origin_(origin), limit_(limit) { reset(); }

void IntervalBuilder::reset() {
  items_.clear();
  origins_ = OriginSet();
  origins_.insert(origin_);
  bytes_ = kMessageFrameBytes + kOriginBytes;
}

bool IntervalBuilder::add(BytesView key, const lattice::Fragment& fragment) {
  std::size_t more = entry_bytes(key, fragment);
  OriginSet named;
  collect_origins(fragment, named);
  for (const Origin& origin : named.all()) more += origins_.contains(origin) ? 0 : kOriginBytes;
  // A join is never larger than its parts together: only a sum beyond the limit needs a trial.
  const bool sure = bytes_ + more <= limit_ && items_.size() < core::kListMax;
  if (!sure && !empty()) {
    const Entry entry{Bytes(key), fragment};
    if (!fits_joined({&entry, 1})) return false;
  }
  join(key, fragment);
  return true;
}

bool IntervalBuilder::add(std::span<const Entry> entries) {
  if (!empty() && !fits_joined(entries)) return false;
  for (const Entry& entry : entries) join(entry.key, entry.fragment);
  return true;
}

void IntervalBuilder::join(BytesView key, const lattice::Fragment& fragment) {
  const std::size_t origins_before = origins_.size();
  collect_origins(fragment, origins_);
  bytes_ += (origins_.size() - origins_before) * kOriginBytes;
  auto at = items_.find(Borrowed{key, lattice::type_of(fragment.object)});
  if (at == items_.end()) {
    at = items_.emplace(Name{Bytes(key), lattice::type_of(fragment.object)}, Item{fragment, 0}).first;
  } else {
    lattice::join(at->second.fragment, fragment);
  }
  bytes_ -= at->second.bytes;
  at->second.bytes = entry_bytes(key, at->second.fragment);
  bytes_ += at->second.bytes;
}

bool IntervalBuilder::fits_joined(std::span<const Entry> entries) const {
  std::size_t sum = bytes_;
  std::size_t names = items_.size();
  OriginSet origins = origins_;
  for (const Entry& entry : entries) {
    collect_origins(entry.fragment, origins);
    const auto at = items_.find(Borrowed{entry.key, lattice::type_of(entry.fragment.object)});
    if (at == items_.end()) {
      ++names;
      sum += entry_bytes(entry.key, entry.fragment);
      continue;
    }
    lattice::Fragment joined = at->second.fragment;
    lattice::join(joined, entry.fragment);
    sum += entry_bytes(entry.key, joined) - at->second.bytes;
  }
  return sum + (origins.size() - origins_.size()) * kOriginBytes <= limit_ && names <= core::kListMax;
}

std::vector<Entry> IntervalBuilder::take() {
  std::vector<Entry> entries;
  entries.reserve(items_.size());
  while (!items_.empty()) {
    auto node = items_.extract(items_.begin());
    entries.push_back({std::move(node.key().key), std::move(node.mapped().fragment)});
  }
  reset();
  return entries;
}

}  // namespace anabranch::delta

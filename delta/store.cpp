#include "delta/store.hpp"

#include <algorithm>

#include "lattice/hashing.hpp"

namespace anabranch::delta {

const lattice::Object* Store::find(BytesView key) const {
  const auto at = table_.find(key);
  return at != table_.end() ? &at->second.object : nullptr;
}

const lattice::Object* Store::find(BytesView key, lattice::TypeId type) const {
  const auto at = table_.find(key);
  if (at == table_.end()) return nullptr;
  if (lattice::type_of(at->second.object) == type) return &at->second.object;
  for (const lattice::Object& other : at->second.others) {
    if (lattice::type_of(other) == type) return &other;
  }
  return nullptr;
}

// Pointers into the table hold until it grows, and it grows with a new key only: obtain() empties the list then.
void Store::sort_keys() const {
  if (sorted_.size() == table_.size()) return;
  sorted_.clear();
  sorted_.reserve(table_.size());
  for (const auto& entry : table_) sorted_.push_back(&entry);
  std::sort(sorted_.begin(), sorted_.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
}

void Store::scan(BytesView prefix, const Bytes* after, std::size_t limit,
                 std::vector<std::pair<BytesView, const lattice::Object*>>& out) const {
  sort_keys();
  const auto before = [](const Table::value_type* entry, BytesView key) { return BytesView(entry->first) < key; };
  const auto behind = [](BytesView key, const Table::value_type* entry) { return key < BytesView(entry->first); };
  auto at = std::lower_bound(sorted_.begin(), sorted_.end(), prefix, before);
  if (after != nullptr) at = std::upper_bound(at, sorted_.end(), BytesView(*after), behind);
  for (; limit > 0 && at != sorted_.end() && BytesView((*at)->first).starts_with(prefix); ++at, --limit)
    out.emplace_back((*at)->first, &(*at)->second.object);
}

lattice::Object& Store::obtain(BytesView key, lattice::TypeId type, bool& fresh) {
  fresh = true;
  auto at = table_.find(key);
  if (at == table_.end()) {
    ++variables_;
    sorted_.clear();
    return table_.emplace(Bytes(key), Variable{lattice::bottom(type), {}}).first->second.object;
  }
  Variable& variable = at->second;
  if (lattice::type_of(variable.object) == type) {
    fresh = false;
    return variable.object;
  }
  const auto before = [](const lattice::Object& object, lattice::TypeId than) {
    return lattice::type_of(object) < than;
  };
  auto place = std::lower_bound(variable.others.begin(), variable.others.end(), type, before);
  if (place != variable.others.end() && lattice::type_of(*place) == type) {
    fresh = false;
    return *place;
  }
  ++variables_;
  clashes_ += variable.others.empty() ? 1 : 0;
  if (lattice::type_of(variable.object) < type) return *variable.others.insert(place, lattice::bottom(type));
  variable.others.insert(variable.others.begin(), std::move(variable.object));
  variable.object = lattice::bottom(type);
  return variable.object;
}

bool Store::join_object(BytesView key, const lattice::Fragment& fragment) {
  bool fresh = false;
  lattice::Object& mine = obtain(key, lattice::type_of(fragment.object), fresh);
  const bool grew = lattice::join(mine, context_, fragment);
  if (fresh || grew) fingerprint_.reset();
  return fresh || grew;
}

bool Store::join(BytesView key, const lattice::Fragment& fragment) {
  const bool grew = join_object(key, fragment);
  context_.join(fragment.context);
  return grew;
}

void Store::join(const Interval& interval, std::vector<Changed>& changed) {
  for (const Entry& entry : interval.entries) {
    if (join_object(entry.key, entry.fragment)) changed.push_back({entry.key, lattice::type_of(entry.fragment.object)});
  }
  bool news = false;
  for (const Entry& entry : interval.entries) news |= context_.join(entry.fragment.context);
  if (interval.dots_low <= interval.dots_high)
    news |= context_.insert(interval.origin, interval.dots_low, interval.dots_high);
  if (news) fingerprint_.reset();
}

void Store::join_whole(std::vector<Entry> entries, const lattice::CausalContext& context,
                       std::vector<Changed>& changed) {
  lattice::Fragment whole;
  whole.context = context;
  const auto join_one = [&](BytesView key, lattice::Object& mine, bool fresh) {
    const std::uint64_t before = lattice::fingerprint(mine, 0);
    // Plain types have no context; for causal ones growth means here that something lives or dies.
    lattice::join(mine, context_, whole);
    if (fresh || lattice::fingerprint(mine, 0) != before) changed.push_back({Bytes(key), lattice::type_of(mine)});
  };
  const auto is_there = [&](BytesView key, lattice::TypeId type) {
    const auto at = std::lower_bound(entries.begin(), entries.end(), key, [&](const Entry& entry, BytesView than) {
      const int order = BytesView(entry.key).compare(than);
      return order != 0 ? order < 0 : lattice::type_of(entry.fragment.object) < type;
    });
    return at != entries.end() && at->key == key && lattice::type_of(at->fragment.object) == type;
  };
  const auto bury = [&](BytesView key, lattice::Object& object) {
    const lattice::TypeId type = lattice::type_of(object);
    if (!lattice::is_causal(type) || is_there(key, type)) return;
    whole.object = lattice::bottom(type);
    join_one(key, object, false);
  };
  for (auto& [key, variable] : table_) {
    bury(key, variable.object);
    for (lattice::Object& other : variable.others) bury(key, other);
  }
  for (Entry& entry : entries) {
    bool fresh = false;
    lattice::Object& mine = obtain(entry.key, lattice::type_of(entry.fragment.object), fresh);
    whole.object = std::move(entry.fragment.object);
    join_one(entry.key, mine, fresh);
  }
  context_.join(context);
  fingerprint_.reset();
}

std::uint64_t Store::fingerprint() const {
  if (fingerprint_) return *fingerprint_;
  std::uint64_t sum = 1;  // 0 means "not given" on the wire
  for_each([&](BytesView key, const lattice::Object& object) {
    const auto seed = core::hash64(key, static_cast<std::uint64_t>(lattice::type_of(object)));
    sum ^= lattice::hash_words(seed, lattice::fingerprint(object, seed));
  });
  context_.for_each_run([&](const Origin& origin, std::uint64_t lo, std::uint64_t hi) {
    sum ^= lattice::hash_words(origin.node, std::uint64_t{origin.incarnation}, lo, hi);
  });
  fingerprint_ = sum == 0 ? 1 : sum;
  return *fingerprint_;
}

}  // namespace anabranch::delta

// Dot store: keys to dot stores, without empty ones. An index from live dots to keys makes the join of a small delta cost
// as much as the delta, not as the map.
#pragma once

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "core/check.hpp"
#include "core/result.hpp"
#include "lattice/concepts.hpp"
#include "lattice/hashing.hpp"

namespace anabranch::lattice {

/// Each dot is live under at most one key. Reading never creates an entry.
///   source  Almeida, Shoker, Baquero 2018, fig. 5; the index is ours
template <std::totally_ordered K, DotStore S>
class DotMap {
 public:
  using Entries = std::map<K, S, std::less<>>;

  DotMap() = default;
  DotMap(const DotMap& other) : entries_(other.entries_) { index_entries(); }
  DotMap(DotMap&& other) noexcept : entries_(std::move(other.entries_)), keys_(std::move(other.keys_)) {
    other.clear();
  }
  DotMap& operator=(DotMap other) noexcept {
    entries_.swap(other.entries_);
    keys_.swap(other.keys_);
    return *this;
  }
  ~DotMap() = default;

  /// kMalformed unless the keys ascend strictly, no store is empty and no dot is live twice.
  static core::Result<DotMap> from_entries(std::vector<std::pair<K, S>> entries) {
    DotMap map;
    for (auto& [key, store] : entries) {
      if (store.empty()) return core::fail(core::Errc::kMalformed, "an element without dots");
      if (!map.entries_.empty() && !(map.entries_.rbegin()->first < key))
        return core::fail(core::Errc::kMalformed, "elements are unsorted");
      bool twice = false;
      store.for_each_dot([&](const Dot& dot) { twice = twice || map.contains(dot); });
      if (twice) return core::fail(core::Errc::kMalformed, "a dot is live twice");
      map.insert(std::move(key), std::move(store));
    }
    return map;
  }

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  /// Ascending by key. Borrowed until the map changes.
  [[nodiscard]] const Entries& entries() const { return entries_; }
  /// The store under `key`, borrowed; null if there is none.
  template <class Key>
  [[nodiscard]] const S* find(const Key& key) const {
    const auto at = entries_.find(key);
    return at != entries_.end() ? &at->second : nullptr;
  }
  /// Puts a store that is not empty, whose dots are new here, under a key that is new here (else CHECK).
  void insert(K key, S store) {
    CHECK(!store.empty());
    const auto [at, fresh] = entries_.emplace(std::move(key), std::move(store));
    CHECK(fresh);
    at->second.for_each_dot([&](const Dot& dot) { CHECK(keys_.emplace(dot, &at->first).second); });
  }

  [[nodiscard]] bool contains(const Dot& dot) const { return keys_.find(dot) != keys_.end(); }
  /// By key, then by dot.
  template <class F>
  void for_each_dot(F&& f) const {
    for (const auto& [key, store] : entries_) store.for_each_dot(f);
  }

  ///   cost  O((runs of `theirs` + live dots in them + dots of `other`) * log)
  template <class Observer = IgnoreDots>
  bool join(const CausalContext& mine, const DotMap& other, const CausalContext& theirs, Observer&& observer = {}) {
    bool changed = false;
    for (const K* key : keys_seen_by(theirs)) {
      if (other.find(*key) == nullptr) changed |= join_entry(*key, mine, S(), theirs, observer);
    }
    for (const auto& [key, store] : other.entries_) changed |= join_entry(key, mine, store, theirs, observer);
    return changed;
  }

  [[nodiscard]] bool leq(const CausalContext& mine, const DotMap& other, const CausalContext& theirs) const {
    const S none;
    for (const auto& [key, store] : other.entries_) {
      const S* own = find(key);
      if (!(own != nullptr ? *own : none).leq(mine, store, theirs)) return false;
    }
    return true;
  }

  [[nodiscard]] DotMap delta(const CausalContext& mine, const DotMap& other, const CausalContext& theirs,
                             CausalContext& told) const {
    const S none;
    DotMap news;
    for (const auto& [key, store] : entries_) {
      const S* their_store = other.find(key);
      S fresh = store.delta(mine, their_store != nullptr ? *their_store : none, theirs, told);
      if (!fresh.empty()) news.insert(key, std::move(fresh));
    }
    for (const auto& [key, store] : other.entries_) {
      if (find(key) == nullptr) static_cast<void>(none.delta(mine, store, theirs, told));  // deaths only
    }
    return news;
  }

  [[nodiscard]] DotMap only(const Dot& dot) const {
    DotMap part;
    if (const auto at = keys_.find(dot); at != keys_.end()) part.insert(*at->second, find(*at->second)->only(dot));
    return part;
  }

  [[nodiscard]] std::uint64_t fingerprint(std::uint64_t seed) const {
    std::uint64_t sum = 0;
    for (const auto& [key, store] : entries_) sum ^= store.fingerprint(seed_under(seed, key));
    return sum;
  }
  [[nodiscard]] std::size_t weight_bytes() const {
    std::size_t bytes = 0;
    for (const auto& [key, store] : entries_) {
      bytes += 8 + store.weight_bytes();
      if constexpr (requires { key.size(); }) bytes += key.size();
    }
    return bytes;
  }

  friend bool operator==(const DotMap& a, const DotMap& b) { return a.entries_ == b.entries_; }

 private:
  /// Keeps the index in step with a store that is being joined, and passes the news on.
  template <class Observer>
  struct Indexing {
    DotMap& map;
    const K& key;
    Observer& observer;
    void born(const Dot& dot) {
      map.keys_.emplace(dot, &key);
      observer.born(dot);
    }
    void died(const Dot& dot) {
      map.keys_.erase(dot);
      observer.died(dot);
    }
  };

  template <class Observer>
  bool join_entry(const K& key, const CausalContext& mine, const S& other, const CausalContext& theirs,
                  Observer& observer) {
    const auto at = entries_.try_emplace(key).first;
    Indexing<Observer> indexing{*this, at->first, observer};
    const bool changed = at->second.join(mine, other, theirs, indexing);
    if (at->second.empty()) entries_.erase(at);
    return changed;
  }

  /// The keys that have a live dot in `context`, each once, ascending. Borrowed from the entries.
  [[nodiscard]] std::vector<const K*> keys_seen_by(const CausalContext& context) const {
    std::vector<const K*> hit;
    context.for_each_run([&](const core::Origin& origin, std::uint64_t lo, std::uint64_t hi) {
      const auto end = keys_.upper_bound(Dot{origin, hi});
      for (auto at = keys_.lower_bound(Dot{origin, lo}); at != end; ++at) hit.push_back(at->second);
    });
    std::sort(hit.begin(), hit.end(), [](const K* a, const K* b) { return *a < *b; });
    hit.erase(std::unique(hit.begin(), hit.end()), hit.end());
    return hit;
  }

  void index_entries() {
    for (const auto& [key, store] : entries_) {
      const K* place = &key;
      store.for_each_dot([&](const Dot& dot) { keys_.emplace(dot, place); });
    }
  }
  void clear() {
    entries_.clear();
    keys_.clear();
  }

  Entries entries_;
  std::map<Dot, const K*> keys_;  // live dot -> its key, which lives in `entries_`
};

}  // namespace anabranch::lattice

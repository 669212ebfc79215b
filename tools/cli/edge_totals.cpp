#include "tools/cli/edge_totals.hpp"

#include <algorithm>

#include "core/check.hpp"

namespace anabranch::cli {

EdgeTotals::Entry EdgeTotals::open(std::string_view client, std::string_view key, std::size_t lane) {
  CHECK(lane < queues_.size(), lane);
  auto client_at = client_numbers_.find(client);
  if (client_at == client_numbers_.end()) {
    client_at = client_numbers_.emplace(client, static_cast<std::uint32_t>(actors_.size())).first;
    actors_.push_back(core::edge_actor(client));
  }
  auto key_at = key_numbers_.find(key);
  if (key_at == key_numbers_.end()) {
    key_at = key_numbers_.emplace(key, static_cast<std::uint32_t>(keys_.size())).first;
    keys_.emplace_back(key);
  }
  const std::uint64_t pair = (std::uint64_t{client_at->second} << 32) | key_at->second;
  const auto [at, fresh] = entry_numbers_.emplace(pair, static_cast<Entry>(entries_.size()));
  if (fresh) {
    State state;
    state.client = client_at->second;
    state.key = key_at->second;
    state.lane = static_cast<std::uint16_t>(lane);
    entries_.push_back(state);
  }
  return at->second;
}

void EdgeTotals::raise(Entry entry, std::uint64_t total) {
  State& state = entries_[entry];
  if (total <= state.total) return;
  if (state.refused) refused_ += total - state.total;
  state.total = total;
  if (state.queued || state.in_batch || state.refused) return;
  state.queued = true;
  ++waiting_;
  queues_[state.lane].push_back(entry);
}

bool EdgeTotals::take(std::size_t lane, std::size_t max, EdgeBatch& into) {
  into = {};
  auto& queue = queues_[lane];
  const std::size_t count = std::min(max, queue.size());
  into.updates.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Entry entry = queue.front();
    queue.pop_front();
    State& state = entries_[entry];
    state.queued = false;
    state.in_batch = true;
    into.entries.push_back(entry);
    into.totals.push_back(state.total);
    lattice::Operation total;
    total.verb = lattice::Verb::kTotal;
    total.amount = static_cast<std::int64_t>(state.total);
    total.actor = actors_[state.client];
    into.updates.push_back({keys_[state.key], lattice::TypeId::kGCounter, std::move(total)});
  }
  return count > 0;
}

// An entry has left its batch: it waits again if its total is not acknowledged.
void EdgeTotals::settle(Entry entry) {
  State& state = entries_[entry];
  state.in_batch = false;
  if (state.total > state.acknowledged && !state.refused) {
    state.queued = true;
    queues_[state.lane].push_back(entry);
  } else {
    --waiting_;
  }
}

void EdgeTotals::acknowledge(const EdgeBatch& batch, const std::vector<std::uint32_t>& refused,
                             const std::vector<std::uint32_t>& put_off) {
  std::vector<bool> held(batch.entries.size(), true);
  for (const std::uint32_t index : refused) {
    if (index >= held.size() || !held[index]) continue;
    held[index] = false;
    State& state = entries_[batch.entries[index]];
    state.refused = true;
    refused_ += state.total - state.acknowledged;
  }
  for (const std::uint32_t index : put_off)
    if (index < held.size()) held[index] = false;
  for (std::size_t i = 0; i < held.size(); ++i) {
    State& state = entries_[batch.entries[i]];
    if (held[i] && batch.totals[i] > state.acknowledged) {
      acknowledged_ += batch.totals[i] - state.acknowledged;
      state.acknowledged = batch.totals[i];
    }
    settle(batch.entries[i]);
  }
}

void EdgeTotals::give_back(const EdgeBatch& batch) {
  for (const Entry entry : batch.entries) settle(entry);
}

}  // namespace anabranch::cli

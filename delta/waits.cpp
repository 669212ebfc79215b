#include "delta/waits.hpp"

#include <algorithm>

namespace anabranch::delta {

void Waits::add(core::FlushNumber flush, std::uint32_t copies, std::uint64_t token) {
  cancel(token);
  levels_[copies].emplace(flush, token);
  tokens_[token] = {copies, flush};
}

void Waits::cancel(std::uint64_t token) {
  const auto at = tokens_.find(token);
  if (at == tokens_.end()) return;
  const auto level = levels_.find(at->second.first);
  level->second.erase({at->second.second, token});
  if (level->second.empty()) levels_.erase(level);
  tokens_.erase(at);
}

bool Waits::wants_copies(core::FlushNumber top) const {
  return std::any_of(levels_.upper_bound(1), levels_.end(),
                     [&](const auto& level) { return level.second.begin()->first <= top; });
}

void Waits::settle(std::vector<core::FlushNumber> held, std::vector<std::uint64_t>& reached) {
  std::sort(held.begin(), held.end(), std::greater<>());
  for (auto level = levels_.begin(); level != levels_.end();) {
    auto& [copies, places] = *level;
    if (copies > held.size()) return;
    const core::FlushNumber everywhere = copies == 0 ? UINT64_MAX : held[copies - 1];
    while (!places.empty() && places.begin()->first <= everywhere) {
      reached.push_back(places.begin()->second);
      tokens_.erase(places.begin()->second);
      places.erase(places.begin());
    }
    level = places.empty() ? levels_.erase(level) : std::next(level);
  }
}

}  // namespace anabranch::delta

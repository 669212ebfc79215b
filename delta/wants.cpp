#include "delta/wants.hpp"

#include <algorithm>
#include <utility>

namespace anabranch::delta {

bool Wants::add(const Origin& origin, FlushNumber held, NodeId from, core::Instant deadline) {
  const auto [at, fresh] = wants_.try_emplace(origin, Want{from, deadline, held, 0});
  if (fresh) next_ = std::min(next_, deadline);
  return fresh;
}

void Wants::settle(const Origin& origin) {
  if (wants_.erase(origin) > 0) find_next();
}

std::vector<Origin> Wants::origins() const {
  std::vector<Origin> origins;
  for (const auto& [origin, want] : wants_) origins.push_back(origin);
  return origins;
}

void Wants::find_next() {
  next_ = core::kNever;
  for (const auto& [origin, want] : wants_) next_ = std::min(next_, want.deadline);
}

bool Wants::keep(NodeId from, Interval interval) {
  if (early_count_ >= kEarlyMax) return false;
  ++early_count_;
  const Origin origin = interval.origin;
  early_[origin].push_back({from, std::move(interval)});
  return true;
}

std::optional<Wants::Early> Wants::next_early(const Origin& origin, FlushNumber held) {
  const auto at = early_.find(origin);
  if (at == early_.end()) return std::nullopt;
  auto& waiting = at->second;
  early_count_ -= std::erase_if(waiting, [&](const Early& early) { return early.interval.top <= held; });
  std::optional<Early> next;
  const auto fits =
      std::find_if(waiting.begin(), waiting.end(), [&](const Early& early) { return early.interval.base <= held; });
  if (fits != waiting.end()) {
    next = std::move(*fits);
    waiting.erase(fits);
    --early_count_;
  }
  if (waiting.empty()) early_.erase(at);
  return next;
}

void Wants::forget_early_of(NodeId peer) {
  for (auto at = early_.begin(); at != early_.end();) {
    early_count_ -= std::erase_if(at->second, [&](const Early& early) { return early.from == peer; });
    at = at->second.empty() ? early_.erase(at) : std::next(at);
  }
}

std::vector<Wants::Due> Wants::due(core::Instant now, core::Duration again, const Vector& held) {
  std::vector<Due> due;
  for (auto& [origin, want] : wants_) {
    if (want.deadline > now) continue;
    want.deadline = now + again;
    const auto at = held.find(origin);
    const FlushNumber holds = at != held.end() ? at->second : 0;
    if (std::exchange(want.held, holds) < holds) continue;  // it is on its way
    due.push_back({origin, want.from, want.tries++});
  }
  find_next();
  return due;
}

}  // namespace anabranch::delta

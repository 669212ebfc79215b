#include "delta/origin_log.hpp"

#include <algorithm>

#include "core/check.hpp"
#include "delta/interval_builder.hpp"
#include "delta/sizes.hpp"

namespace anabranch::delta {
namespace {

// What an entry and an interval take in memory beyond their encoded bytes. // guess, checked against malloc_usable_size
constexpr std::size_t kEntryMemory = 160;
constexpr std::size_t kIntervalMemory = 128;

std::size_t memory_of(const Interval& interval) {
  std::size_t bytes = kIntervalMemory;
  for (const Entry& entry : interval.entries) bytes += kEntryMemory + entry_bytes(entry.key, entry.fragment);
  return bytes;
}

}  // namespace

void OriginLogs::append(Interval interval) {
  const Origin origin = interval.origin;
  CHECK(interval.base <= top(origin) && interval.top > top(origin), interval.base, interval.top, top(origin));
  Log& log = logs_[origin];
  const std::size_t bytes = memory_of(interval);
  log.items.push_back({std::move(interval), next_age_, bytes});
  ages_.emplace_back(next_age_++, origin);
  bytes_ += bytes;
  while (bytes_ > bytes_max_) drop_oldest();
}

void OriginLogs::drop_oldest() {
  const auto [age, origin] = ages_.front();
  ages_.pop_front();
  Log& log = logs_[origin];
  CHECK(!log.items.empty() && log.items.front().age == age, age);
  bytes_ -= log.items.front().bytes;
  log.floor = log.items.front().interval.top;
  log.items.pop_front();
}

void OriginLogs::restart(const Origin& origin, FlushNumber floor) {
  Log& log = logs_[origin];
  for (const Item& item : log.items) bytes_ -= item.bytes;
  log.items.clear();
  log.floor = floor;
  std::erase_if(ages_, [&](const auto& age) { return age.second == origin; });
}

FlushNumber OriginLogs::floor(const Origin& origin) const {
  const auto at = logs_.find(origin);
  return at != logs_.end() ? at->second.floor : 0;
}

FlushNumber OriginLogs::top(const Origin& origin) const {
  const auto at = logs_.find(origin);
  if (at == logs_.end()) return 0;
  return at->second.items.empty() ? at->second.floor : at->second.items.back().interval.top;
}

std::optional<Interval> OriginLogs::read(const Origin& origin, FlushNumber after, std::size_t limit) const {
  const auto found = logs_.find(origin);
  if (found == logs_.end()) return std::nullopt;
  const Log& log = found->second;
  CHECK(after >= log.floor, after, log.floor);
  auto item = std::upper_bound(log.items.begin(), log.items.end(), after,
                               [](FlushNumber flush, const Item& candidate) { return flush < candidate.interval.top; });
  if (item == log.items.end()) return std::nullopt;

  Interval joined;
  joined.origin = origin;
  joined.base = item->interval.base;
  IntervalBuilder builder(origin, limit);
  for (std::size_t count = 0; item != log.items.end() && count < kJoinMax; ++item, ++count) {
    const Interval& part = item->interval;
    if (!builder.add(part.entries)) break;
    joined.top = part.top;
    joined.ack_wanted = joined.ack_wanted || part.ack_wanted;
    if (part.dots_low > part.dots_high) continue;
    if (joined.dots_low > joined.dots_high) joined.dots_low = part.dots_low;
    joined.dots_low = std::min(joined.dots_low, part.dots_low);
    joined.dots_high = std::max(joined.dots_high, part.dots_high);
  }
  joined.entries = builder.take();
  return joined;
}

}  // namespace anabranch::delta

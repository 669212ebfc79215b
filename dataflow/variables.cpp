#include "dataflow/variables.hpp"

#include <algorithm>

#include "core/check.hpp"
#include "core/hash.hpp"

namespace anabranch::dataflow {
namespace {

core::Result<Ticket> ticket(core::PartitionId partition, const core::Result<delta::Ticket>& result) {
  if (!result) return tl::unexpected(result.error());
  return Ticket{partition, result->flush};
}

tl::unexpected<core::Error> foreign() { return core::fail(core::Errc::kRefused, "the key belongs to another shard"); }

View view(core::BytesView key, const lattice::Object& object) { return {key, lattice::type_of(object), &object}; }

}  // namespace

core::PartitionId Variables::partition_of(core::BytesView key) const {
  return core::partition_of(key, static_cast<std::uint32_t>(replicas_.size()));
}

delta::Replica& Variables::replica(core::PartitionId partition) {
  CHECK(partition < replicas_.size() && replicas_[partition] != nullptr, partition);
  return *replicas_[partition];
}

core::Result<Ticket> Variables::declare(core::BytesView key, lattice::TypeId type, delta::Outbox& outbox) {
  const core::PartitionId partition = partition_of(key);
  if (replicas_[partition] == nullptr) return foreign();
  return ticket(partition, replicas_[partition]->declare(key, type, outbox));
}

core::Result<Ticket> Variables::update(core::BytesView key, lattice::TypeId type, const lattice::Operation& operation,
                                       std::uint64_t wall_ms, delta::Outbox& outbox) {
  const core::PartitionId partition = partition_of(key);
  if (replicas_[partition] == nullptr) return foreign();
  return ticket(partition, replicas_[partition]->update(key, type, operation, wall_ms, outbox));
}

std::optional<View> Variables::query(core::BytesView key) const {
  const auto& replica = replicas_[partition_of(key)];
  const lattice::Object* object = replica == nullptr ? nullptr : replica->find(key);
  if (object == nullptr) return std::nullopt;
  return view(key, *object);
}

std::pair<std::vector<View>, bool> Variables::scan(core::BytesView prefix, const core::Bytes* after,
                                                   std::size_t limit) const {
  std::vector<std::pair<core::BytesView, const lattice::Object*>> found;
  for (const auto& replica : replicas_)
    if (replica != nullptr) replica->scan(prefix, after, limit + 1, found);  // one more tells whether more follow
  const std::size_t count = std::min(limit, found.size());
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(count), found.end(),
                    [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<View> views;
  views.reserve(count);
  for (std::size_t i = 0; i < count; ++i) views.push_back(view(found[i].first, *found[i].second));
  return {std::move(views), found.size() > count};
}

core::Result<Variables::Read> Variables::read(core::BytesView key, std::int64_t at_least) {
  const auto now = query(key);
  if (now && lattice::measure(*now->object) >= at_least) return Read{now, 0};
  const auto watch = watches_.add(key, at_least);
  if (!watch) return tl::unexpected(watch.error());
  return Read{std::nullopt, *watch};
}

void Variables::fire(const delta::Outbox& outbox, std::vector<Fired>& fired) {
  if (watches_.size() == 0) return;
  for (const delta::Changed& changed : outbox.changed) {
    const auto grown = query(changed.key);
    if (!grown) continue;
    fired_.clear();
    watches_.fire(changed.key, lattice::measure(*grown->object), fired_);
    for (const WatchId watch : fired_) fired.push_back({watch, *grown});
  }
}

}  // namespace anabranch::dataflow

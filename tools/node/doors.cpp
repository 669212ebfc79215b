#include "tools/node/doors.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "core/hash.hpp"
#include "core/limits.hpp"

namespace anabranch::node {

Doors::Doors(Replicas& replicas) : replicas_(replicas) {}

delta::Replica* Doors::replica_of(core::BytesView key) const {
  const auto partition = core::partition_of(key, static_cast<std::uint32_t>(replicas_.size()));
  return replicas_[partition].get();
}

void Doors::handle(Command command, std::uint64_t wall_ms, delta::Outbox& outbox, std::vector<Reply>& replies) {
  ++commands_;
  const std::uint64_t id = command.id;
  std::visit(
      [&](auto& body) {
        using Body = std::decay_t<decltype(body)>;
        if constexpr (std::is_same_v<Body, UpdateCommand>) update(id, body, wall_ms, outbox, replies);
        if constexpr (std::is_same_v<Body, DeclareCommand>) declare(id, body, outbox, replies);
        if constexpr (std::is_same_v<Body, GetCommand>) get(id, body, replies);
        if constexpr (std::is_same_v<Body, ScanCommand>) scan(id, body, replies);
        if constexpr (std::is_same_v<Body, WatchCommand>) watch(id, body, replies);
        if constexpr (std::is_same_v<Body, CancelCommand>) cancel(body.id);
      },
      command.body);
}

void Doors::update(std::uint64_t id, const UpdateCommand& command, std::uint64_t wall_ms, delta::Outbox& outbox,
                   std::vector<Reply>& replies) {
  Wait wait;
  std::map<core::PartitionId, core::FlushNumber>
      flushes;  // the last flush of each partition that the updates went into
  for (std::uint32_t i = 0; i < command.updates.size(); ++i) {
    const Update& update = command.updates[i];
    delta::Replica* replica = replica_of(update.key);
    if (replica == nullptr) {
      wait.reply.refused.push_back({i, core::Error{core::Errc::kRefused, "the key belongs to another shard", {}}});
      continue;
    }
    const auto ticket = replica->update(update.key, update.type, update.operation, wall_ms, outbox);
    if (!ticket) {
      wait.reply.refused.push_back({i, ticket.error()});
      continue;
    }
    const auto partition = core::partition_of(update.key, static_cast<std::uint32_t>(replicas_.size()));
    auto& flush = flushes[partition];
    flush = std::max(flush, ticket->flush);
  }
  wait_for(id, std::move(wait), command.copies, flushes, outbox, replies);
}

void Doors::declare(std::uint64_t id, const DeclareCommand& command, delta::Outbox& outbox,
                    std::vector<Reply>& replies) {
  delta::Replica* replica = replica_of(command.key);
  if (replica == nullptr) {
    replies.push_back({id, core::fail(core::Errc::kRefused, "the key belongs to another shard")});
    return;
  }
  const auto ticket = replica->declare(command.key, command.type, outbox);
  if (!ticket) {
    replies.push_back({id, tl::unexpected(ticket.error())});
    return;
  }
  const auto partition = core::partition_of(command.key, static_cast<std::uint32_t>(replicas_.size()));
  wait_for(id, Wait{}, command.copies, {{partition, ticket->flush}}, outbox, replies);
}

void Doors::wait_for(std::uint64_t id, Wait wait, std::uint32_t copies,
                     const std::map<core::PartitionId, core::FlushNumber>& flushes, delta::Outbox& outbox,
                     std::vector<Reply>& replies) {
  if (copies <= 1 || flushes.empty()) {
    replies.push_back({id, std::move(wait.reply)});
    return;
  }
  for (const auto& [partition, flush] : flushes) {
    const std::uint64_t token = next_token_++;
    wait.open.emplace_back(partition, token);
    wait_owner_.emplace(token, id);
  }
  // The wait stands before the replicas are asked: a flush that is held already answers through the outbox like any other.
  const auto& open = waits_.insert_or_assign(id, std::move(wait)).first->second.open;
  std::size_t next = 0;
  for (const auto& [partition, flush] : flushes) replicas_[partition]->wait(flush, copies, open[next++].second, outbox);
}

void Doors::get(std::uint64_t id, const GetCommand& command, std::vector<Reply>& replies) const {
  ItemsReply reply;
  for (const core::Bytes& key : command.keys) {
    const delta::Replica* replica = replica_of(key);
    lattice::TypeId type{};
    const lattice::Object* object = replica == nullptr ? nullptr : replica->find(key, &type);
    if (object != nullptr) reply.items.push_back({key, type, lattice::read(*object)});
  }
  replies.push_back({id, std::move(reply)});
}

void Doors::scan(std::uint64_t id, const ScanCommand& command, std::vector<Reply>& replies) const {
  std::vector<std::pair<core::BytesView, const lattice::Object*>> found;
  for (const auto& replica : replicas_)
    if (replica != nullptr) replica->scan(command.prefix, found);
  if (!command.from_start)
    std::erase_if(found, [&command](const auto& entry) { return entry.first <= core::BytesView(command.after); });
  const std::size_t limit = std::min<std::size_t>(std::max(1U, command.limit), core::kListMax);
  ItemsReply reply;
  reply.more = found.size() > limit;
  const auto by_key = [](const auto& a, const auto& b) { return a.first < b.first; };
  const auto end = found.begin() + static_cast<std::ptrdiff_t>(std::min(limit, found.size()));
  std::partial_sort(found.begin(), end, found.end(), by_key);
  for (auto it = found.begin(); it != end; ++it)
    reply.items.push_back({core::Bytes(it->first), lattice::type_of(*it->second), lattice::read(*it->second)});
  replies.push_back({id, std::move(reply)});
}

void Doors::watch(std::uint64_t id, const WatchCommand& command, std::vector<Reply>& replies) {
  const delta::Replica* replica = replica_of(command.key);
  lattice::TypeId type{};
  const lattice::Object* object = replica == nullptr ? nullptr : replica->find(command.key, &type);
  if (object != nullptr && lattice::measure(*object) >= command.at_least) {
    replies.push_back({id, ItemsReply{{{command.key, type, lattice::read(*object)}}, false}});
    return;
  }
  const auto watch = index_.add(command.key, command.at_least);
  if (!watch) {
    replies.push_back({id, tl::unexpected(watch.error())});
    return;
  }
  watch_by_command_.emplace(id, *watch);
  command_by_watch_.emplace(*watch, id);
}

void Doors::cancel(std::uint64_t id) {
  if (const auto watch = watch_by_command_.find(id); watch != watch_by_command_.end()) {
    index_.cancel(watch->second);
    command_by_watch_.erase(watch->second);
    watch_by_command_.erase(watch);
  }
  if (const auto wait = waits_.find(id); wait != waits_.end()) {
    for (const auto& [partition, token] : wait->second.open) {
      replicas_[partition]->cancel_wait(token);
      wait_owner_.erase(token);
    }
    waits_.erase(wait);
  }
}

void Doors::fire(core::BytesView key, const lattice::Object& object, std::vector<Reply>& replies) {
  std::vector<dataflow::WatchId> fired;
  index_.fire(key, lattice::measure(object), fired);
  for (const dataflow::WatchId watch : fired) {
    const auto command = command_by_watch_.find(watch);
    if (command == command_by_watch_.end()) continue;
    const Item item{core::Bytes(key), lattice::type_of(object), lattice::read(object)};
    replies.push_back({command->second, ItemsReply{{item}, false}});
    watch_by_command_.erase(command->second);
    command_by_watch_.erase(command);
  }
}

void Doors::react(const delta::Outbox& outbox, std::vector<Reply>& replies) {
  if (!watch_by_command_.empty()) {
    for (const delta::Changed& changed : outbox.changed) {
      const delta::Replica* replica = replica_of(changed.key);
      const lattice::Object* object = replica == nullptr ? nullptr : replica->find(changed.key);
      if (object != nullptr) fire(changed.key, *object, replies);
    }
  }
  for (const std::uint64_t token : outbox.reached) {
    const auto owner = wait_owner_.find(token);
    if (owner == wait_owner_.end()) continue;
    const std::uint64_t id = owner->second;
    wait_owner_.erase(owner);
    Wait& wait = waits_.at(id);
    std::erase_if(wait.open, [token](const auto& open) { return open.second == token; });
    if (!wait.open.empty()) continue;
    replies.push_back({id, std::move(wait.reply)});
    waits_.erase(id);
  }
}

}  // namespace anabranch::node

#include "tools/node/doors.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "core/limits.hpp"

namespace anabranch::node {
namespace {

Item item(const dataflow::View& view) { return {core::Bytes(view.key), view.type, lattice::read(*view.object)}; }

}  // namespace

Doors::Doors(Replicas& replicas) : variables_(replicas) {}

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
    const auto ticket = variables_.update(update.key, update.type, update.operation, wall_ms, outbox);
    if (ticket)
      flushes[ticket->partition] = std::max(flushes[ticket->partition], ticket->flush);
    else
      wait.reply.refused.push_back({i, ticket.error()});
  }
  wait_for(id, std::move(wait), command.copies, flushes, outbox, replies);
}

void Doors::declare(std::uint64_t id, const DeclareCommand& command, delta::Outbox& outbox,
                    std::vector<Reply>& replies) {
  const auto ticket = variables_.declare(command.key, command.type, outbox);
  if (ticket)
    wait_for(id, Wait{}, command.copies, {{ticket->partition, ticket->flush}}, outbox, replies);
  else
    replies.push_back({id, tl::unexpected(ticket.error())});
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
  // The wait stands before the replicas are asked: a flush that is held already answers through the outbox like any
  // other.
  const auto& open = waits_.insert_or_assign(id, std::move(wait)).first->second.open;
  std::size_t next = 0;
  for (const auto& [partition, flush] : flushes)
    variables_.replica(partition).wait(flush, copies, open[next++].second, outbox);
}

void Doors::get(std::uint64_t id, const GetCommand& command, std::vector<Reply>& replies) const {
  ItemsReply reply;
  for (const core::Bytes& key : command.keys)
    if (const auto view = variables_.query(key)) reply.items.push_back(item(*view));
  replies.push_back({id, std::move(reply)});
}

void Doors::scan(std::uint64_t id, const ScanCommand& command, std::vector<Reply>& replies) const {
  const std::size_t limit = std::clamp<std::size_t>(command.limit, 1, core::kListMax);
  const auto [views, more] = variables_.scan(command.prefix, command.from_start ? nullptr : &command.after, limit);
  ItemsReply reply;
  reply.more = more;
  for (const dataflow::View& view : views)
    reply.items.push_back(command.values ? item(view) : Item{core::Bytes(view.key), view.type, {}});
  replies.push_back({id, std::move(reply)});
}

void Doors::watch(std::uint64_t id, const WatchCommand& command, std::vector<Reply>& replies) {
  const auto read = variables_.read(command.key, command.at_least);
  if (!read) {
    replies.push_back({id, tl::unexpected(read.error())});
  } else if (read->now) {
    replies.push_back({id, ItemsReply{{item(*read->now)}, false}});
  } else {
    watch_by_command_.emplace(id, read->later);
    command_by_watch_.emplace(read->later, id);
  }
}

void Doors::cancel(std::uint64_t id) {
  if (const auto watch = watch_by_command_.find(id); watch != watch_by_command_.end()) {
    variables_.cancel(watch->second);
    command_by_watch_.erase(watch->second);
    watch_by_command_.erase(watch);
  }
  if (const auto wait = waits_.find(id); wait != waits_.end()) {
    for (const auto& [partition, token] : wait->second.open) {
      variables_.replica(partition).cancel_wait(token);
      wait_owner_.erase(token);
    }
    waits_.erase(wait);
  }
}

void Doors::react(const delta::Outbox& outbox, std::vector<Reply>& replies) {
  fired_.clear();
  variables_.fire(outbox, fired_);
  for (const dataflow::Variables::Fired& fired : fired_) {
    const auto command = command_by_watch_.find(fired.watch);
    if (command == command_by_watch_.end()) continue;
    replies.push_back({command->second, ItemsReply{{item(fired.view)}, false}});
    watch_by_command_.erase(command->second);
    command_by_watch_.erase(command);
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

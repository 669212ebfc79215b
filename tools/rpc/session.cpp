#include "tools/rpc/session.hpp"

#include <kj/debug.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/limits.hpp"
#include "tools/rpc/wire.hpp"

namespace anabranch::rpc {
namespace {

using core::Errc;

template <class Context>
kj::Promise<void> answer_error(Context& context, const core::Error& error) {
  write(context.getResults().initError(), error);
  return kj::READY_NOW;
}

core::Error error_of(Errc code, const char* what, std::string detail = {}) { return {code, what, std::move(detail)}; }

/// The updates of one call that one shard owns, and where they stood in the call.
struct Batch {
  std::vector<node::Update> updates;
  std::vector<std::uint32_t> indices;
};

using Batches = std::map<core::ShardId, Batch>;

void collect_refusals(const Batch& batch, Outcome& outcome, std::vector<node::Refusal>& into) {
  if (!outcome) {  // the shard took nothing
    for (const std::uint32_t index : batch.indices) into.push_back({index, outcome.error()});
    return;
  }
  auto* reply = std::get_if<node::UpdateReply>(&*outcome);
  if (reply == nullptr) return;
  for (node::Refusal& refusal : reply->refused) {
    if (refusal.index >= batch.indices.size()) continue;
    into.push_back({batch.indices[refusal.index], std::move(refusal.error)});
  }
}

template <class Results>
void write_refusals(Results results, std::vector<node::Refusal>& refusals) {
  std::sort(refusals.begin(), refusals.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
  auto list = results.initRefused(static_cast<unsigned>(refusals.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    list[i].setIndex(refusals[i].index);
    write(list[i].initError(), refusals[i].error);
  }
}

/// The items of several shards, sorted by key; the first error if there is one. Beyond the last key of a shard that stopped
/// early that shard may have keys which are not here, so the merged list ends there.
core::Result<node::ItemsReply> merge_items(kj::Array<Outcome>& outcomes) {
  node::ItemsReply all;
  std::optional<core::Bytes> end;
  for (Outcome& outcome : outcomes) {
    if (!outcome) return tl::unexpected(outcome.error());
    auto* reply = std::get_if<node::ItemsReply>(&*outcome);
    if (reply == nullptr) continue;
    all.more = all.more || reply->more;
    if (reply->more && !reply->items.empty() && (!end || reply->items.back().key < *end)) end = reply->items.back().key;
    std::move(reply->items.begin(), reply->items.end(), std::back_inserter(all.items));
  }
  std::sort(all.items.begin(), all.items.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  while (end && all.items.back().key > *end) all.items.pop_back();
  return all;
}

/// How many of `items`, from the first, fit one answer; at least one if there is any, for write() leaves out a value that
/// could never fit.
std::size_t fitting(const std::vector<node::Item>& items) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    bytes += wire_bytes(items[i]);
    if (bytes > kAnswerBytesMax && i > 0) return i;
  }
  return items.size();
}

template <class Results>
void write_items(Results results, const std::vector<node::Item>& items, std::size_t count) {
  auto list = results.initItems(static_cast<unsigned>(count));
  for (unsigned i = 0; i < count; ++i) write(list[i], items[i]);
}

void cut_at_limit(node::ItemsReply& all, std::size_t limit) {
  if (all.items.size() <= limit) return;
  all.items.resize(limit);
  all.more = true;
}

core::Error too_large_answer() { return error_of(Errc::kTooLarge, "the answer would pass 32 MiB; ask for fewer keys"); }

}  // namespace

Session::Session(Mailbox& mailbox, const Facts& facts, DoorCounters& counters, std::size_t open_calls_max)
    : mailbox_(mailbox), facts_(facts), counters_(counters), open_calls_max_(open_calls_max) {}

template <class Context, class Work>
kj::Promise<void> Session::admit(Context context, Work work) {
  ++counters_.control_calls;
  context.allowCancellation();  // a client that goes, or gives up, ends its waits
  if (!greeted_) return answer_error(context, error_of(Errc::kRefused, "hello must be the first call"));
  if (open_calls_ >= open_calls_max_)
    return answer_error(
        context, error_of(Errc::kFull, "too many open calls on this connection", std::to_string(open_calls_max_)));
  ++open_calls_;
  return work(context).attach(kj::defer([this]() { --open_calls_; }));
}

kj::Promise<void> Session::hello(HelloContext context) {
  const auto version = context.getParams().getVersion();
  if (version != wire::PROTOCOL_VERSION) {
    return answer_error(context,
                        error_of(Errc::kRefused, "this node speaks version 1 of the control protocol, the client",
                                 std::to_string(version)));
  }
  greeted_ = true;
  auto node = context.getResults().initNode();
  node.setName(text_field(facts_.name).c_str());
  node.setId(facts_.id);
  node.setCluster(text_field(facts_.cluster).c_str());
  node.setVersion(facts_.version.c_str());
  node.setDurable(facts_.durable);
  return kj::READY_NOW;
}

core::Result<std::uint32_t> Session::copies_for(wire::Ack::Reader in) const {
  const auto ack = read(in);
  if (!ack) return tl::unexpected(ack.error());
  if (ack->level == Ack::Level::kDurable && !facts_.durable)
    return core::fail(Errc::kRefused,
                      "this node has no storage and cannot acknowledge 'durable'; ask for 'received' or a "
                      "number of nodes");
  if (ack->level != Ack::Level::kCopies) return 1U;
  if (ack->copies == 0) return core::fail(Errc::kMalformed, "at least one node must hold an update");
  return ack->copies;
}

kj::Promise<void> Session::update(UpdateContext context) {
  return admit(context, [this](UpdateContext& call) -> kj::Promise<void> {
    const auto params = call.getParams();
    const auto copies = copies_for(params.getAck());
    if (!copies) return answer_error(call, copies.error());
    const auto updates = params.getUpdates();
    if (updates.size() > core::kListMax)
      return answer_error(call, error_of(Errc::kTooLarge, "more than 4,096 updates in one call"));
    auto batches = kj::heap<Batches>();
    auto refusals = kj::heap<std::vector<node::Refusal>>();
    for (std::uint32_t i = 0; i < updates.size(); ++i) {
      auto update = read(updates[i]);
      if (!update) {
        refusals->push_back({i, update.error()});
        continue;
      }
      Batch& batch = (*batches)[shard_of(update->key)];
      batch.updates.push_back(std::move(*update));
      batch.indices.push_back(i);
    }
    call.releaseParams();
    kj::Vector<kj::Promise<Outcome>> calls;
    for (auto& [shard, batch] : *batches)
      calls.add(mailbox_.call(shard, node::UpdateCommand{std::move(batch.updates), *copies}));
    return kj::joinPromises(calls.releaseAsArray())
        .then([call, batches = kj::mv(batches), refusals = kj::mv(refusals)](kj::Array<Outcome> outcomes) mutable {
          std::size_t i = 0;
          for (const auto& [shard, batch] : *batches) collect_refusals(batch, outcomes[i++], *refusals);
          write_refusals(call.getResults(), *refusals);
        });
  });
}

kj::Promise<void> Session::declare(DeclareContext context) {
  return admit(context, [this](DeclareContext& call) -> kj::Promise<void> {
    const auto params = call.getParams();
    auto key = read_key(params.getKey());
    if (!key) return answer_error(call, key.error());
    const auto type = read_type(params.getType());
    if (!type) return answer_error(call, type.error());
    const auto copies = copies_for(params.getAck());
    if (!copies) return answer_error(call, copies.error());
    const core::ShardId shard = shard_of(*key);
    return mailbox_.call(shard, node::DeclareCommand{std::move(*key), *type, *copies})
        .then([call](Outcome outcome) mutable {
          if (!outcome) {
            write(call.getResults().initError(), outcome.error());
            return;
          }
          const auto* reply = std::get_if<node::UpdateReply>(&*outcome);
          if (reply != nullptr && !reply->refused.empty())
            write(call.getResults().initError(), reply->refused.front().error);
        });
  });
}

kj::Promise<void> Session::get(GetContext context) {
  return admit(context, [this](GetContext& call) -> kj::Promise<void> {
    const auto keys = call.getParams().getKeys();
    if (keys.size() > core::kListMax)
      return answer_error(call, error_of(Errc::kTooLarge, "more than 4,096 keys in one call"));
    std::map<core::ShardId, node::GetCommand> commands;
    for (const auto data : keys) {
      auto key = read_key(data);
      if (!key) return answer_error(call, key.error());
      const core::ShardId shard = shard_of(*key);
      commands[shard].keys.push_back(std::move(*key));
    }
    kj::Vector<kj::Promise<Outcome>> calls;
    for (auto& [shard, command] : commands) calls.add(mailbox_.call(shard, std::move(command)));
    return kj::joinPromises(calls.releaseAsArray()).then([call](kj::Array<Outcome> outcomes) mutable {
      const auto all = merge_items(outcomes);
      if (!all) return write(call.getResults().initError(), all.error());
      const std::size_t count = all->items.size();
      if (fitting(all->items) < count) return write(call.getResults().initError(), too_large_answer());
      write_items(call.getResults(), all->items, count);
    });
  });
}

kj::Promise<void> Session::scan(ScanContext context) {
  return admit(context, [this](ScanContext& call) -> kj::Promise<void> {
    const auto params = call.getParams();
    if (params.getPrefix().size() > core::kKeyBytesMax || params.getAfter().size() > core::kKeyBytesMax)
      return answer_error(call, error_of(Errc::kTooLarge, "a prefix or key is longer than 1,024 bytes"));
    node::ScanCommand command;
    command.prefix = bytes_of(params.getPrefix());
    command.after = bytes_of(params.getAfter());
    command.from_start = params.getFromStart();
    command.limit = std::clamp(params.getLimit(), 1U, kScanMax);
    command.values = params.getValues();
    const std::size_t limit = command.limit;
    kj::Vector<kj::Promise<Outcome>> calls;
    for (std::uint32_t shard = 0; shard < facts_.shards; ++shard)
      calls.add(mailbox_.call(static_cast<core::ShardId>(shard), command));
    return kj::joinPromises(calls.releaseAsArray()).then([call, limit](kj::Array<Outcome> outcomes) mutable {
      auto all = merge_items(outcomes);
      if (!all) return write(call.getResults().initError(), all.error());
      cut_at_limit(*all, limit);
      const std::size_t count = fitting(all->items);
      write_items(call.getResults(), all->items, count);
      call.getResults().setMore(all->more || count < all->items.size());
    });
  });
}

kj::Promise<void> Session::watch(WatchContext context) {
  return admit(context, [this](WatchContext& call) -> kj::Promise<void> {
    auto key = read_key(call.getParams().getKey());
    if (!key) return answer_error(call, key.error());
    const core::ShardId shard = shard_of(*key);
    const std::int64_t at_least = call.getParams().getAtLeast();
    return mailbox_.call(shard, node::WatchCommand{std::move(*key), at_least}).then([call](Outcome outcome) mutable {
      if (!outcome) return write(call.getResults().initError(), outcome.error());
      const auto* reply = std::get_if<node::ItemsReply>(&*outcome);
      if (reply == nullptr || reply->items.empty())
        return write(call.getResults().initError(), error_of(Errc::kClosed, "the watch ended without a value"));
      write(call.getResults().initItem(), reply->items.front());
    });
  });
}

kj::Promise<void> Session::members(MembersContext context) {
  return admit(context, [this](MembersContext& call) -> kj::Promise<void> {
    return mailbox_.call(0, node::MembersCommand{}).then([call](Outcome outcome) mutable {
      if (!outcome) return write(call.getResults().initError(), outcome.error());
      const auto* reply = std::get_if<node::MembersReply>(&*outcome);
      if (reply == nullptr) return;
      auto list = call.getResults().initMembers(static_cast<unsigned>(reply->members.size()));
      for (unsigned i = 0; i < list.size(); ++i) write(list[i], reply->members[i]);
    });
  });
}

kj::Promise<void> Session::status(StatusContext context) {
  return admit(context, [this](StatusContext& call) -> kj::Promise<void> {
    return survey(mailbox_).then([this, call](core::Result<Survey> all) mutable {
      if (!all) return write(call.getResults().initError(), all.error());
      write(call.getResults().initStatus(), summarize(*all, facts_, core::monotonic_now()));
    });
  });
}

}  // namespace anabranch::rpc

#include "tests/tools/fake_node.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/hash.hpp"

namespace anabranch::testing {

using core::Errc;

FakeNode::FakeNode(node::NodeConfig config)
    : config_(std::move(config)), event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (config_.shards == 0) config_.shards = 2;
  if (config_.listen.port == 0) config_.listen.port = 7370;
  shards_.resize(config_.shards);
}

FakeNode::~FakeNode() { close(event_); }

core::ShardId FakeNode::shard_of(core::BytesView key) const {
  std::uint32_t sum = 0;
  for (const char c : key) sum = sum * 31 + static_cast<unsigned char>(c);
  return static_cast<core::ShardId>(sum % config_.shards);
}

void FakeNode::reply(std::uint64_t id, core::Result<node::ReplyBody> body) {
  replies_.push_back({id, std::move(body)});
  const std::uint64_t one = 1;
  if (write(event_, &one, sizeof one) < 0) return;  // full means readable already
}

bool FakeNode::post(core::ShardId shard, node::Command command) {
  if (full_ > 0) {
    --full_;
    return false;
  }
  std::visit([&](auto& body) { run(shard, command.id, body); }, command.body);
  return true;
}

void FakeNode::drain_replies(const std::function<void(node::Reply&&)>& sink) {
  std::uint64_t count = 0;
  if (read(event_, &count, sizeof count) < 0) count = 0;
  while (!replies_.empty()) {
    node::Reply one = std::move(replies_.front());
    replies_.pop_front();
    sink(std::move(one));
  }
}

core::Status FakeNode::apply(core::ShardId shard, const node::Update& update) {
  Shard& home = shards_[shard];
  const auto found = home.objects.find(update.key);
  if (found != home.objects.end() && lattice::type_of(found->second) != update.type)
    return core::fail(Errc::kTypeMismatch, "the key has another type",
                      std::string(lattice::name(lattice::type_of(found->second))));
  lattice::Mutator mutator{{id(), 1}, &home.last_dot, &clock_, core::wall_clock_ms()};
  lattice::Object object = found != home.objects.end() ? found->second : lattice::bottom(update.type);
  auto delta = lattice::mutate(object, update.operation, mutator);
  if (!delta) return tl::unexpected(delta.error());
  lattice::join(object, home.seen, *delta);
  home.seen.join(delta->context);
  home.objects.insert_or_assign(update.key, std::move(object));
  ++home.updates;
  return {};
}

void FakeNode::run(core::ShardId shard, std::uint64_t id, node::UpdateCommand& command) {
  node::UpdateReply answer;
  for (std::uint32_t i = 0; i < command.updates.size(); ++i) {
    if (auto done = apply(shard, command.updates[i]); !done) answer.refused.push_back({i, done.error()});
  }
  if (command.copies > 1)
    copies_.insert(id);
  else
    reply(id, node::ReplyBody(std::move(answer)));
  wake();
}

void FakeNode::run(core::ShardId shard, std::uint64_t id, node::DeclareCommand& command) {
  auto& objects = shards_[shard].objects;
  const auto [at, fresh] = objects.try_emplace(command.key, lattice::bottom(command.type));
  if (!fresh && lattice::type_of(at->second) != command.type)
    return reply(id, core::fail(Errc::kTypeMismatch, "the key has another type"));
  reply(id, node::ReplyBody(node::UpdateReply{}));
}

void FakeNode::run(core::ShardId shard, std::uint64_t id, node::GetCommand& command) {
  node::ItemsReply answer;
  for (const core::Bytes& key : command.keys) {
    const auto found = shards_[shard].objects.find(key);
    if (found != shards_[shard].objects.end())
      answer.items.push_back({key, lattice::type_of(found->second), lattice::read(found->second)});
  }
  reply(id, node::ReplyBody(std::move(answer)));
}

void FakeNode::run(core::ShardId shard, std::uint64_t id, node::ScanCommand& command) {
  node::ItemsReply answer;
  for (const auto& [key, object] : shards_[shard].objects) {
    if (!key.starts_with(command.prefix) || (!command.from_start && key <= command.after)) continue;
    if (answer.items.size() == command.limit) {
      answer.more = true;
      break;
    }
    answer.items.push_back(
        {key, lattice::type_of(object), command.values ? lattice::read(object) : lattice::Reading{}});
  }
  reply(id, node::ReplyBody(std::move(answer)));
}

void FakeNode::run(core::ShardId shard, std::uint64_t id, node::WatchCommand& command) {
  watches_.emplace(id, Watch{shard, std::move(command)});
  wake();
}

void FakeNode::run(core::ShardId, std::uint64_t, node::CancelCommand& command) {
  watches_.erase(command.id);
  copies_.erase(command.id);
}

void FakeNode::run(core::ShardId shard, std::uint64_t id, node::StatusCommand&) {
  if (hangs_) return;
  node::StatusReply answer;
  answer.metrics.push_back({"keys", "Keys of this shard.", node::Metric::Kind::kGauge, shards_[shard].objects.size()});
  answer.metrics.push_back({"updates", "Updates applied.", node::Metric::Kind::kCounter, shards_[shard].updates});
  answer.metrics.push_back({"drops", "Frames dropped.", node::Metric::Kind::kCounter, 3, "reason", "stale"});
  answer.metrics.push_back({"drops", "Frames dropped.", node::Metric::Kind::kCounter, 4, "reason", "flipped"});
  answer.metrics.push_back(
      {"waits", "Commands that wait.", node::Metric::Kind::kGauge, shard == 0 ? watches_.size() + copies_.size() : 0});
  reply(id, node::ReplyBody(std::move(answer)));
}

void FakeNode::run(core::ShardId, std::uint64_t id_, node::MembersCommand&) {
  node::MembersReply answer;
  answer.members.push_back({7, 1, "peer", {0x7f000001, 9}, "alive", 120});
  answer.members.push_back({id(), 1, config_.name, config_.listen, "self", 0});
  reply(id_, node::ReplyBody(std::move(answer)));
}

void FakeNode::run(core::ShardId, std::uint64_t id, node::LeaveCommand&) {
  left_ = true;
  reply(id, node::ReplyBody(node::UpdateReply{}));
}

void FakeNode::wake() {
  for (auto at = watches_.begin(); at != watches_.end();) {
    const auto& [shard, command] = at->second;
    const auto found = shards_[shard].objects.find(command.key);
    if (found == shards_[shard].objects.end() || lattice::measure(found->second) < command.at_least) {
      ++at;
      continue;
    }
    node::ItemsReply answer;
    answer.items.push_back({command.key, lattice::type_of(found->second), lattice::read(found->second)});
    reply(at->first, node::ReplyBody(std::move(answer)));
    at = watches_.erase(at);
  }
}

}  // namespace anabranch::testing

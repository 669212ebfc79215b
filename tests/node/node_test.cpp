// Real nodes in one process: shard threads, UDP sockets on loopback, mailboxes.
#include "tools/node/node.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <map>
#include <set>
#include <string>

#include "core/time.hpp"

namespace anabranch::node {
namespace {

using lattice::TypeId;
using lattice::Verb;

constexpr int kWaitMs = 20'000;  // a bound, not an expectation

/// The control thread's part: posts commands and waits for their replies.
class Control {
 public:
  explicit Control(Node& node) : node_(node) {}

  std::uint64_t post(core::BytesView key, const CommandBody& body) { return post_to(node_.shard_of(key), body); }

  /// Tries again while the mailbox is full.
  std::uint64_t post_to(core::ShardId shard, const CommandBody& body) {
    const std::uint64_t id = next_++;
    bool posted = node_.post(shard, {id, body});
    for (int i = 0; i < 2'000 && !posted; ++i) {
      poll(nullptr, 0, 10);
      posted = node_.post(shard, {id, body});
    }
    EXPECT_TRUE(posted);
    return id;
  }

  /// The reply to `id`, or an error when none came in the bounded time.
  core::Result<ReplyBody> await(std::uint64_t id, int wait_ms = kWaitMs) {
    const core::Instant until = core::monotonic_now() + static_cast<core::Duration>(wait_ms) * core::kMillisecond;
    while (true) {
      node_.drain_replies([this](Reply&& reply) { replies_.emplace(reply.id, std::move(reply.body)); });
      if (const auto found = replies_.find(id); found != replies_.end()) {
        auto body = std::move(found->second);
        replies_.erase(found);
        return body;
      }
      if (core::monotonic_now() >= until) return core::fail(core::Errc::kTimeout, "no reply");
      pollfd wait{node_.reply_fd(), POLLIN, 0};
      poll(&wait, 1, 50);
    }
  }

  core::Result<ReplyBody> increment(const std::string& key, std::int64_t amount, std::uint32_t copies = 1) {
    UpdateCommand command;
    lattice::Operation operation;
    operation.verb = Verb::kIncrement;
    operation.amount = amount;
    command.updates.push_back({key, TypeId::kGCounter, operation});
    command.copies = copies;
    return await(post(key, command));
  }

  std::int64_t value(const std::string& key) {
    const auto reply = await(post(key, GetCommand{{key}}));
    const auto& items = std::get<ItemsReply>(*reply).items;
    return items.empty() ? -1 : std::get<std::int64_t>(items[0].value);
  }

  std::size_t alive() {
    const auto reply = await(post_to(0, MembersCommand{}));
    std::size_t count = 0;
    for (const Member& member : std::get<MembersReply>(*reply).members) count += member.state == "alive" ? 1 : 0;
    return count;
  }

  bool wait_for_alive(std::size_t wanted) {
    for (int i = 0; i < 400; ++i) {
      if (alive() == wanted) return true;
      poll(nullptr, 0, 50);
    }
    return false;
  }

 private:
  Node& node_;
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, core::Result<ReplyBody>> replies_;
};

std::unique_ptr<Node> start(const std::string& name, std::vector<core::Address> join, std::uint32_t shards = 2) {
  NodeConfig config;
  config.name = name;
  config.listen = {0x7F000001, 0};
  config.join = std::move(join);
  config.shards = shards;
  auto node = Node::start(std::move(config));
  EXPECT_TRUE(node) << node.error().message();
  return std::move(*node);
}

TEST(Node, ThreeNodesWithDifferentShardsHoldAnUpdateThatWaitsForAllOfThem) {
  const auto a = start("a", {}, 1);
  const auto b = start("b", {a->config().listen}, 2);
  const auto c = start("c", {a->config().listen}, 3);
  Control at_a(*a);
  Control at_b(*b);
  Control at_c(*c);
  ASSERT_TRUE(at_c.wait_for_alive(2));
  for (int i = 0; i < 64; ++i) {
    const std::string key = std::string("key:").append(std::to_string(i));
    ASSERT_TRUE(at_b.increment(key, i + 1, 3));
    EXPECT_EQ(at_a.value(key), i + 1);
    EXPECT_EQ(at_c.value(key), i + 1);
  }
}

TEST(Node, AWatchOnAnotherNodeWakesAtItsThreshold) {
  const auto a = start("a", {});
  const auto b = start("b", {a->config().listen});
  Control at_a(*a);
  Control at_b(*b);
  ASSERT_TRUE(at_b.wait_for_alive(1));
  const std::uint64_t watch = at_b.post("ad:17", WatchCommand{"ad:17", 10});
  ASSERT_TRUE(at_a.increment("ad:17", 9, 2));
  EXPECT_FALSE(at_b.await(watch, 200));
  ASSERT_TRUE(at_a.increment("ad:17", 1));
  const auto fired = at_b.await(watch);
  ASSERT_TRUE(fired);
  EXPECT_EQ(std::get<std::int64_t>(std::get<ItemsReply>(*fired).items.at(0).value), 10);
}

TEST(Node, ACancelledWatchAndACancelledWaitAreForgotten) {
  const auto a = start("a", {}, 1);
  Control control(*a);
  const std::uint64_t watch = control.post("k", WatchCommand{"k", 1});
  UpdateCommand update;
  lattice::Operation operation;
  operation.amount = 5;
  update.updates.push_back({"k2", TypeId::kGCounter, operation});
  update.copies = 2;
  const std::uint64_t wait = control.post("k2", update);
  control.post("k", CancelCommand{watch});
  control.post("k2", CancelCommand{wait});
  ASSERT_TRUE(control.increment("k", 1));
  EXPECT_FALSE(control.await(watch, 100));
  const auto status = control.await(control.post_to(0, StatusCommand{}));
  ASSERT_TRUE(status);
  int seen = 0;
  for (const Metric& metric : std::get<StatusReply>(*status).metrics)
    if (metric.name == "watches" || metric.name == "waits") {
      EXPECT_EQ(metric.value, 0U) << metric.name;
      ++seen;
    }
  EXPECT_EQ(seen, 2);
}

TEST(Node, ARefusedUpdateIsNamedAndTheOthersOfItsBatchAreApplied) {
  const auto a = start("a", {}, 1);
  Control control(*a);
  UpdateCommand batch;
  lattice::Operation good;
  good.amount = 1;
  lattice::Operation bad;
  bad.verb = Verb::kDecrement;
  bad.amount = 1;
  batch.updates = {{"x", TypeId::kGCounter, good}, {"x", TypeId::kGCounter, bad}, {"x", TypeId::kGCounter, good}};
  const auto reply = control.await(control.post("x", batch));
  ASSERT_TRUE(reply);
  const auto& refused = std::get<UpdateReply>(*reply).refused;
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].index, 1U);
  EXPECT_EQ(control.value("x"), 2);
}

TEST(Node, AFullMailboxRefusesAndLosesNothing) {
  const auto a = start("a", {}, 1);
  Control control(*a);
  std::uint64_t accepted = 0;
  std::uint64_t tried = 0;
  while (accepted == tried && tried < 50'000) {  // nobody takes replies: the mailbox must fill
    UpdateCommand command;
    lattice::Operation operation;
    operation.amount = 1;
    command.updates.push_back({"hot", TypeId::kGCounter, operation});
    if (a->post(0, {1'000'000 + tried++, std::move(command)})) ++accepted;
  }
  ASSERT_GT(accepted, 0U);
  ASSERT_LT(accepted, tried);
  std::uint64_t answered = 0;
  const core::Instant until = core::monotonic_now() + kWaitMs * core::kMillisecond;
  while (answered < accepted && core::monotonic_now() < until) {
    a->drain_replies([&answered](Reply&& reply) {
      ASSERT_TRUE(reply.body);
      EXPECT_TRUE(std::get<UpdateReply>(*reply.body).refused.empty());
      ++answered;
    });
    pollfd wait{a->reply_fd(), POLLIN, 0};
    poll(&wait, 1, 50);
  }
  ASSERT_EQ(answered, accepted);
  EXPECT_EQ(control.value("hot"), static_cast<std::int64_t>(accepted));
}

TEST(Node, ALeaverIsKnownToHaveLeft) {
  const auto a = start("a", {});
  auto b = start("b", {a->config().listen});
  Control at_a(*a);
  Control at_b(*b);
  ASSERT_TRUE(at_a.wait_for_alive(1));
  ASSERT_TRUE(at_b.increment("last", 3));
  ASSERT_TRUE(at_b.await(at_b.post_to(0, LeaveCommand{})));
  b.reset();
  EXPECT_TRUE(at_a.wait_for_alive(0));
  const auto members = at_a.await(at_a.post_to(0, MembersCommand{}));
  std::set<std::string> states;
  for (const Member& member : std::get<MembersReply>(*members).members) states.insert(member.state);
  EXPECT_EQ(states, (std::set<std::string>{"left", "self"}));
  EXPECT_EQ(at_a.value("last"), 3);
}

TEST(Node, RefusesWhatItCannotServe) {
  NodeConfig config;
  config.listen = {0, 0};
  EXPECT_EQ(Node::start(config).error().code, core::Errc::kRefused);  // beyond loopback
  config.listen = {0x7F000001, 0};
  config.data = "/nowhere";
  EXPECT_EQ(Node::start(config).error().code, core::Errc::kRefused);
  config.data.clear();
  config.partitions = 48;
  EXPECT_EQ(Node::start(config).error().code, core::Errc::kRefused);
  config.partitions = 4;
  config.shards = 5;
  EXPECT_EQ(Node::start(config).error().code, core::Errc::kRefused);
  config.shards = 1;
  const auto first = Node::start(config);
  ASSERT_TRUE(first);
  config.listen = (*first)->config().listen;
  EXPECT_EQ(Node::start(config).error().code, core::Errc::kIo);  // address in use
}

}  // namespace
}  // namespace anabranch::node

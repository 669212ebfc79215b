#include "tools/cli/demo_clients.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <thread>

#include "tests/tools/fake_cluster.hpp"

namespace anabranch::cli {
namespace {

// The plan of `options`, played in a quarter of a second.
DemoPlan short_plan(const DemoOptions& options) {
  DemoPlan plan = *make_plan(options);
  const core::Duration shrink = plan.length / (250 * core::kMillisecond);
  for (core::Duration* time : {&plan.length, &plan.kill_at, &plan.back_at}) *time /= shrink;
  for (DemoSlot& slot : plan.slots) slot.at /= shrink;
  for (DemoClient& client : plan.clients) {
    client.offline_from /= shrink;
    client.offline_until /= shrink;
  }
  return plan;
}

std::map<std::string, std::uint64_t> truth_of(const DemoClients& clients, const DemoPlan& plan) {
  const auto sums = clients.truth();
  std::map<std::string, std::uint64_t> truth;
  for (std::size_t ad = 0; ad < plan.ads.size(); ++ad)
    if (sums[ad] > 0) truth[plan.ads[ad]] = sums[ad];
  return truth;
}

bool play(DemoClients& clients) {
  clients.start(core::monotonic_now());
  for (int i = 0; i < 10'000 && !clients.finished(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return clients.finished();
}

TEST(DemoClients, WhatTheyHoldArrivesThoughNodesAndClientsGoAway) {
  for (std::int64_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    DemoOptions options;
    options.nodes = 3;
    options.offline = 0.5;
    options.seed = seed;
    const DemoPlan plan = short_plan(options);
    test::FakeCluster cluster(3, static_cast<std::uint64_t>(seed), {0.1, 0.1, 0.1, 0.05, 0.05});
    SenderConfig config;
    config.nodes = 3;
    config.backoff_min = core::kMillisecond;
    EdgeSender sender(config, cluster.links());
    const StopBoard board(3, plan.ads.size());
    DemoClients clients(plan, board, sender, 3);
    cluster.set_away(plan.victim, true);
    ASSERT_TRUE(play(clients));
    cluster.set_away(plan.victim, false);
    ASSERT_TRUE(sender.wait_done(core::monotonic_now() + 60 * core::kSecond));
    EXPECT_EQ(clients.offered(), plan.slots.size());  // nothing stops: every moment is used
    EXPECT_GT(clients.offered_offline(), 0u);
    EXPECT_EQ(cluster.counts(), truth_of(clients, plan));
  }
}

TEST(DemoClients, ShowNothingThatHasStoppedOnTheirNode) {
  DemoOptions options;
  options.nodes = 1;
  options.offline = 0;
  const DemoPlan plan = short_plan(options);
  test::FakeCluster cluster(1, 1, {});
  EdgeSender sender({.nodes = 1, .ack = {}}, cluster.links());
  StopBoard board(1, plan.ads.size());
  for (std::size_t ad = 0; ad < plan.ads.size(); ++ad)
    if (ad != 5) board.stop(0, ad);
  DemoClients clients(plan, board, sender, 1);
  ASSERT_TRUE(play(clients));
  const auto truth = truth_of(clients, plan);
  ASSERT_EQ(truth.size(), 1u);
  EXPECT_EQ(truth.begin()->first, plan.ads[5]);
  EXPECT_EQ(truth.begin()->second, plan.slots.size());
}

TEST(DemoClients, EndEarlyWhenEverythingHasStopped) {
  DemoOptions options;
  options.nodes = 1;
  options.offline = 0;
  DemoPlan plan = short_plan(options);
  plan.length = 3'600 * core::kSecond;  // an hour, were it played
  test::FakeCluster cluster(1, 1, {});
  EdgeSender sender({.nodes = 1, .ack = {}}, cluster.links());
  StopBoard board(1, plan.ads.size());
  for (std::size_t ad = 0; ad < plan.ads.size(); ++ad) board.stop(0, ad);
  DemoClients clients(plan, board, sender, 1);
  ASSERT_TRUE(play(clients));
  EXPECT_EQ(clients.offered(), 0u);
}

}  // namespace
}  // namespace anabranch::cli

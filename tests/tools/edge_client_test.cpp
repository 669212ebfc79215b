#include "tools/cli/edge_client.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "core/rng.hpp"
#include "tests/tools/fake_cluster.hpp"

namespace anabranch::cli {
namespace {

core::Instant soon(std::uint64_t seconds) { return core::monotonic_now() + seconds * core::kSecond; }

TEST(EdgeTotals, ABatchHoldsTheLatestTotalOfEachEntryOnce) {
  EdgeTotals totals(2);
  const auto a = totals.open("c1", "k1", 0);
  const auto b = totals.open("c1", "k2", 0);
  const auto c = totals.open("c2", "k1", 1);
  EXPECT_EQ(totals.open("c1", "k1", 1), a);
  for (int i = 0; i < 5; ++i) totals.add_one(a);
  totals.raise(b, 3);
  totals.raise(b, 2);
  totals.raise(c, 1);
  EXPECT_EQ(totals.waiting(), 3u);
  EdgeBatch batch;
  ASSERT_TRUE(totals.take(0, 10, batch));
  ASSERT_EQ(batch.updates.size(), 2u);
  EXPECT_EQ(batch.updates[0].key, "k1");
  EXPECT_EQ(batch.updates[0].operation.amount, 5);
  EXPECT_EQ(batch.updates[0].operation.verb, lattice::Verb::kTotal);
  EXPECT_EQ(batch.updates[0].operation.actor, core::edge_actor("c1"));
  EXPECT_EQ(batch.updates[1].operation.amount, 3);
  EXPECT_FALSE(totals.take(0, 10, batch));
  EXPECT_EQ(totals.queued(1), 1u);
}

TEST(EdgeTotals, WhatIsAddedWhileABatchIsOutWaitsForTheNext) {
  EdgeTotals totals(1);
  const auto a = totals.open("c", "k", 0);
  totals.raise(a, 7);
  EdgeBatch first, second;
  ASSERT_TRUE(totals.take(0, 10, first));
  totals.raise(a, 9);
  EXPECT_FALSE(totals.take(0, 10, second));
  totals.acknowledge(first, {}, {});
  EXPECT_EQ(totals.acknowledged(), 7u);
  EXPECT_EQ(totals.waiting(), 1u);
  ASSERT_TRUE(totals.take(0, 10, second));
  EXPECT_EQ(second.totals.front(), 9u);
  totals.give_back(second);
  EXPECT_EQ(totals.acknowledged(), 7u);
  ASSERT_TRUE(totals.take(0, 10, second));
  totals.acknowledge(second, {}, {});
  EXPECT_EQ(totals.acknowledged(), 9u);
  EXPECT_EQ(totals.waiting(), 0u);
}

TEST(EdgeTotals, ARefusedEntryIsNeverSentAgainAndAPutOffOneIs) {
  EdgeTotals totals(1);
  const auto a = totals.open("c", "bad", 0);
  const auto b = totals.open("c", "later", 0);
  totals.raise(a, 4);
  totals.raise(b, 2);
  EdgeBatch batch;
  ASSERT_TRUE(totals.take(0, 10, batch));
  totals.acknowledge(batch, {0, 0, 99}, {1, 99});
  EXPECT_EQ(totals.refused(), 4u);
  EXPECT_EQ(totals.acknowledged(), 0u);
  totals.raise(a, 6);
  EXPECT_EQ(totals.refused(), 6u);
  ASSERT_TRUE(totals.take(0, 10, batch));
  EXPECT_EQ(batch.entries, std::vector<EdgeTotals::Entry>{b});
}

TEST(EdgeSender, EveryTotalArrivesExactlyWhateverGetsLost) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    test::FakeCluster cluster(4, seed, {0.2, 0.1, 0.2, 0.05, 0.1});
    SenderConfig config;
    config.nodes = 4;
    config.batch_max = 16;
    config.backoff_min = core::kMillisecond;
    config.backoff_max = 4 * core::kMillisecond;
    EdgeSender sender(config, cluster.links());
    core::Rng rng = core::Rng::stream(seed, "test/edge_client");
    std::map<std::string, std::uint64_t> expected;
    for (int i = 0; i < 5'000; ++i) {
      const std::uint64_t client = rng.below(60);
      const std::string key = "k" + std::to_string(rng.below(20));
      sender.count("c" + std::to_string(client), key, client % 4);
      ++expected[key];
      if (i % 1'000 == 0) cluster.set_away(rng.below(4), true);
      if (i % 1'000 == 700)
        for (std::size_t node = 0; node < 4; ++node) cluster.set_away(node, false);
    }
    for (std::size_t node = 0; node < 4; ++node) cluster.set_away(node, false);
    ASSERT_TRUE(sender.wait_done(soon(60)));
    EXPECT_EQ(cluster.counts(), expected);
    EXPECT_EQ(sender.state().acknowledged, 5'000u);
    EXPECT_EQ(sender.state().waiting, 0u);
  }
}

TEST(EdgeSender, BatchesOfANodeThatIsAwayGoToAnother) {
  test::FakeCluster cluster(3, 1, {});
  cluster.set_away(1, true);
  SenderConfig config;
  config.nodes = 3;
  EdgeSender sender(config, cluster.links());
  for (int i = 0; i < 100; ++i) sender.count("c" + std::to_string(i), "k", 1);
  ASSERT_TRUE(sender.wait_done(soon(60)));
  EXPECT_EQ(cluster.batches(1), 0u);
  EXPECT_EQ(cluster.counts()["k"], 100u);
  EXPECT_FALSE(sender.up(1));
}

TEST(EdgeSender, RefusedTotalsAreReportedAndDoNotHoldUpTheRest) {
  test::FakeCluster cluster(2, 1, {});
  cluster.refuse("bad");
  EdgeSender sender({.nodes = 2, .ack = {}}, cluster.links());
  for (int i = 0; i < 30; ++i) sender.count("c" + std::to_string(i), i % 3 == 0 ? "bad" : "good", i % 2 == 0 ? 0 : 1);
  ASSERT_TRUE(sender.wait_done(soon(60)));
  const SenderState state = sender.state();
  EXPECT_EQ(state.acknowledged, 20u);
  EXPECT_EQ(state.refused, 10u);
  ASSERT_EQ(state.complaints.size(), 1u);  // said once
  EXPECT_NE(state.complaints.front().find("bad: another type"), std::string::npos);
}

TEST(EdgeSender, WaitingEndsAtTheDeadlineWhenNobodyAnswers) {
  test::FakeCluster cluster(2, 1, {});
  cluster.set_away(0, true);
  cluster.set_away(1, true);
  EdgeSender sender({.nodes = 2, .ack = {}}, cluster.links());
  sender.count("c", "k", 0);
  EXPECT_FALSE(sender.wait_done(core::monotonic_now() + 50 * core::kMillisecond));
  const SenderState state = sender.state();
  EXPECT_EQ(state.waiting, 1u);
  EXPECT_FALSE(state.submitted);
  EXPECT_FALSE(state.last_error.empty());
}

}  // namespace
}  // namespace anabranch::cli

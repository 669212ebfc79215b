// Peers that are behind the log: offers, chunks, what breaks off, and what goes on meanwhile.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/delta/cluster.hpp"

namespace anabranch::delta {
namespace {

using lattice::TypeId;
using lattice::Verb;
using testing::body;
using testing::Cluster;
using testing::Letter;
using testing::op;

Replica::Config without_log() {
  Replica::Config config;
  config.log_bytes_max = 0;
  return config;
}

/// Replica 1 holds `keys` counters and two sets that nobody can get from its log.
void fill(Cluster& cluster, int keys) {
  for (int i = 0; i < keys; ++i) cluster.increment(1, "key-" + std::to_string(i), i + 1);
  ASSERT_TRUE(cluster.update(1, "s", TypeId::kAwSet, op(Verb::kAdd, {"kept", "removed"})).has_value());
  ASSERT_TRUE(cluster.update(1, "s", TypeId::kAwSet, op(Verb::kRemove, std::vector<Bytes>{"removed"})).has_value());
  cluster.act(1, [&](Outbox& out) { cluster[1].flush(cluster.now, out); });
}

/// Delivers until replica 1 has put chunks on the way.
void run_to_chunks(Cluster& cluster) {
  for (int i = 0; i < 1'000; ++i) {
    const bool chunk = std::any_of(cluster.letters.begin(), cluster.letters.end(), [](const Letter& letter) {
      return std::holds_alternative<TransferChunk>(letter.message.body);
    });
    if (chunk) return;
    if (cluster.letters.empty())
      cluster.wait(100 * core::kMillisecond);
    else
      cluster.deliver(cluster.take());
  }
  FAIL() << "no transfer began";
}

std::size_t count_chunks(const Cluster& cluster) {
  return static_cast<std::size_t>(
      std::count_if(cluster.letters.begin(), cluster.letters.end(),
                    [](const Letter& letter) { return std::holds_alternative<TransferChunk>(letter.message.body); }));
}

TEST(Transfer, APeerBehindTheLogGetsTheWholeState) {
  Cluster cluster(2, without_log());
  fill(cluster, 500);
  cluster.connect_all();
  cluster.settle();
  EXPECT_EQ(cluster.value(2, "key-499"), 500);
  EXPECT_EQ(cluster.value(2, "s"), 1);
  EXPECT_EQ(cluster[2].stats().transfers_joined, 1u);
  EXPECT_EQ(cluster[1].stats().transfers_served, 1u);
  EXPECT_EQ(cluster.changed[2].size(), 501u) << "each variable once";
  cluster.expect_agreement();
}

TEST(Transfer, EveryChunkFitsAMessageAndAtMostAWindowIsOnTheWay) {
  Cluster cluster(2, without_log());
  fill(cluster, 3'000);
  // One object that alone is larger than many messages.
  std::vector<Bytes> elements;
  for (int i = 0; i < 2'000; ++i) elements.push_back("element-" + std::to_string(i));
  ASSERT_TRUE(cluster.update(1, "big", TypeId::kAwSet, op(Verb::kAdd, elements)).has_value());
  ASSERT_TRUE(cluster.update(1, "bigger", TypeId::kGSet, op(Verb::kAdd, elements)).has_value());
  for (std::uint64_t client = 0; client < 500; ++client) {
    const lattice::Operation total{Verb::kTotal, 3, {}, core::Actor::edge(client, client)};
    ASSERT_TRUE(cluster.update(1, "hits", TypeId::kGCounter, total).has_value());
  }
  cluster.connect_all();
  std::size_t chunks = 0;
  for (int i = 0; i < 100'000; ++i) {
    cluster.ship_all();
    if (cluster.letters.empty()) break;
    EXPECT_LE(count_chunks(cluster), 32u);
    const Letter letter = cluster.take();
    if (std::holds_alternative<TransferChunk>(letter.message.body)) {
      ++chunks;
      EXPECT_LE(encode({{letter.message}}).size(), 1'400u);
    }
    cluster.deliver(letter);
  }
  EXPECT_GT(chunks, 100u);
  EXPECT_EQ(cluster.value(2, "big"), 2'000);
  EXPECT_EQ(cluster.value(2, "bigger"), 2'000);
  EXPECT_EQ(cluster.value(2, "hits"), 1'500);
  cluster.expect_agreement();
}

TEST(Transfer, ItIsJoinedInOneStep) {
  Cluster cluster(2, without_log());
  fill(cluster, 200);
  cluster.connect_all();
  run_to_chunks(cluster);
  while (count_chunks(cluster) > 1) {
    cluster.deliver(cluster.take());
    EXPECT_EQ(cluster[2].find("key-0"), nullptr);
    EXPECT_TRUE(cluster[2].vector().empty());
  }
  cluster.settle();
  EXPECT_EQ(cluster.value(2, "key-0"), 1);
}

TEST(Transfer, LostChunksAreAskedForAgain) {
  Cluster cluster(2, without_log());
  fill(cluster, 1'000);
  cluster.connect_all();
  std::size_t turn = 0;
  std::size_t lost = 0;
  for (int i = 0; i < 10'000 && cluster[2].stats().transfers_joined == 0; ++i) {
    if (cluster.letters.empty())
      cluster.wait(100 * core::kMillisecond);
    else if (++turn % 3 == 0)
      cluster.take(), ++lost;
    else
      cluster.deliver(cluster.take());
  }
  EXPECT_GT(lost, 10u);
  EXPECT_EQ(cluster[2].stats().transfers_joined, 1u);
  EXPECT_EQ(cluster.value(2, "key-999"), 1'000);
}

TEST(Transfer, OneThatBreaksOffLeavesNothingBehind) {
  Cluster cluster(2, without_log());
  fill(cluster, 1'000);
  const auto before = cluster[2].fingerprint();
  cluster.connect_all();
  run_to_chunks(cluster);
  for (int i = 0; i < 20; ++i) cluster.deliver(cluster.take());
  cluster.disconnect(1, 2);
  cluster.letters.clear();
  EXPECT_EQ(cluster[2].fingerprint(), before);
  EXPECT_TRUE(cluster[2].vector().empty());
  EXPECT_EQ(cluster[2].stats().transfers_dropped, 1u);
  EXPECT_EQ(cluster[1].stats().transfers_dropped, 1u) << "the capture is freed with the link";
  cluster.connect(1, 2);
  cluster.settle();
  cluster.expect_agreement();
}

TEST(Transfer, BothSidesGiveUpAfterSilence) {
  Cluster cluster(2, without_log());
  fill(cluster, 1'000);
  cluster.connect_all();
  run_to_chunks(cluster);
  cluster.letters.clear();
  for (int i = 0; i < 103; ++i) {  // the sender hears nothing more, and the receiver not even an answer
    cluster.wait(100 * core::kMillisecond);
    cluster.letters.clear();
  }
  EXPECT_EQ(cluster[1].stats().transfers_dropped, 1u);
  EXPECT_GE(cluster[2].stats().transfers_dropped, 1u);
  cluster.settle_for(2 * core::kSecond);
  cluster.expect_agreement();
  EXPECT_EQ(cluster.value(2, "key-999"), 1'000);
}

TEST(Transfer, UpdatesGoOnMeanwhileOnBothSides) {
  Cluster cluster(2, without_log());
  fill(cluster, 1'000);
  cluster.increment(2, "key-0", 7);
  cluster.connect_all();
  run_to_chunks(cluster);
  cluster.increment(1, "late", 1);
  cluster.increment(2, "key-0", 7);
  ASSERT_TRUE(cluster.update(2, "s", TypeId::kAwSet, op(Verb::kAdd, std::vector<Bytes>{"removed"})).has_value());
  cluster.settle_for(3 * core::kSecond);
  for (NodeId id = 1; id <= 2; ++id) {
    EXPECT_EQ(cluster.value(id, "key-0"), 15);
    EXPECT_EQ(cluster.value(id, "late"), 1);
    EXPECT_EQ(cluster.value(id, "s"), 2) << "added meanwhile";
  }
  cluster.expect_agreement();
}

TEST(Transfer, OnePeerAtATimeIsServed) {
  Cluster cluster(4, without_log());
  fill(cluster, 1'000);
  for (NodeId peer = 2; peer <= 4; ++peer) cluster.connect(1, peer);
  bool busy = false;
  for (int i = 0; i < 100'000; ++i) {
    if (cluster.letters.empty()) cluster.wait(100 * core::kMillisecond);
    if (cluster.letters.empty()) continue;
    const Letter letter = cluster.take();
    if (const auto* offer = std::get_if<TransferOffer>(&letter.message.body)) busy = busy || offer->busy;
    cluster.deliver(letter);
    if (cluster[1].stats().transfers_served == 3) break;
  }
  EXPECT_TRUE(busy);
  cluster.settle_for(3 * core::kSecond);
  cluster.expect_agreement();
}

TEST(Transfer, WhatWasTransferredIsNotServedFromTheLog) {
  Cluster cluster(3);
  for (int i = 0; i < 100; ++i) {
    cluster.increment(1, "c");
    cluster.act(1, [&](Outbox& out) { cluster[1].flush(cluster.now, out); });
  }
  // Replica 2 takes the state of replica 1 by a transfer, then serves replica 3, which must not be given a hole.
  cluster.connect(1, 2);
  cluster.letters.clear();
  cluster.act(2, [&](Outbox& out) {
    cluster[2].handle(1, {0, Digest{1, false, {{{1, 0}, 100}}, 0, 0}}, cluster.now, out);
    cluster[2].handle(1, {0, TransferOffer{}}, cluster.now, out);
  });
  cluster.settle();
  ASSERT_EQ(cluster[2].stats().transfers_joined, 1u);
  cluster.increment(1, "c");
  cluster.settle();
  cluster.disconnect(1, 2);
  cluster.connect(2, 3);
  cluster.settle();
  EXPECT_EQ(cluster.value(3, "c"), 101);
  EXPECT_EQ(cluster[3].stats().transfers_joined, 1u) << "from the floor on there is a log, below there is none";
}

TEST(Transfer, EqualVectorsWithDifferentStatesRaiseAnAlarmAndAreRepaired) {
  Cluster cluster(2);
  cluster.connect_all();
  ASSERT_TRUE(cluster.update(1, "s", TypeId::kAwSet, op(Verb::kAdd, std::vector<Bytes>{"x"})).has_value());
  cluster.increment(1, "c");
  cluster.ship(1);
  for (Letter& letter : cluster.letters) {  // a fault outside the rules: one entry vanishes
    if (auto* interval = std::get_if<Interval>(&letter.message.body))
      interval->entries.erase(interval->entries.begin());
  }
  cluster.settle();
  EXPECT_EQ(cluster[1].vector(), cluster[2].vector());
  EXPECT_EQ(cluster.value(2, "c"), -1);
  cluster.settle_for(25 * core::kSecond);
  EXPECT_EQ(cluster.value(2, "c"), 1);
  EXPECT_GE(cluster[1].stats().fingerprint_alarms + cluster[2].stats().fingerprint_alarms, 1u);
  cluster.expect_agreement();
}

TEST(Transfer, AStateWithALiveDotOutsideItsContextIsDropped) {
  Cluster cluster(2, without_log());
  fill(cluster, 1);
  cluster.connect_all();
  run_to_chunks(cluster);
  for (Letter& letter : cluster.letters) {
    if (auto* chunk = std::get_if<TransferChunk>(&letter.message.body)) chunk->context = {};
  }
  while (!cluster.letters.empty()) cluster.deliver(cluster.take());
  EXPECT_EQ(cluster[2].find("s"), nullptr);
  EXPECT_EQ(cluster[2].stats().transfers_joined, 0u);
  EXPECT_EQ(cluster[2].stats().transfers_dropped, 1u);
}

TEST(Memory, ADeadPeerLeavesTheLogAtItsBound) {
  Replica::Config config;
  config.log_bytes_max = 1 << 20;
  Cluster cluster(2, config);
  cluster.connect_all();
  cluster.settle();
  for (int i = 0; i < 100'000; ++i) {
    cluster.increment(1, "key-" + std::to_string(i % 1'000));
    cluster.act(1,
                [&](Outbox& out) { cluster[1].flush(cluster.now, out); });  // and replica 2 is never shipped anything
    if (i % 10'000 == 0) cluster.wait(core::kSecond), cluster.letters.clear();
    ASSERT_LE(cluster[1].stats().log_bytes, config.log_bytes_max);
  }
  EXPECT_GT(cluster[1].stats().log_bytes, config.log_bytes_max / 2);
  cluster.settle_for(2 * core::kSecond);
  EXPECT_EQ(cluster.value(2, "key-7"), 100);
  EXPECT_EQ(cluster[2].stats().transfers_joined, 1u);
  cluster.expect_agreement();
}

}  // namespace
}  // namespace anabranch::delta

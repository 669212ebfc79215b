#include "delta/replica.hpp"

#include <gtest/gtest.h>

#include "tests/delta/cluster.hpp"

namespace anabranch::delta {
namespace {

using lattice::TypeId;
using lattice::Verb;
using testing::body;
using testing::Cluster;
using testing::Letter;
using testing::op;

constexpr core::Duration kGraft = 300 * core::kMillisecond;

TEST(Replica, AnUpdateReachesEveryPeer) {
  Cluster cluster(3);
  cluster.connect_all();
  cluster.increment(1, "c", 5);
  cluster.increment(2, "c", 7);
  cluster.settle();
  for (NodeId id = 1; id <= 3; ++id) EXPECT_EQ(cluster.value(id, "c"), 12);
  cluster.expect_agreement();
  ASSERT_EQ(cluster.changed[3].size(), 2u);
  EXPECT_EQ(cluster.changed[3][0].key, "c");
}

TEST(Replica, AMillionHitsBetweenTwoFlushesAreOneNumber) {
  Cluster cluster(2);
  cluster.connect_all();
  cluster.settle();
  Outbox outbox;
  const auto hit = op(Verb::kIncrement, 1);
  for (int i = 0; i < 1'000'000; ++i) {
    outbox.changed.clear();
    ASSERT_TRUE(cluster[1].update("c", TypeId::kGCounter, hit, testing::kWall, outbox).has_value());
  }
  cluster.ship(1);
  ASSERT_EQ(cluster.letters.size(), 1u);
  EXPECT_LT(encode({{cluster.letters.front().message}}).size(), 256u);
  cluster.settle();
  EXPECT_EQ(cluster.value(2, "c"), 1'000'000);
  EXPECT_EQ(cluster[1].stats().flushes, 1u);
}

TEST(Replica, ALaggingPeerIsSentOneNumberPerCounterNotTheHistory) {
  Cluster cluster(2);
  cluster.connect_all();
  for (int i = 0; i < 500; ++i) {
    cluster.increment(1, "c");
    cluster.act(1, [&](Outbox& out) { cluster[1].flush(cluster.now, out); });
  }
  cluster.letters.clear();
  cluster.ship(1);
  ASSERT_EQ(cluster.letters.size(), 1u);
  const auto interval = body<Interval>(cluster.letters.front());
  EXPECT_EQ(interval.top - interval.base, 500u);
  EXPECT_EQ(interval.entries.size(), 1u);
}

TEST(Replica, AGapIsAskedForAfterTheGraftTimer) {
  Cluster cluster(2);
  cluster.connect_all();
  cluster.increment(1, "a");
  cluster.ship(1);
  const Letter first = cluster.take();
  cluster.increment(1, "b");
  cluster.ship(1);
  cluster.deliver(cluster.take());  // the second overtakes the first, which is lost
  EXPECT_EQ(cluster.value(2, "b"), -1);
  EXPECT_EQ(cluster[2].stats().gaps, 1u);
  cluster.wait(kGraft - 1);
  EXPECT_TRUE(cluster.letters.empty());
  cluster.wait(1);
  ASSERT_EQ(cluster.letters.size(), 1u);
  EXPECT_EQ(body<Missing>(cluster.letters.front()).held, 0u);
  cluster.letters.clear();  // this is lost, too: it is asked again
  cluster.wait(kGraft);
  ASSERT_FALSE(cluster.letters.empty());
  cluster.settle();
  EXPECT_EQ(cluster.value(2, "a"), 1);
  EXPECT_EQ(cluster.value(2, "b"), 1);
}

TEST(Replica, AnIntervalThatCameTooEarlyIsJoinedWhenItsPredecessorArrives) {
  Cluster cluster(2);
  cluster.connect_all();
  cluster.increment(1, "a");
  cluster.ship(1);
  const Letter first = cluster.take();
  cluster.increment(1, "b");
  cluster.ship(1);
  cluster.deliver(cluster.take());
  cluster.deliver(first);
  EXPECT_EQ(cluster.value(2, "b"), 1);
  cluster.wait(kGraft);
  for (const Letter& letter : cluster.letters) EXPECT_FALSE(std::holds_alternative<Missing>(letter.message.body));
}

TEST(Replica, IntervalsThatCameTooEarlyAreBounded) {
  Cluster cluster(2);
  cluster.connect_all();
  for (int i = 0; i < 100; ++i) {
    cluster.increment(1, "a");
    cluster.ship(1);
    if (i == 0)
      cluster.letters.clear();
    else
      cluster.deliver(cluster.take());
  }
  EXPECT_EQ(cluster[2].stats().gaps, 99u);
  EXPECT_EQ(cluster[2].stats().gaps_dropped, 99u - 64u);
  cluster.settle_for(2 * core::kSecond);
  EXPECT_EQ(cluster.value(2, "a"), 100);
}

TEST(Replica, ADuplicatePathIsPrunedAndADuplicateDatagramIsNot) {
  Cluster cluster(3);
  cluster.connect_all();
  cluster.settle();
  cluster.increment(1, "c");
  cluster.ship(1);
  ASSERT_EQ(cluster.letters.size(), 2u);
  const Letter to_two = cluster.take();
  const Letter to_three = cluster.take();
  cluster.deliver(to_two);
  cluster.deliver(to_two);  // a doubled datagram of the parent
  EXPECT_EQ(cluster[2].stats().prunes, 0u);
  cluster.deliver(to_three);
  cluster.ship(2);  // forwards to 3, which has it
  cluster.deliver(cluster.take());
  ASSERT_EQ(cluster.letters.size(), 1u);
  EXPECT_EQ(body<Duplicate>(cluster.letters.front()).held, 1u);
  cluster.deliver(cluster.take());
  cluster.ship(3);
  cluster.letters.clear();

  cluster.increment(1, "c");
  cluster.ship(1);
  cluster.deliver(cluster.take());
  EXPECT_FALSE(cluster[2].has_news(3)) << "a lazy link gets digests only";
  EXPECT_EQ(cluster[2].stats().duplicates, 1u);
}

TEST(Replica, LinksThatWerePrunedForAPeerAreEagerAgainWhenItIsGone) {
  Cluster cluster(3);
  cluster.connect_all();
  cluster.increment(1, "c");
  cluster.settle();
  cluster.increment(1, "c");
  cluster.settle();
  cluster.disconnect(1, 3);
  cluster.settle();
  cluster.increment(1, "c");
  cluster.settle();  // without a single tick
  EXPECT_EQ(cluster.value(3, "c"), 3);
}

TEST(Replica, DigestsRepeatUntilTheyAreSeen) {
  Cluster cluster(2);
  cluster.connect_all();
  cluster.settle();
  cluster.increment(1, "c");
  cluster.settle();
  for (int tick = 0; tick < 5; ++tick) {
    cluster.wait(core::kSecond);
    std::size_t digests = 0;
    for (const Letter& letter : cluster.letters) {
      if (letter.from != 1) continue;
      const auto digest = body<Digest>(letter);
      EXPECT_EQ(digest.entries, (std::vector<VectorEntry>{{{1, 0}, 1}}));
      ++digests;
    }
    EXPECT_EQ(digests, 1u) << tick;
    if (tick < 4) cluster.letters.clear();
  }
  cluster.settle();
  EXPECT_GE(cluster[1].next_deadline(), cluster.now + core::kSecond);
  cluster.wait(core::kSecond);
  for (const Letter& letter : cluster.letters) EXPECT_TRUE(body<Digest>(letter).entries.empty());
}

TEST(Replica, WithNothingToSayItWakesOnlyForTheTenthTick) {
  Cluster cluster(2);
  EXPECT_EQ(cluster[1].next_deadline(), core::kNever) << "no peers";
  cluster.connect_all();
  cluster.increment(1, "c");
  cluster.settle_for(15 * core::kSecond);
  EXPECT_GT(cluster[1].next_deadline(), cluster.now);
  EXPECT_EQ(cluster[1].next_deadline() % (10 * core::kSecond), 0u) << "partition 0 has the ticks that end in 0";
  const auto before = cluster[1].stats().digests_sent;
  cluster.settle_for(100 * core::kSecond);
  EXPECT_EQ(cluster[1].stats().digests_sent - before, 10u);
}

TEST(Replica, AnIntervalThatSomebodyWaitsForIsAnsweredAtOnce) {
  Cluster cluster(3);
  cluster.connect_all();
  cluster.settle();
  const auto ticket = cluster.update(1, "c", TypeId::kGCounter, op(Verb::kIncrement, 1));
  ASSERT_TRUE(ticket.has_value());
  EXPECT_EQ(ticket->flush, 1u);
  cluster.act(1, [&](Outbox& out) { cluster[1].wait(ticket->flush, 1, 11, out); });
  cluster.act(1, [&](Outbox& out) { cluster[1].wait(ticket->flush, 2, 12, out); });
  cluster.act(1, [&](Outbox& out) { cluster[1].wait(ticket->flush, 3, 13, out); });
  cluster.act(1, [&](Outbox& out) { cluster[1].wait(ticket->flush, 3, 14, out); });
  cluster[1].cancel_wait(14);
  EXPECT_TRUE(cluster.reached[1].empty());
  cluster.ship(1);
  EXPECT_EQ(cluster.reached[1], std::vector<std::uint64_t>{11}) << "one copy: this one";
  cluster.deliver(cluster.take());
  ASSERT_EQ(cluster.letters.size(), 2u);
  EXPECT_EQ(body<Held>(cluster.letters.back()).flush, 1u);
  cluster.settle();
  EXPECT_EQ(cluster.reached[1], (std::vector<std::uint64_t>{11, 12, 13}));
  cluster.act(1, [&](Outbox& out) { cluster[1].wait(1, 3, 15, out); });
  EXPECT_EQ(cluster.reached[1].back(), 15u) << "at once, if it is so already";
}

TEST(Replica, WhatIsWaitedForTooLateToAskIsAnsweredByADigest) {
  Cluster cluster(2);
  cluster.connect_all();
  cluster.increment(1, "c");
  cluster.settle();
  cluster.act(1, [&](Outbox& out) { cluster[1].wait(1, 2, 7, out); });
  EXPECT_TRUE(cluster.reached[1].empty());
  cluster.settle_for(core::kSecond);
  EXPECT_EQ(cluster.reached[1], std::vector<std::uint64_t>{7});
}

TEST(Replica, ATotalThatIsHereByAnotherNodeIsHeldByTheFlushThatItsSenderWaitsFor) {
  Cluster cluster(3);
  cluster.connect_all();
  const lattice::Operation total{Verb::kTotal, 9, {}, core::Actor::edge(1, 1)};
  ASSERT_TRUE(cluster.update(1, "hits", TypeId::kGCounter, total).has_value());
  cluster.ship(1);
  for (const Letter& letter : std::exchange(cluster.letters, {})) {
    if (letter.to == 2) cluster.deliver(letter);
  }
  cluster.disconnect(1, 2);
  cluster.disconnect(1, 3);
  cluster.letters.clear();
  cluster.crash(1);
  // Only node 2 holds it now. The client says it again there, and waits until two nodes do.
  const auto ticket = cluster.update(2, "hits", TypeId::kGCounter, total);
  ASSERT_TRUE(ticket.has_value());
  cluster.act(2, [&](Outbox& out) { cluster[2].wait(ticket->flush, 2, 1, out); });
  EXPECT_TRUE(cluster.reached[2].empty()) << "node 3 has not seen it";
  cluster.settle();
  EXPECT_EQ(cluster.reached[2], std::vector<std::uint64_t>{1});
  EXPECT_EQ(cluster.value(3, "hits"), 9);
}

TEST(Replica, AnUpdateOfAnotherTypeIsRefusedAndNamesBoth) {
  Cluster cluster(1);
  cluster.increment(1, "c");
  const auto result = cluster.update(1, "c", TypeId::kAwSet, op(Verb::kAdd, std::vector<Bytes>{"x"}));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, core::Errc::kTypeMismatch);
  EXPECT_NE(result.error().detail.find("gcounter"), std::string::npos);
  EXPECT_NE(result.error().detail.find("awset"), std::string::npos);
  Outbox outbox;
  EXPECT_FALSE(cluster[1].declare("c", TypeId::kAwSet, outbox).has_value());
  EXPECT_TRUE(cluster[1].declare("c", TypeId::kGCounter, outbox).has_value());
}

TEST(Replica, AKeyThatIsCreatedWithTwoTypesAtOnceShowsTheLowest) {
  Cluster cluster(2);
  ASSERT_TRUE(cluster.update(1, "k", TypeId::kAwSet, op(Verb::kAdd, std::vector<Bytes>{"x"})).has_value());
  cluster.increment(2, "k", 3);
  cluster.connect_all();
  cluster.settle();
  for (NodeId id = 1; id <= 2; ++id) {
    TypeId type{};
    ASSERT_NE(cluster[id].find("k", &type), nullptr);
    EXPECT_EQ(type, TypeId::kGCounter);
    EXPECT_EQ(cluster[id].stats().clashes, 1u);
    EXPECT_EQ(cluster[id].stats().variables, 2u);
    EXPECT_FALSE(cluster.update(id, "k", TypeId::kAwSet, op(Verb::kAdd, std::vector<Bytes>{"y"})).has_value());
    std::vector<std::pair<BytesView, const lattice::Object*>> all;
    cluster[id].scan("", all);
    EXPECT_EQ(all.size(), 1u);
  }
  cluster.expect_agreement();
}

TEST(Replica, ARefusedUpdateTakesNothing) {
  Cluster cluster(1);
  const auto refused = [&](const Bytes& key, TypeId type, const lattice::Operation& operation) {
    const auto result = cluster.update(1, key, type, operation);
    EXPECT_FALSE(result.has_value());
    return result ? core::Errc::kClosed : result.error().code;
  };
  using core::Errc;
  EXPECT_EQ(refused("c", TypeId::kGCounter, op(Verb::kDecrement, 1)), Errc::kRefused);
  EXPECT_EQ(refused("c", TypeId::kGCounter, op(Verb::kIncrement, 0)), Errc::kRefused);
  EXPECT_EQ(refused("c", TypeId::kGCounter, op(Verb::kIncrement, -4)), Errc::kRefused);
  EXPECT_EQ(refused("s", TypeId::kAwSet, op(Verb::kAdd, std::vector<Bytes>{})), Errc::kMalformed);
  EXPECT_EQ(refused("s", TypeId::kAwSet, op(Verb::kAdd, {Bytes(core::kValueBytesMax + 1, 'x')})), Errc::kTooLarge);
  EXPECT_EQ(refused("", TypeId::kGCounter, op(Verb::kIncrement, 1)), Errc::kMalformed);
  EXPECT_EQ(refused(Bytes(core::kKeyBytesMax + 1, 'k'), TypeId::kGCounter, op(Verb::kIncrement, 1)), Errc::kTooLarge);
  EXPECT_FALSE(cluster[1].pending());
  EXPECT_EQ(cluster[1].stats().variables, 0u);
  EXPECT_EQ(cluster[1].stats().refused, 7u);
  cluster.increment(1, "c", static_cast<std::int64_t>(core::kCountMax));
  EXPECT_EQ(refused("c", TypeId::kGCounter, op(Verb::kIncrement, 1)), Errc::kOverflow);
  EXPECT_EQ(cluster.value(1, "c"), static_cast<std::int64_t>(core::kCountMax));
  EXPECT_TRUE(
      cluster.update(1, Bytes(core::kKeyBytesMax, 'k'), TypeId::kGCounter, op(Verb::kIncrement, 1)).has_value());
}

TEST(Replica, ADeclaredVariableExistsEverywhereAtBottom) {
  Cluster cluster(2);
  cluster.connect_all();
  cluster.act(1, [&](Outbox& out) { ASSERT_TRUE(cluster[1].declare("s", TypeId::kAwSet, out).has_value()); });
  cluster.settle();
  EXPECT_EQ(cluster.value(2, "s"), 0);
  ASSERT_EQ(cluster.changed[2].size(), 1u);
}

TEST(Replica, ARemoveOfWhatIsNotThereChangesNothing) {
  Cluster cluster(1);
  ASSERT_TRUE(cluster.update(1, "s", TypeId::kAwSet, op(Verb::kRemove, std::vector<Bytes>{"x"})).has_value());
  EXPECT_FALSE(cluster[1].pending());
  EXPECT_EQ(cluster[1].find("s"), nullptr);
  EXPECT_TRUE(cluster.changed[1].empty());
}

TEST(Replica, AnAddThatDoesNotFitAMessageIsCut) {
  Cluster cluster(2);
  cluster.connect_all();
  std::vector<Bytes> elements;
  for (int i = 0; i < 1'000; ++i) elements.push_back("element-" + std::to_string(i));
  const auto ticket = cluster.update(1, "s", TypeId::kAwSet, op(Verb::kAdd, elements));
  ASSERT_TRUE(ticket.has_value());
  cluster.ship(1);
  EXPECT_GT(ticket->flush, 10u);
  EXPECT_EQ(cluster[1].vector()[(Origin{1, 0})], ticket->flush) << "the ticket is that of the last part";
  for (const Letter& letter : cluster.letters) EXPECT_LE(encode({{letter.message}}).size(), 1'400u);
  cluster.settle();
  EXPECT_EQ(cluster.value(2, "s"), 1'000);
}

TEST(Replica, AClearThatDoesNotFitAMessageIsCut) {
  // Elements that many origins added in turn: their dots do not make runs, so the clear's context is long.
  Cluster cluster(6);
  cluster.connect_all();
  for (int i = 0; i < 300; ++i) {
    const auto add = op(Verb::kAdd, std::vector<Bytes>{"element-" + std::to_string(i)});
    ASSERT_TRUE(
        cluster.update(1 + static_cast<NodeId>(i) % 6, i % 2 == 0 ? "s" : "t", TypeId::kAwSet, add).has_value());
    ASSERT_TRUE(cluster.update(1 + static_cast<NodeId>(i) % 6, "other", TypeId::kAwSet, add).has_value());
    cluster.settle();
  }
  EXPECT_EQ(cluster.value(1, "s"), 150);
  const auto flushes = cluster[1].stats().flushes;
  ASSERT_TRUE(cluster.update(1, "s", TypeId::kAwSet, op(Verb::kClear)).has_value());
  EXPECT_EQ(cluster.value(1, "s"), 0);
  cluster.ship(1);
  EXPECT_GT(cluster[1].stats().flushes, flushes + 1);
  for (const Letter& letter : cluster.letters) EXPECT_LE(encode({{letter.message}}).size(), 1'400u);
  cluster.settle();
  for (NodeId id = 1; id <= 6; ++id) {
    EXPECT_EQ(cluster.value(id, "s"), 0);
    EXPECT_EQ(cluster.value(id, "t"), 150);
  }
  cluster.expect_agreement();
}

TEST(Replica, ALargeValueTravelsAlone) {
  Cluster cluster(2);
  cluster.connect_all();
  cluster.settle();
  cluster.increment(1, "before");
  ASSERT_TRUE(
      cluster.update(1, "r", TypeId::kLwwRegister, op(Verb::kSet, {Bytes(core::kValueBytesMax, 'v')})).has_value());
  cluster.increment(1, "after");
  cluster.act(1, [&](Outbox& out) { cluster[1].flush(cluster.now, out); });
  EXPECT_EQ(cluster[1].stats().flushes, 3u);
  const auto before = cluster[1].ship(2, 1'368, cluster.now);
  ASSERT_TRUE(before.has_value());
  EXPECT_EQ(std::get<Interval>(before->body).entries.size(), 1u);
  const auto large = cluster[1].ship(2, 1'368, cluster.now);
  ASSERT_TRUE(large.has_value());
  const Bytes bytes = encode({{*large}});
  EXPECT_GT(bytes.size(), core::kValueBytesMax);
  EXPECT_LE(bytes.size(), core::kMessageBytesMax);
  cluster.letters.push_back({1, 2, *before});
  cluster.letters.push_back({1, 2, *large});
  cluster.settle();
  EXPECT_EQ(cluster.value(2, "after"), 1);
  cluster.expect_agreement();
}

TEST(Replica, NothingIsGivenToAPacketWithoutRoom) {
  Cluster cluster(2);
  cluster.connect_all();
  cluster.settle();
  cluster.increment(1, "c");
  cluster.act(1, [&](Outbox& out) { cluster[1].flush(cluster.now, out); });
  EXPECT_FALSE(cluster[1].ship(2, 100, cluster.now).has_value());
  EXPECT_TRUE(cluster[1].has_news(2));
  EXPECT_TRUE(cluster[1].ship(2, 400, cluster.now).has_value());
  EXPECT_FALSE(cluster[1].has_news(2));
}

TEST(Replica, AnIntervalThatIsReportedLostIsShippedAgain) {
  Cluster cluster(2);
  cluster.connect_all();
  cluster.settle();
  cluster.increment(1, "c");
  cluster.ship(1);
  const auto interval = body<Interval>(cluster.take());
  EXPECT_FALSE(cluster[1].has_news(2));
  cluster[1].lost(2, interval.origin, interval.base);
  EXPECT_TRUE(cluster[1].has_news(2));
  cluster.settle();
  EXPECT_EQ(cluster.value(2, "c"), 1);
}

TEST(Replica, MessagesOfStrangersAndOfOtherPartitionsAreCountedAndDropped) {
  Cluster cluster(2);
  Outbox outbox;
  cluster[1].handle(99, {0, DigestSeen{1}}, cluster.now, outbox);
  EXPECT_EQ(cluster[1].stats().refused_messages, 1u);
  cluster.connect_all();
  cluster[1].handle(2, {7, DigestSeen{1}}, cluster.now, outbox);
  cluster[1].handle(2, {0, Interval{{1, 0}, 0, 5, 1, 0, false, {}}}, cluster.now, outbox);
  EXPECT_EQ(cluster[1].stats().refused_messages, 3u) << "nobody knows our flushes before we do";
  EXPECT_TRUE(outbox.messages.empty());
}

TEST(Replica, APeerThatComesBackEmptyIsAnotherOrigin) {
  Cluster cluster(3);
  cluster.connect_all();
  cluster.increment(1, "c", 1);
  cluster.increment(2, "c", 2);
  cluster.increment(3, "c", 4);
  cluster.settle();
  cluster.disconnect(1, 3);
  cluster.disconnect(2, 3);
  cluster.crash(3);
  cluster.letters.clear();
  cluster.add(4);  // the same machine: a new id, nothing left
  cluster.increment(4, "c", 8);
  cluster.connect(1, 4);
  cluster.connect(2, 4);
  cluster.settle();
  for (const NodeId id : {1, 2, 4}) EXPECT_EQ(cluster.value(id, "c"), 15);
  cluster.settle_for(3 * core::kSecond);
  cluster.expect_agreement();
}

}  // namespace
}  // namespace anabranch::delta

#include "net/link_table.hpp"

#include <gtest/gtest.h>

#include "core/machine.hpp"
#include "tests/net/link_fixture.hpp"

namespace anabranch::net {
namespace {

using testing::Host;
using testing::Kind;
using testing::kTransit;
using testing::Passing;
using testing::Wire;
using LinkUp = LinkTable::LinkUp;
using LinkDown = LinkTable::LinkDown;

static_assert(core::Machine<LinkTable>);

constexpr std::uint16_t kPortA = 1001;
constexpr std::uint16_t kPortB = 1002;

/// Both have exactly one link, to each other, under one epoch.
void expect_linked(Host& a, Host& b) {
  const LinkInfo* to_b = a.table->by_peer(b.config.self);
  const LinkInfo* to_a = b.table->by_peer(a.config.self);
  ASSERT_NE(to_b, nullptr);
  ASSERT_NE(to_a, nullptr);
  EXPECT_EQ(to_b->epoch, to_a->epoch);
  EXPECT_EQ(a.table->by_epoch(to_b->epoch), to_b);
  EXPECT_EQ(to_b->name, b.config.name);
  EXPECT_EQ(to_b->incarnation, b.config.incarnation);
  EXPECT_EQ(to_b->address, b.config.listen);
}

TEST(LinkTable, LinksByThreeMessages) {
  Wire wire;
  Host& a = wire.add(kPortA, 1);
  Host& b = wire.add(kPortB, 2);
  wire.dial(a, kPortB);
  wire.run(10 * core::kMillisecond);
  expect_linked(a, b);
  EXPECT_EQ(wire.count[Kind::kHello], 1u);
  EXPECT_EQ(wire.count[Kind::kWelcome], 1u);
  EXPECT_EQ(wire.count[Kind::kConfirm], 1u);
  EXPECT_EQ(a.table->dial_count(), 0u);
  EXPECT_EQ(b.table->half_open_count(), 0u);
  wire.run(60 * core::kSecond);
  EXPECT_EQ(a.notices.size(), 1u);
  EXPECT_EQ(b.notices.size(), 1u);
  EXPECT_EQ(wire.count[Kind::kHello], 1u) << "nothing is sent on a link that is up";
  EXPECT_EQ(a.table->next_deadline(), core::kNever);
  EXPECT_EQ(b.table->next_deadline(), core::kNever);
}

TEST(LinkTable, SurvivesTheLossOfEachMessageInTurn) {
  for (const Kind lost : {Kind::kHello, Kind::kWelcome, Kind::kConfirm}) {
    for (std::size_t times = 1; times <= 3; ++times) {
      Wire wire;
      wire.rule = [&](const Passing& passing) {
        return passing.kind == lost && passing.nth < times ? std::vector<core::Duration>{}
                                                           : std::vector<core::Duration>{kTransit};
      };
      Host& a = wire.add(kPortA, 1);
      Host& b = wire.add(kPortB, 2);
      wire.dial(a, kPortB);
      wire.run(3 * core::kSecond);
      expect_linked(a, b);
      EXPECT_EQ(a.notices.size(), 1u) << static_cast<int>(lost);
      EXPECT_EQ(b.notices.size(), 1u) << static_cast<int>(lost);
    }
  }
}

TEST(LinkTable, TakesDuplicatesForOne) {
  Wire wire;
  wire.rule = [](const Passing&) {
    return std::vector<core::Duration>{kTransit, kTransit, 3 * kTransit, 40 * kTransit, core::kSecond};
  };
  Host& a = wire.add(kPortA, 1);
  Host& b = wire.add(kPortB, 2);
  wire.dial(a, kPortB);
  wire.run(30 * core::kSecond);
  expect_linked(a, b);
  EXPECT_EQ(a.notices.size(), 1u);
  EXPECT_EQ(b.notices.size(), 1u);
  EXPECT_EQ(b.table->half_open_count(), 0u);
}

TEST(LinkTable, SimultaneousOpenEndsInTheLinkOfTheSmallerNode) {
  for (const core::Duration skew : {core::Duration{0}, kTransit / 2, kTransit, 2 * kTransit, 3 * kTransit}) {
    Wire wire;
    Host& a = wire.add(kPortA, 1);
    Host& b = wire.add(kPortB, 2);
    wire.dial(b, kPortA);
    wire.run(skew);
    wire.dial(a, kPortB);
    wire.run(10 * core::kSecond);
    expect_linked(a, b);
    EXPECT_EQ(a.table->dial_count() + b.table->dial_count(), 0u) << skew;
    EXPECT_EQ(a.all<LinkUp>().size(), 1u) << skew;
    EXPECT_EQ(b.all<LinkUp>().size(), 1u) << skew;
  }
}

TEST(LinkTable, TwoAddressesOfOnePeerEndInOneLink) {
  constexpr std::uint16_t kAlias = 2002;
  for (const core::Duration slow : {kTransit, 2 * kTransit, 10 * kTransit}) {
    Wire wire;
    wire.alias(Wire::address(kAlias), Wire::address(kPortB));
    wire.rule = [&](const Passing& passing) {
      return std::vector<core::Duration>{passing.kind == Kind::kConfirm && passing.nth == 0 ? slow : kTransit};
    };
    Host& a = wire.add(kPortA, 1);
    Host& b = wire.add(kPortB, 2);
    wire.dial(a, kPortB);
    wire.dial(a, kAlias);
    wire.run(10 * core::kSecond);
    expect_linked(a, b);
    EXPECT_EQ(a.table->dial_count(), 0u);
    ASSERT_GE(a.all<LinkTable::DialLinked>().size(), 1u);
    EXPECT_EQ(a.all<LinkTable::DialLinked>()[0].peer, 2u);
  }
}

TEST(LinkTable, HandshakesThatDoNotKnowOfEachOtherEndInTheLinkOfTheSmallerNode) {
  constexpr std::uint16_t kAliasA = 2001;
  constexpr std::uint16_t kAliasB = 2002;
  for (const core::Duration skew : {core::Duration{0}, kTransit / 2, kTransit, 3 * kTransit / 2, 2 * kTransit}) {
    Wire wire;
    wire.alias(Wire::address(kAliasA), Wire::address(kPortA));
    wire.alias(Wire::address(kAliasB), Wire::address(kPortB));
    Host& a = wire.add(kPortA, 1);
    Host& b = wire.add(kPortB, 2);
    wire.dial(a, kAliasB);
    wire.run(skew);
    wire.dial(b, kAliasA);
    wire.run(10 * core::kSecond);
    expect_linked(a, b);
    ASSERT_FALSE(a.all<LinkUp>().empty());
    EXPECT_EQ(a.table->by_peer(2)->epoch, a.all<LinkUp>()[0].link.epoch) << skew;
    EXPECT_EQ(a.table->dial_count() + b.table->dial_count(), 0u) << skew;
  }
}

TEST(LinkTable, ALiveLinkIsNotReplacedByAnEqualOne) {
  Wire wire;
  Host& a = wire.add(kPortA, 1);
  Host& b = wire.add(kPortB, 2);
  wire.dial(a, kPortB);
  wire.run(core::kSecond);
  const core::LinkEpoch before = a.table->by_peer(2)->epoch;
  wire.dial(a, kPortB);
  wire.run(core::kSecond);
  wire.dial(b, kPortA);
  wire.run(10 * core::kSecond);
  expect_linked(a, b);
  EXPECT_EQ(a.table->by_peer(2)->epoch, before);
  EXPECT_EQ(a.all<LinkTable::DialLinked>().size(), 1u);
  EXPECT_EQ(b.all<LinkTable::DialLinked>().size(), 1u);
  EXPECT_EQ(a.all<LinkDown>().size() + b.all<LinkDown>().size(), 0u);
}

TEST(LinkTable, GoodbyeClosesBothSidesAndAStaleOneChangesNothing) {
  Wire wire;
  std::vector<core::Duration> goodbyes{5 * core::kSecond};  // the first GOODBYE crawls
  wire.rule = [&](const Passing& passing) {
    return passing.kind == Kind::kGoodbye && passing.nth == 0 ? goodbyes : std::vector<core::Duration>{kTransit};
  };
  Host& a = wire.add(kPortA, 1);
  Host& b = wire.add(kPortB, 2);
  wire.dial(a, kPortB);
  wire.run(core::kSecond);
  wire.give(a, LinkTable::Close{2, CloseReason::kRefused});
  EXPECT_EQ(a.table->by_peer(2), nullptr);
  wire.dial(a, kPortB);
  wire.run(core::kSecond);
  expect_linked(a, b);
  ASSERT_EQ(b.all<LinkDown>().size(), 1u);
  EXPECT_EQ(b.all<LinkDown>()[0].reason, CloseReason::kReplaced);
  const auto stale = b.table->stats().stale;
  wire.run(10 * core::kSecond);
  EXPECT_EQ(b.table->stats().stale, stale + 1) << "the slow GOODBYE is about the old epoch";
  expect_linked(a, b);

  wire.give(a, LinkTable::Close{2, CloseReason::kLeft, a.table->by_peer(2)->epoch + 1});
  expect_linked(a, b);
  wire.give(a, LinkTable::Close{2, CloseReason::kLeft});
  wire.run(core::kSecond);
  ASSERT_EQ(b.all<LinkDown>().size(), 2u);
  EXPECT_EQ(b.all<LinkDown>()[1].reason, CloseReason::kLeft);
  EXPECT_TRUE(b.all<LinkDown>()[1].by_peer);
  EXPECT_EQ(b.table->link_count(), 0u);
}

TEST(LinkTable, AGoodbyeFromElsewhereClosesNothing) {
  Wire wire;
  Host& a = wire.add(kPortA, 1);
  Host& b = wire.add(kPortB, 2);
  wire.dial(a, kPortB);
  wire.run(core::kSecond);
  const core::LinkEpoch epoch = a.table->by_peer(2)->epoch;
  const FrameHeader header{
      .type = FrameType::kHandshake, .lane = 0, .link_epoch = epoch, .sequence = 0, .cluster = testing::kCluster};
  wire.put(Wire::address(9), a.config.listen, make_frame(header, encode_handshake(Goodbye{epoch, CloseReason::kLeft})));
  wire.run(core::kSecond);
  expect_linked(a, b);
}

TEST(LinkTable, AHigherIncarnationReplacesTheLinkAndALowerOneIsRefused) {
  Wire wire;
  Host& a = wire.add(kPortA, 1);
  wire.add(kPortB, 2, 1);
  wire.dial(a, kPortB);
  wire.run(core::kSecond);
  Host& again = wire.add(kPortB, 2, 2, 7);
  wire.dial(again, kPortA);
  wire.run(core::kSecond);
  expect_linked(a, again);
  ASSERT_EQ(a.all<LinkDown>().size(), 1u);
  EXPECT_EQ(a.all<LinkDown>()[0].reason, CloseReason::kReplaced);

  constexpr std::uint16_t kElsewhere = 1003;
  Host& zombie = wire.add(kElsewhere, 2, 1, 9);
  wire.dial(zombie, kPortA);
  wire.run(core::kSecond);
  expect_linked(a, again);
  ASSERT_EQ(zombie.all<LinkTable::DialRefused>().size(), 1u);
  EXPECT_EQ(zombie.all<LinkTable::DialRefused>()[0].reason, RefuseReason::kStale);
  EXPECT_EQ(zombie.table->dial_count(), 0u);
}

TEST(LinkTable, ANewNodeAtAnOldAddressReplacesWhoWasThere) {
  Wire wire;
  Host& a = wire.add(kPortA, 1);
  wire.add(kPortB, 2);
  wire.dial(a, kPortB);
  wire.run(core::kSecond);
  Host& other = wire.add(kPortB, 3, 1, 5);
  wire.dial(other, kPortA);
  wire.run(core::kSecond);
  expect_linked(a, other);
  EXPECT_EQ(a.table->by_peer(2), nullptr);
  ASSERT_EQ(a.all<LinkDown>().size(), 1u);
  EXPECT_EQ(a.all<LinkDown>()[0].link.peer, 2u);
  EXPECT_EQ(a.all<LinkDown>()[0].reason, CloseReason::kReplaced);
}

TEST(LinkTable, APeerOfADeadProcessLearnsItFromTheNextFrame) {
  Wire wire;
  Host& a = wire.add(kPortA, 1);
  wire.add(kPortB, 2);
  wire.dial(a, kPortB);
  wire.run(core::kSecond);
  wire.add(kPortB, 3, 1, 5);
  wire.data(a, *a.table->by_peer(2));
  wire.run(core::kSecond);
  ASSERT_EQ(a.all<LinkDown>().size(), 1u);
  EXPECT_EQ(a.all<LinkDown>()[0].reason, CloseReason::kUnknownEpoch);
}

TEST(LinkTable, AnswersToUnknownEpochsAreBounded) {
  Wire wire;
  Host& a = wire.add(kPortA, 1);
  for (core::LinkEpoch epoch = 1; epoch <= 10'000; ++epoch)
    wire.give(a, LinkTable::UnknownEpoch{Wire::address(9), epoch});
  EXPECT_EQ(wire.count[Kind::kGoodbye], 16u);
  wire.run(core::kSecond);
  for (core::LinkEpoch epoch = 1; epoch <= 10'000; ++epoch)
    wire.give(a, LinkTable::UnknownEpoch{Wire::address(9), epoch});
  EXPECT_EQ(wire.count[Kind::kGoodbye], 32u);
}

TEST(LinkTable, ADialOfItselfIsNoticedAndDropped) {
  Wire wire;
  Host& a = wire.add(kPortA, 1);
  wire.dial(a, kPortA);
  EXPECT_EQ(a.all<LinkTable::DialSelf>().size(), 1u);
  constexpr std::uint16_t kAlias = 2001;
  wire.alias(Wire::address(kAlias), Wire::address(kPortA));
  wire.dial(a, kAlias);
  wire.run(core::kSecond);
  ASSERT_EQ(a.all<LinkTable::DialSelf>().size(), 2u);
  EXPECT_EQ(a.all<LinkTable::DialSelf>()[1].address, Wire::address(kAlias));
  EXPECT_EQ(a.table->dial_count(), 0u);
  EXPECT_EQ(a.table->link_count(), 0u);
}

TEST(LinkTable, ACopyOfANodeIsRefused) {
  Wire wire;
  Host& a = wire.add(kPortA, 1);
  Host& copy = wire.add(kPortB, 1, 1, 3);
  wire.dial(copy, kPortA);
  wire.run(core::kSecond);
  ASSERT_EQ(copy.all<LinkTable::DialRefused>().size(), 1u);
  EXPECT_EQ(copy.all<LinkTable::DialRefused>()[0].reason, RefuseReason::kSameNode);
  EXPECT_EQ(a.table->link_count() + copy.table->link_count(), 0u);
}

TEST(LinkTable, AnotherPartitionCountIsRefusedWithASentence) {
  Wire wire;
  Host& a = wire.add(kPortA, 1);
  LinkTable::Config config = wire.add(kPortB, 2).config;
  config.partitions = 128;
  Host& b = wire.add(config);
  wire.dial(a, kPortB);
  wire.dial(b, kPortA);
  wire.run(core::kSecond);
  for (Host* host : {&a, &b}) {
    ASSERT_EQ(host->all<LinkTable::DialRefused>().size(), 1u);
    EXPECT_EQ(host->all<LinkTable::DialRefused>()[0].reason, RefuseReason::kPartitions);
    EXPECT_EQ(host->table->link_count(), 0u);
  }
  EXPECT_EQ(a.all<LinkTable::DialRefused>()[0].detail, "this cluster has 128 partitions, not 64");
}

TEST(LinkTable, KeepsDiallingUntilToldToStop) {
  Wire wire;
  Host& a = wire.add(kPortA, 1);
  wire.dial(a, kPortB);
  wire.run(60 * core::kSecond);
  const std::size_t sent = wire.count[Kind::kHello];
  EXPECT_GT(sent, 45u);
  EXPECT_LT(sent, 90u);
  Host& b = wire.add(kPortB, 2);
  wire.run(2 * core::kSecond);
  expect_linked(a, b);

  wire.dial(a, 1999);
  wire.give(a, LinkTable::StopDial{Wire::address(1999)});
  const std::size_t before = wire.count[Kind::kHello];
  wire.run(60 * core::kSecond);
  EXPECT_EQ(wire.count[Kind::kHello], before);
}

TEST(LinkTable, AFloodOfHellosIsBoundedAndHonestNodesGetThrough) {
  Wire wire;
  LinkTable::Config config = wire.add(kPortA, 1).config;
  config.half_open_max = 64;
  Host& a = wire.add(config);
  Host& b = wire.add(kPortB, 2);
  const FrameHeader header{
      .type = FrameType::kHandshake, .lane = 0, .link_epoch = 0, .sequence = 0, .cluster = testing::kCluster};
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    const Hello hello{
        .nonce = i + 1, .node = 1'000 + i, .incarnation = 1, .partitions = config.partitions, .name = "x"};
    wire.put(Wire::address(9), a.config.listen, make_frame(header, encode_handshake(hello)));
    if (i == 5'000) wire.dial(b, kPortA);
    if (i % 8 == 0) wire.run(kTransit / 2);
    ASSERT_LE(a.table->half_open_count(), 64u);
  }
  EXPECT_GT(a.table->stats().half_open_evicted, 9'000u);
  expect_linked(a, b);
  wire.run(10 * core::kSecond);
  EXPECT_EQ(a.table->half_open_count(), 0u) << "half-open handshakes end by themselves";
  EXPECT_EQ(a.table->link_count(), 1u);
  EXPECT_EQ(a.table->next_deadline(), core::kNever);
}

TEST(LinkTable, LinksAndDialsAreBounded) {
  Wire wire;
  LinkTable::Config config = wire.add(kPortA, 1).config;
  config.links_max = 2;
  config.dials_max = 3;
  Host& a = wire.add(config);
  for (std::uint16_t port = 1'010; port < 1'013; ++port) wire.dial(wire.add(port, port), kPortA);
  wire.run(core::kSecond);
  Host& late = wire.add(1'013, 1'013);
  wire.dial(late, kPortA);
  wire.run(core::kSecond);
  EXPECT_EQ(a.table->link_count(), 2u);
  ASSERT_EQ(wire.at(1'012).all<LinkDown>().size(), 1u) << "was welcomed before the others were confirmed";
  EXPECT_EQ(wire.at(1'012).all<LinkDown>()[0].reason, CloseReason::kRefused);
  ASSERT_EQ(late.all<LinkTable::DialRefused>().size(), 1u);
  EXPECT_EQ(late.all<LinkTable::DialRefused>()[0].reason, RefuseReason::kFull);
  for (std::uint16_t port = 3'000; port < 3'010; ++port) wire.dial(a, port);
  EXPECT_EQ(a.table->dial_count(), 3u);
  EXPECT_EQ(a.table->stats().dials_dropped, 7u);
}

TEST(LinkTable, MalformedHandshakesAreCountedAndChangeNothing) {
  Wire wire;
  Host& a = wire.add(kPortA, 1);
  core::Rng rng(17);
  const FrameHeader header{
      .type = FrameType::kHandshake, .lane = 0, .link_epoch = 0, .sequence = 0, .cluster = testing::kCluster};
  for (int i = 0; i < 2'000; ++i) {
    core::Bytes body(8 * rng.below(20), '\0');
    for (char& byte : body) byte = static_cast<char>(rng.below(rng.chance(0.5) ? 256 : 3));
    const core::Bytes frame = make_frame(header, body);
    const auto view = parse_frame(frame, testing::kCluster);
    ASSERT_TRUE(view);
    wire.give(a, LinkTable::Datagram{Wire::address(9), *view});
  }
  EXPECT_GT(a.table->stats().malformed, 1'000u);
  EXPECT_EQ(a.table->link_count(), 0u);
}

// Three nodes, each with a second address, that dial, close and restart at random on a bad wire. Afterwards every
// pair has one link under one epoch, and every LinkUp but the last was ended by one LinkDown.
TEST(LinkTable, EveryPairAgreesOnOneLinkAfterAnyDisorder) {
  constexpr std::size_t kHosts = 3;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    core::Rng rng = core::Rng::stream(seed, "disorder");
    bool bad = true;
    Wire wire;
    wire.rule = [&](const Passing&) {
      std::vector<core::Duration> copies;
      if (!bad || !rng.chance(0.3))
        copies.push_back(kTransit + (bad ? rng.below(rng.chance(0.2) ? core::kSecond : 20 * kTransit) : 0));
      if (bad && rng.chance(0.2)) copies.push_back(kTransit + rng.below(3 * core::kSecond));
      return copies;
    };
    std::vector<std::uint32_t> lives(kHosts, 1);
    const auto port = [](std::size_t i) { return static_cast<std::uint16_t>(kPortA + i); };
    for (std::size_t i = 0; i < kHosts; ++i) {
      wire.add(port(i), i + 1, 1, seed);
      wire.alias(Wire::address(static_cast<std::uint16_t>(port(i) + 1'000)), Wire::address(port(i)));
    }
    for (int step = 0; step < 200; ++step) {
      bad = step < 150;
      for (std::size_t i = 0; i < kHosts; ++i) {
        Host& host = wire.at(port(i));
        for (const LinkInfo& link : host.table->links()) wire.data(host, link);
        const std::size_t other = (i + 1 + rng.below(kHosts - 1)) % kHosts;
        const bool linked = host.table->by_peer(other + 1) != nullptr;
        const auto to = static_cast<std::uint16_t>(port(other) + (bad && rng.chance(0.5) ? 1'000 : 0));
        if (!linked || (bad && rng.chance(0.1))) wire.dial(host, to);
        if (bad && rng.chance(0.1)) wire.give(host, LinkTable::StopDial{Wire::address(to)});
        if (bad && rng.chance(0.03)) wire.give(host, LinkTable::Close{other + 1, CloseReason::kFailed});
        if (bad && rng.chance(0.01)) wire.add(port(i), i + 1, ++lives[i], seed + 100 * lives[i]);
      }
      wire.run(100 * core::kMillisecond);
    }
    for (std::size_t i = 0; i < kHosts; ++i) {
      for (std::size_t j = i + 1; j < kHosts; ++j) expect_linked(wire.at(port(i)), wire.at(port(j)));
      std::map<core::NodeId, core::LinkEpoch> open;
      for (const auto& notice : wire.at(port(i)).notices) {
        if (const auto* up = std::get_if<LinkUp>(&notice)) {
          ASSERT_EQ(open[up->link.peer], 0u);
          open[up->link.peer] = up->link.epoch;
        } else if (const auto* down = std::get_if<LinkDown>(&notice)) {
          ASSERT_EQ(open[down->link.peer], down->link.epoch);
          open[down->link.peer] = 0;
        }
      }
    }
    if (HasFailure()) break;
  }
}

}  // namespace
}  // namespace anabranch::net

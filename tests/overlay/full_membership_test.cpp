// FullMembership alone, told what links do.
#include "overlay/full_membership.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace anabranch::overlay {
namespace {

using M = FullMembership;

constexpr core::NodeId kSelf = 50;
constexpr core::Address kListen{0x0A000001, 7'000};

core::Address address_of(core::NodeId node) { return {0x0A010000 + static_cast<std::uint32_t>(node), 7'000}; }

class Bench {
 public:
  explicit Bench(M::Config config = {}) : membership(with(std::move(config))) {}

  M::Outbox give(const M::Event& event) {
    M::Outbox outbox;
    membership.handle(event, now, outbox);
    return outbox;
  }
  M::Outbox up(core::NodeId peer, core::LinkEpoch epoch, core::Incarnation incarnation = 1) {
    return give(M::LinkUp{peer, incarnation, epoch, address_of(peer), "n"});
  }
  M::Outbox tell(core::NodeId peer, core::LinkEpoch epoch, const ControlMessage& message) {
    const core::Bytes bytes = encode_control(message);
    return give(M::Control{peer, epoch, bytes});
  }
  /// Polls the deadlines of `span`; `heard` are peers whose frames keep coming.
  M::Outbox run(core::Duration span, const std::vector<M::Heard>& heard = {}) {
    M::Outbox outbox;
    const core::Instant end = now + span;
    while (membership.next_deadline() <= end) {
      now = std::max(now, membership.next_deadline());
      for (const auto& event : heard) membership.handle(event, now, outbox);
      membership.on_deadline(now, outbox);
    }
    now = end;
    return outbox;
  }
  [[nodiscard]] MemberState state(core::NodeId node) const {
    for (const auto& row : membership.members(now))
      if (row.node == node) return row.state;
    return MemberState::kSelf;
  }
  [[nodiscard]] bool knows(core::NodeId node) const {
    const auto rows = membership.members(now);
    return std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return row.node == node; });
  }

  core::Instant now = 5 * core::kSecond;
  M membership;

 private:
  static M::Config with(M::Config config) {
    config.self = kSelf;
    config.incarnation = 1;
    config.name = "self";
    config.listen = kListen;
    return config;
  }
};

MemberSpec spec(core::NodeId node, core::Incarnation incarnation = 1, bool left = false) {
  return {.node = node, .incarnation = incarnation, .address = address_of(node), .name = "n", .left = left};
}

bool contains(const std::vector<core::Address>& list, core::NodeId node) {
  return std::find(list.begin(), list.end(), address_of(node)) != list.end();
}

TEST(FullMembership, DialsItsJoinAddressesAtOnce) {
  M::Config config;
  config.join = {address_of(1), kListen, address_of(2)};
  Bench bench(config);
  const auto outbox = bench.run(0);
  EXPECT_EQ(outbox.dials, (std::vector<core::Address>{address_of(1), address_of(2)})) << "and never its own";
}

TEST(FullMembership, TellsItsMembersToANewPeerAndDialsThoseItIsTold) {
  Bench bench;
  bench.run(0);
  bench.up(1, 11);
  const auto second = bench.up(2, 22);
  ASSERT_EQ(second.notices.size(), 1u);
  EXPECT_EQ(std::get<M::PeerUp>(second.notices[0]).epoch, 22u);
  ASSERT_EQ(second.sends.size(), 1u);
  const auto list = std::get<MemberList>(*decode_control(second.sends[0].bytes));
  ASSERT_EQ(list.members.size(), 3u);
  EXPECT_EQ(list.members[0].node, 1u);
  EXPECT_EQ(list.members[1].node, 2u);
  EXPECT_EQ(list.members[2].node, kSelf);
  const auto told = bench.tell(2, 22, MemberList{{spec(1), spec(3), spec(kSelf)}});
  EXPECT_EQ(told.dials, std::vector<core::Address>{address_of(3)});
  EXPECT_EQ(bench.state(3), MemberState::kJoining);
}

TEST(FullMembership, AnswersAnotherDigestWithItsListButNotTooOften) {
  Bench bench;
  bench.run(0);
  bench.up(1, 11);
  bench.run(core::kSecond, {{1, 11}});
  EXPECT_TRUE(bench.tell(1, 11, Keepalive{bench.membership.digest(), 2}).sends.empty());
  std::size_t lists = 0;
  for (int i = 0; i < 600; ++i) {
    lists += bench.tell(1, 11, Keepalive{77, 3}).sends.size();
    bench.run(100 * core::kMillisecond);
  }
  EXPECT_GE(lists, 8u);
  EXPECT_LE(lists, 14u) << "a difference that stays costs a list every ten seconds";
  EXPECT_EQ(bench.tell(1, 11, Keepalive{78, 3}).sends.size(), 1u) << "a new one is answered at once";
}

TEST(FullMembership, SplitsListsThatAreLargerThanAFrame) {
  Bench bench;
  bench.run(0);
  for (core::NodeId node = 100; node < 140; ++node)
    bench.give(M::LinkUp{node, 1, static_cast<core::LinkEpoch>(node), address_of(node), std::string(200, 'x')});
  const auto outbox = bench.up(1, 1);
  EXPECT_GT(outbox.sends.size(), 5u);
  std::size_t members = 0;
  for (const auto& send : outbox.sends) {
    EXPECT_LE(send.bytes.size(), 1'448u);
    members += std::get<MemberList>(*decode_control(send.bytes)).members.size();
  }
  EXPECT_EQ(members, 42u);
}

TEST(FullMembership, SilenceIsSuspectAfterFiveAndFailedAfterTenKeepalives) {
  Bench bench;
  bench.run(0);
  bench.up(1, 11);
  bench.up(2, 22);
  const std::vector<M::Heard> heard{{2, 22}};
  bench.run(2'400 * core::kMillisecond, heard);
  EXPECT_EQ(bench.state(1), MemberState::kAlive);
  bench.run(900 * core::kMillisecond, heard);
  EXPECT_EQ(bench.state(1), MemberState::kSuspect);
  EXPECT_EQ(bench.membership.linked(), 2u);
  const auto outbox = bench.run(2'400 * core::kMillisecond, heard);
  EXPECT_EQ(bench.state(1), MemberState::kFailed);
  EXPECT_EQ(bench.state(2), MemberState::kAlive);
  ASSERT_EQ(outbox.closes.size(), 1u);
  EXPECT_EQ(outbox.closes[0].epoch, 11u);
  ASSERT_EQ(outbox.notices.size(), 1u);
  EXPECT_EQ(std::get<M::PeerDown>(outbox.notices[0]).reason, M::DownReason::kFailed);
  EXPECT_TRUE(bench.give(M::LinkDown{1, 11, false}).notices.empty()) << "told once";
}

TEST(FullMembership, AStallOfOurOwnAccusesNobody) {
  Bench bench;
  bench.run(0);
  bench.up(1, 11);
  bench.run(core::kSecond, {{1, 11}});
  bench.now += 60 * core::kSecond;
  M::Outbox outbox;
  bench.membership.on_deadline(bench.now, outbox);
  EXPECT_TRUE(outbox.closes.empty());
  EXPECT_EQ(bench.membership.stats().stalls, 1u);
  EXPECT_EQ(bench.state(1), MemberState::kAlive);
  bench.run(6 * core::kSecond);
  EXPECT_EQ(bench.state(1), MemberState::kFailed) << "but silence after it counts";
}

TEST(FullMembership, FailedMembersAreDialledWithPausesForTenMinutes) {
  Bench bench;
  bench.run(0);
  bench.up(1, 11);
  bench.run(6 * core::kSecond);
  ASSERT_EQ(bench.state(1), MemberState::kFailed);
  std::size_t dials = 0;
  std::size_t stops = 0;
  for (int second = 0; second < 590; ++second) {
    const auto outbox = bench.run(core::kSecond);
    dials += outbox.dials.size();
    stops += outbox.stop_dials.size();
  }
  EXPECT_GE(dials, 30u);
  EXPECT_LE(dials, 50u);
  EXPECT_GE(stops + 1, dials);
  bench.run(20 * core::kSecond);
  EXPECT_FALSE(bench.knows(1));
  EXPECT_TRUE(bench.run(60 * core::kSecond).dials.empty());
}

TEST(FullMembership, ALinkThatBreaksAtOnceIsNotMadeAgainAtOnce) {
  M::Config config;
  config.join = {address_of(1)};
  Bench bench(config);
  bench.run(0);
  core::Instant last = bench.now;
  for (core::LinkEpoch epoch = 1; epoch <= 8; ++epoch) {
    bench.up(1, epoch);
    ASSERT_TRUE(bench.give(M::LinkDown{1, epoch, false}).dials.empty());
    core::Duration waited = 0;
    for (; bench.run(100 * core::kMillisecond).dials.empty() && waited < 20 * core::kSecond; last = bench.now)
      waited += 100 * core::kMillisecond;
    EXPECT_GE(waited, std::min<core::Duration>(core::kSecond << (epoch - 1), 15 * core::kSecond) * 8 / 10) << epoch;
    EXPECT_LE(waited, 18 * core::kSecond);
  }
  EXPECT_GT(last, 60 * core::kSecond);
}

TEST(FullMembership, RefusedAndOwnAddressesAreLeftAlone) {
  M::Config config;
  config.join = {address_of(1), address_of(2)};
  Bench bench(config);
  bench.run(0);
  EXPECT_TRUE(bench.give(M::Refused{address_of(1)}).dials.empty());
  EXPECT_TRUE(bench.give(M::DialSelf{address_of(2)}).dials.empty());
  const auto outbox = bench.run(2 * core::kSecond);
  EXPECT_EQ(outbox.dials, std::vector<core::Address>{address_of(1)})
      << "a refusal may be lifted, our own address stays ours";
}

TEST(FullMembership, AnotherAddressOfALinkedPeerIsNotDialledWhileLinked) {
  M::Config config;
  config.join = {address_of(9)};
  Bench bench(config);
  bench.run(0);
  bench.up(1, 11);
  bench.give(M::DialLinked{address_of(9), 1});
  EXPECT_FALSE(contains(bench.run(60 * core::kSecond, {{1, 11}}).dials, 9));
  EXPECT_TRUE(contains(bench.give(M::LinkDown{1, 11, false}).dials, 9));
}

TEST(FullMembership, ALeaverIsKnownAndAStrangerThatLeftIsNot) {
  Bench bench;
  bench.run(0);
  bench.up(1, 11);
  bench.up(2, 22);
  const auto outbox = bench.tell(1, 11, MemberList{{spec(2, 1, true), spec(3, 1, true)}});
  ASSERT_EQ(outbox.closes.size(), 1u);
  EXPECT_EQ(outbox.closes[0].reason, M::CloseReason::kStale) << "we do not say that we leave ourselves";
  EXPECT_EQ(bench.state(2), MemberState::kLeft);
  EXPECT_FALSE(bench.knows(3));
  EXPECT_TRUE(bench.tell(1, 11, MemberList{{spec(2)}}).dials.empty()) << "who has left stays away";
  ASSERT_EQ(bench.up(2, 23).closes.size(), 1u);
  EXPECT_EQ(bench.state(2), MemberState::kLeft);
  const auto again = bench.tell(1, 11, MemberList{{spec(2, 2)}});
  EXPECT_TRUE(contains(again.dials, 2)) << "a higher incarnation comes back";
  EXPECT_EQ(std::get<M::PeerUp>(bench.up(2, 24, 2).notices.at(0)).peer, 2u);
  ASSERT_EQ(bench.up(2, 25, 1).closes.size(), 1u);
  EXPECT_EQ(bench.state(2), MemberState::kAlive);
}

TEST(FullMembership, LeavingClosesAllLinksAndThenNothingHappens) {
  M::Config config;
  config.join = {address_of(9)};
  Bench bench(config);
  bench.run(0);
  bench.up(1, 11);
  bench.up(2, 22);
  const auto outbox = bench.give(M::Leave{});
  EXPECT_EQ(outbox.closes.size(), 2u);
  for (const auto& close : outbox.closes) EXPECT_EQ(close.reason, M::CloseReason::kLeft);
  EXPECT_EQ(outbox.notices.size(), 2u);
  EXPECT_TRUE(contains(outbox.stop_dials, 9));
  EXPECT_TRUE(bench.membership.left());
  EXPECT_EQ(bench.membership.next_deadline(), core::kNever);
  EXPECT_EQ(bench.up(3, 33).closes.size(), 1u);
  EXPECT_TRUE(bench.give(M::Join{address_of(4)}).dials.empty());
}

TEST(FullMembership, MessagesOfOtherEpochsAndMalformedOnesChangeNothing) {
  Bench bench;
  bench.run(0);
  bench.up(1, 11);
  const std::uint64_t digest = bench.membership.digest();
  EXPECT_TRUE(bench.tell(1, 10, MemberList{{spec(3)}}).dials.empty());
  EXPECT_TRUE(bench.tell(2, 11, MemberList{{spec(3)}}).dials.empty());
  EXPECT_EQ(bench.membership.stats().stale, 2u);
  EXPECT_TRUE(bench.give(M::Control{1, 11, "garbage!"}).dials.empty());
  EXPECT_EQ(bench.membership.stats().malformed, 1u);
  bench.give(M::LinkDown{1, 10, true});
  EXPECT_EQ(bench.state(1), MemberState::kAlive);
  bench.tell(1, 11, MemberList{{spec(kSelf, 1, true)}});
  bench.tell(1, 11, MemberList{{spec(kSelf, 2)}});
  EXPECT_EQ(bench.membership.stats().impostors, 2u);
  EXPECT_EQ(bench.membership.digest(), digest);
  EXPECT_FALSE(bench.knows(3));
}

TEST(FullMembership, TheNumberOfMembersIsBounded) {
  M::Config config;
  config.members_max = 10;
  Bench bench(config);
  bench.run(0);
  bench.up(1, 11);
  MemberList list;
  for (core::NodeId node = 100; node < 200; ++node) list.members.push_back(spec(node));
  for (std::size_t i = 0; i < 100; i += 20) {
    bench.tell(1, 11,
               MemberList{{list.members.begin() + static_cast<std::ptrdiff_t>(i),
                           list.members.begin() + static_cast<std::ptrdiff_t>(i + 20)}});
  }
  EXPECT_EQ(bench.membership.members(bench.now).size(), 11u);
  EXPECT_EQ(bench.membership.stats().members_dropped, 91u);
  bench.run(30 * core::kSecond, {{1, 11}});
  ASSERT_EQ(bench.state(100), MemberState::kFailed);
  EXPECT_EQ(bench.up(500, 55).notices.size(), 1u) << "a node that is there displaces one that is not";
  EXPECT_EQ(bench.membership.members(bench.now).size(), 11u);
}

}  // namespace
}  // namespace anabranch::overlay

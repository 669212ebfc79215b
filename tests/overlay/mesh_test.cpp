// Whole clusters of memberships over link tables on a bad network, in virtual time, over many seeds. A failing seed
// is printed.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/overlay/mesh.hpp"

namespace anabranch::overlay {
namespace {

using testing::Mesh;

constexpr std::size_t kNodes = 8;
constexpr std::uint64_t kSeeds = 60;

core::NodeId id_of(std::size_t index, std::uint64_t seed) {
  return core::Rng::stream(seed, "id", index)() | 1;  // random order of ids
}

void spoil(Mesh& mesh, std::uint64_t seed) {
  mesh.loss = 0.2;
  mesh.duplicate = 0.1;
  mesh.spread = 20 * core::kMillisecond;
  mesh.tell_unknown_epochs = seed % 2 == 0;  // optional for the node; both must work
}

/// Eight nodes; all join through node 0 within a second.
void start_all(Mesh& mesh, std::uint64_t seed) {
  core::Rng rng = core::Rng::stream(seed, "starts");
  for (std::size_t i = 0; i < kNodes; ++i) {
    mesh.start(i, id_of(i, seed), 1, i == 0 ? std::vector<std::size_t>{} : std::vector<std::size_t>{0});
    mesh.run(rng.below(200) * core::kMillisecond);
  }
}

TEST(Mesh, EightNodesJoinThroughOneContact) {
  core::Duration slowest = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Mesh mesh(seed);
    spoil(mesh, seed);
    start_all(mesh, seed);
    const core::Duration took = mesh.run_until_meshed(60 * core::kSecond);
    ASSERT_NE(took, core::kNever);
    slowest = std::max(slowest, took);
    mesh.run(60 * core::kSecond);
    EXPECT_TRUE(mesh.meshed()) << "stays meshed";
    EXPECT_EQ(mesh.broken_rules, 0u);
    for (std::size_t i = 0; i < kNodes; ++i) EXPECT_EQ(mesh.at(i).links->dial_count(), 0u);
  }
  RecordProperty("slowest_ms", static_cast<int>(slowest / core::kMillisecond));
}

TEST(Mesh, TheSameSeedGivesTheSameTrace) {
  std::uint64_t previous = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    std::uint64_t traces[2] = {};
    for (std::uint64_t& trace : traces) {
      Mesh mesh(seed);
      spoil(mesh, seed);
      start_all(mesh, seed);
      mesh.run(10 * core::kSecond);
      mesh.kill(3);
      mesh.run(10 * core::kSecond);
      mesh.start(3, id_of(3, seed), 2, {0, 1});
      mesh.run(10 * core::kSecond);
      trace = mesh.trace;
    }
    EXPECT_EQ(traces[0], traces[1]);
    EXPECT_NE(traces[0], previous) << "and another seed another";
    previous = traces[0];
  }
}

TEST(Mesh, OnAGoodNetworkNodesJoinWithinASecond) {
  Mesh mesh(1);
  for (std::size_t i = 0; i < kNodes; ++i) mesh.start(i, id_of(i, 1), 1, {0});
  EXPECT_LE(mesh.run_until_meshed(5 * core::kSecond), core::kSecond);
  const std::uint64_t before = mesh.frames;
  mesh.run(10 * core::kSecond);
  const std::uint64_t keepalives = kNodes * (kNodes - 1) * 20;
  EXPECT_LE(mesh.frames - before, keepalives * 12 / 10) << "keepalives and nothing else";
  for (std::size_t i = 0; i < kNodes; ++i) EXPECT_EQ(mesh.at(i).downs, 0u);
}

TEST(Mesh, APartitionHeals) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Mesh mesh(seed);
    spoil(mesh, seed);
    start_all(mesh, seed);
    ASSERT_NE(mesh.run_until_meshed(60 * core::kSecond), core::kNever);
    core::Rng rng = core::Rng::stream(seed, "cut");
    std::map<core::Address, bool> side;
    for (std::size_t i = 0; i < kNodes; ++i) side[Mesh::address(i)] = i == 0 || (i != 1 && rng.chance(0.5));
    mesh.cut = [&](core::Address from, core::Address to) { return side[from] != side[to]; };
    mesh.run(10 * core::kSecond + rng.below(60) * core::kSecond);
    for (std::size_t i = 0; i < kNodes; ++i) {
      for (std::size_t j = 0; j < kNodes; ++j) {
        if (side[Mesh::address(i)] == side[Mesh::address(j)]) continue;
        ASSERT_EQ(mesh.at(i).links->by_peer(mesh.at(j).id), nullptr);
      }
    }
    mesh.cut = nullptr;
    ASSERT_NE(mesh.run_until_meshed(60 * core::kSecond), core::kNever);
    EXPECT_EQ(mesh.broken_rules, 0u);
  }
}

TEST(Mesh, ASilentDeathIsDetectedByAllAndForgottenInTheEnd) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Mesh mesh(seed);
    spoil(mesh, seed);
    start_all(mesh, seed);
    ASSERT_NE(mesh.run_until_meshed(60 * core::kSecond), core::kNever);
    const std::size_t dead = seed % kNodes;
    mesh.kill(dead);
    mesh.run(4 * core::kSecond);
    EXPECT_FALSE(mesh.meshed()) << "eight silent keepalives accuse nobody";
    EXPECT_NE(mesh.run_until_meshed(3 * core::kSecond), core::kNever);
    for (std::size_t i = 0; i < kNodes; ++i) {
      if (i == dead) continue;
      EXPECT_EQ(mesh.state(i, id_of(dead, seed)), MemberState::kFailed);
    }
    if (seed > kNodes) continue;
    mesh.run(660 * core::kSecond);
    for (std::size_t i = 0; i < kNodes; ++i) {
      if (i == dead) continue;
      EXPECT_EQ(mesh.at(i).membership->members(mesh.now).size(), kNodes - 1);
      const bool through_it = dead == 0;  // a join address is dialled for ever
      EXPECT_EQ(mesh.at(i).links->dial_count(), through_it ? 1u : 0u);
    }
    EXPECT_TRUE(mesh.meshed());
  }
}

TEST(Mesh, ALeaveIsRememberedAndAHigherIncarnationComesBack) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Mesh mesh(seed);
    spoil(mesh, seed);
    start_all(mesh, seed);
    ASSERT_NE(mesh.run_until_meshed(60 * core::kSecond), core::kNever);
    const core::NodeId leaver = id_of(5, seed);
    mesh.give(5, FullMembership::Leave{});
    mesh.run(core::kSecond);
    EXPECT_EQ(mesh.at(5).links->link_count(), 0u);
    mesh.kill(5);
    ASSERT_NE(mesh.run_until_meshed(20 * core::kSecond), core::kNever);
    std::size_t left = 0;
    for (std::size_t i = 0; i < kNodes; ++i)
      if (i != 5) left += mesh.state(i, leaver) == MemberState::kLeft ? 1 : 0;
    EXPECT_EQ(left, kNodes - 1) << "those who missed the GOODBYE hear it from the others";

    mesh.start(5, leaver, 1, {0});
    mesh.run(20 * core::kSecond);
    for (std::size_t i = 0; i < kNodes; ++i) {
      if (i == 5) continue;
      EXPECT_FALSE(mesh.at(i).up.contains(leaver)) << "the incarnation that left stays away";
      EXPECT_EQ(mesh.state(i, leaver), MemberState::kLeft);
    }
    mesh.start(5, leaver, 2, {0});
    ASSERT_NE(mesh.run_until_meshed(60 * core::kSecond), core::kNever);
    EXPECT_EQ(mesh.state(3, leaver), MemberState::kAlive);
    EXPECT_EQ(mesh.broken_rules, 0u);
  }
}

TEST(Mesh, ARestartWithTheSameIdOrAnotherOneJoinsAgain) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Mesh mesh(seed);
    spoil(mesh, seed);
    start_all(mesh, seed);
    ASSERT_NE(mesh.run_until_meshed(60 * core::kSecond), core::kNever);
    core::Rng rng = core::Rng::stream(seed, "restart");
    const core::Duration away = rng.below(10'000) * core::kMillisecond;  // noticed or not
    mesh.kill(2);
    mesh.run(away);
    mesh.start(2, id_of(2, seed), 2, {0, 1, 3, 4, 5, 6, 7});
    ASSERT_NE(mesh.run_until_meshed(60 * core::kSecond), core::kNever);

    mesh.kill(0);
    mesh.run(away);
    const core::NodeId other = id_of(100, seed);
    mesh.start(0, other, 1, {1, 2, 3, 4, 5, 6, 7});
    ASSERT_NE(mesh.run_until_meshed(60 * core::kSecond), core::kNever);
    mesh.run(5 * core::kSecond);
    for (std::size_t i = 1; i < kNodes; ++i) EXPECT_EQ(mesh.state(i, id_of(0, seed)), MemberState::kReplaced);
    mesh.run(20 * core::kSecond);
    EXPECT_TRUE(mesh.meshed());
    for (std::size_t i = 0; i < kNodes; ++i) EXPECT_EQ(mesh.at(i).links->dial_count(), 0u) << i;
    EXPECT_EQ(mesh.broken_rules, 0u);
  }
}

TEST(Mesh, AContactThatStartsLateIsFound) {
  Mesh mesh(9);
  spoil(mesh, 9);
  for (std::size_t i = 1; i < kNodes; ++i) mesh.start(i, id_of(i, 9), 1, {0});
  mesh.run(900 * core::kSecond);
  EXPECT_FALSE(mesh.meshed());
  mesh.start(0, id_of(0, 9), 1, {});
  EXPECT_NE(mesh.run_until_meshed(30 * core::kSecond), core::kNever);
}

TEST(Mesh, TwoClustersThatJoinBecomeOne) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Mesh mesh(seed);
    spoil(mesh, seed);
    for (std::size_t i = 0; i < kNodes; ++i)
      mesh.start(i, id_of(i, seed), 1, i % 2 == 0 ? std::vector<std::size_t>{0} : std::vector<std::size_t>{1});
    mesh.run(20 * core::kSecond);
    EXPECT_FALSE(mesh.meshed());
    mesh.give(6, FullMembership::Join{Mesh::address(3)});
    ASSERT_NE(mesh.run_until_meshed(60 * core::kSecond), core::kNever);
  }
}

TEST(Mesh, OneWayCutsAndStormsOfRestartsEndInAMesh) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Mesh mesh(seed);
    spoil(mesh, seed);
    start_all(mesh, seed);
    core::Rng rng = core::Rng::stream(seed, "storm");
    std::vector<core::Incarnation> lives(kNodes, 1);
    for (int round = 0; round < 20; ++round) {
      const core::Address from = Mesh::address(rng.below(kNodes));
      const core::Address to = Mesh::address(rng.below(kNodes));
      mesh.cut = [from, to](core::Address a, core::Address b) { return a == from || b == to; };
      const std::size_t victim = rng.below(kNodes);
      mesh.kill(victim);
      mesh.run(rng.below(4'000) * core::kMillisecond);
      mesh.start(victim, id_of(victim, seed), ++lives[victim], {0, 1, 2});
      mesh.run(rng.below(4'000) * core::kMillisecond);
    }
    mesh.cut = nullptr;
    ASSERT_NE(mesh.run_until_meshed(90 * core::kSecond), core::kNever);
    EXPECT_EQ(mesh.broken_rules, 0u);
  }
}

}  // namespace
}  // namespace anabranch::overlay

// Eight nodes of production code under virtual time. ANABRANCH_SIM_SEEDS seeds (200 if unset) from ANABRANCH_SIM_FIRST_SEED on;
// a failure prints the command that replays it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "tests/sim/scenario.hpp"

namespace anabranch::sim {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct Seeds {
  std::uint64_t first = from_environment("ANABRANCH_SIM_FIRST_SEED", 1);
  std::uint64_t count = from_environment("ANABRANCH_SIM_SEEDS", 200);
};

std::string replay(std::uint64_t seed, const char* test) {
  return "seed " + std::to_string(seed) + "; replay with ANABRANCH_SIM_FIRST_SEED=" + std::to_string(seed) +
         " ANABRANCH_SIM_SEEDS=1 sim_test --gtest_filter='" + test + "'";
}

TEST(Simulator, EightNodesConvergeThroughLossDuplicationReorderingAndAPartition) {
  const Seeds seeds;
  std::uint64_t datagrams = 0;
  core::Duration longest = 0;
  for (std::uint64_t seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
    ScenarioConfig config;
    config.cluster.seed = seed;
    const Outcome outcome = run_scenario(config);
    ASSERT_EQ(outcome.problem, "") << replay(seed, "Simulator.Eight*");
    datagrams += outcome.datagrams;
    longest = std::max(longest, outcome.settled_after);
  }
  std::cout << "seeds " << seeds.first << " to " << seeds.first + seeds.count - 1 << ": all converged; " << datagrams
            << " datagrams; at rest after at most " << longest / core::kSecond << " virtual seconds\n";
}

TEST(Simulator, TheSameSeedGivesTheSameTraceTwice) {
  const Seeds seeds;
  const std::uint64_t count = std::max<std::uint64_t>(1, seeds.count / 10);
  for (std::uint64_t seed = seeds.first; seed < seeds.first + count; ++seed) {
    ScenarioConfig config;
    config.cluster.seed = seed;
    const Outcome first = run_scenario(config);
    const Outcome second = run_scenario(config);
    EXPECT_EQ(first.trace_hash, second.trace_hash) << replay(seed, "Simulator.TheSame*");
    EXPECT_EQ(first.datagrams, second.datagrams);
    EXPECT_GT(first.datagrams, 1'000U);
    config.cluster.seed = seed + 1;
    EXPECT_NE(run_scenario(config).trace_hash, first.trace_hash) << "the hash does not see the run";
  }
}

TEST(Simulator, ANodeThatLosesItsMemoryComesBackAndNoTotalIsLost) {
  const Seeds seeds;
  const std::uint64_t count = std::max<std::uint64_t>(1, seeds.count / 4);
  for (std::uint64_t seed = seeds.first; seed < seeds.first + count; ++seed) {
    ScenarioConfig config;
    config.cluster.seed = seed;
    config.crash = true;
    const Outcome outcome = run_scenario(config);
    ASSERT_EQ(outcome.problem, "") << replay(seed, "Simulator.ANode*");
  }
}

TEST(Simulator, NodesBehindTheLogsTakeTransfers) {
  const Seeds seeds;
  const std::uint64_t count = std::max<std::uint64_t>(1, seeds.count / 4);
  for (std::uint64_t seed = seeds.first; seed < seeds.first + count; ++seed) {
    ScenarioConfig config;
    config.cluster.seed = seed;
    config.cluster.log_bytes_max = 2'000;
    config.crash = seed % 2 == 0;
    const Outcome outcome = run_scenario(config);
    ASSERT_EQ(outcome.problem, "") << replay(seed, "Simulator.NodesBehind*");
  }
}

}  // namespace
}  // namespace anabranch::sim

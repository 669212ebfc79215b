// A seeded workload on a simulated cluster, with an oracle outside the protocol that knows every accepted operation.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/rng.hpp"
#include "tools/sim/cluster.hpp"

namespace anabranch::sim {

/// What a scenario is made of; times are virtual.
struct ScenarioConfig {
  ClusterConfig cluster;
  double loss = 0.20;
  double duplicate = 0.10;
  double reorder = 0.20;
  std::uint32_t operations = 300;
  core::Duration work_for = 10 * core::kSecond;
  bool partition = true;  // a random cut for 1 to 9 s that heals
  bool crash = false;     // one node loses all its memory midway; only totals are then used
  core::Duration settle_for = 90 * core::kSecond;
};

/// What came of it. `problem` is empty when every expectation held.
struct Outcome {
  std::string problem;
  std::uint64_t trace_hash = 0;
  std::uint64_t datagrams = 0;
  core::Duration settled_after = 0;  // from the last operation until all nodes were linked and agreed
};

/// Runs one scenario to its end. Deterministic in `config`.
Outcome run_scenario(const ScenarioConfig& config);

}  // namespace anabranch::sim

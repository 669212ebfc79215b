#include "dataflow/threshold.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/rng.hpp"
#include "lattice/catalog.hpp"

namespace anabranch::dataflow {
namespace {

using lattice::TypeId;

/// One copy of one variable, and what it has not yet received from the other copy.
struct Copy {
  lattice::Object object;
  lattice::CausalContext seen;
  lattice::Hlc clock;
  core::Origin origin;
  std::uint64_t last_dot = 0;
  std::vector<lattice::Fragment> arriving;

  void apply(const lattice::Fragment& delta) {
    lattice::join(object, seen, delta);
    seen.join(delta.context);
  }
};

lattice::Operation random_operation(TypeId type, core::Rng& rng) {
  using lattice::Verb;
  std::vector<Verb> verbs;
  for (const Verb verb : {Verb::kIncrement, Verb::kDecrement, Verb::kSet, Verb::kEnable, Verb::kDisable, Verb::kAdd,
                          Verb::kRemove, Verb::kClear})
    if (lattice::accepts(type, verb)) verbs.push_back(verb);
  lattice::Operation operation;
  operation.verb = verbs[rng.below(verbs.size())];
  const bool register_set = type == TypeId::kLwwRegister || type == TypeId::kMvRegister;
  if (operation.verb == Verb::kAdd || operation.verb == Verb::kRemove || register_set)
    operation.elements = {std::to_string(rng.below(8))};
  else if (operation.verb == Verb::kIncrement || operation.verb == Verb::kDecrement || operation.verb == Verb::kSet)
    operation.amount = static_cast<std::int64_t>(rng.below(100)) + 1;
  return operation;
}

/// Two copies of a variable mutate and exchange deltas, late and in any order: how often does a copy's measure fall?
int falls(TypeId type, std::uint64_t seed, int steps) {
  core::Rng rng(seed);
  std::vector<Copy> copies(2);
  for (std::size_t i = 0; i < 2; ++i) copies[i] = {lattice::bottom(type), {}, {}, {i + 1, 1}, 0, {}};
  int count = 0;
  for (int step = 0; step < steps; ++step) {
    const std::size_t at = rng.below(2);
    Copy& copy = copies[at];
    const std::int64_t before = lattice::measure(copy.object);
    if (rng.chance(0.5)) {
      lattice::Mutator mutator{copy.origin, &copy.last_dot, &copy.clock, static_cast<std::uint64_t>(step)};
      const auto delta = lattice::mutate(copy.object, random_operation(type, rng), mutator);
      EXPECT_TRUE(delta.has_value()) << delta.error().message();
      if (!delta) return -1;
      copy.apply(*delta);
      copies[1 - at].arriving.push_back(*delta);
    } else if (!copy.arriving.empty()) {
      const auto next = copy.arriving.begin() + static_cast<std::ptrdiff_t>(rng.below(copy.arriving.size()));
      copy.apply(*next);
      copy.arriving.erase(next);
    }
    if (lattice::measure(copy.object) < before) ++count;
  }
  return count;
}

TEST(Threshold, AMeasureNeverFallsWhereTheAnswerIsDeterministic) {
  int deterministic = 0;
  for (const TypeId type : lattice::catalog()) {
    if (threshold_of(type) != Threshold::kDeterministic) continue;
    ++deterministic;
    for (std::uint64_t seed = 1; seed <= 20; ++seed)
      EXPECT_EQ(falls(type, seed, 500), 0) << lattice::name(type) << ", seed " << seed;
  }
  EXPECT_EQ(deterministic, 3);
}

TEST(Threshold, AMeasureFallsWhereTheAnswerIsAnObservation) {
  for (const TypeId type : lattice::catalog()) {
    // A last-writer register measures 1 from its first write on: it cannot fall, but it says nothing of the value.
    if (threshold_of(type) != Threshold::kObservation || type == TypeId::kLwwRegister) continue;
    EXPECT_GT(falls(type, 1, 500), 0) << lattice::name(type);
  }
}

}  // namespace
}  // namespace anabranch::dataflow

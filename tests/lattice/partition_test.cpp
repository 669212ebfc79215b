// Many variables under one causal context: a partition as the delta layer keeps it, against each variable with a context
// of its own. Flushes are joined entry by entry, and the context grows after the last.
#include <gtest/gtest.h>

#include <map>

#include "lattice/catalog.hpp"
#include "tests/lattice/world.hpp"

namespace anabranch::lattice {
namespace {

constexpr std::size_t kVariables = 12;  // of every type, some twice

TypeId type_at(std::size_t variable) { return catalog()[variable % catalog().size()]; }

using Flush = std::map<std::size_t, Fragment>;  // by variable

/// One node's partition, and beside it what each variable would be alone.
struct Partition {
  core::Origin origin;
  std::uint64_t last_dot = 0;
  Hlc clock;
  std::vector<Object> objects;
  CausalContext seen;
  std::vector<Fragment> alone;
  Flush pending;

  explicit Partition(core::NodeId node) : origin{node, 1} {
    for (std::size_t i = 0; i < kVariables; ++i) {
      objects.push_back(bottom(type_at(i)));
      alone.push_back({bottom(type_at(i)), {}});
    }
  }

  void mutate(std::size_t variable, const Operation& operation) {
    Mutator mutator{origin, &last_dot, &clock, 1'000};
    const Fragment delta = lattice::mutate(objects[variable], operation, mutator).value();
    EXPECT_EQ(join(objects[variable], seen, delta), !delta.empty());
    seen.join(delta.context);
    join(alone[variable], delta);
    const auto [at, fresh] = pending.try_emplace(variable, delta);
    if (!fresh) join(at->second, delta);
  }

  /// Joins a flush; false if a join reports growth otherwise than the variable alone does.
  bool take(const Flush& flush) {
    bool agree = true;
    for (const auto& [variable, fragment] : flush)
      agree &= join(objects[variable], seen, fragment) == join(alone[variable], fragment);
    for (const auto& [variable, fragment] : flush) seen.join(fragment.context);
    return agree;
  }
};

Operation operation_for(TypeId type, core::Rng& rng) {
  const auto verbs = verbs_of(type);
  Operation operation{verbs[rng.below(verbs.size())],
                      static_cast<std::int64_t>(1 + rng.below(4)),
                      {},
                      core::Actor::edge(2, rng.below(3))};
  const bool valued = operation.verb == Verb::kAdd || operation.verb == Verb::kRemove ||
                      (operation.verb == Verb::kSet && type != TypeId::kMaxInt && type != TypeId::kMinInt);
  if (valued) operation.elements.push_back(core::Bytes(1, static_cast<char>('a' + rng.below(3))));
  return operation;
}

TEST(Partition, OneContextForAllVariablesEqualsOneForEach) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(seed);
    core::Rng rng = core::Rng::stream(seed, "partition");
    std::vector<Partition> nodes{Partition(1), Partition(2), Partition(3)};
    std::vector<Flush> sent;
    for (int step = 0; step < 60; ++step) {
      Partition& node = nodes[rng.below(nodes.size())];
      if (rng.chance(0.6)) {
        const std::size_t variable = rng.below(kVariables);
        node.mutate(variable, operation_for(type_at(variable), rng));
      } else if (rng.chance(0.5)) {
        sent.push_back(std::move(node.pending));
        node.pending.clear();
      } else if (!sent.empty()) {
        ASSERT_TRUE(node.take(sent[rng.below(sent.size())]));  // out of order, and again
      }
    }
    for (Partition& node : nodes) sent.push_back(node.pending);
    for (Partition& node : nodes) {
      for (std::size_t i = sent.size(); i > 1; --i) std::swap(sent[i - 1], sent[rng.below(i)]);
      for (const Flush& flush : sent) ASSERT_TRUE(node.take(flush));
      for (const Flush& flush : sent) {
        for (const auto& [variable, fragment] : flush) ASSERT_FALSE(join(node.objects[variable], node.seen, fragment));
      }
      for (std::size_t i = 0; i < kVariables; ++i) {
        ASSERT_EQ(node.objects[i], node.alone[i].object);
        ASSERT_EQ(node.objects[i], nodes[0].objects[i]);
      }
      ASSERT_EQ(node.seen, nodes[0].seen);
      ASSERT_EQ(node.seen.contiguous({1, 1}), nodes[0].last_dot);  // a dense history for each origin
    }
  }
}

}  // namespace
}  // namespace anabranch::lattice

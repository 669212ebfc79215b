// Every type of the catalog under every law: on exhaustive small samples, on samples of seeded histories, and on what
// RapidCheck generates and shrinks.
#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <type_traits>

#include "tests/lattice/catalog_laws.hpp"

namespace anabranch::lattice {
namespace {

using laws::Law;
using laws::Tagged;

template <class>
struct AsTypes;
template <class... T>
struct AsTypes<std::variant<T...>> {
  using Types = testing::Types<T...>;
};
using EveryType = AsTypes<Object>::Types;

/// Which laws ran on which type, printed at the end.
struct Ledger : testing::Environment {
  std::map<std::string_view, std::set<std::string_view>> laws_of;  // by type
  std::uint64_t checks = 0;

  void TearDown() override {
    std::set<std::string_view> laws;
    for (const auto& [type, names] : laws_of) laws.insert(names.begin(), names.end());
    std::printf("law suite: %zu laws x %zu types, %llu checks\n", laws.size(), laws_of.size(),
                static_cast<unsigned long long>(checks));
  }
};
Ledger* const kLedger = static_cast<Ledger*>(testing::AddGlobalTestEnvironment(new Ledger));

template <class T>
std::vector<Law<typename Tagged<T>::L>> state_laws() {
  using L = typename Tagged<T>::L;
  auto all = laws::order_laws<L>();
  for (const auto& law : laws::difference_laws<L>()) all.push_back(law);
  for (const auto& law : laws::catalog_laws<T>()) all.push_back(law);
  return all;
}

template <class T>
void expect_lawful(const std::vector<typename Tagged<T>::L>& samples) {
  const auto laws = state_laws<T>();
  const auto names = laws::broken(laws, samples, &kLedger->checks);
  EXPECT_EQ(names, std::vector<std::string>{}) << T::kName << " on " << samples.size() << " samples";
  for (const auto& law : laws) kLedger->laws_of[T::kName].insert(law.name);
}

/// Every state that can be made of a few irreducibles: all joins of subsets of `parts`, each once.
template <class L>
std::vector<L> closure(const std::vector<L>& parts) {
  std::vector<L> states;
  for (std::size_t subset = 0; subset < (std::size_t{1} << parts.size()); ++subset) {
    L state{};
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if ((subset >> i & 1U) != 0) state.join(parts[i]);
    }
    if (std::find(states.begin(), states.end(), state) == states.end()) states.push_back(state);
  }
  return states;
}

/// Three mutations by three replicas at once, as irreducibles; for causal types, each dot alive and dead.
/// All by the type's first verb, or by its verbs in turn.
template <class T>
std::vector<typename Tagged<T>::L> small_world(std::uint8_t value, bool in_turn = false) {
  using L = typename Tagged<T>::L;
  const auto act = [&](std::uint8_t replica) {
    const std::uint8_t choice = in_turn ? replica : std::uint8_t{0};
    return Step{0, replica, choice, static_cast<std::uint8_t>(value + 5 * replica)};
  };
  const World world(T::kId, {act(0), act(1), act(2)});
  std::vector<L> parts;
  for (const Mutation& mutation : world.mutations()) {
    for (const L& part : laws::parts_of(Tagged<T>::untag(mutation.delta))) {
      if (parts.size() >= 6) break;
      parts.push_back(part);
      if constexpr (CausalType<T>) parts.push_back(L{T{}, part.context});
    }
  }
  return closure(parts);
}

template <class T>
class Laws : public testing::Test {};

struct TypeNames {
  template <class T>
  static std::string GetName(int) {  // NOLINT(readability-identifier-naming): GoogleTest calls it by this name
    return std::string(T::kName);
  }
};
TYPED_TEST_SUITE(Laws, EveryType, TypeNames);

TYPED_TEST(Laws, HoldOnEveryStateOfASmallWorld) {
  for (const std::uint8_t value : {std::uint8_t{1}, std::uint8_t{2}}) {
    for (const bool in_turn : {false, true}) expect_lawful<TypeParam>(small_world<TypeParam>(value, in_turn));
  }
}

TYPED_TEST(Laws, HoldOnStatesAndDeltasOfHistories) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    core::Rng rng = core::Rng::stream(seed, TypeParam::kName);
    const World world(TypeParam::kId, random_script(rng, 6 + rng.below(20)));
    std::vector<typename Tagged<TypeParam>::L> samples;
    for (const Fragment& sample : world.samples(9)) samples.push_back(Tagged<TypeParam>::untag(sample));
    SCOPED_TRACE(seed);
    expect_lawful<TypeParam>(samples);
  }
}

TYPED_TEST(Laws, HoldAlongHistories) {
  const auto history = laws::history_laws<TypeParam>();
  for (std::uint64_t seed = 1; seed <= 3'000; ++seed) {
    core::Rng rng = core::Rng::stream(seed, TypeParam::kName);
    const World world(TypeParam::kId, random_script(rng, 1 + rng.below(40)));
    for (const auto& law : history) {
      ASSERT_TRUE(law.holds(TypeParam::kId, world, rng)) << TypeParam::kName << ": " << law.name << ", seed " << seed;
      ++kLedger->checks;
      kLedger->laws_of[TypeParam::kName].insert(law.name);
    }
  }
}

Script script_of(const std::vector<std::tuple<std::uint8_t, std::uint8_t, std::uint8_t, std::uint8_t>>& steps) {
  Script script;
  for (const auto& [kind, replica, choice, value] : steps) script.push_back({kind, replica, choice, value});
  return script;
}

TYPED_TEST(Laws, HoldOnWhatRapidCheckFinds) {
  using L = typename Tagged<TypeParam>::L;
  const auto of_states = state_laws<TypeParam>();
  const auto of_history = laws::history_laws<TypeParam>();
  const bool held =
      rc::check(std::string(TypeParam::kName) + " obeys every law",
                [&](const std::vector<std::tuple<std::uint8_t, std::uint8_t, std::uint8_t, std::uint8_t>>& steps,
                    std::uint8_t pick, std::uint64_t seed) {
                  const World world(TypeParam::kId, script_of(steps));
                  const std::vector<Fragment> samples = world.samples(64);
                  const auto sample = [&](std::size_t i) {
                    return Tagged<TypeParam>::untag(samples[(pick + i) % samples.size()]);
                  };
                  const L a = sample(0);
                  const L b = sample(1 + pick % 3U);
                  const L c = sample(3 + pick % 5U);
                  for (const auto& law : of_states) {
                    if (!law.holds(a, b, c)) RC_FAIL(std::string(law.name));
                  }
                  core::Rng rng(seed);
                  for (const auto& law : of_history) {
                    if (!law.holds(TypeParam::kId, world, rng)) RC_FAIL(std::string(law.name));
                  }
                  kLedger->checks += of_states.size() + of_history.size();
                });
  EXPECT_TRUE(held);
}

template <class... T>
std::vector<TypeId> ids_of(testing::Types<T...>) {
  return {T::kId...};
}

TEST(LawSuite, CoversEveryTypeOfTheCatalog) {
  const auto types = catalog();
  EXPECT_EQ(ids_of(EveryType()), std::vector<TypeId>(types.begin(), types.end()));
}

TEST(LawSuite, SamplesOfASmallWorldAreManyEnough) {
  EXPECT_EQ(small_world<AwSet>(1).size(), 27U);  // three dots, each unseen, alive or dead
  EXPECT_EQ(small_world<DwFlag>(1).size(), 27U);
  EXPECT_EQ(small_world<MvRegister>(1).size(), 27U);
  EXPECT_EQ(small_world<EwFlag>(1).size(), 27U);
  EXPECT_EQ(small_world<GCounter>(1).size(), 8U);  // three entries, each there or not
  EXPECT_EQ(small_world<PnCounter>(1, true).size(), 8U);
}

// Types that break a law on purpose: a suite that passes them checks nothing.

/// A register that keeps its own value on a tie.
struct TieKeeper {
  std::uint64_t stamp = 0;
  int value = 0;
  friend bool operator==(const TieKeeper&, const TieKeeper&) = default;
  bool join(const TieKeeper& other) {
    if (other.stamp <= stamp) return false;
    *this = other;
    return true;
  }
  [[nodiscard]] bool leq(const TieKeeper& other) const { return stamp <= other.stamp; }
};

TEST(LawSuite, CatchesATieThatIsLeftToChance) {
  const std::vector<TieKeeper> samples{{0, 0}, {1, 3}, {1, 4}, {2, 1}};
  const auto names = laws::broken(laws::order_laws<TieKeeper>(), samples);
  const std::set<std::string> found(names.begin(), names.end());
  EXPECT_TRUE(found.contains("join is commutative"));
  EXPECT_TRUE(found.contains("leq is antisymmetric"));
  EXPECT_TRUE(found.contains("a <= b iff a join b == b"));
}

/// A max whose join reports a visit, whose parts overlap and whose delta is everything.
struct Sloppy {
  int value = 0;
  friend bool operator==(const Sloppy&, const Sloppy&) = default;
  bool join(const Sloppy& other) {
    value = std::max(value, other.value);
    return true;
  }
  [[nodiscard]] bool leq(const Sloppy& other) const { return value <= other.value; }
  template <class Sink>
  void decompose(Sink&& sink) const {
    for (int part = 1; part <= value; ++part) sink(Sloppy{part});
  }
  [[nodiscard]] std::uint64_t irreducibles() const { return 1; }
  [[nodiscard]] Sloppy delta(const Sloppy&) const { return *this; }
};

TEST(LawSuite, CatchesFalseGrowthRedundantPartsAndFatDeltas) {
  const std::vector<Sloppy> samples{{0}, {1}, {2}};
  EXPECT_EQ(laws::broken(laws::order_laws<Sloppy>(), samples),
            (std::vector<std::string>{"a state may be joined with itself", "join returns true iff it grew"}));
  const auto names = laws::broken(laws::difference_laws<Sloppy>(), samples);
  const std::set<std::string> found(names.begin(), names.end());
  EXPECT_TRUE(found.contains("no part is redundant"));
  EXPECT_TRUE(found.contains("irreducibles() counts the parts"));
  EXPECT_TRUE(found.contains("delta of nothing new is bottom"));
  EXPECT_TRUE(found.contains("delta(a, b) is the join of the parts that b lacks"));
}

}  // namespace
}  // namespace anabranch::lattice

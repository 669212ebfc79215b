// Mistakes that other implementations shipped, each as a named vector. The numbers are those of the survey that found them.
#include <gtest/gtest.h>

#include <memory>

#include "core/limits.hpp"
#include "lattice/catalog.hpp"
#include "tests/lattice/world.hpp"

namespace anabranch::lattice {
namespace {

Operation bare(Verb verb) { return {verb, 0, {}, {}}; }
Operation with(Verb verb, core::Bytes element) { return {verb, 0, {std::move(element)}, {}}; }
Operation number(Verb verb, std::int64_t amount) { return {verb, amount, {}, {}}; }

Replica replica_of(TypeId type, core::NodeId node) {
  Replica replica;
  replica.origin = {node, 1};
  replica.state.object = bottom(type);
  return replica;
}

bool has(const Replica& replica, core::BytesView element) {
  return std::get<AwSet>(replica.state.object).contains(element);
}

// T3: a remove's delta must reach a replica that is only ever fed deltas.
TEST(Traps, T3ARemoteFedOnlyDeltasRemoves) {
  Replica origin = replica_of(TypeId::kAwSet, 1);
  Replica remote = replica_of(TypeId::kAwSet, 2);
  const auto tell = [&](const Operation& operation) { return join(remote.state, *origin.mutate(operation)); };
  EXPECT_TRUE(tell(with(Verb::kAdd, "x")));
  EXPECT_TRUE(tell(with(Verb::kAdd, "y")));
  EXPECT_TRUE(tell(with(Verb::kRemove, "x")));
  EXPECT_FALSE(has(remote, "x"));
  EXPECT_TRUE(has(remote, "y"));
  EXPECT_EQ(remote.state, origin.state);
}

// T4: an element on both sides of a join may still be dead on both, by dots that the other side holds.
TEST(Traps, T4PresentOnBothSidesIsNotAlive) {
  Replica a = replica_of(TypeId::kAwSet, 1);
  Replica b = replica_of(TypeId::kAwSet, 2);
  Replica c = replica_of(TypeId::kAwSet, 3);
  ASSERT_TRUE(a.mutate(with(Verb::kAdd, "x")));
  ASSERT_TRUE(b.mutate(with(Verb::kAdd, "x")));
  join(c.state, a.state);
  ASSERT_TRUE(a.mutate(with(Verb::kRemove, "x")));
  join(a.state, b.state);
  ASSERT_TRUE(b.mutate(with(Verb::kRemove, "x")));
  ASSERT_TRUE(has(a, "x"));
  ASSERT_TRUE(has(c, "x"));
  join(a.state, c.state);
  join(b.state, a.state);
  EXPECT_FALSE(has(b, "x"));
}

// T6: a remove that arrives before its add must not be forgotten.
TEST(Traps, T6ARemoveThatComesFirstHolds) {
  Replica origin = replica_of(TypeId::kAwSet, 1);
  const Fragment add = *origin.mutate(with(Verb::kAdd, "x"));
  const Fragment remove = *origin.mutate(with(Verb::kRemove, "x"));
  Replica remote = replica_of(TypeId::kAwSet, 2);
  EXPECT_TRUE(join(remote.state, remove));  // news of dead dots alone is growth
  EXPECT_FALSE(join(remote.state, add));
  EXPECT_FALSE(has(remote, "x"));
  EXPECT_EQ(remote.state, origin.state);
}

// T7: no tie of a register is left to the order of arrival.
TEST(Traps, T7EqualStampsAreOrderedByOriginThenBytes) {
  const core::Origin low{1, 1};
  const core::Origin high{1, 2};
  const auto written = [](core::Origin origin, core::Bytes value) {
    return LwwRegister::from_parts(500, origin, std::move(value)).value();
  };
  const auto winner = [](LwwRegister a, const LwwRegister& b) {
    a.join(b);
    return a.value();
  };
  EXPECT_EQ(winner(written(low, "z"), written(high, "a")), "a");
  EXPECT_EQ(winner(written(high, "a"), written(low, "z")), "a");
  EXPECT_EQ(winner(written(low, "bar"), written(low, "baz")), "baz");  // one origin, one stamp: a fault, still no split
  EXPECT_EQ(winner(written(low, "baz"), written(low, "bar")), "baz");
  EXPECT_EQ(winner(written(low, "\x7f"), written(low, "\x80")), "\x80");  // bytes have no sign
  EXPECT_EQ(winner(written(low, core::Bytes("a\0", 2)), written(low, "a")), core::Bytes("a\0", 2));
}

TEST(Traps, T7ARegisterOverwritesAStampThatItsClockHasNotSeen) {
  Replica behind = replica_of(TypeId::kLwwRegister, 1);
  behind.state.object = LwwRegister::from_parts(Hlc::stamp_of(90'000), {9, 9}, "old").value();
  const auto delta = behind.mutate(with(Verb::kSet, "new"), 1'000);
  ASSERT_TRUE(delta.has_value());
  EXPECT_EQ(read(behind.state.object), Reading("new"));
}

// T12: a copy shares nothing with its source, the index of live dots included.
TEST(Traps, T12CopiesAreValues) {
  Replica replica = replica_of(TypeId::kAwSet, 1);
  ASSERT_TRUE(replica.mutate({Verb::kAdd, 0, {"x", "y"}, {}}));
  auto source = std::make_unique<Replica>(replica);
  Replica copy = *source;
  ASSERT_TRUE(source->mutate(with(Verb::kRemove, "x")));
  EXPECT_TRUE(has(copy, "x"));
  source.reset();  // what the copy points into must be its own
  ASSERT_TRUE(copy.mutate(with(Verb::kRemove, "y")));
  EXPECT_FALSE(has(copy, "y"));
  EXPECT_TRUE(has(copy, "x"));
  Replica moved = std::move(copy);
  ASSERT_TRUE(moved.mutate(bare(Verb::kClear)));
  EXPECT_EQ(measure(moved.state.object), 0);
}

// T13: asking for what is not there leaves no trace, and equal values have one form however they came about.
TEST(Traps, T13ReadingCreatesNothingAndOrderLeavesNoTrace) {
  Replica replica = replica_of(TypeId::kAwSet, 1);
  EXPECT_FALSE(has(replica, "ghost"));
  EXPECT_EQ(replica.state.object, bottom(TypeId::kAwSet));
  const auto nothing = replica.mutate(with(Verb::kRemove, "ghost"));
  EXPECT_TRUE(nothing->empty());
  EXPECT_EQ(replica.last_dot, 0U);

  Replica a = replica_of(TypeId::kAwSet, 1);
  Replica b = replica_of(TypeId::kAwSet, 2);
  const Fragment x = *a.mutate(with(Verb::kAdd, "x"));
  const Fragment y = *b.mutate(with(Verb::kAdd, "y"));
  join(a.state, y);
  join(b.state, x);
  EXPECT_EQ(a.state, b.state);
  EXPECT_EQ(read(a.state.object), read(b.state.object));
  EXPECT_EQ(fingerprint(a.state.object, 1), fingerprint(b.state.object, 1));
  ASSERT_TRUE(a.mutate(bare(Verb::kClear)));
  EXPECT_EQ(a.state.object, bottom(TypeId::kAwSet));  // no empty entries stay behind
  EXPECT_EQ(fingerprint(a.state.object, 1), 0U);
}

// T16 at the register: the clock's own tests are in hlc_test.cpp.
TEST(Traps, T16ARegisterThatCannotGrowRefusesAndTakesNothing) {
  Replica replica = replica_of(TypeId::kLwwRegister, 1);
  replica.state.object = LwwRegister::from_parts(UINT64_MAX - 1, {9, 9}, "poison").value();
  const auto refused = replica.mutate(with(Verb::kSet, "x"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, core::Errc::kOverflow);
  EXPECT_EQ(replica.clock.last(), 0U);
}

// T18: a join costs what the delta holds, not what the history holds (a hundred million dots: it would not end).
TEST(Traps, T18AJoinDoesNotPayForHistory) {
  CausalContext seen;
  seen.insert({5, 1}, 1, 100'000'000);
  AwSet set;
  set.store.insert("x", DotSet(Dot{{5, 1}, 99'999'999}));
  Object object = set;
  Fragment remove{bottom(TypeId::kAwSet), {}};
  remove.context.insert({5, 1}, 99'999'999, 100'000'001);
  EXPECT_TRUE(join(object, seen, remove));
  EXPECT_EQ(object, bottom(TypeId::kAwSet));
}

// T19: what would make a counter shrink or wrap is refused, and takes nothing.
TEST(Traps, T19CountersRefuseWhatWouldShrinkOrWrapThem) {
  const auto limit = static_cast<std::int64_t>(core::kCountMax);
  for (const TypeId type : {TypeId::kGCounter, TypeId::kPnCounter}) {
    Replica replica = replica_of(type, 1);
    for (const std::int64_t amount : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN + 1}) {
      const auto refused = replica.mutate(number(Verb::kIncrement, amount));
      ASSERT_FALSE(refused.has_value()) << name(type) << ' ' << amount;
    }
    EXPECT_EQ(replica.mutate(number(Verb::kIncrement, 0)).error().code, core::Errc::kRefused);
    EXPECT_EQ(replica.mutate(number(Verb::kIncrement, limit + 1)).error().code, core::Errc::kOverflow);
    EXPECT_EQ(replica.state.object, bottom(type));
    ASSERT_TRUE(replica.mutate(number(Verb::kIncrement, limit - 1)));
    ASSERT_TRUE(replica.mutate(number(Verb::kIncrement, 1)));  // at the bound
    EXPECT_EQ(measure(replica.state.object), limit);
    EXPECT_EQ(replica.mutate(number(Verb::kIncrement, 1)).error().code, core::Errc::kOverflow);
    EXPECT_EQ(measure(replica.state.object), limit);
  }
}

}  // namespace
}  // namespace anabranch::lattice

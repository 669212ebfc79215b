#include "lattice/catalog.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "core/limits.hpp"
#include "tests/lattice/world.hpp"

namespace anabranch::lattice {
namespace {

/// Any operation of `verb` with plausible arguments, whether or not a type has it.
Operation plausible(Verb verb) {
  Operation operation{verb, 0, {}, core::Actor::edge(1, 1)};
  if (verb == Verb::kIncrement || verb == Verb::kDecrement || verb == Verb::kTotal) operation.amount = 3;
  if (verb == Verb::kAdd || verb == Verb::kRemove) operation.elements = {"x"};
  return operation;
}

constexpr std::array kEveryVerb = {Verb::kIncrement, Verb::kDecrement, Verb::kSet,   Verb::kEnable, Verb::kDisable,
                                   Verb::kAdd,       Verb::kRemove,    Verb::kClear, Verb::kTotal};

struct Lender {
  std::uint64_t last_dot = 7;
  Hlc clock{100};
  Mutator mutator{{1, 1}, &last_dot, &clock, 5};
  [[nodiscard]] bool untouched() const { return last_dot == 7 && clock.last() == 100; }
};

core::Errc error_of(TypeId type, const Operation& operation) {
  Lender lender;
  const auto refused = mutate(bottom(type), operation, lender.mutator);
  EXPECT_FALSE(refused.has_value());
  EXPECT_TRUE(lender.untouched()) << "a refused operation takes nothing";
  return refused ? core::Errc::kClosed : refused.error().code;
}

TEST(Catalog, NumbersNeverChange) {
  const std::vector<std::pair<std::string_view, int>> numbers = {
      {"gcounter", 1}, {"pncounter", 2},   {"maxint", 3},     {"minint", 4}, {"gset", 5},
      {"awset", 6},    {"lwwregister", 7}, {"mvregister", 8}, {"ewflag", 9}, {"dwflag", 10}};
  ASSERT_EQ(catalog().size(), numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    EXPECT_EQ(static_cast<int>(catalog()[i]), numbers[i].second);
    EXPECT_EQ(name(catalog()[i]), numbers[i].first);
  }
}

TEST(Catalog, FindsEachTypeByNameNumberAndValue) {
  for (const TypeId type : catalog()) {
    EXPECT_EQ(type_named(name(type)), type);
    EXPECT_EQ(type_numbered(static_cast<std::uint64_t>(type)), type);
    EXPECT_EQ(type_of(bottom(type)), type);
    EXPECT_EQ(fingerprint(bottom(type), 3), 0U);
    EXPECT_TRUE(well_formed({bottom(type), {}}));
  }
  EXPECT_EQ(type_named("orset"), TypeId::kAwSet);
  EXPECT_EQ(type_named("counter"), std::nullopt);
  EXPECT_EQ(type_named(""), std::nullopt);
  EXPECT_EQ(type_numbered(0), std::nullopt);
  EXPECT_EQ(type_numbered(11), std::nullopt);
  EXPECT_EQ(type_numbered(257), std::nullopt);
}

TEST(Catalog, KnowsTheWordsOfEveryVerb) {
  for (const Verb verb : kEveryVerb) {
    if (verb != Verb::kTotal) {
      EXPECT_EQ(verb_named(name(verb)), verb);
    }
  }
  EXPECT_EQ(verb_named("total"), std::nullopt);
  EXPECT_EQ(verb_named("Increment"), std::nullopt);
  EXPECT_EQ(words(TypeId::kGCounter), (std::vector<std::string_view>{"increment"}));
  EXPECT_EQ(words(TypeId::kAwSet), (std::vector<std::string_view>{"add", "remove", "clear"}));
}

TEST(Catalog, RefusesEveryVerbThatATypeHasNot) {
  for (const TypeId type : catalog()) {
    for (const Verb verb : kEveryVerb) {
      if (!accepts(type, verb)) {
        EXPECT_EQ(error_of(type, plausible(verb)), core::Errc::kRefused) << name(type);
      }
    }
  }
  Lender lender;
  const auto refused = mutate(bottom(TypeId::kGCounter), plausible(Verb::kDecrement), lender.mutator);
  EXPECT_EQ(refused.error().message(), "the type has no such operation: gcounter has increment");
}

TEST(Catalog, RefusesArgumentsThatDoNotFit) {
  using core::Errc;
  EXPECT_EQ(error_of(TypeId::kGCounter, {Verb::kIncrement, 1, {"x"}, {}}), Errc::kMalformed);
  EXPECT_EQ(error_of(TypeId::kMaxInt, {Verb::kSet, 1, {"x"}, {}}), Errc::kMalformed);
  EXPECT_EQ(error_of(TypeId::kGSet, {Verb::kAdd, 0, {}, {}}), Errc::kMalformed);
  EXPECT_EQ(error_of(TypeId::kAwSet, {Verb::kRemove, 0, {}, {}}), Errc::kMalformed);
  EXPECT_EQ(error_of(TypeId::kAwSet, {Verb::kClear, 0, {"x"}, {}}), Errc::kMalformed);
  EXPECT_EQ(error_of(TypeId::kEwFlag, {Verb::kEnable, 0, {"x"}, {}}), Errc::kMalformed);
  EXPECT_EQ(error_of(TypeId::kLwwRegister, {Verb::kSet, 0, {}, {}}), Errc::kMalformed);
  EXPECT_EQ(error_of(TypeId::kMvRegister, {Verb::kSet, 0, {"x", "y"}, {}}), Errc::kMalformed);
  EXPECT_EQ(error_of(TypeId::kPnCounter, {Verb::kDecrement, -1, {}, {}}), Errc::kRefused);
  EXPECT_EQ(error_of(TypeId::kGCounter, {Verb::kTotal, 5, {}, {}}), Errc::kRefused);  // not an edge client
}

TEST(Catalog, BoundsNumbersAndValues) {
  const auto limit = static_cast<std::int64_t>(core::kCountMax);
  Lender lender;
  for (const TypeId type : {TypeId::kMaxInt, TypeId::kMinInt}) {
    EXPECT_EQ(error_of(type, {Verb::kSet, limit + 1, {}, {}}), core::Errc::kOverflow);
    EXPECT_EQ(error_of(type, {Verb::kSet, -limit - 1, {}, {}}), core::Errc::kOverflow);
    EXPECT_EQ(error_of(type, {Verb::kSet, INT64_MIN, {}, {}}), core::Errc::kOverflow);
    EXPECT_TRUE(mutate(bottom(type), {Verb::kSet, limit, {}, {}}, lender.mutator).has_value());
    EXPECT_TRUE(mutate(bottom(type), {Verb::kSet, -limit, {}, {}}, lender.mutator).has_value());
  }
  const core::Bytes largest(core::kValueBytesMax, 'x');
  for (const TypeId type : {TypeId::kGSet, TypeId::kAwSet, TypeId::kLwwRegister, TypeId::kMvRegister}) {
    const Verb verb = accepts(type, Verb::kAdd) ? Verb::kAdd : Verb::kSet;
    EXPECT_TRUE(mutate(bottom(type), {verb, 0, {largest}, {}}, lender.mutator).has_value());
    EXPECT_EQ(error_of(type, {verb, 0, {largest + 'x'}, {}}), core::Errc::kTooLarge);
  }
  const std::vector<core::Bytes> too_many(core::kListMax + 1, "x");
  EXPECT_EQ(error_of(TypeId::kGSet, {Verb::kAdd, 0, too_many, {}}), core::Errc::kTooLarge);
}

TEST(Catalog, GivesAnEmptyFragmentWhereNothingChanges) {
  Lender lender;
  const auto nothing = [&](const Object& object, const Operation& operation) {
    const auto delta = mutate(object, operation, lender.mutator);
    return delta.has_value() && delta->empty() && type_of(delta->object) == type_of(object) && lender.untouched();
  };
  EXPECT_TRUE(nothing(GSet::from_elements({"a"}).value(), {Verb::kAdd, 0, {"a"}, {}}));
  EXPECT_TRUE(nothing(MaxInt(9), {Verb::kSet, 9, {}, {}}));
  EXPECT_TRUE(nothing(MinInt(9), {Verb::kSet, 10, {}, {}}));
  EXPECT_TRUE(nothing(AwSet(), {Verb::kRemove, 0, {"a"}, {}}));
  EXPECT_TRUE(nothing(AwSet(), {Verb::kClear, 0, {}, {}}));
  EXPECT_TRUE(nothing(EwFlag(), {Verb::kDisable, 0, {}, {}}));
}

TEST(Catalog, GivesEachTypeItsOwnFingerprints) {
  std::set<std::uint64_t> prints;
  Lender lender;
  for (const TypeId type : {TypeId::kMaxInt, TypeId::kMinInt})
    prints.insert(fingerprint(mutate(bottom(type), {Verb::kSet, 4, {}, {}}, lender.mutator)->object, 1));
  for (const TypeId type : {TypeId::kEwFlag, TypeId::kDwFlag}) {
    lender.last_dot = 7;
    prints.insert(fingerprint(mutate(bottom(type), {Verb::kEnable, 0, {}, {}}, lender.mutator)->object, 1));
  }
  EXPECT_EQ(prints.size(), 4U);
  EXPECT_NE(fingerprint(MaxInt(4), 1), fingerprint(MaxInt(4), 2));
}

TEST(Catalog, WeighsWhatAnElementAdds) {
  for (const TypeId type : {TypeId::kGSet, TypeId::kAwSet, TypeId::kLwwRegister, TypeId::kMvRegister}) {
    Lender lender;
    const Verb verb = accepts(type, Verb::kAdd) ? Verb::kAdd : Verb::kSet;
    const auto delta = mutate(bottom(type), {verb, 0, {core::Bytes(5'000, 'x')}, {}}, lender.mutator);
    EXPECT_GE(weight_bytes(*delta), 5'000U) << name(type);
    EXPECT_LE(weight_bytes(*delta), 5'200U) << name(type);
  }
}

using CatalogDeathTest = testing::Test;

TEST(CatalogDeathTest, EndsOnAJoinOfTwoTypes) {
  Object object = bottom(TypeId::kGSet);
  EXPECT_DEATH(join(object, {}, {bottom(TypeId::kAwSet), {}}), "CHECK");
}

}  // namespace
}  // namespace anabranch::lattice

#include "lattice/causal_context.hpp"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>

#include "core/limits.hpp"

namespace anabranch::lattice {
namespace {

const core::Origin kA{1, 1};
const core::Origin kB{1, 2};
const core::Origin kC{2, 1};

using Model = std::set<Dot>;
using Inserts = std::vector<std::tuple<std::uint8_t, std::uint8_t, std::uint8_t>>;

core::Origin origin_of(std::uint8_t number) { return number % 3 == 0 ? kA : number % 3 == 1 ? kB : kC; }

/// Builds the context and the set in step; false if `insert` reports growth wrongly.
bool build(const Inserts& inserts, CausalContext& context, Model& model) {
  for (const auto& [number, start, length] : inserts) {
    const core::Origin origin = origin_of(number);
    const std::uint64_t lo = 1 + start % 80U;
    const std::uint64_t hi = lo + length % 4U;
    const std::size_t before = model.size();
    for (std::uint64_t sequence = lo; sequence <= hi; ++sequence) model.insert({origin, sequence});
    if (context.insert(origin, lo, hi) != (model.size() > before)) return false;
  }
  return true;
}

/// Same dots, and runs that are sorted and neither overlap nor touch.
bool equals(const CausalContext& context, const Model& model) {
  Model dots;
  for (const Run& run : context.runs()) {
    for (std::uint64_t sequence = run.lo; sequence <= run.hi; ++sequence) {
      if (!dots.insert({run.origin, sequence}).second || !context.contains({run.origin, sequence})) return false;
    }
  }
  const auto runs = context.runs();
  return dots == model && context.dot_count() == model.size() && context.empty() == model.empty() &&
         CausalContext::from_runs({runs.begin(), runs.end()}).has_value();
}

TEST(CausalContext, EqualsASetOfDots) {
  const bool held = rc::check("a context is a set of dots", [](const Inserts& of_a, const Inserts& of_b) {
    CausalContext a;
    CausalContext b;
    Model in_a;
    Model in_b;
    RC_ASSERT(build(of_a, a, in_a) && build(of_b, b, in_b));
    RC_ASSERT(equals(a, in_a) && equals(b, in_b));
    for (const core::Origin& origin : {kA, kB, kC}) {
      std::uint64_t contiguous = 0;
      while (in_a.contains({origin, contiguous + 1})) ++contiguous;
      RC_ASSERT(a.contiguous(origin) == contiguous);
      for (std::uint64_t sequence = 1; sequence < 90; ++sequence) {
        const Dot dot{origin, sequence};
        RC_ASSERT(a.contains(dot) == in_a.contains(dot));
      }
    }
    RC_ASSERT(a.leq(b) == std::includes(in_b.begin(), in_b.end(), in_a.begin(), in_a.end()));
    Model rest;
    std::set_difference(in_a.begin(), in_a.end(), in_b.begin(), in_b.end(), std::inserter(rest, rest.end()));
    RC_ASSERT(equals(a.minus(b), rest));
    Model both = in_a;
    both.insert(in_b.begin(), in_b.end());
    CausalContext joined = a;
    RC_ASSERT(joined.join(b) == (both.size() > in_a.size()));
    RC_ASSERT(equals(joined, both) && !joined.join(a) && a.leq(joined) && b.leq(joined));
    CausalContext other_way = b;
    other_way.join(a);
    RC_ASSERT(other_way == joined);
  });
  EXPECT_TRUE(held);
}

TEST(CausalContext, JoinsLongListsOfRunsInBothWays) {
  CausalContext odd;
  CausalContext even;
  for (std::uint64_t sequence = 1; sequence < 200; sequence += 2) {
    odd.insert({kA, sequence});
    even.insert({kA, sequence + 1});
  }
  EXPECT_EQ(odd.runs().size(), 100U);
  EXPECT_FALSE(odd.leq(even));
  EXPECT_EQ(odd.minus(even), odd);
  EXPECT_TRUE(odd.join(even));
  EXPECT_EQ(odd.runs().size(), 1U);
  EXPECT_EQ(odd.contiguous(kA), 200U);
  EXPECT_FALSE(odd.join(even));
  EXPECT_TRUE(even.leq(odd));
  EXPECT_TRUE(even.join(odd));
  EXPECT_EQ(even, odd);
}

TEST(CausalContext, AbsorbsTheRunsOnBothSidesOfAHole) {
  CausalContext context;
  context.insert(kA, 1, 4);
  context.insert(kA, 6, 9);
  EXPECT_EQ(context.contiguous(kA), 4U);
  EXPECT_TRUE(context.insert({kA, 5}));
  EXPECT_EQ(context.runs().size(), 1U);
  EXPECT_EQ(context.contiguous(kA), 9U);
}

TEST(CausalContext, KeepsIncarnationsApart) {
  CausalContext context;
  context.insert({kA, 3});
  context.insert({kB, 4});
  EXPECT_EQ(context.runs().size(), 2U);
  EXPECT_FALSE(context.contains({kA, 4}));
  EXPECT_FALSE(context.contains({kB, 3}));
}

TEST(CausalContext, CostsNothingPerDot) {  // a hundred million dots, one of them new
  CausalContext seen;
  seen.insert(kA, 1, 100'000'000);
  CausalContext delta;
  delta.insert(kA, 99'999'999, 100'000'001);
  EXPECT_EQ(delta.minus(seen).dot_count(), 1U);
  EXPECT_TRUE(seen.join(delta));
  EXPECT_EQ(seen.runs().size(), 1U);
  EXPECT_EQ(seen.contiguous(kA), 100'000'001U);
}

TEST(CausalContext, RefusesRunsThatAreNotCanonical) {
  const auto refused = [](std::vector<lattice::Run> runs) {
    const auto context = CausalContext::from_runs(std::move(runs));
    return !context && context.error().code == core::Errc::kMalformed;
  };
  EXPECT_TRUE(refused({{kA, 0, 3}}));
  EXPECT_TRUE(refused({{kA, 4, 3}}));
  EXPECT_TRUE(refused({{kA, 1, kSequenceMax + 1}}));
  EXPECT_TRUE(refused({{kA, 1, UINT64_MAX}}));
  EXPECT_TRUE(refused({{kA, 1, 3}, {kA, 4, 5}}));  // touch
  EXPECT_TRUE(refused({{kA, 1, 3}, {kA, 2, 5}}));  // overlap
  EXPECT_TRUE(refused({{kA, 7, 8}, {kA, 1, 3}}));  // unsorted
  EXPECT_TRUE(refused({{kC, 1, 1}, {kA, 1, 1}}));
  EXPECT_FALSE(refused({{kA, 1, 3}, {kA, 5, kSequenceMax}, {kB, 1, 1}}));
  EXPECT_FALSE(refused({}));
}

TEST(CausalContext, HoldsTheGreatestSequence) {
  CausalContext context;
  EXPECT_TRUE(context.insert({kA, kSequenceMax}));
  EXPECT_TRUE(context.insert(kA, 1, kSequenceMax));
  EXPECT_FALSE(context.insert({kA, kSequenceMax}));
  EXPECT_EQ(context.runs().size(), 1U);
}

}  // namespace
}  // namespace anabranch::lattice

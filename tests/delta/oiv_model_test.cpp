// The rules of replication under random faults, over the real replica and codec. ANABRANCH_MODEL_RUNS sets how many
// worlds are run, ANABRANCH_MODEL_SEED the first seed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>

#include "tests/delta/model_world.hpp"

namespace anabranch::delta::model {
namespace {

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::optional<std::string> failure_of(std::uint64_t seed, Mutation mutation, Tally* sum = nullptr) {
  World world(seed, mutation);
  try {
    world.run();
  } catch (const Broken& broken) {
    return broken.what();
  }
  if (sum == nullptr) return std::nullopt;
  const Tally& tally = world.tally();
  sum->operations += tally.operations;
  sum->delivered += tally.delivered;
  sum->lost += tally.lost;
  sum->crashes += tally.crashes;
  sum->breaks += tally.breaks;
  sum->promises += tally.promises;
  sum->transfers += tally.transfers;
  sum->gaps += tally.gaps;
  sum->duplicates += tally.duplicates;
  sum->prunes += tally.prunes;
  sum->checks += tally.checks;
  sum->slowest_ms = std::max(sum->slowest_ms, tally.slowest_ms);
  return std::nullopt;
}

TEST(OivModel, EveryWorldEndsAsItsVectorSays) {
  const std::uint64_t runs = number_from("ANABRANCH_MODEL_RUNS", 4'000);
  const std::uint64_t first = number_from("ANABRANCH_MODEL_SEED", 1);
  Tally sum;
  std::uint64_t failures = 0;
  for (std::uint64_t seed = first; seed < first + runs; ++seed) {
    if (const auto failure = failure_of(seed, Mutation::kNone, &sum)) {
      ADD_FAILURE() << "seed " << seed << ": " << *failure;
      if (++failures == 5) break;
    }
  }
  std::cout << "seeds " << first << ".." << first + runs - 1 << ": operations " << sum.operations << ", delivered "
            << sum.delivered << ", lost " << sum.lost << ", crashes " << sum.crashes << ", links changed " << sum.breaks
            << ", promises " << sum.promises << ", transfers " << sum.transfers << ", gaps " << sum.gaps
            << ", duplicates " << sum.duplicates << ", prunes " << sum.prunes << ", checks " << sum.checks
            << ", slowest agreement " << sum.slowest_ms << " ms\n";
  if (runs < 200) return;
  EXPECT_GT(sum.transfers, runs / 10);  // what is not exercised is not tested
  EXPECT_GT(sum.gaps, runs);
  EXPECT_GT(sum.prunes, runs);
  EXPECT_GT(sum.promises, runs);
  EXPECT_GT(sum.crashes, runs / 5);
}

/// A rule that nobody misses is not tested: with it removed, some world must break.
void expect_caught(Mutation mutation, const char* rule) {
  constexpr std::uint64_t kRuns = 400;
  for (std::uint64_t seed = 1; seed <= kRuns; ++seed) {
    if (const auto failure = failure_of(seed, mutation)) {
      std::cout << "without \"" << rule << "\": seed " << seed << ": " << *failure << '\n';
      return;
    }
  }
  ADD_FAILURE() << "no world of " << kRuns << " misses the rule: " << rule;
}

TEST(OivModel, ContextsOfOthersOnAPartialDeltaAreCaught) {
  expect_caught(Mutation::kWholeContext, "an interval carries the context of its own dots only");
}
TEST(OivModel, IntervalsJoinedAcrossAGapAreCaught) {
  expect_caught(Mutation::kNoGapCheck, "an interval is joined only when base <= VV");
}
TEST(OivModel, LinkAcknowledgementsTakenForHoldingAreCaught) {
  expect_caught(Mutation::kLinkAck, "an acknowledgement of a link never raises what a peer is known to hold");
}
TEST(OivModel, ChunksJoinedAsTheyComeAreCaught) {
  expect_caught(Mutation::kApplyEarly, "the chunks of a transfer are joined in one step");
}
TEST(OivModel, AnOriginThatIsUsedAgainIsCaught) { expect_caught(Mutation::kSameOrigin, "every start is a new origin"); }
TEST(OivModel, DigestsSaidOnceAreCaught) {
  expect_caught(Mutation::kDigestOnce, "digest entries repeat until confirmed");
}
TEST(OivModel, EntriesThatAreLostOnTheWayAreCaught) {
  expect_caught(Mutation::kLostEntry, "an interval is joined whole");
}

}  // namespace
}  // namespace anabranch::delta::model

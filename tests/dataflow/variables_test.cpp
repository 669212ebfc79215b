#include "dataflow/variables.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/hash.hpp"

namespace anabranch::dataflow {
namespace {

using lattice::TypeId;
using lattice::Verb;

constexpr std::uint32_t kPartitions = 4;
constexpr std::uint64_t kWallMs = 1'700'000'000'000;

/// A shard that owns every partition but the last.
class VariablesTest : public ::testing::Test {
 protected:
  VariablesTest() : replicas_(kPartitions), variables_(replicas_) {
    for (core::PartitionId partition = 0; partition + 1U < kPartitions; ++partition) {
      delta::Replica::Config config;
      config.partition = partition;
      config.self = {7, 0};
      replicas_[partition] = std::make_unique<delta::Replica>(config);
    }
  }

  static std::string key_in(core::PartitionId partition, int number = 0) {
    for (int i = 0;; ++i) {
      std::string key = std::string("key:").append(std::to_string(i));
      if (core::partition_of(key, kPartitions) == partition && number-- == 0) return key;
    }
  }

  core::Result<Ticket> increment(const std::string& key, std::int64_t amount) {
    lattice::Operation operation;
    operation.verb = Verb::kIncrement;
    operation.amount = amount;
    return variables_.update(key, TypeId::kGCounter, operation, kWallMs, outbox_);
  }

  std::vector<Variables::Fired> fire() {
    std::vector<Variables::Fired> fired;
    variables_.fire(outbox_, fired);
    outbox_.changed.clear();
    return fired;
  }

  Replicas replicas_;
  Variables variables_;
  delta::Outbox outbox_;
};

TEST_F(VariablesTest, AnUpdateIsSeenByTheNextQuery) {
  const std::string key = key_in(1);
  EXPECT_FALSE(variables_.query(key));
  const auto ticket = increment(key, 5);
  ASSERT_TRUE(ticket);
  EXPECT_EQ(ticket->partition, 1);
  EXPECT_EQ(ticket->flush, 1U);
  const auto view = variables_.query(key);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->type, TypeId::kGCounter);
  EXPECT_EQ(lattice::measure(*view->object), 5);
}

TEST_F(VariablesTest, ADeclaredVariableReadsAsItsEmptyValue) {
  const std::string key = key_in(0);
  ASSERT_TRUE(variables_.declare(key, TypeId::kAwSet, outbox_));
  const auto view = variables_.query(key);
  ASSERT_TRUE(view);
  EXPECT_EQ(lattice::read(*view->object), lattice::Reading(std::vector<core::Bytes>{}));
  EXPECT_EQ(variables_.declare(key, TypeId::kGSet, outbox_).error().code, core::Errc::kTypeMismatch);
}

TEST_F(VariablesTest, AKeyOfAnotherShardIsRefusedAndUnknown) {
  const std::string key = key_in(kPartitions - 1);
  EXPECT_EQ(increment(key, 1).error().code, core::Errc::kRefused);
  EXPECT_EQ(variables_.declare(key, TypeId::kGCounter, outbox_).error().code, core::Errc::kRefused);
  EXPECT_FALSE(variables_.query(key));
}

TEST_F(VariablesTest, AThresholdThatHoldsIsReadAtOnce) {
  const std::string key = key_in(2);
  ASSERT_TRUE(increment(key, 5));
  const auto read = variables_.read(key, 5);
  ASSERT_TRUE(read);
  ASSERT_TRUE(read->now);
  EXPECT_EQ(read->later, 0U);
  EXPECT_EQ(variables_.watches(), 0U);
}

TEST_F(VariablesTest, AThresholdReadOfAnUnknownVariableFiresOnceWhenItIsMet) {
  const std::string key = key_in(2);
  const auto read = variables_.read(key, 5);
  ASSERT_TRUE(read);
  ASSERT_FALSE(read->now);
  ASSERT_TRUE(increment(key, 4));
  EXPECT_TRUE(fire().empty());
  ASSERT_TRUE(increment(key, 1));
  const auto fired = fire();
  ASSERT_EQ(fired.size(), 1U);
  EXPECT_EQ(fired[0].watch, read->later);
  EXPECT_EQ(fired[0].view.key, key);
  ASSERT_TRUE(increment(key, 1));
  EXPECT_TRUE(fire().empty());
}

TEST_F(VariablesTest, AnExtremumThatWasNeverSetMeetsNoThreshold) {
  const std::string key = key_in(0);
  ASSERT_TRUE(variables_.declare(key, TypeId::kMinInt, outbox_));
  const auto read = variables_.read(key, -5);
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->now);
  EXPECT_TRUE(fire().empty());
  lattice::Operation set;
  set.verb = Verb::kSet;
  set.amount = -5;
  ASSERT_TRUE(variables_.update(key, TypeId::kMinInt, set, kWallMs, outbox_));
  EXPECT_EQ(fire().size(), 1U);
}

TEST_F(VariablesTest, ACancelledReadNeverFires) {
  const std::string key = key_in(0);
  const auto read = variables_.read(key, 1);
  ASSERT_TRUE(read);
  EXPECT_TRUE(variables_.cancel(read->later));
  EXPECT_FALSE(variables_.cancel(read->later));
  ASSERT_TRUE(increment(key, 1));
  EXPECT_TRUE(fire().empty());
}

TEST_F(VariablesTest, AScanIsSortedOverPartitionsAndGoesOnWhereItStopped) {
  std::vector<std::string> keys;
  for (core::PartitionId partition = 0; partition + 1U < kPartitions; ++partition)
    for (int i = 0; i < 5; ++i) keys.push_back(key_in(partition, i));
  std::sort(keys.begin(), keys.end());
  for (const std::string& key : keys) ASSERT_TRUE(increment(key, 1));
  std::vector<std::string> got;
  const core::Bytes* after = nullptr;
  core::Bytes last;
  for (bool more = true; more;) {
    const auto [views, rest] = variables_.scan("key:", after, 4);
    ASSERT_LE(views.size(), 4U);
    for (const View& view : views) got.emplace_back(view.key);
    last = got.back();
    after = &last;
    more = rest;
  }
  EXPECT_EQ(got, keys);
  EXPECT_TRUE(variables_.scan("nothing", nullptr, 4).first.empty());
}

}  // namespace
}  // namespace anabranch::dataflow

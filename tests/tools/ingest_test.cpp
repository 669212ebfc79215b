#include "tools/cli/ingest.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "tests/tools/access_log.hpp"
#include "tests/tools/fake_cluster.hpp"

namespace anabranch::cli {
namespace {

using test::FakeCluster;
using test::ScratchDirectory;

IngestPlan plan_of(std::string_view key, std::string source = {}) {
  IngestPlan plan;
  plan.client = *KeyTemplate::parse("{host}");
  plan.key = *KeyTemplate::parse(key);
  plan.source = std::move(source);
  return plan;
}

IngestReport ingest(const std::string& path, const IngestPlan& plan, FakeCluster& cluster, std::size_t nodes,
                    const IngestHooks& hooks = {}) {
  auto lines = LineSource::open(path);
  if (!lines) {
    ADD_FAILURE() << lines.error().message();
    return {};
  }
  SenderConfig config;
  config.nodes = nodes;
  config.batch_max = 32;
  config.backoff_min = core::kMillisecond;
  EdgeSender sender(config, cluster.links());
  return run_ingest(**lines, plan, nodes, sender, hooks);
}

std::map<std::string, std::uint64_t> prefixed(const std::map<std::string, std::uint64_t>& counts,
                                              const std::string& prefix) {
  std::map<std::string, std::uint64_t> result;
  for (const auto& [key, count] : counts) result[prefix + key] = count;
  return result;
}

TEST(Ingest, CountsEveryLineOnce) {
  const ScratchDirectory scratch;
  const auto log = test::make_access_log(5, 4'000, 200, 90);
  for (const std::string& path : {scratch.write("log", log.text()), scratch.write("log.gz", test::gzip(log.text()))}) {
    FakeCluster cluster(3, 5, {});
    const auto report = ingest(path, plan_of("hits/{path}"), cluster, 3);
    EXPECT_EQ(report.lines, 4'000u);
    EXPECT_EQ(report.malformed, 0u);
    EXPECT_EQ(report.sender.acknowledged, 4'000u);
    EXPECT_EQ(report.sender.clients, log.hosts.size());
    EXPECT_EQ(report.sender.keys, log.paths.size());
    EXPECT_FALSE(report.gave_up);
    EXPECT_EQ(cluster.counts(), prefixed(log.paths, "hits/"));
  }
}

TEST(Ingest, ARunThatWasCutOffAnywhereAndRunAgainCountsExactly) {
  const ScratchDirectory scratch;
  const auto log = test::make_access_log(6, 3'000, 100, 60);
  FakeCluster cluster(3, 6, {0.1, 0.1, 0.2, 0.05, 0.05});
  core::Rng rng(6);
  for (int round = 0; round < 10; ++round) {
    // What an interrupted run has sent is a prefix of the file, in whatever batches; the rest of its memory is gone.
    std::string part;
    const std::uint64_t lines = rng.below(log.lines.size());
    for (std::size_t i = 0; i < lines; ++i) part += log.lines[i] + "\n";
    ingest(scratch.write("part", part), plan_of("{path}"), cluster, 3);
  }
  const auto report = ingest(scratch.write("whole", log.text()), plan_of("{path}"), cluster, 3);
  EXPECT_EQ(report.sender.acknowledged, 3'000u);
  EXPECT_EQ(cluster.counts(), log.paths);
}

TEST(Ingest, TwoLogsOfTheSameClientsAddUpUnderTwoNames) {
  const ScratchDirectory scratch;
  const auto log = test::make_access_log(7, 500, 20, 10);
  const std::string path = scratch.write("log", log.text());
  FakeCluster cluster(1, 7, {});
  ingest(path, plan_of("{path}", "monday"), cluster, 1);
  ingest(path, plan_of("{path}", "tuesday"), cluster, 1);
  ingest(path, plan_of("{path}", "tuesday"), cluster, 1);
  auto expected = log.paths;
  for (auto& [key, count] : expected) count *= 2;
  EXPECT_EQ(cluster.counts(), expected);
}

TEST(Ingest, TwoLogsAddUpAndOneLogInAnyFormIsOne) {
  const ScratchDirectory scratch;
  const auto monday = test::make_access_log(11, 500, 20, 10);
  auto tuesday = monday;  // the same clients ask for the same things, in another order
  std::rotate(tuesday.lines.begin(), tuesday.lines.begin() + 250, tuesday.lines.end());
  ASSERT_NE(monday.lines.front(), tuesday.lines.front());
  FakeCluster cluster(1, 11, {});
  const auto plain = ingest(scratch.write("monday", monday.text()), plan_of("{path}"), cluster, 1);
  const auto packed = ingest(scratch.write("old.gz", test::gzip(monday.text())), plan_of("{path}"), cluster, 1);
  EXPECT_EQ(plain.source, source_of_line(monday.lines.front()));
  EXPECT_EQ(packed.source, plain.source);
  EXPECT_EQ(cluster.counts(), monday.paths);
  ingest(scratch.write("tuesday", tuesday.text()), plan_of("{path}"), cluster, 1);
  ingest(scratch.write("tuesday", tuesday.text()), plan_of("{path}"), cluster, 1);
  auto expected = monday.paths;
  for (auto& [key, count] : expected) count *= 2;
  EXPECT_EQ(cluster.counts(), expected);
}

TEST(Ingest, MalformedLinesAreNamedAndTheRestIsCounted) {
  const ScratchDirectory scratch;
  const auto log = test::make_access_log(8, 10, 3, 3);
  std::string text = "garbage\n" + log.text() + "\n" + R"(h - - [t] "GET /)" + std::string(2'000, 'x') +
                     " HTTP/1.1\" 200 1\n" + std::string(70'000, 'y') + "\n";
  std::vector<std::string> complaints;
  IngestHooks hooks;
  hooks.malformed = [&](std::uint64_t line, std::string_view reason) {
    complaints.push_back(std::to_string(line) + ": " + std::string(reason));
  };
  FakeCluster cluster(1, 8, {});
  const auto report = ingest(scratch.write("log", text), plan_of("{path}"), cluster, 1, hooks);
  EXPECT_EQ(report.lines, 14u);
  EXPECT_EQ(report.malformed, 4u);
  EXPECT_EQ(report.sender.acknowledged, 10u);
  EXPECT_EQ(complaints, (std::vector<std::string>{"1: expected host, ident and user", "12: the line is empty",
                                                  "13: the key is longer than 1,024 bytes",
                                                  "14: the line is longer than 65,536 bytes"}));
  EXPECT_EQ(cluster.counts(), log.paths);
}

TEST(Ingest, WhatATruncatedGzipStillHoldsIsCounted) {
  const ScratchDirectory scratch;
  const auto log = test::make_access_log(9, 3'000, 50, 50);
  const std::string packed = test::gzip(log.text());
  FakeCluster cluster(2, 9, {});
  const auto report =
      ingest(scratch.write("log.gz", packed.substr(0, packed.size() / 2)), plan_of("{path}"), cluster, 2);
  ASSERT_TRUE(report.read_error.has_value());
  EXPECT_GT(report.lines, 0u);
  EXPECT_EQ(report.malformed, 0u);
  std::map<std::string, std::uint64_t> expected;
  for (std::size_t i = 0; i < report.lines; ++i) ++expected[std::string((*parse_clf(log.lines[i]))[LogField::kPath])];
  EXPECT_EQ(cluster.counts(), expected);
}

TEST(Ingest, GivesUpWhenNothingIsAcknowledged) {
  const ScratchDirectory scratch;
  const auto log = test::make_access_log(10, 100, 5, 5);
  FakeCluster cluster(2, 10, {});
  cluster.set_away(0, true);
  cluster.set_away(1, true);
  IngestPlan plan = plan_of("{path}");
  plan.timeout = 50 * core::kMillisecond;
  const auto report = ingest(scratch.write("log", log.text()), plan, cluster, 2);
  EXPECT_TRUE(report.gave_up);
  EXPECT_FALSE(report.sender.submitted);
  EXPECT_EQ(report.sender.acknowledged, 0u);
}

TEST(Ingest, AckLevelsHaveWordsAndNumbers) {
  EXPECT_EQ(parse_ack("received")->level, rpc::Ack::Level::kReceived);
  EXPECT_EQ(parse_ack("durable")->level, rpc::Ack::Level::kDurable);
  EXPECT_EQ(parse_ack("3")->level, rpc::Ack::Level::kCopies);
  EXPECT_EQ(parse_ack("3")->copies, 3u);
  for (const char* text : {"", "0", "65", "-1", "two", "2x", "Received"})
    EXPECT_FALSE(parse_ack(text).has_value()) << text;
}

}  // namespace
}  // namespace anabranch::cli

#include "tools/cli/demo_report.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>

#include "tests/tools/access_log.hpp"
#include "tools/cli/demo.hpp"

namespace anabranch::cli {
namespace {

NodeView view(const std::map<core::Bytes, std::uint64_t>& counts) {
  NodeView seen;
  seen.answered = true;
  seen.counts = counts;
  for (const auto& [key, count] : counts) seen.text += key + "=" + std::to_string(count) + "\n";
  return seen;
}

const std::vector<std::string> kKeys{"a", "b", "c"};
const std::vector<std::uint64_t> kTruth{5, 0, 7};

TEST(DemoCheck, NodesThatHoldTheTruthAgree) {
  const auto good = view({{"a", 5}, {"c", 7}});
  const auto check = check_nodes(kKeys, kTruth, {good, good});
  EXPECT_TRUE(check.agreed);
  EXPECT_EQ(check.lost, 0u);
  EXPECT_EQ(check.double_counted, 0u);
  EXPECT_EQ(check.nodes[1].counted, 12u);
  EXPECT_TRUE(check.differences.empty());
}

TEST(DemoCheck, FindsWhatIsLostAndWhatIsCountedTwiceOnTheWorstNode) {
  const auto check =
      check_nodes(kKeys, kTruth, {view({{"a", 5}, {"c", 7}}), view({{"a", 3}, {"c", 8}}), view({{"a", 4}, {"x", 2}})});
  EXPECT_FALSE(check.agreed);
  EXPECT_EQ(check.nodes[1].lost, 2u);  // lost of one key is not made up by another
  EXPECT_EQ(check.nodes[1].excess, 1u);
  EXPECT_EQ(check.nodes[2].lost, 8u);
  EXPECT_EQ(check.nodes[2].excess, 2u);
  EXPECT_EQ(check.lost, 8u);
  EXPECT_EQ(check.double_counted, 2u);
  EXPECT_EQ(check.differences.size(), 5u);
  EXPECT_EQ(check.differences.front(), "n2 counts 3 of a, the clients hold 5");
}

TEST(DemoCheck, ASilentNodeHasLostEverythingAndUnequalTextIsNoAgreement) {
  const auto good = view({{"a", 5}, {"c", 7}});
  const auto silent = check_nodes(kKeys, kTruth, {good, NodeView{}});
  EXPECT_FALSE(silent.agreed);
  EXPECT_EQ(silent.lost, 12u);
  auto other = good;
  other.text += "r=null\n";
  EXPECT_FALSE(check_nodes(kKeys, kTruth, {good, other}).agreed);
}

TEST(DemoCheck, DivergenceIsBetweenNodesThatAnswer) {
  EXPECT_EQ(divergence({view({{"a", 5}}), NodeView{}, view({{"a", 1}, {"b", 1}})}), 3u);
  EXPECT_EQ(divergence({NodeView{}}), 0u);
}

TEST(DemoCheck, TrafficOfAKilledNodeStays) {
  TrafficMeter meter(2);
  auto first = view({}), second = view({});
  first.frames = 10, first.bytes = 100;
  second.frames = 20, second.bytes = 200;
  meter.see({first, second});
  meter.restarted(0);
  EXPECT_EQ(meter.frames(), 30u);
  first.frames = 1, first.bytes = 7;
  meter.see({first, NodeView{}});
  EXPECT_EQ(meter.frames(), 31u);
  EXPECT_EQ(meter.bytes(), 307u);
}

struct Example {
  DemoOptions options;
  DemoPlan plan;
  DemoOutcome outcome;
};

Example example(std::int64_t nodes, std::int64_t ads, bool trace) {
  Example made;
  made.options.nodes = nodes;
  made.options.ads = ads;
  made.plan = *make_plan(made.options);
  if (trace) made.plan.limit = 0;
  made.plan.malformed = 3;
  std::map<core::Bytes, std::uint64_t> counts;
  for (std::int64_t ad = 0; ad < ads; ++ad) {
    made.outcome.truth.push_back(static_cast<std::uint64_t>(40 + ad));
    made.outcome.stopped.push_back(ad >= 10);
    counts[made.plan.ads[static_cast<std::size_t>(ad)]] = static_cast<std::uint64_t>(40 + ad + (ad == 0 ? 1 : 0));
  }
  made.outcome.check = check_nodes(made.plan.ads, made.outcome.truth,
                                   std::vector<NodeView>(static_cast<std::size_t>(nodes), view(counts)));
  made.outcome.convergence = 12'345'678;
  made.outcome.elapsed = 9'876 * core::kMillisecond;
  made.outcome.unacknowledged = 1;
  return made;
}

TEST(DemoReport, FitsOnAScreenWhateverItsSize) {
  for (const std::int64_t nodes : {1, 5, 64}) {
    for (const std::int64_t ads : {1, 20, 21, 1'000}) {
      for (const bool trace : {false, true}) {
        const auto made = example(nodes, ads, trace);
        const std::string text = demo_text(made.options, made.plan, made.outcome);
        EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 40) << text;
        EXPECT_NE(text.find("THE NODES DO NOT AGREE"), std::string::npos);
      }
    }
  }
}

TEST(DemoReport, JsonHasTheFieldsThatScriptsReadAndIsOneLine) {
  const auto made = example(5, 20, false);
  const std::string text = demo_json(made.options, made.plan, made.outcome);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const auto value = boost::json::parse(text);
  const auto& object = value.as_object();
  for (const char* field :
       {"nodes", "clients", "ads", "offered", "lost", "double_counted", "divergence_max", "frames_sent", "bytes_sent"})
    EXPECT_TRUE(object.at(field).is_int64()) << field;
  EXPECT_EQ(object.at("nodes").as_int64(), 5);
  EXPECT_EQ(object.at("offered").as_int64(), 20 * 40 + 190);
  EXPECT_EQ(object.at("double_counted").as_int64(), 1);
  EXPECT_EQ(object.at("counted").as_array().size(), 5u);
  EXPECT_EQ(object.at("counted").at(0).as_int64(), 20 * 40 + 191);
  EXPECT_FALSE(object.at("converged").as_bool());
  EXPECT_DOUBLE_EQ(object.at("convergence_ms").to_number<double>(), 12.3);
  EXPECT_DOUBLE_EQ(object.at("elapsed_s").to_number<double>(), 9.876);
  const auto& stopped = object.at("ads_stopped").as_array();
  ASSERT_EQ(stopped.size(), 10u);
  EXPECT_EQ(stopped[0].at("ad").as_string(), "ad:11");
  EXPECT_EQ(stopped[0].at("limit").as_int64(), 50);
  EXPECT_EQ(stopped[0].at("stopped_at").as_int64(), 50);
  EXPECT_FALSE(made.outcome.good());
}

TEST(DemoDump, WritesOneSortedFilePerNodeThatAnswered) {
  const test::ScratchDirectory scratch;
  const std::string directory = scratch.file("out/deep");
  ASSERT_TRUE(dump_views(directory, {view({{"b", 2}, {"a", 1}, {"\xff", 3}, {"B", 4}}), NodeView{}}).has_value());
  std::ifstream file(directory + "/n1.tsv", std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_EQ(text, "B\t4\na\t1\nb\t2\n\xff\t3\n");
  EXPECT_FALSE(std::filesystem::exists(directory + "/n2.tsv"));
  EXPECT_FALSE(dump_views(directory + "/n1.tsv", {}).has_value());
}

}  // namespace
}  // namespace anabranch::cli

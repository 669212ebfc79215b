// Real processes of the built binary (ANABRANCH_BINARY): the demo and ingest, with nodes and commands that are killed.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "core/rng.hpp"
#include "tests/tools/access_log.hpp"
#include "tools/cli/demo_cluster.hpp"
#include "tools/cli/demo_observer.hpp"
#include "tools/cli/process.hpp"

namespace anabranch::cli {
namespace {

constexpr core::Duration kDemoMax = 120 * core::kSecond;

std::string binary() {
  const char* const path = std::getenv("ANABRANCH_BINARY");
  return path == nullptr ? "" : path;
}

std::unique_ptr<Process> command(std::vector<std::string> words) {
  words.insert(words.begin(), binary());
  auto process = Process::start(words);
  if (!process) {
    ADD_FAILURE() << process.error().message();
    return nullptr;
  }
  return std::move(*process);
}

struct Ended {
  int status = -1;
  std::string last_line;  // of stdout
  std::string errors;
};

Ended run(std::vector<std::string> words, core::Duration patience = kDemoMax) {
  const auto process = command(std::move(words));
  if (!process) return {};
  Ended ended;
  const core::Instant deadline = core::monotonic_now() + patience;
  while (core::monotonic_now() < deadline) {
    const auto line = process->read_line(deadline - core::monotonic_now());
    if (!line) break;
    ended.last_line = *line;
  }
  ended.status = process->wait(10 * core::kSecond).value_or(-1);
  ended.errors = process->stderr_tail(4'000);
  return ended;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string as_tsv(const std::map<std::string, std::uint64_t>& counts) {
  std::string text;
  for (const auto& [key, count] : counts) text += key + "\t" + std::to_string(count) + "\n";
  return text;
}

void expect_exact(const boost::json::object& report) {
  EXPECT_EQ(report.at("lost").as_int64(), 0);
  EXPECT_EQ(report.at("double_counted").as_int64(), 0);
  EXPECT_TRUE(report.at("converged").as_bool());
  for (const auto& counted : report.at("counted").as_array())
    EXPECT_EQ(counted.as_int64(), report.at("offered").as_int64());
}

TEST(Demo, LosesNothingCountsNothingTwiceAndStopsEveryAdvertisement) {
  const auto ended = run({"demo", "--json", "--seed", "7"});
  ASSERT_EQ(ended.status, 0) << ended.errors;
  const auto report = boost::json::parse(ended.last_line).as_object();
  expect_exact(report);
  EXPECT_EQ(report.at("nodes").as_int64(), 5);
  EXPECT_EQ(report.at("clients").as_int64(), 200);
  EXPECT_EQ(report.at("clients_offline").as_int64(), 60);
  EXPECT_TRUE(report.at("killed").is_string());
  const auto& stopped = report.at("ads_stopped").as_array();
  EXPECT_EQ(stopped.size(), 20u);
  for (const auto& stop : stopped) EXPECT_GE(stop.at("stopped_at").as_int64(), stop.at("limit").as_int64());
  EXPECT_GT(report.at("frames_sent").as_int64(), 0);
  EXPECT_GT(report.at("bytes_sent").as_int64(), report.at("frames_sent").as_int64());
}

TEST(Demo, OfATraceEveryNodeHoldsWhatTheLogHolds) {
  const test::ScratchDirectory scratch;
  const auto log = test::make_access_log(21, 6'000, 700, 900);
  const std::string trace = scratch.write("access.log.gz", test::gzip(log.text()));
  const auto ended = run({"demo", "--nodes", "3", "--trace", trace, "--dump", scratch.file("out"), "--json"});
  ASSERT_EQ(ended.status, 0) << ended.errors;
  const auto report = boost::json::parse(ended.last_line).as_object();
  expect_exact(report);
  EXPECT_EQ(report.at("offered").as_int64(), 6'000);
  EXPECT_TRUE(report.at("ads_stopped").as_array().empty());
  for (const char* node : {"n1", "n2", "n3"})
    EXPECT_EQ(read_file(scratch.file("out") + "/" + node + ".tsv"), as_tsv(log.paths)) << node;
}

TEST(Demo, ThePrintedReportIsForPeople) {
  const auto ended = run({"demo", "--nodes", "2", "--clients", "10", "--ads", "2", "--limit", "5", "--offline", "1"});
  EXPECT_EQ(ended.status, 0) << ended.errors;
  EXPECT_NE(ended.last_line.find("frames"), std::string::npos) << ended.last_line;
}

TEST(Demo, RefusesOptionsThatMakeNoSense) {
  const std::vector<std::vector<std::string>> cases = {{"--nodes", "0"},      {"--nodes", "65"}, {"--offline", "1.5"},
                                                       {"--offline", "-0.1"}, {"--limit", "0"},  {"--ads", "none"},
                                                       {"--node", "3"}};
  for (const auto& words : cases) {
    std::vector<std::string> all{"demo"};
    all.insert(all.end(), words.begin(), words.end());
    const auto ended = run(all);
    EXPECT_EQ(ended.status, 2) << words[0] << " " << words[1];
    EXPECT_FALSE(ended.errors.empty());
  }
  const auto missing = run({"demo", "--trace", "/nonexistent/log"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_NE(missing.errors.find("/nonexistent/log"), std::string::npos);
}

std::set<pid_t> children_of(pid_t pid) {
  std::istringstream list(read_file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children"));
  std::set<pid_t> children;
  for (pid_t child = 0; list >> child;) children.insert(child);
  return children;
}

TEST(Demo, EndsWhatItStartedWhateverEndsIt) {
  for (const int signal : {SIGINT, SIGTERM, SIGKILL}) {
    SCOPED_TRACE("signal " + std::to_string(signal));
    const auto demo = command({"demo", "--nodes", "3"});
    ASSERT_TRUE(demo);
    std::set<pid_t> nodes;
    for (int i = 0; i < 2'000 && nodes.size() < 3 && demo->running(); ++i) {
      nodes = children_of(demo->pid());
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ASSERT_EQ(nodes.size(), 3u) << demo->stderr_tail(2'000);
    demo->send(signal);
    const auto status = demo->wait(30 * core::kSecond);
    ASSERT_TRUE(status.has_value());
    EXPECT_EQ(*status, signal == SIGKILL ? 128 + SIGKILL : 1);
    for (const pid_t node : nodes) {
      bool gone = false;
      for (int i = 0; i < 2'000 && !gone; ++i) {
        gone = read_file("/proc/" + std::to_string(node) + "/cmdline").empty();  // ended: gone, or not reaped yet
        if (!gone) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
      EXPECT_TRUE(gone) << node;
    }
  }
}

// Three nodes by hand.
class Ingesting : public testing::Test {
 protected:
  void SetUp() override {
    for (std::size_t node = 0; node < 3; ++node) {
      const auto started = cluster_.start(node);
      ASSERT_TRUE(started.has_value()) << started.error().message();
    }
  }

  std::vector<std::string> words(const std::string& file, std::vector<std::string> more = {}) {
    std::vector<std::string> all{"ingest", file, "--format", "clf", "--client", "{host}", "--key", "{path}", "--json"};
    for (std::size_t node = 0; node < 3; ++node)
      if (const std::string address = book_.get(node); !address.empty()) all.insert(all.end(), {"--node", address});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  // Every node counts exactly `expected`, soon.
  void expect_counts(const std::map<std::string, std::uint64_t>& expected) {
    DemoObserver observer(3, book_);
    std::vector<NodeView> views;
    for (int i = 0; i < 300; ++i) {
      views = observer.look();
      bool all = true;
      for (const NodeView& view : views) all = all && view.counts == expected;
      if (all) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    for (std::size_t node = 0; node < 3; ++node)
      EXPECT_EQ(as_tsv(views[node].counts), as_tsv(expected)) << "node " << node;
  }

  test::ScratchDirectory scratch_;
  AddressBook book_{3};
  DemoCluster cluster_{binary(), 3, book_};
};

TEST_F(Ingesting, IsExactThoughItIsKilledTenTimesAndRunToTheEnd) {
  const auto log = test::make_access_log(31, 20'000, 400, 300);
  const std::string file = scratch_.write("access.log.gz", test::gzip(log.text()));
  core::Rng rng(31);
  for (int round = 0; round < 10; ++round) {
    const auto ingest = command(words(file, {"--rate", "20000"}));
    ASSERT_TRUE(ingest);
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + rng.below(900)));
    ingest->send(SIGKILL);
    ASSERT_TRUE(ingest->wait(10 * core::kSecond).has_value());
  }
  const auto ended = run(words(file));
  ASSERT_EQ(ended.status, 0) << ended.errors;
  const auto report = boost::json::parse(ended.last_line).as_object();
  EXPECT_EQ(report.at("lines").as_int64(), 20'000);
  EXPECT_EQ(report.at("counted").as_int64(), 20'000);
  expect_counts(log.paths);
}

TEST_F(Ingesting, LosesNothingWhenANodeIsKilledAndComesBack) {
  const auto log = test::make_access_log(32, 12'000, 300, 200);
  const std::string file = scratch_.write("access.log", log.text());
  const auto ingest = command(words(file, {"--rate", "6000"}));
  ASSERT_TRUE(ingest);
  std::this_thread::sleep_for(std::chrono::milliseconds(700));
  cluster_.kill(1);
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  const auto back = cluster_.start(1);
  ASSERT_TRUE(back.has_value()) << back.error().message();
  const auto status = ingest->wait(kDemoMax);
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(*status, 0) << ingest->stderr_tail(2'000);
  expect_counts(log.paths);
}

TEST_F(Ingesting, BadInputIsReportedAndTheRestIsCounted) {
  const auto log = test::make_access_log(33, 500, 30, 20);
  const auto malformed = run(words(scratch_.write("bad.log", "nonsense\n" + log.text())));
  EXPECT_EQ(malformed.status, 0);
  EXPECT_NE(malformed.errors.find("bad.log:1: expected"), std::string::npos) << malformed.errors;
  EXPECT_EQ(boost::json::parse(malformed.last_line).at("malformed").as_int64(), 1);
  expect_counts(log.paths);
  const std::string packed = test::gzip(log.text());
  const auto cut = run(words(scratch_.write("cut.gz", packed.substr(0, packed.size() - 40))));
  EXPECT_EQ(cut.status, 1);
  EXPECT_NE(cut.errors.find("cut short"), std::string::npos) << cut.errors;
  EXPECT_NE(cut.errors.find("at byte " + std::to_string(packed.size() - 40)), std::string::npos) << cut.errors;
  expect_counts(log.paths);  // a prefix of the same log: nothing new
}

TEST_F(Ingesting, ExitCodesTellARefusalFromAMissingAcknowledgement) {
  const std::string file = scratch_.write("log", test::make_access_log(36, 50, 5, 5).text());
  const auto waiting = run(words(file, {"--ack", "4", "--timeout", "0.5"}));  // there are three nodes
  EXPECT_EQ(waiting.status, 4) << waiting.errors;
  EXPECT_NE(waiting.errors.find("nothing is counted twice"), std::string::npos) << waiting.errors;
  ASSERT_EQ(run({"update", "--node", book_.get(0), "other/200", "awset", "add", "x"}).status, 0);
  const auto refused = run({"ingest", file, "--node", book_.get(0), "--key", "other/{status}", "--json"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.errors.find("other/200: "), std::string::npos) << refused.errors;
  EXPECT_EQ(boost::json::parse(refused.last_line).at("refused").as_int64(), 50);
  EXPECT_EQ(boost::json::parse(refused.last_line).at("counted").as_int64(), 0);
}

TEST(Ingest, OptionsThatAreWrongAreUsageErrors) {
  const test::ScratchDirectory scratch;
  const std::string file = scratch.write("log", test::make_access_log(34, 3, 1, 1).text());
  EXPECT_EQ(run({"ingest", file, "--key", "{pth}"}).status, 2);
  EXPECT_NE(run({"ingest", file, "--key", "{pth}"}).errors.find("did you mean 'path'"), std::string::npos);
  EXPECT_EQ(run({"ingest", file, "--client", "{host"}).status, 2);
  EXPECT_EQ(run({"ingest", file, "--format", "csv"}).status, 2);
  EXPECT_EQ(run({"ingest", file, "--ack", "soon"}).status, 2);
  EXPECT_EQ(run({"ingest", file, "--rate", "-1"}).status, 2);
  EXPECT_EQ(run({"ingest"}).status, 2);
  EXPECT_EQ(run({"ingest", scratch.file("missing")}).status, 1);
}

TEST(Ingest, ANodeThatIsNotThereIsUnreachable) {
  const test::ScratchDirectory scratch;
  const std::string file = scratch.write("log", test::make_access_log(35, 3, 1, 1).text());
  // Port 1 on loopback: nothing listens there without root's doing.
  const auto ended = run({"ingest", file, "--node", "127.0.0.1:1", "--timeout", "0.2"});
  EXPECT_EQ(ended.status, 3) << ended.errors;
}

}  // namespace
}  // namespace anabranch::cli

// The command line as scripts use it: real processes, a serving one in front of a fake node, exit codes and output.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/tools/door_fixture.hpp"
#include "tools/cli/command.hpp"
#include "tools/cli/process.hpp"

namespace anabranch::cli {
namespace {

using testing::kPatience;
using Words = std::vector<std::string>;

struct Ran {
  int code = -1;
  std::string out;
  std::string err;
};

Ran run(Words words, const std::string& program = ANABRANCH_FAKE) {
  words.insert(words.begin(), program);
  auto process = Process::start(words);
  if (!process) return {-1, "", process.error().message()};
  Ran ran;
  while (auto line = (*process)->read_line(kPatience)) ran.out += *line + "\n";
  ran.code = (*process)->wait(kPatience).value_or(-1);
  ran.err = (*process)->stderr_tail(16'384);
  return ran;
}

std::string field(const std::string& json, const std::string& name) {
  const std::string start = "\"" + name + "\":\"";
  const auto at = json.find(start);
  if (at == json.npos) return "";
  return json.substr(at + start.size(), json.find('"', at + start.size()) - at - start.size());
}

/// `anabranch serve` with ports that the kernel chose.
class Serving {
 public:
  explicit Serving(Words more = {}, const std::string& program = ANABRANCH_FAKE) {
    Words words = {program};
    if (program == ANABRANCH_FAKE) words.emplace_back("serve");
    for (const char* option : {"--listen", "--control", "--http"}) {
      words.emplace_back(option);
      words.emplace_back("127.0.0.1:0");
    }
    words.insert(words.end(), more.begin(), more.end());
    auto process = Process::start(words);
    if (!process) return;
    process_ = std::move(*process);
    ready_ = process_->read_line(kPatience).value_or("");
  }

  [[nodiscard]] const std::string& ready() const { return ready_; }
  [[nodiscard]] std::string control() const { return field(ready_, "control"); }
  [[nodiscard]] Process& process() { return *process_; }
  /// A client's command against this node.
  [[nodiscard]] Ran operator()(Words words) const {
    words.insert(words.begin(), {"--node", control()});
    return run(words);
  }

 private:
  std::unique_ptr<Process> process_;
  std::string ready_;
};

TEST(ServeCommand, PrintsOneReadyLineAndStopsWhenAsked) {
  Serving node({"--name", "n1"});
  EXPECT_EQ(node.ready().substr(0, 27), "{\"ready\":true,\"name\":\"n1\",\"");
  EXPECT_NE(node.ready().find("\"pid\":" + std::to_string(node.process().pid())), std::string::npos);
  node.process().send(SIGTERM);
  EXPECT_EQ(node.process().wait(kPatience).value_or(-1), 0);
  EXPECT_FALSE(node.process().read_line(kPatience).has_value());  // nothing but the ready line
  EXPECT_NE(node.process().stderr_tail(4'096).find("msg=\"serving\""), std::string::npos);
}

TEST(ServeCommand, IsWhatAnabranchdMeans) {
  const auto link = std::filesystem::temp_directory_path() / ("anabranch_" + std::to_string(getpid())) / "anabranchd";
  std::filesystem::create_directories(link.parent_path());
  std::filesystem::create_symlink(ANABRANCH_FAKE, link);
  const Serving node({}, link.string());
  EXPECT_NE(node.ready().find("\"ready\":true"), std::string::npos);
  std::filesystem::remove_all(link.parent_path());
}

TEST(ServeCommand, RefusesWhatItCannotKeep) {
  const Ran beyond = run({"serve", "--listen", "0.0.0.0:0"});
  EXPECT_EQ(beyond.code, kFailed);
  EXPECT_NE(beyond.err.find("--insecure"), std::string::npos) << beyond.err;
  EXPECT_EQ(run({"serve", "--listen", "127.0.0.1:0", "--http", "0.0.0.0:0"}).code, kFailed);
  EXPECT_EQ(run({"serve", "--listen", "127.0.0.1:0", "--control", "0.0.0.0:0"}).code, kFailed);
  const Ran durable = run({"serve", "--data", "/tmp/nowhere"});
  EXPECT_EQ(durable.code, kFailed);
  EXPECT_NE(durable.err.find("storage is not built in"), std::string::npos) << durable.err;
  EXPECT_EQ(run({"serve", "--partitions", "63"}).code, kUsage);
  EXPECT_EQ(run({"serve", "--listen", "nonsense"}).code, kUsage);
  EXPECT_EQ(run({"serve", "--log-level", "chatty"}).code, kUsage);
}

TEST(ServeCommand, SaysThatAnAddressIsInUse) {
  const Serving first;
  const Ran second = run({"serve", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--control", first.control()});
  EXPECT_EQ(second.code, kFailed);
  EXPECT_EQ(second.out, "");
  EXPECT_NE(second.err.find("in use"), std::string::npos) << second.err;
  EXPECT_NE(second.err.find(first.control()), std::string::npos) << second.err;
}

TEST(ServeCommand, ReadsItsFileAndSaysWhereItIsWrong) {
  const auto path = std::filesystem::temp_directory_path() / ("anabranch_serve_" + std::to_string(getpid()) + ".toml");
  std::ofstream(path) << "[node]\nname = 'from-file'\nshards = 5\n";
  {
    const Serving node({"--config", path.string(), "--shards", "3"});
    EXPECT_EQ(field(node.ready(), "name"), "from-file");
    EXPECT_NE(node.ready().find("\"shards\":3"), std::string::npos);  // the flag wins
  }
  std::ofstream(path) << "[node]\nnmae = 'x'\n";
  const Ran wrong = run({"serve", "--config", path.string()});
  std::filesystem::remove(path);
  EXPECT_EQ(wrong.code, kUsage);
  EXPECT_NE(wrong.err.find("did you mean 'node.name'?"), std::string::npos) << wrong.err;
  EXPECT_NE(wrong.err.find(":2:1"), std::string::npos) << wrong.err;
}

TEST(GetCommand, PrintsWhatUpdateWrote) {
  const Serving node;
  ASSERT_EQ(node({"update", "ad:17", "gcounter", "increment", "5"}).code, kOk);
  ASSERT_EQ(node({"update", "s", "awset", "add", "b", "", "[x,y]", "-a"}).code, kOk);
  ASSERT_EQ(node({"update", "s", "awset", "add", "--", "--json"}).code, kOk);
  ASSERT_EQ(node({"update", "m", "maxint", "set", "-5"}).code, kOk);
  ASSERT_EQ(node({"update", "r\xff", "lwwregister", "set", "\xfe"}).code, kOk);
  ASSERT_EQ(node({"update", "big", "pncounter", "increment", "9007199254740993"}).code, kOk);
  ASSERT_EQ(node({"declare", "none", "minint"}).code, kOk);
  EXPECT_EQ(node({"get", "--prefix", "", "--json"}).out,
            "{\"key\":\"ad:17\",\"type\":\"gcounter\",\"value\":5}\n"
            "{\"key\":\"big\",\"type\":\"pncounter\",\"value\":\"9007199254740993\"}\n"
            "{\"key\":\"m\",\"type\":\"maxint\",\"value\":-5}\n"
            "{\"key\":\"none\",\"type\":\"minint\",\"value\":null}\n"
            "{\"key\":\"r\\udcff\",\"type\":\"lwwregister\",\"value\":\"\\udcfe\"}\n"
            "{\"key\":\"s\",\"type\":\"awset\",\"value\":[\"\",\"--json\",\"-a\",\"[x,y]\",\"b\"]}\n");
  EXPECT_EQ(node({"get", "m", "ad:17"}).out, "ad:17\t5\nm\t-5\n");
  EXPECT_EQ(node({"get", "m", "zz", "--prefix", "ad"}).out, "ad:17\t5\nm\t-5\n");
  EXPECT_EQ(node({"keys", "a"}).out, "ad:17\tgcounter\n");
}

TEST(GetCommand, NamesAMissingKeyAndPrintsTheOthers) {
  const Serving node;
  ASSERT_EQ(node({"update", "a", "gcounter", "increment"}).code, kOk);
  const Ran ran = node({"get", "nope", "a"});
  EXPECT_EQ(ran.code, kFailed);
  EXPECT_EQ(ran.out, "a\t1\n");
  EXPECT_NE(ran.err.find("no such key: nope"), std::string::npos);
}

TEST(GetCommand, PrintsMoreKeysThanOnePageHolds) {
  const Serving node;
  auto client = rpc::Client::connect(node.control(), kPatience);
  ASSERT_TRUE(client.has_value());
  std::vector<node::Update> updates;
  for (int i = 0; i < 3'000; ++i)
    updates.push_back(
        testing::update_of("k" + std::to_string(i), lattice::TypeId::kGCounter, lattice::Verb::kIncrement, i + 1));
  ASSERT_TRUE((*client)->update(updates, {}, kPatience).has_value());
  const Ran ran = node({"get", "--prefix", "k"});
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 3'000);
  EXPECT_NE(ran.out.find("k2999\t3000\n"), std::string::npos);
}

TEST(GetCommand, NamesAValueTooLargeToPrintAndPrintsTheOthers) {
  const Serving node;
  auto client = rpc::Client::connect(node.control(), kPatience);
  ASSERT_TRUE(client.has_value());
  for (char c = '0'; c < '0' + 33; ++c) {  // 33 elements of 1 MiB: more than one answer holds
    const std::vector<node::Update> one = {
        testing::update_of("huge", lattice::TypeId::kGSet, lattice::Verb::kAdd, 0, {std::string(1U << 20, c)})};
    ASSERT_TRUE((*client)->update(one, {}, kPatience).has_value());
  }
  ASSERT_EQ(node({"update", "a", "gcounter", "increment"}).code, kOk);
  ASSERT_EQ(node({"update", "z", "gcounter", "increment"}).code, kOk);
  for (const Words& words : {Words{"get", "--prefix", ""}, Words{"get", "huge", "a", "z"}}) {
    const Ran ran = node(words);
    EXPECT_EQ(ran.code, kFailed);
    EXPECT_EQ(ran.out, "a\t1\nz\t1\n");
    EXPECT_NE(ran.err.find("huge is too large"), std::string::npos) << ran.err;
  }
  EXPECT_EQ(node({"keys"}).out, "a\tgcounter\nhuge\tgset\nz\tgcounter\n");
  const Ran watch = node({"watch", "huge", "--at-least", "33"});
  EXPECT_EQ(watch.code, kOk) << watch.err;
  EXPECT_EQ(watch.out, "");
  EXPECT_NE(watch.err.find("huge is too large"), std::string::npos) << watch.err;
}

TEST(UpdateCommand, TakesAValueFromStandardInputUpToItsBound) {
  const Serving node;
  const auto path = std::filesystem::temp_directory_path() / ("anabranch_value_" + std::to_string(getpid()));
  const auto set = [&](std::size_t size) {
    std::ofstream(path, std::ios::binary) << std::string(size, 'v');
    return run({"-c", "exec \"$0\" update r lwwregister set --stdin --node \"$1\" < \"$2\"", ANABRANCH_FAKE,
                node.control(), path.string()},
               "/bin/sh");
  };
  const Ran fits = set(1U << 20);
  EXPECT_EQ(fits.code, kOk) << fits.err;
  const Ran size = run({"-c", "\"$0\" get r --node \"$1\" | wc -c", ANABRANCH_FAKE, node.control()}, "/bin/sh");
  EXPECT_EQ(size.out, std::to_string((1U << 20) + 3) + "\n");  // "r", tab, value, newline
  const Ran beyond = set((1U << 20) + 1);
  std::filesystem::remove(path);
  EXPECT_EQ(beyond.code, kUsage);
  EXPECT_NE(beyond.err.find("1 MiB"), std::string::npos) << beyond.err;
}

TEST(UpdateCommand, SaysWhichLevelWasReached) {
  const Serving node;
  EXPECT_EQ(node({"update", "c", "gcounter", "increment", "--json"}).out,
            "{\"key\":\"c\",\"type\":\"gcounter\",\"ok\":true,\"ack\":\"received\"}\n");
  EXPECT_EQ(node({"update", "c", "gcounter", "increment", "--ack", "1", "--json"}).out,
            "{\"key\":\"c\",\"type\":\"gcounter\",\"ok\":true,\"ack\":1}\n");
  EXPECT_NE(node({"update", "s", "awset", "increment"}).err.find("an awset has no"), std::string::npos);
}

TEST(UpdateCommand, TellsUsageFromRefusalAndSilence) {
  const Serving node;
  ASSERT_EQ(node({"update", "c", "gcounter", "increment"}).code, kOk);
  EXPECT_EQ(node({"update", "c", "gconter", "increment"}).code, kUsage);
  EXPECT_EQ(node({"update", "c", "gcounter", "decrement"}).code, kUsage);
  EXPECT_EQ(node({"update", "c", "gcounter", "increment", "0"}).code, kUsage);
  EXPECT_EQ(node({"update", "c", "gcounter", "increment", "--acl", "2"}).code, kUsage);
  EXPECT_EQ(node({"update", "c"}).code, kUsage);
  const Ran mismatch = node({"update", "c", "pncounter", "increment"});
  EXPECT_EQ(mismatch.code, kFailed);
  EXPECT_NE(mismatch.err.find("gcounter"), std::string::npos);
  ASSERT_EQ(node({"update", "big", "gcounter", "increment", "4611686018427387904"}).code, kOk);
  EXPECT_EQ(node({"update", "big", "gcounter", "increment", "1"}).code, kFailed);
  const Ran durable = node({"update", "c", "gcounter", "increment", "--ack", "durable"});
  EXPECT_EQ(durable.code, kFailed);
  EXPECT_NE(durable.err.find("storage"), std::string::npos);
  EXPECT_EQ(node({"update", "c", "gcounter", "increment", "--ack", "2", "--timeout", "0.2"}).code, kNotYet);
}

TEST(UpdateCommand, SendsNothingWhenTheNodeIsNotThere) {
  std::string gone;
  {
    const Serving node;
    gone = node.control();
  }
  const Ran ran = run({"update", "c", "gcounter", "increment", "--node", gone});
  EXPECT_EQ(ran.code, kUnreachable);
  EXPECT_NE(ran.err.find(gone), std::string::npos);
  EXPECT_EQ(run({"get", "c", "--node", gone}).code, kUnreachable);
  EXPECT_EQ(run({"watch", "c", "--at-least", "1", "--node", gone}).code, kUnreachable);
}

TEST(WatchCommand, WakesAtTheThresholdAndNotBefore) {
  const Serving node;
  auto watch = Process::start({ANABRANCH_FAKE, "--node", node.control(), "watch", "c", "--at-least", "3", "--json"});
  ASSERT_TRUE(watch.has_value());
  ASSERT_EQ(node({"update", "c", "gcounter", "increment", "2"}).code, kOk);
  EXPECT_TRUE((*watch)->running());
  ASSERT_EQ(node({"update", "c", "gcounter", "increment", "1"}).code, kOk);
  EXPECT_EQ((*watch)->read_line(kPatience).value_or(""), "{\"key\":\"c\",\"type\":\"gcounter\",\"value\":3}");
  EXPECT_EQ((*watch)->wait(kPatience).value_or(-1), kOk);
  const Ran late = node({"watch", "c", "--at-least", "4", "--timeout", "0.1"});
  EXPECT_EQ(late.code, kNotYet);
  EXPECT_EQ(late.out, "");
  EXPECT_EQ(node({"watch", "c"}).code, kUsage);
  EXPECT_EQ(node({"watch", "c", "--at-least", "many"}).code, kUsage);
}

TEST(EveryCommand, ThatListsPrintsOneObjectALine) {
  const Serving node;
  for (const char* name : {"status", "members", "version"}) {
    SCOPED_TRACE(name);
    const Ran before = run({"--json", name, "--node", node.control()});
    const Ran ran = std::string(name) == "version" ? run({"version", "--json"}) : node({name, "--json"});
    EXPECT_EQ(ran.code, kOk) << ran.err;
    std::istringstream lines(ran.out);
    for (std::string line; std::getline(lines, line);) {
      EXPECT_EQ(line.front(), '{');
      EXPECT_EQ(line.back(), '}');
    }
    EXPECT_NE(ran.out, "");
    EXPECT_EQ(before.code, std::string(name) == "version" ? kUsage : kOk) << before.err;  // version takes no --node
  }
}

TEST(EveryCommand, HasHelpAndKnowsItsNeighbours) {
  const Ran overview = run({"--help"});
  EXPECT_EQ(overview.code, kOk);
  for (const Entry& entry : commands()) {
    const Ran help = run({std::string(entry.name), "--help"});
    EXPECT_EQ(help.code, kOk) << entry.name;
    EXPECT_EQ(help.out.substr(0, entry.summary.size()), entry.summary);
  }
  const Ran near = run({"upadte"});
  EXPECT_EQ(near.code, kUsage);
  EXPECT_NE(near.err.find("did you mean 'update'?"), std::string::npos);
  EXPECT_EQ(run({}).code, kUsage);
  EXPECT_EQ(run({"--jsno", "get"}).code, kUsage);
}

TEST(CompletionCommand, NamesEveryCommandInEveryShell) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const Ran ran = run({"completion", shell});
    EXPECT_EQ(ran.code, kOk);
    for (const Entry& entry : commands())
      EXPECT_NE(ran.out.find(entry.name), std::string::npos) << shell << ' ' << entry.name;
    EXPECT_NE(ran.out.find("at-least"), std::string::npos);
  }
  EXPECT_EQ(run({"completion", "bsh"}).code, kUsage);
}

}  // namespace
}  // namespace anabranch::cli

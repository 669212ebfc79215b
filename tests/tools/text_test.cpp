// What commands print and read: JSON, suggestions, words, options, settings. No process, no socket.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tools/cli/invocation.hpp"
#include "tools/cli/options.hpp"
#include "tools/cli/output.hpp"
#include "tools/cli/settings.hpp"
#include "tools/cli/words.hpp"

namespace anabranch::cli {
namespace {

using lattice::TypeId;
using Words = std::vector<std::string>;

TEST(Json, EscapesControlsAndBytesThatAreNotUtf8) {
  EXPECT_EQ(json_text("a\"b\\c\n\t\x01"), "\"a\\\"b\\\\c\\n\\t\\u0001\"");
  EXPECT_EQ(json_text("gr\xc3\xbc\xc3\x9f"), "\"gr\xc3\xbc\xc3\x9f\"");
  EXPECT_EQ(json_text("\xff\xc3"), "\"\\udcff\\udcc3\"");
  EXPECT_EQ(json_text("\xc0\xaf"), "\"\\udcc0\\udcaf\"");             // overlong
  EXPECT_EQ(json_text("\xed\xa0\x80"), "\"\\udced\\udca0\\udc80\"");  // a surrogate
  EXPECT_EQ(json_text("\xf0\x9f\x98\x80"), "\"\xf0\x9f\x98\x80\"");
  EXPECT_EQ(json_text(core::Bytes("\0", 1)), "\"\\u0000\"");
}

TEST(Json, WritesIntegersAboveTwoTo53AsStrings) {
  EXPECT_EQ(json_integer(std::int64_t{1} << 53), "9007199254740992");
  EXPECT_EQ(json_integer((std::int64_t{1} << 53) + 1), "\"9007199254740993\"");
  EXPECT_EQ(json_integer(-(std::int64_t{1} << 53)), "-9007199254740992");
  EXPECT_EQ(json_integer(INT64_MIN), "\"-9223372036854775808\"");
  EXPECT_EQ(json_unsigned(UINT64_MAX), "\"18446744073709551615\"");
}

TEST(Json, WritesItems) {
  EXPECT_EQ(json_of(node::Item{"k", TypeId::kAwSet, Words{"", "a"}}), R"({"key":"k","type":"awset","value":["","a"]})");
  EXPECT_EQ(json_of(node::Item{"k", TypeId::kMaxInt, std::monostate{}}), R"({"key":"k","type":"maxint","value":null})");
  EXPECT_EQ(json_of(node::Item{"k", TypeId::kEwFlag, false}), R"({"key":"k","type":"ewflag","value":false})");
}

TEST(DidYouMean, FindsANearWordOnly) {
  const Words known = {"gcounter", "pncounter", "maxint"};
  EXPECT_EQ(did_you_mean("gconter", known), "'gconter', did you mean 'gcounter'?");
  EXPECT_EQ(did_you_mean("maixnt", known), "'maixnt', did you mean 'maxint'?");
  EXPECT_EQ(did_you_mean("zebra", known), "'zebra'");
}

std::string message_of(const core::Result<node::Update>& update) { return update ? "" : update.error().message(); }

TEST(Words, BecomeUpdates) {
  const auto five = update_of_words("ad:17", "gcounter", "increment", Words{"5"});
  ASSERT_TRUE(five.has_value());
  EXPECT_EQ(five->operation.amount, 5);
  EXPECT_EQ(update_of_words("c", "gcounter", "increment", {})->operation.amount, 1);
  EXPECT_EQ(update_of_words("m", "maxint", "set", Words{"-5"})->operation.amount, -5);
  EXPECT_EQ(update_of_words("s", "orset", "add", Words{"", "[a,b]"})->operation.elements, (Words{"", "[a,b]"}));
}

TEST(Words, AreRefusedWithASuggestion) {
  EXPECT_NE(message_of(update_of_words("k", "gconter", "increment", {})).find("did you mean 'gcounter'?"),
            std::string::npos);
  EXPECT_NE(message_of(update_of_words("k", "gcounter", "incremnt", {})).find("did you mean 'increment'?"),
            std::string::npos);
  EXPECT_NE(message_of(update_of_words("k", "gcounter", "decrement", {})).find("has no 'decrement'; it has: increment"),
            std::string::npos);
}

TEST(Words, AreRefusedBeyondTheirBounds) {
  EXPECT_FALSE(update_of_words("k", "gcounter", "increment", Words{"0"}).has_value());
  EXPECT_FALSE(update_of_words("k", "gcounter", "increment", Words{"-5"}).has_value());
  EXPECT_FALSE(update_of_words("k", "gcounter", "increment", Words{"5x"}).has_value());
  EXPECT_FALSE(update_of_words("k", "gcounter", "increment", Words{""}).has_value());
  EXPECT_FALSE(update_of_words("k", "gcounter", "increment", Words{"1", "2"}).has_value());
  EXPECT_TRUE(update_of_words("k", "gcounter", "increment", Words{"4611686018427387904"}).has_value());
  EXPECT_FALSE(update_of_words("k", "gcounter", "increment", Words{"4611686018427387905"}).has_value());
  EXPECT_FALSE(update_of_words("k", "maxint", "set", Words{"99999999999999999999"}).has_value());
  EXPECT_FALSE(update_of_words("k", "lwwregister", "set", Words{"a", "b"}).has_value());
  EXPECT_FALSE(update_of_words("k", "awset", "add", {}).has_value());
  EXPECT_FALSE(update_of_words("k", "ewflag", "enable", Words{"x"}).has_value());
  EXPECT_TRUE(update_of_words(std::string(1'024, 'k'), "gcounter", "increment", {}).has_value());
  EXPECT_FALSE(update_of_words(std::string(1'025, 'k'), "gcounter", "increment", {}).has_value());
  EXPECT_FALSE(update_of_words("", "gcounter", "increment", {}).has_value());
}

TEST(Words, NameTheLevelOfAcknowledgement) {
  EXPECT_EQ(ack_of_word("")->level, rpc::Ack::Level::kDefault);
  EXPECT_EQ(ack_of_word("3")->copies, 3U);
  EXPECT_FALSE(ack_of_word("0").has_value());
  EXPECT_FALSE(ack_of_word("-1").has_value());
  EXPECT_NE(ack_of_word("durabel").error().message().find("did you mean 'durable'"), std::string::npos);
}

struct Parsed {
  std::string first;
  Words rest;
  std::string text = "default";
  Words many;
  std::int64_t number = 7;
  double real = 1;
  bool flag = false;
  core::Status status;

  explicit Parsed(const Words& words, bool dashes = false) {
    Options options("test", "Tests.", "  example");
    options.argument("FIRST", first, "first");
    options.arguments("REST", rest, 0, "rest");
    options.text("--text", text, "T", "text");
    options.texts("--many", many, "M", "many");
    options.integer("--number", number, -10, 10, "N", "number");
    options.number("--real", real, 0, 2, "R", "real");
    options.flag("--flag", flag, "flag");
    if (dashes) options.allow_dashes();
    status = options.parse(words);
  }
  [[nodiscard]] std::string message() const { return status ? "" : status.error().message(); }
};

TEST(Options, KeepTheBytesOfValuesAndArguments) {
  const Parsed parsed(
      {"[a,b]", "", "{}", "%%", "--text", "", "--many", "[x]", "--many=--y", "--number=-3", "--", "--flag", "-z"});
  ASSERT_EQ(parsed.message(), "");
  EXPECT_EQ(parsed.first, "[a,b]");
  EXPECT_EQ(parsed.rest, (Words{"", "{}", "%%", "--flag", "-z"}));
  EXPECT_EQ(parsed.text, "");
  EXPECT_EQ(parsed.many, (Words{"[x]", "--y"}));
  EXPECT_EQ(parsed.number, -3);
  EXPECT_FALSE(parsed.flag);
}

TEST(Options, TakeArgumentsThatStartWithADashWhereAllowed) {
  EXPECT_EQ(Parsed({"m", "-5", "--flag", "-x"}, true).rest, (Words{"-5", "-x"}));
  EXPECT_NE(Parsed({"m", "-5"}).message().find("put --"), std::string::npos);
}

TEST(Options, SayWhatIsWrong) {
  EXPECT_NE(Parsed({"x", "--txet", "y"}).message().find("did you mean '--text'?"), std::string::npos);
  EXPECT_NE(Parsed({"x", "--text"}).message().find("--text T"), std::string::npos);
  EXPECT_NE(Parsed({"x", "--number", "11"}).message().find("-10 to 10"), std::string::npos);
  EXPECT_NE(Parsed({"x", "--real", "nan"}).message().find("0 to 2"), std::string::npos);
  EXPECT_NE(Parsed({"x", "--flag=1"}).message(), "");
  EXPECT_NE(Parsed({}).message().find("FIRST"), std::string::npos);
  EXPECT_NE(Parsed({"x", "--text", "a", "--text", "b"}).message().find("--text"), std::string::npos);
}

TEST(Commands, AllSayWhatTheyDoAndTakeJsonUnlessListed) {
  for (const Entry& entry : commands()) {
    SCOPED_TRACE(std::string(entry.name));
    const Invocation invocation(entry);
    const std::string help = invocation.options().help();
    EXPECT_EQ(help.substr(0, entry.summary.size()), entry.summary);
    EXPECT_NE(help.find("EXAMPLES"), std::string::npos);
    EXPECT_EQ(invocation.options().has("--json"), entry.json);
    EXPECT_TRUE(entry.json || entry.name == "completion");
    EXPECT_NE(overview().find("  " + std::string(entry.name) + " "), std::string::npos);
    EXPECT_FALSE(invocation.options().described().empty());
  }
}

class SettingsFile {
 public:
  explicit SettingsFile(const std::string& text)
      : path_(std::filesystem::temp_directory_path() / ("anabranch_settings_" + std::to_string(getpid()) + ".toml")) {
    std::ofstream(path_) << text;
    status_ = read_file(path_.string(), settings_);
    std::filesystem::remove(path_);
  }
  [[nodiscard]] std::string message() const { return status_ ? "" : status_.error().message(); }
  [[nodiscard]] const ServeSettings& settings() const { return settings_; }

 private:
  std::filesystem::path path_;
  ServeSettings settings_;
  core::Status status_;
};

TEST(Settings, AreReadFromAFile) {
  const SettingsFile file("[net]\nlisten = '127.0.0.1:1'\njoin = ['a:1', 'b:2']\n[node]\nshards = 2\nname = 'n'\n");
  EXPECT_EQ(file.message(), "");
  EXPECT_EQ(file.settings().listen, "127.0.0.1:1");
  EXPECT_EQ(file.settings().join, (Words{"a:1", "b:2"}));
  EXPECT_EQ(file.settings().shards, 2);
  EXPECT_EQ(file.settings().http, "127.0.0.1:7380");
}

TEST(Settings, SayWhereAFileIsWrong) {
  const std::string unknown = SettingsFile("[net]\n  lisen = 'x'\n").message();
  EXPECT_NE(unknown.find("did you mean 'net.listen'?"), std::string::npos) << unknown;
  EXPECT_NE(unknown.find(".toml:2:3"), std::string::npos) << unknown;
  EXPECT_NE(SettingsFile("[nett]\nx=1\n").message().find("did you mean 'net'?"), std::string::npos);
  EXPECT_NE(SettingsFile("[net]\nlisten = 5\n").message().find(".toml:2:10"), std::string::npos);
  EXPECT_NE(SettingsFile("[node]\nshards = 9999\n").message().find("0 to 256"), std::string::npos);
  EXPECT_NE(SettingsFile("[net\n").message().find(".toml:1:"), std::string::npos);
  ServeSettings settings;
  EXPECT_EQ(read_file("/nowhere/at/all.toml", settings).error().code, core::Errc::kIo);
}

TEST(Settings, AreReadFromTheEnvironment) {
  setenv("ANABRANCH_NET_JOIN", "a:1,b:2", 1);
  setenv("ANABRANCH_NODE_SHARDS", "3", 1);
  ServeSettings settings;
  EXPECT_TRUE(read_environment(settings).has_value());
  EXPECT_EQ(settings.join, (Words{"a:1", "b:2"}));
  EXPECT_EQ(settings.shards, 3);
  setenv("ANABRANCH_NODE_SHARDS", "many", 1);
  EXPECT_NE(read_environment(settings).error().message().find("ANABRANCH_NODE_SHARDS"), std::string::npos);
  setenv("ANABRANCH_NODE_SHRADS", "3", 1);
  EXPECT_EQ(unknown_environment(), (Words{"'ANABRANCH_NODE_SHRADS', did you mean 'ANABRANCH_NODE_SHARDS'?"}));
  unsetenv("ANABRANCH_NODE_SHRADS");
  unsetenv("ANABRANCH_NET_JOIN");
  unsetenv("ANABRANCH_NODE_SHARDS");
}

}  // namespace
}  // namespace anabranch::cli

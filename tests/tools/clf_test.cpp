#include "tools/cli/clf.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "tests/tools/access_log.hpp"

namespace anabranch::cli {
namespace {

constexpr const char* kCommon = R"(c1.example - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif?x=1 HTTP/1.0" 200 2326)";
constexpr const char* kCombined =
    R"~(c1.example - frank [10/Oct/2000:13:55:36 -0700] "POST /a HTTP/1.0" 404 - "http://r/" "Mozilla (\"x\")")~";

TEST(Clf, CutsALineOfTheCommonFormat) {
  const auto line = parse_clf(kCommon);
  ASSERT_TRUE(line.has_value()) << line.error().message();
  EXPECT_EQ((*line)[LogField::kHost], "c1.example");
  EXPECT_EQ((*line)[LogField::kIdent], "-");
  EXPECT_EQ((*line)[LogField::kUser], "frank");
  EXPECT_EQ((*line)[LogField::kTime], "10/Oct/2000:13:55:36 -0700");
  EXPECT_EQ((*line)[LogField::kMethod], "GET");
  EXPECT_EQ((*line)[LogField::kPath], "/a.gif?x=1");
  EXPECT_EQ((*line)[LogField::kProtocol], "HTTP/1.0");
  EXPECT_EQ((*line)[LogField::kStatus], "200");
  EXPECT_EQ((*line)[LogField::kBytes], "2326");
  EXPECT_EQ((*line)[LogField::kReferer], "-");
  EXPECT_EQ((*line)[LogField::kAgent], "-");
}

TEST(Clf, CutsALineOfTheCombinedFormatAndLeavesEscapesAlone) {
  for (const std::string tail : {"", "\r", " extra 0.1"}) {
    const std::string text = kCombined + tail;
    const auto line = parse_clf(text);
    ASSERT_TRUE(line.has_value()) << line.error().message();
    EXPECT_EQ((*line)[LogField::kBytes], "-");
    EXPECT_EQ((*line)[LogField::kReferer], "http://r/");
    EXPECT_EQ((*line)[LogField::kAgent], R"~(Mozilla (\"x\"))~");
  }
}

TEST(Clf, TakesOldAndOddRequests) {
  const auto request = [](const std::string& text) {
    static std::string line;
    line = "h - - [t] \"" + text + "\" 200 1";
    return parse_clf(line);
  };
  const auto old = request("GET /x");
  ASSERT_TRUE(old.has_value());
  EXPECT_EQ((*old)[LogField::kProtocol], "-");
  const auto blanks = request("GET /a b c HTTP/1.1");
  ASSERT_TRUE(blanks.has_value());
  EXPECT_EQ((*blanks)[LogField::kPath], "/a");
  EXPECT_EQ((*blanks)[LogField::kProtocol], "HTTP/1.1");
  const auto quoted = request(R"(GET /\"x\\ HTTP/1.1)");
  ASSERT_TRUE(quoted.has_value());
  EXPECT_EQ((*quoted)[LogField::kPath], R"(/\"x\\)");
}

TEST(Clf, SaysWhichPartOfALineIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "empty"},
      {" \t ", "empty"},
      {"h -", "host, ident and user"},
      {"h - - 10/Oct/2000", "time in brackets"},
      {"h - - [10/Oct/2000", "time in brackets"},
      {"h - - [] \"GET / HTTP/1.1\" 200 1", "time in brackets"},
      {"h - - [t] GET / HTTP/1.1 200 1", "request in quotes"},
      {"h - - [t] \"GET / HTTP/1.1 200 1", "request in quotes"},
      {"h - - [t] \"GET / HTTP/1.1\\\" 200 1", "request in quotes"},
      {"h - - [t] \"-\" 408 0", "no path"},
      {"h - - [t] \"\" 408 0", "no path"},
      {"h - - [t] \"GET / HTTP/1.1\"", "status"},
      {"h - - [t] \"GET / HTTP/1.1\" 20 1", "status"},
      {"h - - [t] \"GET / HTTP/1.1\" 2x0 1", "status"},
      {"h - - [t] \"GET / HTTP/1.1\" 200", "number of bytes"},
      {"h - - [t] \"GET / HTTP/1.1\" 200 -1", "number of bytes"},
      {"h - - [t] \"GET / HTTP/1.1\" 200 1 x", "referer and agent"},
      {"h - - [t] \"GET / HTTP/1.1\" 200 1 \"r\" \"a", "referer and agent"},
      {"this is no log line", "time in brackets"},
  };
  for (const auto& [text, reason] : cases) {
    const auto line = parse_clf(text);
    ASSERT_FALSE(line.has_value()) << text;
    EXPECT_EQ(line.error().code, core::Errc::kMalformed);
    EXPECT_NE(std::string(line.error().what).find(reason), std::string::npos) << text << " -> " << line.error().what;
  }
}

TEST(Clf, EveryPrefixOfALineIsParsedOrRefused) {
  const std::string whole = kCombined;
  std::size_t refused = 0;
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    const std::string part = whole.substr(0, length);
    const auto line = parse_clf(part);
    refused += line.has_value() ? 0 : 1;
    for (const std::string_view field : line.value_or(LogLine{}).fields) EXPECT_LE(field.size(), part.size());
  }
  EXPECT_GT(refused, whole.size() / 2);
  EXPECT_LT(refused, whole.size());
}

TEST(Clf, EveryByteMayBeAnything) {
  const std::string whole = kCombined;
  std::size_t parsed = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (int byte = 0; byte < 256; byte += 5) {
      std::string changed = whole;
      changed[i] = static_cast<char>(byte);
      parsed += parse_clf(changed).has_value() ? 1 : 0;
    }
  }
  EXPECT_GT(parsed, 0u);
}

TEST(Clf, PathsAreTheSeventhFieldOfAwk) {
  const auto log = test::make_access_log(1, 3'000, 50, 80);
  for (const std::string& text : log.lines) {
    const auto line = parse_clf(text);
    ASSERT_TRUE(line.has_value()) << text;
    std::istringstream words(text);
    std::string word;
    for (int i = 0; i < 7; ++i) words >> word;
    EXPECT_EQ((*line)[LogField::kPath], word);
    EXPECT_EQ((*line)[LogField::kHost], text.substr(0, text.find(' ')));
  }
}

TEST(Clf, FieldsHaveNames) {
  const auto names = log_field_names();
  for (std::size_t i = 0; i < names.size(); ++i) EXPECT_EQ(log_field_named(names[i]), static_cast<LogField>(i));
  EXPECT_FALSE(log_field_named("url").has_value());
}

}  // namespace
}  // namespace anabranch::cli

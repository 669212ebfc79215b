#include "tools/cli/key_template.hpp"

#include <gtest/gtest.h>

namespace anabranch::cli {
namespace {

std::string expand(std::string_view text) {
  const auto line = parse_clf(R"(h.example - u [10/Oct/2000:13:55:36 -0700] "GET /p?q HTTP/1.1" 304 -)");
  const auto parsed = KeyTemplate::parse(text);
  if (!line || !parsed) return "error";
  std::string into = "left over";
  parsed->expand(*line, into);
  return into;
}

TEST(KeyTemplate, FillsFieldsIn) {
  EXPECT_EQ(expand("hits/{path}"), "hits//p?q");
  EXPECT_EQ(expand("{host}"), "h.example");
  EXPECT_EQ(expand("{method} {status}{bytes}|{protocol}|{user}{ident}|{referer}{agent}|{time}"),
            "GET 304-|HTTP/1.1|u-|--|10/Oct/2000:13:55:36 -0700");
  EXPECT_EQ(expand("plain"), "plain");
  EXPECT_EQ(expand("{{{path}}}"), "{/p?q}");
  EXPECT_EQ(expand("a}}b{{c"), "a}b{c");
}

TEST(KeyTemplate, RefusesWhatItCannotFill) {
  for (const char* text : {"", "{path", "path}", "a{", "}", "{path}}"}) {
    const auto parsed = KeyTemplate::parse(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code, core::Errc::kMalformed) << text;
  }
}

TEST(KeyTemplate, SuggestsAFieldForAnUnknownOne) {
  const auto parsed = KeyTemplate::parse("hits/{pth}");
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error().code, core::Errc::kUnknown);
  EXPECT_NE(parsed.error().message().find("pth"), std::string::npos);
  EXPECT_NE(parsed.error().message().find("did you mean 'path'"), std::string::npos) << parsed.error().message();
  EXPECT_FALSE(KeyTemplate::parse("{}").has_value());
  EXPECT_FALSE(KeyTemplate::parse("{Host}").has_value());
}

}  // namespace
}  // namespace anabranch::cli

#include "tools/cli/line_source.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/tools/access_log.hpp"

namespace anabranch::cli {
namespace {

using test::ScratchDirectory;

struct ReadOut {
  std::vector<std::string> lines;
  std::optional<core::Error> error;
};

ReadOut read_all(const std::string& path) {
  ReadOut out;
  auto source = LineSource::open(path);
  if (!source) return {{}, source.error()};
  while (true) {
    const auto line = (*source)->next();
    if (!line) {
      out.error = line.error();
      return out;
    }
    if (!*line) return out;
    out.lines.emplace_back((*line)->text);
    EXPECT_EQ((*line)->number, out.lines.size());
  }
}

TEST(LineSource, ReadsPlainFiles) {
  const ScratchDirectory scratch;
  EXPECT_EQ(read_all(scratch.write("a", "one\n\ntwo\r\nthree")).lines,
            (std::vector<std::string>{"one", "", "two\r", "three"}));
  EXPECT_TRUE(read_all(scratch.write("b", "")).lines.empty());
  EXPECT_EQ(read_all(scratch.write("c", "\n")).lines, std::vector<std::string>{""});
  EXPECT_EQ(read_all(scratch.write("d", "x")).lines, std::vector<std::string>{"x"});
}

TEST(LineSource, ReadsGzipOfSeveralMembersAsGzipDoes) {
  const ScratchDirectory scratch;
  const auto log = test::make_access_log(2, 5'000, 100, 200);
  const std::string text = log.text();
  const std::size_t cut = text.size() / 3;
  const std::string members = test::gzip(text.substr(0, cut)) + test::gzip(text.substr(cut)) + std::string(100, '\0');
  const auto read = read_all(scratch.write("log.gz", members));
  EXPECT_FALSE(read.error.has_value());
  EXPECT_EQ(read.lines, log.lines);
}

TEST(LineSource, HandsOutEveryWholeLineOfATruncatedGzipAndNamesTheByte) {
  const ScratchDirectory scratch;
  const auto log = test::make_access_log(3, 40, 10, 10);
  const std::string packed = test::gzip(log.text());
  std::size_t most = 0;
  for (std::size_t length = 2; length < packed.size(); length += length + 12 < packed.size() ? 5 : 1) {
    const auto read = read_all(scratch.write("cut.gz", packed.substr(0, length)));
    ASSERT_TRUE(read.error.has_value()) << length;
    EXPECT_NE(read.error->message().find("cut short"), std::string::npos) << read.error->message();
    EXPECT_NE(read.error->message().find("at byte " + std::to_string(length)), std::string::npos)
        << read.error->message();
    ASSERT_LE(read.lines.size(), log.lines.size());
    for (std::size_t i = 0; i < read.lines.size(); ++i) EXPECT_EQ(read.lines[i], log.lines[i]);
    most = std::max(most, read.lines.size());
  }
  EXPECT_EQ(most, log.lines.size());  // only the trailer is missing
}

TEST(LineSource, ADamagedGzipIsAnErrorAndNeverANewEnd) {
  const ScratchDirectory scratch;
  const auto log = test::make_access_log(4, 60, 10, 10);
  const std::string packed = test::gzip(log.text());
  std::size_t errors = 0, tried = 0;
  for (std::size_t i = 10; i < packed.size();
       i += i + 12 < packed.size() ? 5 : 1, ++tried) {  // after the header's ten bytes
    std::string damaged = packed;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x55);
    const auto read = read_all(scratch.write("bad.gz", damaged));
    errors += read.error.has_value() ? 1 : 0;
  }
  EXPECT_EQ(errors, tried);
}

TEST(LineSource, ALineOverItsBoundIsCutAndMarked) {
  const ScratchDirectory scratch;
  const std::string path =
      scratch.write("long", std::string(kLineBytesMax, 'a') + "\n" + std::string(kLineBytesMax + 1, 'b') + "\n" +
                                std::string(5 * kLineBytesMax, 'c') + "\nshort\n");
  auto source = LineSource::open(path);
  ASSERT_TRUE(source.has_value());
  for (const auto& [size, too_long] :
       {std::pair{kLineBytesMax, false}, {kLineBytesMax, true}, {kLineBytesMax, true}, {std::size_t{5}, false}}) {
    const auto line = (*source)->next();
    ASSERT_TRUE(line.has_value() && line->has_value());
    EXPECT_EQ((*line)->text.size(), size);
    EXPECT_EQ((*line)->too_long, too_long);
  }
}

TEST(LineSource, SaysWhyAFileCannotBeRead) {
  const ScratchDirectory scratch;
  for (const std::string& path : {scratch.file("missing"), scratch.file("")}) {
    const auto read = read_all(path);
    ASSERT_TRUE(read.error.has_value());
    EXPECT_EQ(read.error->code, core::Errc::kIo);
    EXPECT_NE(read.error->message().find(path), std::string::npos);
  }
}

}  // namespace
}  // namespace anabranch::cli

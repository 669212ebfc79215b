// A web server's log for tests: drawn from a seed, with what a reader of it must count.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/rng.hpp"

namespace anabranch::test {

struct AccessLog {
  std::vector<std::string> lines;              // without newlines
  std::map<std::string, std::uint64_t> paths;  // lines of each path
  std::map<std::string, std::uint64_t> hosts;  // lines of each host

  [[nodiscard]] std::string text() const {
    std::string all;
    for (const std::string& line : lines) all += line + "\n";
    return all;
  }
};

/// `count` lines; some hosts and paths are far more frequent than others; every third line is in the combined format.
inline AccessLog make_access_log(std::uint64_t seed, std::size_t count, std::size_t hosts, std::size_t paths) {
  core::Rng rng = core::Rng::stream(seed, "test/access_log");
  const auto skewed = [&rng](std::size_t bound) { return rng.below(rng.below(bound) + 1); };
  AccessLog log;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string host = "h" + std::to_string(skewed(hosts)) + ".example";
    std::string path = "/page/" + std::to_string(skewed(paths));
    if (path.back() == '7') path += "?q=a%20b&r=[1]";
    std::string line = host;
    line.append(" - - [17/May/2015:10:05:").append(std::to_string(10 + i % 50));
    line.append(" +0000] \"GET ").append(path).append(" HTTP/1.1\" 200 ").append(i % 11 == 0 ? "-" : std::to_string(i));
    if (i % 3 == 0) line += R"~( "http://example.org/" "Mozilla/5.0 (a \"quoted\" agent)")~";
    log.lines.push_back(std::move(line));
    ++log.paths[path];
    ++log.hosts[host];
  }
  return log;
}

/// One gzip member.
inline std::string gzip(const std::string& text) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) std::abort();
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) std::abort();
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// A directory that is gone with its contents at the end of the scope.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "anabranch-test-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(file(name), std::ios::binary) << bytes;
    return file(name);
  }

 private:
  std::string path_;
};

}  // namespace anabranch::test

// What the tests of ports share: taking datagrams with a bounded wait, and a file that goes away.
#pragma once

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include "net/port.hpp"

namespace anabranch::net {

inline constexpr core::Address kLocalhost{0x7F000001, 0};

struct Kept {
  core::Address from;
  core::Bytes bytes;
  friend auto operator<=>(const Kept&, const Kept&) = default;
};

/// One receive() of at most `burst_max`, appended to `kept`.
inline std::size_t take(Port& port, core::Instant now, std::vector<Kept>& kept, std::size_t burst_max = 64) {
  std::array<Received, 64> burst;
  const std::size_t count = port.receive(std::span(burst).first(burst_max), now);
  for (std::size_t i = 0; i < count; ++i) kept.push_back({burst[i].from, core::Bytes(burst[i].bytes)});
  return count;
}

/// Receives until `count` datagrams are there; gives up (with fewer) when the network stays silent for long.
inline std::vector<Kept> collect(Port& port, std::size_t count, core::Instant now = 0) {
  std::vector<Kept> kept;
  for (int silent = 0; kept.size() < count && silent < 200;) {
    if (take(port, now, kept) > 0) continue;
    ++silent;
    pollfd waiting{port.wait_fd(), POLLIN, 0};
    if (waiting.fd >= 0) ::poll(&waiting, 1, 10);
  }
  return kept;
}

inline bool send_one(Port& port, core::Address to, core::BytesView bytes, core::Instant now = 0) {
  const Outgoing one{to, bytes};
  return port.send({&one, 1}, now) == 1;
}

/// A path in the directory for temporary files; removed with the object.
class TemporaryFile {
 public:
  TemporaryFile() {
    const char* const directory = std::getenv("TMPDIR");
    path_ = std::string(directory != nullptr ? directory : "/tmp") + "/anabranch_test_XXXXXX";
    const int fd = ::mkstemp(path_.data());
    if (fd >= 0) ::close(fd);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace anabranch::net

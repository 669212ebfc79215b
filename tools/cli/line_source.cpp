#include "tools/cli/line_source.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

namespace anabranch::cli {
namespace {

constexpr std::size_t kChunkBytes = 64 << 10;
constexpr int kGzipOnly = 15 + 16;  // window bits of inflateInit2: the largest window, gzip header required

core::Error io_error(const char* what, const std::string& path) {
  return {core::Errc::kIo, what, path + ": " + std::strerror(errno)};
}

}  // namespace

struct LineSource::Impl {
  int fd = -1;
  std::string path;
  std::vector<unsigned char> raw = std::vector<unsigned char>(kChunkBytes);
  std::size_t raw_at = 0, raw_end = 0;
  std::uint64_t raw_offset = 0;  // of raw[0] in the file
  bool raw_ended = false;

  bool gzip = false;
  bool in_member = false;  // between the header and the trailer of a gzip member
  z_stream stream{};

  std::vector<char> plain = std::vector<char>(kChunkBytes);
  std::size_t at = 0, end = 0;
  bool ended = false;
  std::optional<core::Error> failed;

  std::string line;
  std::uint64_t number = 0;

  ~Impl() {
    if (gzip) inflateEnd(&stream);
    if (fd > 0) ::close(fd);
  }

  // Appends to `raw` (empty before) what the next read gives.
  core::Status read_raw(std::size_t at_least) {
    raw_offset += raw_end;
    raw_at = raw_end = 0;
    while (raw_end < at_least && !raw_ended) {
      const ssize_t got = ::read(fd, raw.data() + raw_end, raw.size() - raw_end);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return tl::unexpected<core::Error>(io_error("cannot read", path));
      if (got == 0) raw_ended = true;
      raw_end += static_cast<std::size_t>(got);
    }
    return {};
  }

  core::Status detect() {
    if (auto read = read_raw(2); !read) return read;
    gzip = raw_end >= 2 && raw[0] == 0x1f && raw[1] == 0x8b;
    if (!gzip) return {};
    in_member = true;
    if (inflateInit2(&stream, kGzipOnly) != Z_OK) {
      gzip = false;
      return core::fail(core::Errc::kIo, "cannot start to decompress", path);
    }
    return {};
  }

  core::Status damaged(const char* what) const {
    const std::uint64_t offset = raw_offset + raw_at;
    return core::fail(core::Errc::kMalformed, what,
                      path + ", at byte " + std::to_string(offset) + ", after line " + std::to_string(number));
  }

  // Fills `plain` again; sets `ended` at the end.
  core::Status refill() {
    at = end = 0;
    if (!gzip) {
      if (raw_at == raw_end)
        if (auto read = read_raw(1); !read) return read;
      end = raw_end - raw_at;
      std::memcpy(plain.data(), raw.data() + raw_at, end);
      raw_at = raw_end;
      ended = end == 0;
      return {};
    }
    while (end == 0 && !ended)
      if (auto step = inflate_some(); !step) return step;
    return {};
  }

  core::Status inflate_some() {
    if (raw_at == raw_end) {
      if (auto read = read_raw(1); !read) return read;
      if (raw_end == 0) {
        ended = true;
        return in_member ? damaged("the gzip file is cut short") : core::Status{};
      }
    }
    if (!in_member) {  // another member may follow; what is not gzip is padding, as gzip(1) has it
      if (raw[raw_at] != 0x1f) return ended = true, core::Status{};
      inflateReset(&stream);
      in_member = true;
    }
    stream.next_in = raw.data() + raw_at;
    stream.avail_in = static_cast<uInt>(raw_end - raw_at);
    stream.next_out = reinterpret_cast<Bytef*>(plain.data());
    stream.avail_out = static_cast<uInt>(plain.size());
    const int code = inflate(&stream, Z_NO_FLUSH);
    raw_at = raw_end - stream.avail_in;
    end = plain.size() - stream.avail_out;
    if (code == Z_STREAM_END) in_member = false;
    if (code == Z_OK || code == Z_STREAM_END || (code == Z_BUF_ERROR && stream.avail_in == 0)) return {};
    broken = true;  // hand out what was decompressed first
    return end > 0 ? core::Status{} : damaged("the gzip file is damaged");
  }
  bool broken = false;

  core::Result<std::optional<Line>> next() {
    if (failed) return tl::unexpected<core::Error>(*failed);
    line.clear();
    bool too_long = false;
    bool any = false;
    while (true) {
      if (at == end && !ended) {
        core::Status filled = broken ? damaged("the gzip file is damaged") : refill();
        if (!filled) {
          failed = filled.error();
          return tl::unexpected<core::Error>(*failed);
        }
      }
      if (at == end) break;
      any = true;
      const char* const begin = plain.data() + at;
      const auto* const newline = static_cast<const char*>(std::memchr(begin, '\n', end - at));
      const std::size_t length = newline != nullptr ? static_cast<std::size_t>(newline - begin) : end - at;
      const std::size_t room = kLineBytesMax - line.size();
      too_long = too_long || length > room;
      line.append(begin, std::min(length, room));
      at += length + (newline != nullptr ? 1 : 0);
      if (newline != nullptr) break;
    }
    if (!any) return std::nullopt;
    return Line{line, ++number, too_long};
  }
};

LineSource::LineSource(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LineSource::~LineSource() = default;

core::Result<std::unique_ptr<LineSource>> LineSource::open(const std::string& path) {
  auto impl = std::make_unique<Impl>();
  impl->path = path == "-" ? "standard input" : path;
  impl->fd = path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (impl->fd < 0) return tl::unexpected<core::Error>(io_error("cannot open", path));
  if (auto detected = impl->detect(); !detected) return tl::unexpected<core::Error>(detected.error());
  return std::unique_ptr<LineSource>(new LineSource(std::move(impl)));
}

core::Result<std::optional<LineSource::Line>> LineSource::next() { return impl_->next(); }

}  // namespace anabranch::cli

// Lines of a file or of standard input, plain or gzip (several members too). Called by `ingest` and `demo --trace`; the zlib
// types stay in the .cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace anabranch::cli {

inline constexpr std::size_t kLineBytesMax = 64 << 10;  // a longer line is handed out cut, and marked

class LineSource {
 public:
  struct Line {
    std::string_view text;     // without its newline; valid until the next call
    std::uint64_t number = 0;  // from 1
    bool too_long = false;     // `text` holds the first kLineBytesMax bytes
  };

  /// Opens `path`; "-" is standard input. Whether it is gzip is told by its first two bytes.
  ///   errors  kIo
  static core::Result<std::unique_ptr<LineSource>> open(const std::string& path);
  ~LineSource();
  LineSource(const LineSource&) = delete;
  LineSource& operator=(const LineSource&) = delete;

  /// The next line; nothing at the end. The last line of a plain file needs no newline.
  ///   errors  kIo (read), kMalformed (a gzip that is cut short or damaged: every whole line before the damage has been handed
  ///           out, and the detail names the byte offset in the compressed file). After an error there are no more lines.
  core::Result<std::optional<Line>> next();

 private:
  struct Impl;
  explicit LineSource(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace anabranch::cli

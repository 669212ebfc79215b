// The log of `anabranch serve`, on stderr. Lines are handed to a thread of its own; when stderr does not take them the oldest are
// dropped, so no caller ever waits. Any thread.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/result.hpp"

namespace anabranch::cli {

class Log {
 public:
  using Field = std::pair<std::string_view, std::string>;

  /// `level`: debug, info, warn, error. `format`: auto (text on a terminal, else logfmt), text, logfmt.
  ///   errors  kUnknown, with "did you mean"
  static core::Result<Log> open(const std::string& level, const std::string& format);
  Log(Log&&) noexcept;
  Log& operator=(Log&&) noexcept;
  /// Writes out what is left.
  ~Log();

  void info(std::string_view message, std::initializer_list<Field> fields = {});
  void warn(std::string_view message, std::initializer_list<Field> fields = {});
  void error(std::string_view message, std::initializer_list<Field> fields = {});
  /// A warning that strangers can cause: at most five in ten seconds, then how many were left out. One thread.
  void notice(const std::string& message);

 private:
  struct Impl;
  explicit Log(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace anabranch::cli

// One line of a web server's access log in Common or Combined Log Format, cut into its fields. Called by `ingest` and by
// `demo --trace`; pure, any thread.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "core/result.hpp"

namespace anabranch::cli {

enum class LogField : unsigned char {
  kHost,
  kIdent,
  kUser,
  kTime,
  kMethod,
  kPath,
  kProtocol,
  kStatus,
  kBytes,
  kReferer,
  kAgent,
};
inline constexpr std::size_t kLogFields = 11;

/// "host", "path", …: the words of key templates, in the order of LogField.
std::array<std::string_view, kLogFields> log_field_names();
std::optional<LogField> log_field_named(std::string_view word);

/// The fields point into the line that was parsed, byte for byte as they stand there (nothing is unescaped or decoded).
/// A line of the common format has "-" as referer and agent, a request without a protocol (HTTP/0.9) has "-" there.
struct LogLine {
  std::array<std::string_view, kLogFields> fields;

  [[nodiscard]] std::string_view operator[](LogField field) const { return fields[static_cast<std::size_t>(field)]; }
};

/// Parses `host ident user [time] "METHOD path protocol" status bytes`, optionally followed by `"referer" "agent"` and then
/// by anything. `line` is without its newline; one carriage return at its end is ignored. In quotes, a backslash takes the
/// meaning of the next character. The path is what awk calls $7: it ends at the first blank.
///   errors  kMalformed, `what` says which part is wrong
core::Result<LogLine> parse_clf(std::string_view line);

}  // namespace anabranch::cli

#include "tools/cli/clf.hpp"

#include <algorithm>

namespace anabranch::cli {
namespace {

constexpr std::array<std::string_view, kLogFields> kNames = {"host",     "ident",  "user",  "time",    "method", "path",
                                                             "protocol", "status", "bytes", "referer", "agent"};
constexpr std::string_view kBlanks = " \t";

bool digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Walks over one line from left to right.
class Cursor {
 public:
  explicit Cursor(std::string_view line) : rest_(line) {}

  // Up to the next blank; empty if there is none to take.
  std::string_view word() {
    skip_blanks();
    const std::string_view taken = rest_.substr(0, rest_.find_first_of(kBlanks));
    rest_.remove_prefix(taken.size());
    return taken;
  }

  // Between `open` and the next `close` that no backslash hides; nothing if the text does not begin so.
  std::optional<std::string_view> enclosed(char open, char close) {
    skip_blanks();
    if (rest_.empty() || rest_.front() != open) return std::nullopt;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '\\') {
        ++i;
      } else if (rest_[i] == close) {
        const std::string_view inside = rest_.substr(1, i - 1);
        rest_.remove_prefix(i + 1);
        return inside;
      }
    }
    return std::nullopt;
  }

  bool at_end() {
    skip_blanks();
    return rest_.empty();
  }

 private:
  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlanks), rest_.size())); }
  std::string_view rest_;
};

core::Error malformed(const char* what) { return {core::Errc::kMalformed, what, {}}; }

}  // namespace

std::array<std::string_view, kLogFields> log_field_names() { return kNames; }

std::optional<LogField> log_field_named(std::string_view word) {
  const auto* const found = std::find(kNames.begin(), kNames.end(), word);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<LogField>(found - kNames.begin());
}

core::Result<LogLine> parse_clf(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  const auto refuse = [](const char* what) { return tl::unexpected<core::Error>(malformed(what)); };
  LogLine parsed;
  const auto set = [&parsed](LogField field, std::string_view text) {
    parsed.fields[static_cast<std::size_t>(field)] = text;
  };

  Cursor cursor(line);
  if (cursor.at_end()) return refuse("the line is empty");
  for (const LogField field : {LogField::kHost, LogField::kIdent, LogField::kUser}) {
    const std::string_view word = cursor.word();
    if (word.empty()) return refuse("expected host, ident and user");
    set(field, word);
  }
  const auto time = cursor.enclosed('[', ']');
  if (!time || time->empty()) return refuse("expected a time in brackets after host, ident and user");
  set(LogField::kTime, *time);

  const auto request = cursor.enclosed('"', '"');
  if (!request) return refuse("expected a request in quotes after the time");
  Cursor words(*request);
  const std::string_view method = words.word();
  const std::string_view path = words.word();
  if (method.empty() || path.empty()) return refuse("the request has no path");
  std::string_view protocol = words.word();
  while (!words.at_end()) protocol = words.word();
  set(LogField::kMethod, method);
  set(LogField::kPath, path);
  set(LogField::kProtocol, protocol.empty() ? "-" : protocol);

  const std::string_view status = cursor.word();
  if (status.size() != 3 || !digits(status)) return refuse("expected a status of three digits after the request");
  set(LogField::kStatus, status);
  const std::string_view bytes = cursor.word();
  if (bytes != "-" && !digits(bytes)) return refuse("expected a number of bytes, or -, after the status");
  set(LogField::kBytes, bytes);

  set(LogField::kReferer, "-");
  set(LogField::kAgent, "-");
  if (cursor.at_end()) return parsed;
  const auto referer = cursor.enclosed('"', '"');
  const auto agent = referer ? cursor.enclosed('"', '"') : std::nullopt;
  if (!agent) return refuse("expected the end of the line, or referer and agent in quotes, after the bytes");
  set(LogField::kReferer, *referer);
  set(LogField::kAgent, *agent);
  return parsed;
}

}  // namespace anabranch::cli

// A text with `{field}` holes for the fields of a log line: which client a line belongs to, and which key it counts.
// Called by `ingest`; pure, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "tools/cli/clf.hpp"

namespace anabranch::cli {

class KeyTemplate {
 public:
  /// Parses "hits/{path}". `{{` and `}}` stand for the braces themselves.
  ///   errors  kMalformed (empty, a brace that is not closed or not open), kUnknown (a field, with "did you mean")
  static core::Result<KeyTemplate> parse(std::string_view text);

  /// Writes the text of `line` into `into`, whose capacity is used again.
  void expand(const LogLine& line, std::string& into) const;

 private:
  struct Part {
    std::string text;               // before the hole
    std::optional<LogField> field;  // none in the last part
  };
  std::vector<Part> parts_;
};

}  // namespace anabranch::cli

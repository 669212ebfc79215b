#include "tools/cli/key_template.hpp"

#include "tools/cli/output.hpp"

namespace anabranch::cli {

core::Result<KeyTemplate> KeyTemplate::parse(std::string_view text) {
  if (text.empty()) return core::fail(core::Errc::kMalformed, "a template must not be empty");
  KeyTemplate parsed;
  Part part;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool doubled = i + 1 < text.size() && text[i + 1] == c;
    if (c != '{' && c != '}') {
      part.text += c;
    } else if (doubled) {
      part.text += c;
      ++i;
    } else if (c == '}') {
      return core::fail(core::Errc::kMalformed, "} without {; write }} for the brace itself", std::string(text));
    } else {
      const auto close = text.find('}', i);
      if (close == std::string_view::npos)
        return core::fail(core::Errc::kMalformed, "{ without }; write {{ for the brace itself", std::string(text));
      const std::string_view word = text.substr(i + 1, close - i - 1);
      part.field = log_field_named(word);
      if (!part.field) {
        const auto names = log_field_names();
        const std::vector<std::string> known(names.begin(), names.end());
        return core::fail(core::Errc::kUnknown, "unknown field of a log line", did_you_mean(word, known));
      }
      parsed.parts_.push_back(std::move(part));
      part = {};
      i = close;
    }
  }
  parsed.parts_.push_back(std::move(part));
  return parsed;
}

void KeyTemplate::expand(const LogLine& line, std::string& into) const {
  into.clear();
  for (const Part& part : parts_) {
    into += part.text;
    if (part.field) into += line[*part.field];
  }
}

}  // namespace anabranch::cli

#include "tools/cli/output.hpp"

#include <algorithm>
#include <cstdio>
#include <variant>

#include "tools/cli/command.hpp"

namespace anabranch::cli {
namespace {

/// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b` (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      const std::size_t differs = a[i - 1] == b[j - 1] ? 0 : 1;
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + differs});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

std::string json_of(const lattice::Reading& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return json_integer(*integer);
  if (const auto* bytes = std::get_if<core::Bytes>(&value)) return json_text(*bytes);
  if (const auto* elements = std::get_if<std::vector<core::Bytes>>(&value)) return json_array(*elements);
  return "null";
}

std::string json_of(const node::Item& item) {
  JsonObject object;
  object.text("key", item.key).text("type", lattice::name(item.type)).raw("value", json_of(item.value));
  return object.str();
}

std::string text_of(core::BytesView bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '\t') {
      out += "\\t";
    } else if (c == '\n') {
      out += "\\n";
    } else if (code < 0x20 || code == 0x7f) {
      char buffer[8];
      std::snprintf(buffer, sizeof buffer, "\\x%02x", code);
      out += buffer;
    } else {
      out += c;
    }
  }
  return out;
}

std::string text_of(const lattice::Reading& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
  if (const auto* bytes = std::get_if<core::Bytes>(&value)) return text_of(*bytes);
  const auto* elements = std::get_if<std::vector<core::Bytes>>(&value);
  if (elements == nullptr) return "-";
  std::string out = "{";
  for (const core::Bytes& element : *elements) {
    if (out.size() > 1) out += ", ";
    out += text_of(element);
  }
  return out + "}";
}

bool print_line(std::string_view line) {
  return std::fwrite(line.data(), 1, line.size(), stdout) == line.size() && std::fputc('\n', stdout) != EOF;
}

void complain(std::string_view message) {
  std::fprintf(stderr, "anabranch: %.*s\n", static_cast<int>(message.size()), message.data());
}

void complain_too_large(const core::Bytes& key) {
  complain("the value of " + text_of(key) + " is too large to print: it passes 32 MiB");
}

int fail_with(const core::Error& error, bool usage) {
  std::string message = error.message();
  if (*error.what == '\0') message = error.detail;  // said by the node
  complain(message);
  switch (error.code) {
    case core::Errc::kUnreachable: return kUnreachable;
    case core::Errc::kTimeout:
    case core::Errc::kClosed: return kNotYet;
    case core::Errc::kMalformed:
    case core::Errc::kUnknown: return usage ? kUsage : kFailed;
    default: return kFailed;
  }
}

std::string did_you_mean(std::string_view word, std::span<const std::string> known) {
  std::string text = "'" + text_of(word) + "'";
  if (word.size() > 64) return text;
  const std::string* best = nullptr;
  std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;  // a third of the letters may be wrong
  for (const std::string& one : known) {
    std::size_t distance = edit_distance(word, one);
    if (word.size() > 2 && one.starts_with(word)) distance = std::min<std::size_t>(distance, 1);
    if (distance >= least) continue;
    least = distance;
    best = &one;
  }
  return best == nullptr ? text : text + ", did you mean '" + *best + "'?";
}

}  // namespace anabranch::cli

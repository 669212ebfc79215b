#include "tools/text/json.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace anabranch::text {
namespace {

constexpr std::uint64_t kExactMax = std::uint64_t{1} << 53;  // IEEE double: every integer up to here is exact

std::string quoted(const std::string& digits) { return '"' + digits + '"'; }

void append_escape(std::string& out, unsigned code) {
  char buffer[8];
  std::snprintf(buffer, sizeof buffer, "\\u%04x", code);
  out += buffer;
}

void append_ascii(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  const auto code = static_cast<unsigned char>(c);
  if (code < 0x20 || code == 0x7f)
    append_escape(out, code);
  else
    out += c;
}

std::string joined(std::span<const std::string> values, std::string (*each)(core::BytesView)) {
  std::string out = "[";
  for (const std::string& value : values) {
    if (out.size() > 1) out += ',';
    out += each ? each(value) : value;
  }
  return out + "]";
}

}  // namespace

// The well-formed sequences of the Unicode standard, table 3-7: no overlong form, no surrogate, nothing above U+10FFFF.
std::size_t utf8_length(std::string_view bytes) {
  if (bytes.empty()) return 0;
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || bytes.size() < length) return 0;
  const unsigned low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const unsigned high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (at(1) < low || at(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (at(i) < 0x80 || at(i) > 0xbf) return 0;
  }
  return length;
}

std::string json_text(core::BytesView bytes) {
  std::string out = "\"";
  out.reserve(bytes.size() + 2);
  while (!bytes.empty()) {
    const std::size_t length = utf8_length(bytes);
    if (length == 0) {
      append_escape(out, 0xdc00U + static_cast<unsigned char>(bytes.front()));
    } else if (length == 1) {
      append_ascii(out, bytes.front());
    } else {
      out += bytes.substr(0, length);
    }
    bytes.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out + '"';
}

std::string json_unsigned(std::uint64_t value) {
  std::string digits = std::to_string(value);
  return value > kExactMax ? quoted(digits) : digits;
}

std::string json_integer(std::int64_t value) {
  constexpr auto limit = static_cast<std::int64_t>(kExactMax);
  std::string digits = std::to_string(value);
  return value > limit || value < -limit ? quoted(digits) : digits;
}

std::string json_real(double value, int digits) {
  if (!std::isfinite(value)) return "null";
  char buffer[352];  // the largest double has 309 digits before the point
  std::snprintf(buffer, sizeof buffer, "%.*f", std::clamp(digits, 0, 9), value);
  return buffer;
}

std::string json_array(std::span<const core::Bytes> texts) { return joined(texts, &json_text); }
std::string json_list(std::span<const std::string> values) { return joined(values, nullptr); }

JsonObject& JsonObject::raw(std::string_view name, std::string_view json) {
  body_ += body_.empty() ? '{' : ',';
  body_ += json_text(name);
  body_ += ':';
  body_ += json;
  return *this;
}

}  // namespace anabranch::text

// What commands print: JSON, readable values, errors with their exit code. stdout carries results, stderr the rest.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/types.hpp"
#include "lattice/catalog.hpp"
#include "tools/node/command.hpp"

namespace anabranch::cli {

/// A JSON string with its quotes. Bytes that are not UTF-8 become \udcXX, one per byte (surrogate escapes), so that
/// equal bytes give equal text and the bytes can be had back.
std::string json_text(core::BytesView bytes);
/// A JSON number up to 2^53 in size, a string beyond.
std::string json_integer(std::int64_t value);
std::string json_unsigned(std::uint64_t value);
/// A JSON number with `digits` decimals.
std::string json_real(double value, int digits);
std::string json_array(std::span<const core::Bytes> texts);

/// Builds one JSON object on one line; fields appear in the order of the calls.
class JsonObject {
 public:
  JsonObject& text(std::string_view name, core::BytesView value) { return raw(name, json_text(value)); }
  JsonObject& integer(std::string_view name, std::int64_t value) { return raw(name, json_integer(value)); }
  JsonObject& count(std::string_view name, std::uint64_t value) { return raw(name, json_unsigned(value)); }
  JsonObject& real(std::string_view name, double value, int digits) { return raw(name, json_real(value, digits)); }
  JsonObject& flag(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }
  /// `json` is valid JSON already: a nested object or array.
  JsonObject& raw(std::string_view name, std::string_view json);
  [[nodiscard]] std::string str() const { return body_.empty() ? "{}" : body_ + "}"; }

 private:
  std::string body_;
};

/// "[a,b]" of values that are JSON already.
std::string json_list(std::span<const std::string> values);

std::string json_of(const lattice::Reading& value);
/// {"key":…,"type":…,"value":…}
std::string json_of(const node::Item& item);
/// For people: sets as "{a, b}", nothing as "-". Control characters are escaped, all other bytes are as they are.
std::string text_of(const lattice::Reading& value);
std::string text_of(core::BytesView bytes);

/// Writes `line` and a newline to stdout. False when stdout is gone or full.
bool print_line(std::string_view line);
/// Writes "anabranch: message" to stderr.
void complain(std::string_view message);
/// Complains, and gives the exit code: kUnreachable 3, kTimeout and kClosed 4, kMalformed and kUnknown `usage` ? 2 : 1, else 1.
int fail_with(const core::Error& error, bool usage = false);

/// `word` with "did you mean X?" when one of `known` is near.
std::string did_you_mean(std::string_view word, std::span<const std::string> known);

}  // namespace anabranch::cli

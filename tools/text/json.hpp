// A small JSON writer: what it writes is decided byte by byte, so that equal values give equal text on every node. Used by the
// command line and the HTTP door; nothing here reads JSON.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/types.hpp"

namespace anabranch::text {

/// A JSON string with its quotes. Bytes that are not UTF-8 become \udcXX, one per byte (surrogate escapes), so that
/// equal bytes give equal text and the bytes can be had back.
std::string json_text(core::BytesView bytes);
/// A JSON number up to 2^53 in size, a string beyond.
std::string json_integer(std::int64_t value);
std::string json_unsigned(std::uint64_t value);
/// A JSON number with `digits` decimals (at most 9); null for what is not a finite number.
std::string json_real(double value, int digits);
std::string json_array(std::span<const core::Bytes> texts);
/// "[a,b]" of values that are JSON already.
std::string json_list(std::span<const std::string> values);

/// The length of the well-formed UTF-8 sequence at the start of `bytes`; 0 if there is none.
std::size_t utf8_length(std::string_view bytes);

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

}  // namespace anabranch::text

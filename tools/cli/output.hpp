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
#include "tools/text/json.hpp"

namespace anabranch::cli {

using text::json_array;
using text::json_integer;
using text::json_list;
using text::json_real;
using text::json_text;
using text::json_unsigned;
using text::JsonObject;

std::string json_of(const lattice::Reading& value);
/// {"key":…,"type":…,"value":…}
std::string json_of(const node::Item& item);
/// For people: sets as "{a, b}", nothing as "-". Control characters are escaped, all other bytes are as they are.
std::string text_of(const lattice::Reading& value);
std::string text_of(core::BytesView bytes);
inline std::string text_of(const core::Bytes& bytes) { return text_of(core::BytesView(bytes)); }

/// Writes `line` and a newline to stdout. False when stdout is gone or full.
bool print_line(std::string_view line);
/// Writes "anabranch: message" to stderr.
void complain(std::string_view message);
/// Says on stderr that the value of `key` does not fit an answer.
void complain_too_large(const core::Bytes& key);
/// Complains, and gives the exit code: kUnreachable 3, kTimeout and kClosed 4, kMalformed and kUnknown `usage` ? 2 : 1, else 1.
int fail_with(const core::Error& error, bool usage = false);

/// `word` with "did you mean X?" when one of `known` is near.
std::string did_you_mean(std::string_view word, std::span<const std::string> known);

}  // namespace anabranch::cli

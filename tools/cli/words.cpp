#include "tools/cli/words.hpp"

#include <charconv>
#include <vector>

#include "core/limits.hpp"
#include "tools/cli/output.hpp"

namespace anabranch::cli {
namespace {

using core::Errc;
using lattice::TypeId;
using lattice::Verb;

std::string listed(std::span<const std::string> words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::string suggestion(std::string_view word, std::span<const std::string> known, std::string_view label) {
  std::string text = did_you_mean(word, known);
  return text + (text.ends_with('?') ? " " : "; ") + std::string(label) + ": " + listed(known);
}

/// "a gset", "an awset": by how the first letters are said.
std::string with_article(const std::string& name) {
  const bool an = name.starts_with("aw") || name.starts_with("ew") || name.starts_with("lw") || name.starts_with("mv");
  return (an ? "an " : "a ") + name;
}

bool takes_number(TypeId type, Verb verb) {
  if (verb == Verb::kIncrement || verb == Verb::kDecrement) return true;
  return verb == Verb::kSet && (type == TypeId::kMaxInt || type == TypeId::kMinInt);
}

core::Result<Verb> verb_of_word(TypeId type, std::string_view word) {
  const auto verb = lattice::verb_named(word);
  if (verb && lattice::accepts(type, *verb)) return *verb;
  const std::string name(lattice::name(type));
  std::vector<std::string> known;
  for (const std::string_view one : lattice::words(type)) known.emplace_back(one);
  if (verb) {
    return core::fail(Errc::kMalformed, "not an operation of this type",
                      with_article(name) + " has no '" + std::string(word) + "'; it has: " + listed(known));
  }
  return core::fail(Errc::kUnknown, "unknown operation", suggestion(word, known, with_article(name) + " has"));
}

core::Result<std::int64_t> amount_of(Verb verb, std::span<const std::string> arguments) {
  const bool counts = verb == Verb::kIncrement || verb == Verb::kDecrement;
  if (arguments.empty() && counts) return 1;
  if (arguments.size() != 1) {
    return core::fail(
        Errc::kMalformed, "wrong arguments",
        std::string(lattice::name(verb)) + " takes one number, not " + std::to_string(arguments.size()) + " arguments");
  }
  const auto amount = integer_of_word(arguments.front(), lattice::name(verb));
  if (!amount) return amount;
  constexpr auto limit = static_cast<std::int64_t>(core::kCountMax);
  if (*amount > limit || *amount < -limit)
    return core::fail(Errc::kMalformed, "a number beyond 2^62", "'" + arguments.front() + "'");
  if (counts && *amount <= 0) {
    return core::fail(Errc::kMalformed, "the amount must be positive",
                      std::string(lattice::name(verb)) + " by " + arguments.front());
  }
  return amount;
}

core::Status check_elements(TypeId type, Verb verb, std::span<const std::string> arguments) {
  const std::string name(lattice::name(verb));
  if (verb == Verb::kSet && arguments.size() != 1)
    return core::fail(Errc::kMalformed, "wrong arguments",
                      "set of " + with_article(std::string(lattice::name(type))) + " takes one value");
  const bool some = verb == Verb::kAdd || verb == Verb::kRemove || verb == Verb::kSet;
  if (some && arguments.empty())
    return core::fail(Errc::kMalformed, "wrong arguments", name + " takes at least one element");
  if (!some && !arguments.empty()) return core::fail(Errc::kMalformed, "wrong arguments", name + " takes no argument");
  if (arguments.size() > core::kListMax)
    return core::fail(Errc::kMalformed, "more than 4,096 elements in one update", std::to_string(arguments.size()));
  for (const std::string& element : arguments) {
    if (element.size() > core::kValueBytesMax)
      return core::fail(Errc::kMalformed, "an element is longer than 1 MiB", std::to_string(element.size()) + " bytes");
  }
  return {};
}

}  // namespace

core::Result<std::int64_t> integer_of_word(std::string_view word, std::string_view what) {
  std::int64_t value = 0;
  const std::string_view digits = word.substr(word.starts_with('+') ? 1 : 0);
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const std::string got = std::string(what) + " got '" + text_of(word.substr(0, 64)) + "'";
  if (code == std::errc::result_out_of_range) return core::fail(Errc::kMalformed, "a number beyond 2^62", got);
  if (code != std::errc{} || end != digits.data() + digits.size() || digits.size() + 1 < word.size())
    return core::fail(Errc::kMalformed, "expected a whole number", got);
  return value;
}

core::Status check_key(std::string_view key) {
  if (key.empty()) return core::fail(Errc::kMalformed, "the key is empty");
  if (key.size() > core::kKeyBytesMax)
    return core::fail(Errc::kMalformed, "the key is longer than 1,024 bytes", std::to_string(key.size()) + " bytes");
  return {};
}

core::Result<TypeId> type_of_word(std::string_view word) {
  if (const auto type = lattice::type_named(word)) return *type;
  std::vector<std::string> known;
  for (const TypeId type : lattice::catalog()) known.emplace_back(lattice::name(type));
  return core::fail(Errc::kUnknown, "unknown type", suggestion(word, known, "there are"));
}

core::Result<node::Update> update_of_words(std::string_view key, std::string_view type_word, std::string_view operation,
                                           std::span<const std::string> arguments) {
  if (const auto checked = check_key(key); !checked) return tl::unexpected(checked.error());
  const auto type = type_of_word(type_word);
  if (!type) return tl::unexpected(type.error());
  const auto verb = verb_of_word(*type, operation);
  if (!verb) return tl::unexpected(verb.error());
  node::Update update;
  update.key = core::Bytes(key);
  update.type = *type;
  update.operation.verb = *verb;
  if (takes_number(*type, *verb)) {
    const auto amount = amount_of(*verb, arguments);
    if (!amount) return tl::unexpected(amount.error());
    update.operation.amount = *amount;
    return update;
  }
  if (const auto checked = check_elements(*type, *verb, arguments); !checked) return tl::unexpected(checked.error());
  update.operation.elements.assign(arguments.begin(), arguments.end());
  return update;
}

core::Result<rpc::Ack> ack_of_word(std::string_view word) {
  if (word.empty()) return rpc::Ack{};
  if (word == "received") return rpc::Ack{rpc::Ack::Level::kReceived, 1};
  if (word == "durable") return rpc::Ack{rpc::Ack::Level::kDurable, 1};
  std::uint32_t copies = 0;
  const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), copies);
  if (code == std::errc{} && end == word.data() + word.size() && copies >= 1 && copies <= 65'535)
    return rpc::Ack{rpc::Ack::Level::kCopies, copies};
  const std::vector<std::string> known = {"received", "durable"};
  return core::fail(Errc::kMalformed, "--ack takes received, durable or a number of nodes from 1",
                    did_you_mean(word, known));
}

}  // namespace anabranch::cli

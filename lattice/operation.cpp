#include "lattice/operation.hpp"

#include <array>

#include "core/check.hpp"
#include "core/limits.hpp"

namespace anabranch::lattice {
namespace {

constexpr std::array<std::string_view, 9> kWords = {"increment", "decrement", "set",   "enable", "disable",
                                                    "add",       "remove",    "clear", "total"};
constexpr auto kAmountMax = static_cast<std::int64_t>(core::kCountMax);

}  // namespace

std::string_view name(Verb verb) {
  const auto index = static_cast<std::size_t>(verb);
  CHECK(index < kWords.size(), index);
  return kWords[index];
}

std::optional<Verb> verb_named(std::string_view word) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(Verb::kTotal); ++i) {
    if (kWords[i] == word) return static_cast<Verb>(i);
  }
  return std::nullopt;
}

core::Status check_positive(const Operation& operation) {
  if (auto number = check_number(operation); !number) return number;
  if (operation.amount <= 0) return core::fail(core::Errc::kRefused, "the amount must be positive");
  return {};
}

core::Status check_number(const Operation& operation) {
  if (auto bare = check_bare(operation); !bare)
    return core::fail(core::Errc::kMalformed, "the operation takes a number");
  if (operation.amount > kAmountMax || operation.amount < -kAmountMax)
    return core::fail(core::Errc::kOverflow, "a number beyond 2^62");
  return {};
}

core::Status check_elements(const Operation& operation, std::size_t at_least, std::size_t at_most) {
  if (operation.elements.size() < at_least)
    return core::fail(core::Errc::kMalformed, "the operation takes a value and got none");
  if (operation.elements.size() > at_most) {
    if (at_most == 1) return core::fail(core::Errc::kMalformed, "the operation takes exactly one value");
    return core::fail(core::Errc::kTooLarge, "too many values in one operation");
  }
  for (const core::Bytes& element : operation.elements) {
    if (element.size() > core::kValueBytesMax) return core::fail(core::Errc::kTooLarge, "a value beyond 1 MiB");
  }
  return {};
}

core::Status check_bare(const Operation& operation) {
  if (!operation.elements.empty()) return core::fail(core::Errc::kMalformed, "the operation takes no value");
  return {};
}

}  // namespace anabranch::lattice

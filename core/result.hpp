// Expected failures: a value or an Error, never an exception across a layer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace anabranch::core {

enum class Errc : std::uint8_t {
  kMalformed,     // bytes or arguments that do not parse
  kUnknown,       // a type, operation, key or option that does not exist
  kTypeMismatch,  // the key has another type
  kTooLarge,      // beyond a bound named in the configuration
  kOverflow,      // the result would pass 2^62
  kRefused,       // understood, and against a rule
  kFull,          // a bounded resource has no room; try again later
  kTimeout,       // sent, but no answer in time
  kUnreachable,   // nobody answered; nothing was sent
  kStale,         // of an older epoch, incarnation or session
  kWrongCluster,  // of another cluster, version or partition count
  kIo,            // the operating system refused
  kClosed,        // the resource has been shut down
};

std::string_view name(Errc code);

/// `what` is a literal; `detail` stays empty (no allocation) on hot paths.
struct Error {
  Errc code = Errc::kMalformed;
  const char* what = "";
  std::string detail;

  /// "what: detail", for people.
  [[nodiscard]] std::string message() const;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

[[nodiscard]] inline tl::unexpected<Error> fail(Errc code, const char* what, std::string detail = {}) {
  return tl::unexpected<Error>(Error{code, what, std::move(detail)});
}

}  // namespace anabranch::core

#include "core/result.hpp"

namespace anabranch::core {

std::string_view name(Errc code) {
  switch (code) {
    case Errc::kMalformed: return "malformed";
    case Errc::kUnknown: return "unknown";
    case Errc::kTypeMismatch: return "type_mismatch";
    case Errc::kTooLarge: return "too_large";
    case Errc::kOverflow: return "overflow";
    case Errc::kRefused: return "refused";
    case Errc::kFull: return "full";
    case Errc::kTimeout: return "timeout";
    case Errc::kUnreachable: return "unreachable";
    case Errc::kStale: return "stale";
    case Errc::kWrongCluster: return "wrong_cluster";
    case Errc::kIo: return "io";
    case Errc::kClosed: return "closed";
  }
  return "unknown";
}

std::string Error::message() const {
  if (detail.empty()) return what;
  if (*what == '\0') return detail;  // an error that came over the wire has no literal
  return std::string(what) + ": " + detail;
}

}  // namespace anabranch::core

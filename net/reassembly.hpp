// Puts messages together again from their pieces, within bounds: at most four messages at a time, each at most
// core::kMessageBytesMax. A value owned by a ReceiveLane.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "core/result.hpp"
#include "core/types.hpp"
#include "net/codec.hpp"

namespace anabranch::net {

inline constexpr std::size_t kLargeMessagesMax = 4;     // in pieces at a time, per lane
inline constexpr std::uint64_t kLargeMessageSpan = 64;  // the youngest is less than this many numbers after the oldest

class Reassembly {
 public:
  /// Takes a piece; its bytes are copied.
  ///   returns the whole message if this was its last missing piece; nothing for any other piece, duplicates included
  ///   errors  kMalformed (does not fit the other pieces of its message), kFull (a fifth message, or too far
  ///           ahead); nothing has changed then
  core::Result<std::optional<core::Bytes>> add(const Fragment& piece);

  /// Bytes held for incomplete messages.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t messages() const { return partial_.size(); }

 private:
  struct Partial {
    std::vector<core::Bytes> pieces;
    std::size_t present = 0;
    std::size_t bytes = 0;
  };
  void complete(std::uint64_t message);

  std::map<std::uint64_t, Partial> partial_;
  std::uint64_t first_ = 1;  // the oldest message that is not complete
  std::uint64_t done_ = 0;   // bit i: message first_ + i is complete
  std::size_t bytes_ = 0;
};

}  // namespace anabranch::net

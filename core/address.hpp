// Where a node listens: an IPv4 address and a UDP port. Peers are named by NodeId; this only says where to send.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace anabranch::core {

struct Address {
  std::uint32_t ip = 0;  // host byte order
  std::uint16_t port = 0;
  friend auto operator<=>(const Address&, const Address&) = default;

  [[nodiscard]] bool loopback() const { return (ip >> 24) == 127; }
};

/// "127.0.0.1:7370".
std::string to_string(const Address& address);

/// Parses "HOST:PORT", HOST an IPv4 literal, `localhost` or "" (any address); port 0 is allowed. No name service is asked.
///   errors  kMalformed, with the text and what was expected
Result<Address> parse_address(std::string_view text);

/// As parse_address, and asks the name service for other hosts (blocks; at start-up only).
///   errors  kMalformed, kUnreachable when the name is not known
Result<Address> resolve_address(std::string_view text);

}  // namespace anabranch::core

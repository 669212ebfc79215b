#include "core/address.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <charconv>

namespace anabranch::core {
namespace {

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};

Result<HostPort> split(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return fail(Errc::kMalformed, "expected HOST:PORT", std::string(text));
  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (code != std::errc{} || end != digits.data() + digits.size())
    return fail(Errc::kMalformed, "expected a port from 0 to 65535 after the colon", std::string(text));
  return HostPort{std::string(text.substr(0, colon)), port};
}

bool literal(const std::string& host, std::uint32_t& ip) {
  if (host.empty() || host == "*") return ip = 0, true;
  if (host == "localhost") return ip = INADDR_LOOPBACK, true;
  in_addr parsed{};
  if (inet_pton(AF_INET, host.c_str(), &parsed) != 1) return false;
  ip = ntohl(parsed.s_addr);
  return true;
}

}  // namespace

std::string to_string(const Address& address) {
  const in_addr raw{htonl(address.ip)};
  char text[INET_ADDRSTRLEN] = {};
  inet_ntop(AF_INET, &raw, text, sizeof text);
  return std::string(text) + ":" + std::to_string(address.port);
}

Result<Address> parse_address(std::string_view text) {
  const auto parts = split(text);
  if (!parts) return tl::unexpected(parts.error());
  Address address{0, parts->port};
  if (!literal(parts->host, address.ip))
    return fail(Errc::kMalformed, "expected an IPv4 address before the colon", std::string(text));
  return address;
}

Result<Address> resolve_address(std::string_view text) {
  const auto parts = split(text);
  if (!parts) return tl::unexpected(parts.error());
  Address address{0, parts->port};
  if (literal(parts->host, address.ip)) return address;
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(parts->host.c_str(), nullptr, &hints, &found) != 0 || found == nullptr)
    return fail(Errc::kUnreachable, "no such host", parts->host);
  const auto* raw = reinterpret_cast<const sockaddr_in*>(found->ai_addr);
  address.ip = ntohl(raw->sin_addr.s_addr);
  freeaddrinfo(found);
  return address;
}

}  // namespace anabranch::core

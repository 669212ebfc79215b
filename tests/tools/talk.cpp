#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "core/address.hpp"
#include "tests/tools/door_fixture.hpp"

namespace anabranch::testing {

std::string talk(const std::string& host_port, const std::string& bytes, bool close_after) {
  const auto address = core::parse_address(host_port);
  if (!address) return "bad address";
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in raw{};
  raw.sin_family = AF_INET;
  raw.sin_port = htons(address->port);
  raw.sin_addr.s_addr = htonl(address->ip);
  timeval patience{20, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::string answer;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&raw), sizeof raw) == 0) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t n = send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) break;
      sent += static_cast<std::size_t>(n);
    }
    if (close_after) shutdown(fd, SHUT_WR);
    char buffer[4096];
    while (true) {
      const ssize_t n = recv(fd, buffer, sizeof buffer, 0);
      if (n <= 0) break;
      answer.append(buffer, static_cast<std::size_t>(n));
    }
  }
  close(fd);
  return answer;
}

}  // namespace anabranch::testing

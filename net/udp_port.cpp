#include "net/udp_port.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "core/check.hpp"

namespace anabranch::net {
namespace {

constexpr std::size_t kBatch = 64;          // datagrams a system call
constexpr std::size_t kStride = 1'536;      // room of one datagram: a multiple of a cache line
constexpr std::size_t kSocketsMax = 1'024;  // far above any number of cores
static_assert(kStride >= core::kDatagramBytes && kStride % 64 == 0);

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

sockaddr_in to_raw(const core::Address& address) {
  sockaddr_in raw{};
  raw.sin_family = AF_INET;
  raw.sin_port = htons(address.port);
  raw.sin_addr.s_addr = htonl(address.ip);
  return raw;
}

core::Address from_raw(const sockaddr_in& raw) { return {ntohl(raw.sin_addr.s_addr), ntohs(raw.sin_port)}; }

class UdpPort final : public Port {
 public:
  UdpPort(Socket socket, core::Address local)
      : socket_(std::move(socket)), local_(local), slab_(std::make_unique<Slab>()) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      rx_iov_[i] = {slab_->bytes.data() + i * kStride, core::kDatagramBytes};
      rx_[i].msg_hdr.msg_iov = &rx_iov_[i];
      rx_[i].msg_hdr.msg_iovlen = 1;
      rx_[i].msg_hdr.msg_name = &rx_from_[i];
      tx_[i].msg_hdr.msg_iov = &tx_iov_[i];
      tx_[i].msg_hdr.msg_iovlen = 1;
      tx_[i].msg_hdr.msg_name = &tx_to_[i];
      tx_[i].msg_hdr.msg_namelen = sizeof(sockaddr_in);
    }
  }

  [[nodiscard]] std::string_view name() const override { return "udp"; }
  [[nodiscard]] core::Address local() const override { return local_; }
  [[nodiscard]] int wait_fd() const override { return socket_.fd(); }
  [[nodiscard]] PortStats stats() const override { return stats_; }

  std::size_t receive(std::span<Received> burst, core::Instant) override {
    const auto want = static_cast<unsigned>(std::min(burst.size(), kBatch));
    for (unsigned i = 0; i < want; ++i) rx_[i].msg_hdr.msg_namelen = sizeof(sockaddr_in);
    const int got = ::recvmmsg(socket_.fd(), rx_.data(), want, MSG_DONTWAIT, nullptr);
    if (got < 0) {
      if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) ++stats_.rx_errors;
      return 0;
    }
    std::size_t filled = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i) {
      if ((rx_[i].msg_hdr.msg_flags & MSG_TRUNC) != 0) {
        ++stats_.rx_errors;
        continue;
      }
      burst[filled] = {from_raw(rx_from_[i]), {slab_->bytes.data() + i * kStride, rx_[i].msg_len}};
      stats_.rx_bytes += burst[filled++].bytes.size();
    }
    stats_.rx_datagrams += filled;
    return filled;
  }

  std::size_t send(std::span<const Outgoing> burst, core::Instant) override {
    std::size_t taken = 0;
    while (taken < burst.size()) {
      if (burst[taken].bytes.size() > core::kDatagramBytes) {
        ++stats_.tx_dropped;
        ++taken;
        continue;
      }
      const unsigned prepared = prepare(burst.subspan(taken));
      const int sent = ::sendmmsg(socket_.fd(), tx_.data(), prepared, MSG_DONTWAIT);
      if (sent < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == EINTR) return taken;
        ++stats_.tx_dropped;  // no route, forbidden, …: this datagram will never go
        ++taken;
        continue;
      }
      for (std::size_t i = 0; i < static_cast<std::size_t>(sent); ++i) stats_.tx_bytes += burst[taken + i].bytes.size();
      stats_.tx_datagrams += static_cast<std::uint64_t>(sent);
      taken += static_cast<std::size_t>(sent);
    }
    return taken;
  }

 private:
  struct alignas(64) Slab {
    std::array<char, kBatch * kStride> bytes;
  };

  /// Fills the headers of the system call with the longest prefix that fits one call; the bytes stay the caller's.
  unsigned prepare(std::span<const Outgoing> burst) {
    unsigned count = 0;
    for (const auto& datagram : burst.first(std::min(burst.size(), kBatch))) {
      if (datagram.bytes.size() > core::kDatagramBytes) break;
      tx_to_[count] = to_raw(datagram.to);
      tx_iov_[count] = {const_cast<char*>(datagram.bytes.data()), datagram.bytes.size()};
      ++count;
    }
    return count;
  }

  Socket socket_;
  core::Address local_;
  std::unique_ptr<Slab> slab_;
  std::array<mmsghdr, kBatch> rx_{};
  std::array<iovec, kBatch> rx_iov_{};
  std::array<sockaddr_in, kBatch> rx_from_{};
  std::array<mmsghdr, kBatch> tx_{};
  std::array<iovec, kBatch> tx_iov_{};
  std::array<sockaddr_in, kBatch> tx_to_{};
  PortStats stats_;
};

tl::unexpected<core::Error> bind_failed(const core::Address& address, int code) {
  const auto where = core::to_string(address);
  switch (code) {
    case EADDRINUSE:
      return core::fail(core::Errc::kIo,
                        "address in use; stop the process that holds it, or listen on another port (0: any free one)",
                        where);
    case EADDRNOTAVAIL:
      return core::fail(core::Errc::kIo, "not an address of this host; listen on one of its own, or on 0.0.0.0", where);
    case EACCES:
      return core::fail(core::Errc::kIo, "not allowed to listen on this port; choose one from 1024 on", where);
    default: return core::fail(core::Errc::kIo, "cannot listen", where + ": " + std::strerror(code));
  }
}

/// Root may go beyond net.core.rmem_max; everyone else gets what the kernel allows.
void set_buffer(int fd, int forced, int option, std::size_t bytes) {
  const int size = static_cast<int>(std::min(bytes, std::size_t{1} << 30));
  if (::setsockopt(fd, SOL_SOCKET, forced, &size, sizeof size) != 0)
    static_cast<void>(::setsockopt(fd, SOL_SOCKET, option, &size, sizeof size));
}

core::Status share(const Socket& socket) {
  const int on = 1;
  if (::setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
    return core::fail(core::Errc::kIo, "cannot share a port between shards (SO_REUSEPORT)", std::strerror(errno));
  return {};
}

core::Result<Socket> open_bound(const UdpConfig& config, const core::Address& address, bool joins_ours) {
  Socket socket(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.fd() < 0) return core::fail(core::Errc::kIo, "cannot open a UDP socket", std::strerror(errno));
  set_buffer(socket.fd(), SO_RCVBUFFORCE, SO_RCVBUF, config.receive_buffer_bytes);
  set_buffer(socket.fd(), SO_SNDBUFFORCE, SO_SNDBUF, config.send_buffer_bytes);
  if (joins_ours) {
    if (auto shared = share(socket); !shared) return tl::unexpected(shared.error());
  }
  const sockaddr_in raw = to_raw(address);
  if (::bind(socket.fd(), reinterpret_cast<const sockaddr*>(&raw), sizeof raw) != 0) return bind_failed(address, errno);
  return socket;
}

core::Address bound_address(const Socket& socket) {
  sockaddr_in raw{};
  socklen_t size = sizeof raw;
  const int failed = ::getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&raw), &size);
  CHECK(failed == 0, errno);
  return from_raw(raw);
}

}  // namespace

core::Result<std::unique_ptr<Port>> open_udp_port(const UdpConfig& config) {
  auto ports = open_udp_ports(config, 1);
  if (!ports) return tl::unexpected(ports.error());
  return std::move(ports->front());
}

core::Result<std::vector<std::unique_ptr<Port>>> open_udp_ports(const UdpConfig& config, std::size_t count) {
  CHECK(count >= 1 && count <= kSocketsMax, count);
  auto first = open_bound(config, config.listen, false);
  if (!first) return tl::unexpected(first.error());
  const core::Address address = bound_address(*first);
  if (count > 1) {
    if (auto shared = share(*first); !shared) return tl::unexpected(shared.error());
  }
  std::vector<std::unique_ptr<Port>> ports;
  ports.push_back(std::make_unique<UdpPort>(std::move(*first), address));
  while (ports.size() < count) {
    auto next = open_bound(config, address, true);
    if (!next) return tl::unexpected(next.error());
    ports.push_back(std::make_unique<UdpPort>(std::move(*next), address));
  }
  return ports;
}

}  // namespace anabranch::net

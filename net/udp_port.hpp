// The kernel's sockets as a port: one UDP socket a shard, recvmmsg and sendmmsg, non-blocking.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "core/address.hpp"
#include "core/result.hpp"
#include "net/port.hpp"

namespace anabranch::net {

struct UdpConfig {
  core::Address listen;                         // port 0: the kernel chooses
  std::size_t receive_buffer_bytes = 8U << 20;  // guess: 40 ms of 200 MB/s; the kernel may cap it (net.core.rmem_max)
  std::size_t send_buffer_bytes = 2U << 20;     // guess
};

/// Opens one socket that nobody shares.
///   errors  kIo, with the address and what to do: in use, not an address of this host, port not permitted
core::Result<std::unique_ptr<Port>> open_udp_port(const UdpConfig& config);

/// Opens `count` sockets on one address, one for each shard of this process; the kernel spreads the senders over them
/// by a hash of their addresses (one sender's datagrams all reach one socket). All of them have the same local().
///   rule    the first socket is bound without SO_REUSEPORT, so that an address which anybody else holds, shared or
///           not, is refused; only then are the other sockets let in. There is no moment between a probe and a bind.
///           (A program of the same user that sets SO_REUSEPORT itself may still join a shared address later.)
///   count   1 to 1,024; close them together, for the spread changes when one closes
///   errors  as open_udp_port
core::Result<std::vector<std::unique_ptr<Port>>> open_udp_ports(const UdpConfig& config, std::size_t count);

}  // namespace anabranch::net

// A port moves datagrams: kernel sockets, in process, later DPDK; wrapping ports add faults or a capture. One port
// belongs to one shard and is used from that shard's thread only. Verbs work on bursts, so the virtual call is free.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "core/address.hpp"
#include "core/limits.hpp"
#include "core/time.hpp"
#include "core/types.hpp"

namespace anabranch::net {

/// A datagram that arrived. `bytes` begins at an 8-byte aligned address and is the port's until its next receive().
struct Received {
  core::Address from;
  core::BytesView bytes;
};

/// A datagram to send, of 0 to core::kDatagramBytes bytes. `bytes` is borrowed for the call of send(); the port copies.
struct Outgoing {
  core::Address to;
  core::BytesView bytes;
};

/// Counters since the port was opened; they only grow.
struct PortStats {
  std::uint64_t rx_datagrams = 0;  // handed to the caller
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_datagrams = 0;  // handed to the network, which may still lose them
  std::uint64_t tx_bytes = 0;
  std::uint64_t tx_dropped = 0;  // taken by send(), but refused by the network: too large, no route, forbidden
  std::uint64_t rx_errors = 0;   // arrived, but too large, or no room in the inbox; or the receive call failed
  friend bool operator==(const PortStats&, const PortStats&) = default;
};

class Port {
 public:
  Port() = default;
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  virtual ~Port() = default;

  /// "udp", "loopback"; wrapping ports name what they wrap: "pcap(udp)". Lives as long as the port.
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// Where this port receives; never port 0.
  [[nodiscard]] virtual core::Address local() const = 0;

  /// Takes what has arrived, in order of arrival, without blocking.
  ///   burst    its first elements are overwritten; their bytes are the port's and valid until the next receive()
  ///   now      the caller's time; a delaying wrapper first sends what has become due
  ///   returns  how many elements were filled, at most burst.size(); fewer does not mean that nothing is left
  virtual std::size_t receive(std::span<Received> burst, core::Instant now) = 0;

  /// Sends without blocking. A datagram may be lost, doubled or overtaken; an unreachable address is no error.
  ///   burst    borrowed for the call
  ///   returns  how many were taken, a prefix: less than burst.size() when the network is full; offer the rest later.
  ///            A datagram that can never be sent is taken and counted in tx_dropped
  virtual std::size_t send(std::span<const Outgoing> burst, core::Instant now) = 0;

  /// A descriptor that polls readable while receive() would return something; -1: there is none, so poll receive().
  /// The port owns it.
  [[nodiscard]] virtual int wait_fd() const { return -1; }

  /// When receive() should be called even though wait_fd() is silent: a delayed datagram becomes due, or (a past
  /// instant) a port without a descriptor has something now. kNever: not at all.
  [[nodiscard]] virtual core::Instant next_deadline() const { return core::kNever; }

  [[nodiscard]] virtual PortStats stats() const = 0;
};

}  // namespace anabranch::net

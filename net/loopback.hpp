// A network inside one process and one thread: the simulator's, and that of tests. Datagrams arrive at once and in
// the order in which they were sent; nothing is lost unless an inbox is full.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

#include "core/address.hpp"
#include "net/port.hpp"

namespace anabranch::net {

class LoopbackPort;

/// Owns no port; every port that it opened must be gone before it goes (CHECK).
class LoopbackNetwork {
 public:
  /// `inbox_max`: datagrams that wait at one port; beyond it they are lost, counted in the receiver's rx_errors.
  explicit LoopbackNetwork(std::size_t inbox_max = 65'536) : inbox_max_(inbox_max) {}
  LoopbackNetwork(const LoopbackNetwork&) = delete;
  LoopbackNetwork& operator=(const LoopbackNetwork&) = delete;
  ~LoopbackNetwork();

  /// A port at `address`, free again when the port is destroyed; what waits in its inbox goes with it.
  ///   address  port 0: the lowest free port from 49,152 on. An address in use is a bug (CHECK).
  ///            Datagrams to an address without a port vanish, as on a real network.
  [[nodiscard]] std::unique_ptr<Port> open(core::Address address);

 private:
  friend class LoopbackPort;

  std::size_t inbox_max_;
  std::map<core::Address, LoopbackPort*> ports_;
};

}  // namespace anabranch::net

// Two wrapping ports of the simulator: one hashes what is sent, one lets several shards of a node share a port.
#pragma once

#include <cstdint>
#include <memory>

#include "net/port.hpp"

namespace anabranch::sim {

/// A running hash of everything that a simulated network carried, in order: equal seeds give equal hashes.
class Trace {
 public:
  void record(core::Instant now, core::Address from, core::Address to, core::BytesView bytes);
  [[nodiscard]] std::uint64_t hash() const { return hash_; }
  [[nodiscard]] std::uint64_t datagrams() const { return datagrams_; }

 private:
  std::uint64_t hash_ = 0;
  std::uint64_t datagrams_ = 0;
};

/// Wraps `inner`; what it sends is recorded. `trace` is borrowed for the port's life.
std::unique_ptr<net::Port> make_trace_port(std::unique_ptr<net::Port> inner, Trace* trace);

/// Sends through `shared` (borrowed) and receives nothing: the ports of a node's other shards, whose socket the kernel never
/// chooses. Everything then arrives at the first shard, so that routing between shards is at work in every run.
std::unique_ptr<net::Port> make_send_only_port(net::Port* shared);

}  // namespace anabranch::sim

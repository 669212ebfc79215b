// A wrapping port that loses, doubles, delays, reorders and damages what is sent through it, by a seeded generator and
// the caller's `now`: the same seed and calls give the same datagrams at the same times. For tests and the simulator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "core/address.hpp"
#include "core/rng.hpp"
#include "core/time.hpp"
#include "net/port.hpp"

namespace anabranch::net {

/// What the faults did; counted for all ports that share a FaultConfig.
struct FaultCounts {
  std::uint64_t offered = 0;  // datagrams given to send()
  std::uint64_t cut = 0;      // stopped by the partition
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;  // extra copies
  std::uint64_t reordered = 0;   // copies with extra delay
  std::uint64_t flipped = 0;     // copies with one bit changed
  std::uint64_t truncated = 0;   // copies cut short
  std::uint64_t overflowed = 0;  // copies dropped because held_max were waiting
  friend bool operator==(const FaultCounts&, const FaultCounts&) = default;
};

/// Probabilities from 0 to 1, each decided for each datagram (`loss`, `duplicate`) or each copy (the rest). Without a
/// field set, nothing happens. May be changed between calls; every datagram takes the same number of random draws, so
/// that a changed probability does not shift the other decisions of a run.
struct FaultConfig {
  double loss = 0;
  double duplicate = 0;
  double reorder = 0;  // adds a uniform delay in [0, reorder_delay)
  core::Duration reorder_delay = 20 * core::kMillisecond;
  core::Duration delay_min = 0;                                         // every copy waits at least this,
  core::Duration delay_mean = 0;                                        // plus an exponential time of this mean
  double flip = 0;                                                      // one random bit is changed
  double truncate = 0;                                                  // a random proper prefix is sent
  std::function<bool(core::Address from, core::Address to)> partition;  // true: does not pass, asked at send()
  std::size_t held_max = 65'536;                                        // datagrams that wait in one port

  FaultCounts counts;
};

/// Wraps `inner`; faults are on the side of sending. send() takes everything; what is delayed leaves when receive() or
/// send() is called at or after its time, so call receive() at next_deadline().
///   config  borrowed for the life of the port, used on its thread; ports of one thread may share it
std::unique_ptr<Port> make_fault_port(std::unique_ptr<Port> inner, FaultConfig* config, core::Rng rng);

}  // namespace anabranch::net

// One shard's metrics, gathered when somebody asks: names, help texts and kinds in one table. Used by the pump only.
#pragma once

#include <cstdint>
#include <vector>

#include "core/time.hpp"
#include "delta/replica.hpp"
#include "net/frame.hpp"
#include "net/port.hpp"
#include "tools/node/command.hpp"
#include "tools/node/neighbours.hpp"
#include "tools/node/sync.hpp"

namespace anabranch::node {

class ShardStatus {
 public:
  /// Adds one partition's figures to the shard's sums.
  void add(const delta::Stats& stats);
  void add(const net::PortStats& stats);
  void add(const net::FrameDrops& drops);
  void add(const SyncStats& stats);
  void set_doors(std::uint64_t commands, std::size_t watches, std::size_t waits);
  void set_pump(std::uint64_t forwarded, std::uint64_t dropped, std::uint64_t malformed_acks);
  void set_memory(std::uint64_t allocated_bytes);
  void set_neighbours(const Neighbours& neighbours, core::Instant now);

  [[nodiscard]] StatusReply reply() const;

 private:
  void counter(std::string_view name, std::string_view help, std::uint64_t value, std::string_view label_name = {},
               std::string_view label_value = {});
  void gauge(std::string_view name, std::string_view help, std::uint64_t value, std::string_view label_name = {},
             std::string_view label_value = {});

  delta::Stats partitions_;
  std::vector<Metric> metrics_;
};

}  // namespace anabranch::node

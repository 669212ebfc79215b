// What a node's doors say about the node itself, and what they count. Plain values; control thread only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "core/types.hpp"
#include "tools/node/command.hpp"
#include "tools/rpc/client.hpp"

namespace anabranch::rpc {

/// Set when the doors open; `ready` falls when the node begins to leave.
struct Facts {
  std::string name;
  core::NodeId id = 0;
  std::string cluster;
  std::string version;
  std::string listen;
  std::string control;
  std::string http;
  std::uint32_t shards = 0;
  std::uint32_t partitions = 0;
  bool durable = false;
  bool ready = false;
  core::Instant started = 0;  // monotonic
};

/// Counted by the doors, shown by /metrics.
struct DoorCounters {
  std::uint64_t control_open = 0;      // connections now
  std::uint64_t control_accepted = 0;  // since the start
  std::uint64_t control_refused = 0;   // beyond the bound
  std::uint64_t control_garbage = 0;   // ended because of bytes that are no protocol, or never said hello
  std::uint64_t control_calls = 0;
  std::uint64_t http_open = 0;
  std::uint64_t http_refused = 0;
  std::uint64_t http_requests = 0;
  std::uint64_t accept_errors = 0;  // both doors: the operating system could not give us a connection
};

/// What every shard answered to one StatusCommand, and the members that shard 0 sees.
struct Survey {
  std::vector<node::StatusReply> shards;
  node::MembersReply members;
};

/// Sums a survey: counters by name (with "{label=value}" where a metric has a label), members by state. `keys` is the sum of the
/// metric of that name.
Status summarize(const Survey& survey, const Facts& facts, core::Instant now);

}  // namespace anabranch::rpc

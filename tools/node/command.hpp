// What every door (RPC, HTTP, the simulator) posts into a shard, and what comes back. Plain values: they cross threads by ring.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/address.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "lattice/catalog.hpp"

namespace anabranch::node {

/// One update of one key.
struct Update {
  core::Bytes key;
  lattice::TypeId type{};
  lattice::Operation operation;
};

/// Applies `updates` (all of keys that the shard owns, at most core::kListMax) in order. A refused update is reported and the
/// others are applied. The reply comes when `copies` nodes, this one included, hold every applied update; 1 means joined here.
struct UpdateCommand {
  std::vector<Update> updates;
  std::uint32_t copies = 1;
};

/// Makes the key known with its type's empty value.
struct DeclareCommand {
  core::Bytes key;
  lattice::TypeId type{};
  std::uint32_t copies = 1;
};

/// Reads keys that the shard owns; keys that it does not know are left out of the reply.
struct GetCommand {
  std::vector<core::Bytes> keys;
};

/// Reads the shard's keys that begin with `prefix` and are greater than `after`, sorted by bytes, at most `limit`.
struct ScanCommand {
  core::Bytes prefix;
  core::Bytes after;
  bool from_start = true;  // `after` is not in force
  std::uint32_t limit = 1'024;
  bool values = true;  // false: the items carry key and type only
};

/// Replies once lattice::measure(key) >= at_least; at once if it holds. Ended early by CancelCommand.
struct WatchCommand {
  core::Bytes key;
  std::int64_t at_least = 0;
};

/// Ends the wait of an earlier command (a watch, or an update that waits for copies). It gets no reply any more; nor does this.
struct CancelCommand {
  std::uint64_t id = 0;
};

struct StatusCommand {};   // any shard: its metrics
struct MembersCommand {};  // shard 0 only
struct LeaveCommand {};    // shard 0 only: says goodbye to every peer; the reply comes when the last frame is out

using CommandBody = std::variant<UpdateCommand, DeclareCommand, GetCommand, ScanCommand, WatchCommand, CancelCommand,
                                 StatusCommand, MembersCommand, LeaveCommand>;

struct Command {
  std::uint64_t id = 0;  // chosen by the poster, unique among its open commands
  CommandBody body;
};

/// A key with its value, as people and clients see it.
struct Item {
  core::Bytes key;
  lattice::TypeId type{};
  lattice::Reading value;
};

struct Refusal {
  std::uint32_t index = 0;  // into UpdateCommand::updates
  core::Error error;
};

struct UpdateReply {
  std::vector<Refusal> refused;
};

struct ItemsReply {
  std::vector<Item> items;
  bool more = false;  // a scan stopped at its limit
};

struct Metric {
  enum class Kind : std::uint8_t { kCounter, kGauge };
  std::string_view
      name;  // a literal: "frames_sent"; the door adds the prefix, `_total` for counters, and the shard label
  std::string_view help;  // a literal
  Kind kind = Kind::kCounter;
  std::uint64_t value = 0;
  std::string_view label_name = {};  // "" or a literal, such as "reason"
  std::string_view label_value = {};
};

struct StatusReply {
  std::vector<Metric> metrics;
};

struct Member {
  core::NodeId node = 0;
  core::Incarnation incarnation = 0;
  std::string name;
  core::Address address;
  std::string state;            // self, joining, alive, suspect, failed, left
  std::uint64_t silent_ms = 0;  // since the last authentic frame; 0 for self
};

struct MembersReply {
  std::vector<Member> members;  // sorted by name, then id
};

using ReplyBody = std::variant<UpdateReply, ItemsReply, StatusReply, MembersReply>;

struct Reply {
  std::uint64_t id = 0;
  core::Result<ReplyBody> body;
};

}  // namespace anabranch::node

// A blocking client of a node's control address, for commands and tests. One per thread: it owns that thread's event loop, and
// a thread has at most one client to a KJ loop, so open one client, close it, open the next, or use client threads.
// No Cap'n Proto or KJ type shows here; their exceptions end in client.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"
#include "core/types.hpp"
#include "lattice/catalog.hpp"
#include "tools/node/command.hpp"

namespace anabranch::rpc {

/// When an update counts as done.
struct Ack {
  enum class Level : std::uint8_t {
    kDefault,   // durable where the node has storage, else received
    kReceived,  // joined at the node that was asked
    kDurable,   // joined and on its disk; refused by a node without storage
    kCopies,    // `copies` nodes hold it, the one that was asked included
  };
  Level level = Level::kDefault;
  std::uint32_t copies = 1;  // for kCopies; at least 1
};

/// A key as an answer carries it.
struct Item : node::Item {
  bool too_large = false;  // the value does not fit an answer and is left out
};

struct Items {
  std::vector<Item> items;
  bool more = false;  // a scan stopped before its last key
};

/// Whether a scan brings values along; without them the items hold key and type.
enum class ScanValues : bool { kLeaveOut, kBring };

/// A node on one screen. Counters and gauges are summed over its shards.
struct Status {
  std::string name;
  core::NodeId id = 0;
  std::string cluster;
  std::string version;
  std::string listen;   // peers, UDP
  std::string control;  // clients, TCP
  std::string http;     // metrics and health, TCP
  bool ready = false;
  bool durable = false;
  std::uint64_t uptime_ms = 0;
  std::uint32_t shards = 0;
  std::uint32_t partitions = 0;
  std::uint64_t keys = 0;
  std::map<std::string, std::uint32_t> members;   // by state
  std::map<std::string, std::uint64_t> counters;  // "frames_sent", "drops{reason=stale}"
};

/// How many tickets a client may hold open; a node refuses more (kFull).
inline constexpr std::size_t kTicketsMax = 1'024;
/// How many keys one reply of scan() holds at most.
inline constexpr std::uint32_t kScanMax = 1'024;

/// Every call blocks the calling thread, at most as long as its timeout. Errors that the node sends arrive with their code.
/// Failures of the connection, for every call:
///   kUnreachable  the connection was already gone: nothing was sent
///   kClosed       the connection was lost after sending: the outcome is not known
///   kTimeout      sent, no answer in time; the node has been told to stop waiting
class Client {
 public:
  /// Connects to "HOST:PORT" and exchanges greetings, both within `timeout`.
  ///   errors  kMalformed (address), kUnreachable (nobody there, no answer in time, or not a node: nothing was sent)
  static core::Result<std::unique_ptr<Client>> connect(const std::string& host_port, core::Duration timeout);
  /// Cancels every wait of this client at the node.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// The node said that it has storage.
  [[nodiscard]] bool durable() const;

  /// Applies updates of any keys, in order per key; lists longer than core::kListMax are sent in parts. Refused updates are
  /// in the reply (the others were applied); an Error means that the call as a whole failed.
  core::Result<node::UpdateReply> update(std::span<const node::Update> updates, Ack ack, core::Duration timeout);

  /// Sends updates (at most core::kListMax) and returns a ticket at once; nothing waits. Open tickets complete in any order.
  std::uint64_t submit(std::span<const node::Update> updates, Ack ack);
  /// Waits for the reply of a ticket and closes it, whatever the outcome. kUnknown for a ticket that is not open.
  core::Result<node::UpdateReply> await(std::uint64_t ticket, core::Duration timeout);

  /// Makes the key known with its type's empty value. Errors: kTypeMismatch, kTooLarge, ...
  core::Status declare(core::BytesView key, lattice::TypeId type, Ack ack, core::Duration timeout);

  /// Reads any number of keys: the known ones, sorted by bytes.
  core::Result<Items> get(std::span<const core::Bytes> keys, core::Duration timeout);

  /// Reads the keys with `prefix` that are greater than `*after` (from the first if null), sorted by bytes, at most `limit`
  /// (and kScanMax) of them; `more` says that another call would find more.
  core::Result<Items> scan(core::BytesView prefix, const core::Bytes* after, std::uint32_t limit,
                           core::Duration timeout, ScanValues values = ScanValues::kBring);

  /// Waits until lattice::measure(key) >= at_least and returns the key's value then; a key that does not exist yet is waited
  /// for. core::kNever waits without end.
  core::Result<Item> watch(core::BytesView key, std::int64_t at_least, core::Duration timeout);

  core::Result<node::MembersReply> members(core::Duration timeout);
  core::Result<Status> status(core::Duration timeout);

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace anabranch::rpc

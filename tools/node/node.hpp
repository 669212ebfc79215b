// A running node: its shards on their threads, and the mailbox by which the control thread talks to them.
// The one place where state and messages meet is pump.hpp; this file only starts, wires and stops.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/address.hpp"
#include "core/limits.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "tools/node/command.hpp"

namespace anabranch::node {

struct NodeConfig {
  std::string name;                   // a label; "" takes the node id in hex
  std::string cluster = "anabranch";  // hashed into every frame: nodes of two clusters never talk
  core::Address listen;               // UDP; port 0 lets the kernel choose
  std::vector<core::Address> join;
  std::uint32_t shards = 0;  // 0: one a core
  std::uint32_t partitions = core::kPartitionsDefault;
  std::string data;       // directory; "" means memory
  bool insecure = false;  // listen beyond loopback although frames are not sealed yet
  std::string pcap;       // write every datagram to this file; "" does not
  /// Told of links that open and end and of refusals, a sentence each. Called on the thread of shard 0: it must not block.
  std::function<void(std::string)> on_news = {};
};

class Node {
 public:
  /// Binds, pins and starts the shard threads; returns when they serve.
  ///   errors  kIo (address in use, no permission), kRefused (beyond loopback without `insecure`, storage not built in)
  static core::Result<std::unique_ptr<Node>> start(NodeConfig config);
  virtual ~Node() = default;  // stops and joins the threads

  [[nodiscard]] virtual const NodeConfig& config() const = 0;  // with the ports and shards that were chosen
  [[nodiscard]] virtual core::NodeId id() const = 0;
  [[nodiscard]] virtual std::uint32_t shards() const = 0;
  [[nodiscard]] virtual core::ShardId shard_of(core::BytesView key) const = 0;

  // The control thread's side of the mailbox; not for any other thread.

  /// Posts `command` to `shard`; false when its mailbox is full (nothing was posted; try again later).
  [[nodiscard]] virtual bool post(core::ShardId shard, Command command) = 0;
  /// Hands every reply that has arrived to `sink`.
  virtual void drain_replies(const std::function<void(Reply&&)>& sink) = 0;
  /// An eventfd, readable when replies wait; drain_replies clears it.
  [[nodiscard]] virtual int reply_fd() const = 0;

  /// How long ago the shard that looped longest ago did so (an idle shard sleeps up to five seconds). Any thread.
  [[nodiscard]] virtual core::Duration longest_pass_age(core::Instant now) const = 0;
};

}  // namespace anabranch::node

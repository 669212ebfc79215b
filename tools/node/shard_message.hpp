// What one shard of a node tells another through the mesh. The sender owns and frees it; the receiver reads and copies.
#pragma once

#include <variant>

#include "core/address.hpp"
#include "core/types.hpp"
#include "delta/message.hpp"
#include "net/frame.hpp"

namespace anabranch::node {

/// A frame that reached a shard whose business it is not: handshake and control belong to shard 0, an
/// acknowledgement to the shard whose lane it names.
struct ForeignFrame {
  core::Address from;
  net::FrameHeader header;
  core::Bytes body;
};

/// A message for a partition of another shard.
struct ForeignMessage {
  core::NodeId from = 0;
  delta::Message message;
};

/// A peer that membership accepted: from now on its frames of this epoch are ours to read, and it is owed our state.
struct Peer {
  core::NodeId node = 0;
  core::LinkEpoch epoch = 0;
  core::Address address;
};

/// From shard 0 to all.
struct PeerUp {
  Peer peer;
};
struct PeerDown {
  core::NodeId node = 0;
  core::LinkEpoch epoch = 0;
};

using ShardMessage = std::variant<ForeignFrame, ForeignMessage, PeerUp, PeerDown>;

}  // namespace anabranch::node

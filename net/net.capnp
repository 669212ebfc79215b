@0xd4a1c8f0b7e26935;
# The bodies of handshake, acknowledgement and fragment frames. The frame header is described in net/frame.hpp.
#
# Every body is one flat segment without a segment table (`capnp decode --flat` reads it) and a multiple of 8 bytes
# long. A receiver sets traversal and nesting limits, copies every field into a plain value and checks it against the
# bounds that are written here. A body that does not pass is counted and changes nothing.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("anabranch::net::wire");

struct Handshake {
  # The body of a handshake frame. A link is made by three messages: HELLO, WELCOME, CONFIRM.
  # The link epoch is the low 32 bits of XXH3_64 of the nonce of the HELLO followed by the nonce of the WELCOME, both as
  # 8 bytes in little endian order. The header of a HELLO and of a REFUSE carries epoch 0; that of every other handshake
  # frame carries the epoch that the message is about.

  union {
    hello @0 :Hello;
    # Opens a handshake. It is sent again with the same nonce, at growing intervals, until it is answered or given up.

    welcome @1 :Welcome;
    # Accepts a HELLO. It is sent again until it is confirmed, at most four times.

    confirm @2 :Confirm;
    # Ends the handshake. It is sent for every WELCOME of the sender's current link, so that a lost one is replaced.
    # A node that receives another frame of an epoch that it has welcomed sends the WELCOME again.

    refuse @3 :Refuse;
    # Answers a HELLO that breaks a rule. The sender of the HELLO stops dialling and tells its operator why.

    goodbye @4 :Goodbye;
    # Closes one epoch of a link. A node that receives a frame of an epoch that it does not know answers with it as
    # well.
  }
}

struct Hello {
  # Who speaks, and under which rules of the cluster.

  nonce @0 :UInt64;
  # A random number that names this attempt. It is not 0.

  node @1 :UInt64;
  # The NodeId of the sender. It is not 0.

  incarnation @2 :UInt32;
  # The incarnation of the sender. Of two processes with one NodeId the one with the higher incarnation is the living
  # one.

  protocol @3 :UInt16;
  # The version of the messages above the frame. Nodes of different versions do not link.

  partitions @4 :UInt32;
  # The number of partitions of the cluster. It is chosen once, and nodes that differ in it do not link.

  capabilities @5 :UInt64;
  # A bit for each optional ability of the sender. No bit is assigned yet, and unknown bits are ignored.

  name @6 :Text;
  # The label that the operator gave to the sender, at most 256 bytes.
}

struct Welcome {
  # The answer to a HELLO by the node that was dialled.

  hello @0 :Hello;
  # Who answers. Its nonce is that of the answering node.

  echo @1 :UInt64;
  # The nonce of the HELLO that is answered.

  current @2 :UInt32;
  # The epoch of the link that the answering node has with the dialling node at this moment, or 0. If the dialling
  # node has the same link, both ends agree that it is alive, and the dialling node ends the attempt without a
  # CONFIRM.

  observedIp @3 :UInt32;
  # The IPv4 address from which the HELLO came, as a number in host order. A node behind a translator learns its own
  # address.

  observedPort @4 :UInt16;
  # The UDP port from which the HELLO came.
}

struct Confirm {
  # The third message of a handshake.

  node @0 :UInt64;
  # The NodeId of the node that dialled.

  nonce @1 :UInt64;
  # The nonce of the HELLO.

  echo @2 :UInt64;
  # The nonce of the WELCOME.

  ordinal @3 :UInt64;
  # Counts the links that the sender has opened by dialling since it started. Of two links that one node opens to
  # another at a time, the one with the higher ordinal stays, in whichever order the confirmations arrive.
}

struct Refuse {
  # Why a HELLO is not accepted.

  enum Reason {
    partitions @0;  # The cluster has another number of partitions.
    protocol @1;    # The messages above the frame have another version.
    stale @2;       # A higher incarnation of this NodeId is linked already.
    sameNode @3;    # Another process has the NodeId of the node that was dialled.
    full @4;        # The node has as many links as it is configured to have.
  }

  echo @0 :UInt64;
  # The nonce of the HELLO that is refused.

  reason @1 :Reason;
  # The rule that was broken.

  detail @2 :Text;
  # A sentence for the operator, at most 256 bytes.
}

struct Goodbye {
  # Ends one epoch of a link. It can never close another epoch than the one that it names.

  enum Reason {
    failed @0;        # The sender heard nothing for too long.
    left @1;          # The sender leaves the cluster.
    replaced @2;      # A newer link between the two nodes, or a newer node at that address, takes its place.
    refused @3;       # The sender does not want this link.
    stale @4;         # The sender knows a higher incarnation of the receiver, or knows that this one has left.
    unknownEpoch @5;  # The sender has no link of the epoch of a frame that it received.
  }

  epoch @0 :UInt32;
  # The epoch that ends.

  reason @1 :Reason;
  # Why it ends.
}

struct Ack {
  # The body of an acknowledgement frame. It says which of the last 257 frames of one lane have arrived. It is sent
  # after two frames or 5 milliseconds, whichever comes first. It has no sequence number and is not acknowledged
  # itself.
  #
  # A frame is never sent again under its old number, so there is no highest contiguous number; the sender takes a
  # frame for lost when three later ones are acknowledged, or when its timer ends.

  lane @0 :UInt8;
  # The lane that is acknowledged: the sending shard that stands in the header of its frames.

  largest @1 :UInt64;
  # The highest sequence number that has arrived. It is not 0.

  bits0 @2 :UInt64;
  # Bit i says that the frame with number largest - 1 - i has arrived.

  bits1 @3 :UInt64;
  # Bit i says that the frame with number largest - 65 - i has arrived.

  bits2 @4 :UInt64;
  # Bit i says that the frame with number largest - 129 - i has arrived.

  bits3 @5 :UInt64;
  # Bit i says that the frame with number largest - 193 - i has arrived.

  delayUs @6 :UInt32;
  # How many microseconds the receiver held the acknowledgement of `largest` back.
}

struct Fragment {
  # The body of a fragment frame: one piece of a lattice message that is too large for a frame. A lost piece is sent
  # again in a frame with a new sequence number. At most four messages of a lane are in pieces at a time.

  message @0 :UInt64;
  # Numbers the fragmented messages of a lane from 1, without gaps.

  index @1 :UInt16;
  # The place of this piece, from 0. It is less than `count`.

  count @2 :UInt16;
  # The number of pieces of the message, the same in all of them, at least 2 and at most 787.

  data @3 :Data;
  # 1,416 bytes in every piece but the last; 8 to 1,416 bytes, a multiple of 8, in the last.
}

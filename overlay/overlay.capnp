@0xe93b5d7a10c4f286;
# The bodies of control frames: what memberships say to each other. Every body is one flat segment without a segment
# table.
#
# Control messages are not acknowledged. What is lost is repaired by the next keepalive: its digest differs, and the
# list is sent again.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("anabranch::overlay::wire");

struct Control {
  # One message of the membership.

  union {
    keepalive @0 :Keepalive;
    # Says that the sender lives, and what its list of members hashes to.

    members @1 :MemberList;
    # Members that the sender knows.
  }
}

struct Keepalive {
  # Sent on every link at least every keepalive interval, 500 milliseconds by default.

  digest @0 :UInt64;
  # XXH3_64 over the sorted (NodeId as 8 bytes, incarnation as 4 bytes, little endian) of the sender itself and of all
  # members that it has a link to. A receiver whose own digest differs sends its list.

  members @1 :UInt32;
  # How many members the digest covers, the sender included.
}

struct MemberList {
  # Members by NodeId in ascending order. A list that is too large for a frame is sent in several messages, each of
  # which stands for itself; nobody concludes from the absence of a member that it is gone.

  members @0 :List(MemberSpec);
  # The sender itself, every member that it has a link to, and members that have left within the last ten minutes. At
  # most 4,096 entries.
}

struct MemberSpec {
  # One incarnation of one node.

  node @0 :UInt64;
  # Its NodeId. It is not 0.

  incarnation @1 :UInt32;
  # Its incarnation. Of two entries of one node the one with the higher incarnation counts.

  ip @2 :UInt32;
  # The IPv4 address on which it listens, as a number in host order, or 0 where only its peers can see it; then a
  # direct peer takes the address from which its frames come.

  port @3 :UInt16;
  # The UDP port on which it listens.

  left @4 :Bool;
  # True if this incarnation has left the cluster on purpose. It counts against any entry of the same incarnation that
  # says otherwise, and nobody dials it again.

  name @5 :Text;
  # The label that its operator gave it, at most 256 bytes.
}

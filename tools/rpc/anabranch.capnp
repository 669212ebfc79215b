# The control protocol: what clients (the command line, ingest, tests) say to one node, by Cap'n Proto RPC on its control
# address. Two-party, one connection a client; the bootstrap capability is `Control`.
#
# Numbers of methods, fields and enumerants are never reused; new ones are added at the end. An answer carries an `Error` when
# the node understood and said no; an RPC exception means that the node could not understand, or that the connection is gone.

@0xb9c1a7d25e04f683;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("anabranch::rpc::wire");

const protocolVersion :UInt32 = 1;
# Sent in `hello`. A node refuses another version in words, so that a client can print them.

interface Control {
  hello @0 (version :UInt32, program :Text) -> (error :Error, node :Greeting);
  # The first call of a connection. A connection that has not said hello within ten seconds is closed.

  update @1 (updates :List(Update), ack :Ack) -> (error :Error, refused :List(Refusal));
  # Applies at most 4,096 updates, in order per key, and answers when the level of acknowledgement is reached. A refused update
  # is reported in `refused`, the others are applied. `error` is set when nothing was applied. Finishing the call early stops
  # the wait, not the updates.

  declare @2 (key :Data, type :UInt8, ack :Ack) -> (error :Error);
  # Makes the key known with its type's empty value.

  get @3 (keys :List(Data)) -> (error :Error, items :List(Item));
  # At most 4,096 keys; unknown ones are left out. Sorted by key bytes. The error `tooLarge` when the answer would pass
  # 32 MiB: ask for fewer; one key alone always has an answer.

  scan @4 (prefix :Data, after :Data, fromStart :Bool, limit :UInt32, values :Bool = true)
      -> (error :Error, items :List(Item), more :Bool);
  # Keys that begin with `prefix` and are greater than `after` (from the first if `fromStart`), over all shards, sorted by bytes,
  # at most `limit` and 1,024; fewer when the answer would pass 32 MiB. `more`: ask again after the last key. Without `values`
  # the items carry key and type only.

  watch @5 (key :Data, atLeast :Int64) -> (error :Error, item :Item);
  # Answers once the key's measure is at least `atLeast`: a counter's value, a set's size, a flag as 0 or 1. A key that does not
  # exist yet is waited for. Finishing the call early ends the watch.

  members @6 () -> (error :Error, members :List(Member));
  # The cluster as this node sees it, itself included, sorted by name.

  status @7 () -> (error :Error, status :Status);
}

enum ErrorCode {
  malformed @0;      # bytes or arguments that do not parse
  unknown @1;        # a type, operation or key that does not exist
  typeMismatch @2;   # the key has another type
  tooLarge @3;       # beyond a bound
  overflow @4;       # the result would pass 2^62
  refused @5;        # understood, and against a rule
  full @6;           # no room now; try again later
  timeout @7;
  unreachable @8;
  stale @9;
  wrongCluster @10;
  io @11;
  closed @12;        # the node is stopping
}

struct Error {
  # Absent (a null pointer) when all went well.
  code @0 :ErrorCode;
  message @1 :Text;  # for people
}

struct Greeting {
  name @0 :Text;
  id @1 :UInt64;
  cluster @2 :Text;
  version @3 :Text;
  durable @4 :Bool;  # the node has storage
}

enum Verb {
  increment @0;
  decrement @1;
  set @2;
  enable @3;
  disable @4;
  add @5;
  remove @6;
  clear @7;
  total @8;  # an edge client's running total, joined by max: may be sent to any node, any number of times
}

struct Update {
  key @0 :Data;             # 1 to 1,024 bytes
  type @1 :UInt8;           # catalog number
  verb @2 :Verb;
  amount @3 :Int64;         # increment, decrement, total, and set of maxint and minint
  elements @4 :List(Data);  # add and remove: at least one; set of a register: exactly one
  actorHigh @5 :UInt64;     # `total` only: the edge client
  actorLow @6 :UInt64;
}

struct Ack {
  level @0 :Level;
  copies @1 :UInt32;  # `copies` only, at least 1: so many nodes hold the update, this one included

  enum Level {
    default @0;   # durable where the node has storage, else received
    received @1;  # joined at this node
    durable @2;   # joined and on this node's disk; refused by a node without storage
    copies @3;
  }
}

struct Refusal {
  index @0 :UInt32;  # into the call's `updates`
  error @1 :Error;
}

struct Item {
  key @0 :Data;
  type @1 :UInt8;
  value @2 :Value;
  tooLarge @3 :Bool;  # the value alone would pass 32 MiB and is left out
}

struct Value {
  union {
    none @0 :Void;           # a maxint, minint or register that was never set
    flag @1 :Bool;
    integer @2 :Int64;
    bytes @3 :Data;          # lwwregister
    elements @4 :List(Data); # sets and mvregister, sorted by bytes
  }
}

struct Member {
  id @0 :UInt64;
  incarnation @1 :UInt32;
  name @2 :Text;
  address @3 :Text;
  state @4 :Text;       # self, joining, alive, suspect, failed, left
  silentMs @5 :UInt64;  # since its last authentic frame
}

struct Status {
  name @0 :Text;
  id @1 :UInt64;
  cluster @2 :Text;
  version @3 :Text;
  listen @4 :Text;
  control @5 :Text;
  http @6 :Text;
  ready @7 :Bool;
  durable @8 :Bool;
  uptimeMs @9 :UInt64;
  shards @10 :UInt32;
  partitions @11 :UInt32;
  keys @12 :UInt64;
  members @13 :List(Count);   # by state
  counters @14 :List(Count);  # by metric name, summed over shards, sorted
}

struct Count {
  name @0 :Text;
  value @1 :UInt64;
}

# State messages between the replicas of one partition. One Packet is the body of a frame of the lattice channel: a single
# flat segment without a segment table. Lists hold at most 4,096 entries. Numbers of types are those of the catalog.
@0x8a7e359d1cd8d6bf;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("anabranch::delta::wire");

struct Packet {
  messages @0 :List(Message);
}

struct Message {
  partition @0 :UInt16;
  # XXH3_64(key, seed 0) mod the cluster's partition count.

  origins @1 :List(OriginName);
  # The dictionary: every field "origin" below is an index into it. Sorted, no two alike.

  union {
    interval :group {
      # The flushes (base, top] of one origin, joined.
      origin @2 :UInt16;
      ackWanted @3 :Bool;            # answer with `held` at once
      base @4 :UInt64;
      top @5 :UInt64;
      dotsLow @6 :UInt64;            # the origin's dots minted in these flushes, inclusive
      dotsHigh @7 :UInt64;           # less than dotsLow: none
      entries @8 :List(Entry);       # sorted by key, then type
    }
    digest :group {
      # What the sender holds. Repeated until `digestSeen`.
      greeting @9 :Bool;             # the link is new: ask at once for what you lack
      number @10 :UInt64;
      vectorHash @11 :UInt64;        # 0: not this time
      fingerprint @12 :UInt64;       # 0: not this time
      entries @13 :List(VectorEntry);  # sorted by origin; absent means unchanged
    }
    digestSeen :group {
      number @14 :UInt64;
    }
    held :group {
      origin @15 :UInt16;
      flush @16 :UInt64;
    }
    missing :group {
      # Plumtree's GRAFT: send this origin's news from `held` on, at once from now on.
      origin @17 :UInt16;
      held @18 :UInt64;
    }
    duplicate :group {
      # Plumtree's PRUNE: this origin's news came another way first; announce only.
      origin @19 :UInt16;
      held @20 :UInt64;
    }
    transferOffer :group {
      # You are behind my log: ask for a transfer. Busy: ask again later. With an id: that transfer is gone, ask anew.
      busy @21 :Bool;
      id @31 :UInt64;
    }
    transferRequest :group {
      id @22 :UInt64;                # 0: a new one
      first @23 :UInt32;
      count @24 :UInt32;             # 0: all are in
    }
    transferChunk :group {
      # A piece of a whole state; nothing of it counts before all pieces are there.
      id @25 :UInt64;
      index @26 :UInt32;
      count @27 :UInt32;
      vector @28 :List(VectorEntry);
      context @29 :List(Run);
      entries @30 :List(Entry);
    }
  }
}

struct OriginName {
  node @0 :UInt64;
  incarnation @1 :UInt32;
}

struct VectorEntry {
  flush @0 :UInt64;
  origin @1 :UInt16;
}

struct Run {
  # The dots lo .. lo + more of an origin.
  lo @0 :UInt64;
  more @1 :UInt32;
  origin @2 :UInt16;
}

struct Dot {
  sequence @0 :UInt64;
  origin @1 :UInt16;
}

struct Live {
  # A live dot and its value.
  sequence @0 :UInt64;
  origin @1 :UInt16;
  again @2 :Bool;                    # the value is that of the dot before
  value @3 :Data;
}

struct Total {
  # A counter's entry; who counts is an origin or an edge client.
  high @0 :UInt64;
  low @1 :UInt64;
  count @2 :UInt64;
}

struct Balance {
  high @0 :UInt64;
  low @1 :UInt64;
  plus @2 :UInt64;
  minus @3 :UInt64;
}

struct Entry {
  key @0 :Data;
  context @1 :List(Run);
  # The dots of this key that the interval knows about, born and dead. Empty for types without dots.

  union {
    unset @2 :Void;                  # catalog numbers begin at 1
    gcounter :group { totals @3 :List(Total); }
    pncounter :group { balances @4 :List(Balance); }
    maxint :group { present @5 :Bool; number @6 :Int64; }
    minint :group { present @7 :Bool; number @8 :Int64; }
    gset :group { elements @9 :List(Data); }
    awset :group { live @10 :List(Live); }
    lwwregister :group { present @11 :Bool; stamp @12 :UInt64; origin @13 :UInt16; value @14 :Data; }
    mvregister :group { live @15 :List(Live); }
    ewflag :group { enables @16 :List(Dot); }
    dwflag :group { enables @17 :List(Dot); disables @18 :List(Dot); }
  }
}

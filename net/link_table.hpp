// The links of a node: who is on the other side, and under which epoch. A sans-I/O machine (core/machine.hpp) on
// shard 0; one per node. It dials, answers, tells opened and closed links, and drops whatever does not belong to one
// of them.
//
// HELLO(nonce a) → WELCOME(nonce b, echo a) → CONFIRM(echo b); epoch = H(a, b). The dialling side is up at WELCOME,
// the other at CONFIRM. Each link that was told by LinkUp is ended by exactly one LinkDown.
//
// Several handshakes of one pair at a time end in one link. If both dial, the link that the smaller NodeId dialled
// stays. If one dials two addresses of the other, the one that it opened last stays (the ordinal in CONFIRM). A
// WELCOME names the link that its sender has: if both have the same, it lives, and the new handshake is dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/address.hpp"
#include "core/rng.hpp"
#include "core/time.hpp"
#include "core/types.hpp"
#include "net/codec.hpp"
#include "net/frame.hpp"

namespace anabranch::net {

/// An open link. `address` is where the peer's handshake came from: frames to the peer go there.
struct LinkInfo {
  core::NodeId peer = 0;
  core::Incarnation incarnation = 0;
  core::LinkEpoch epoch = 0;
  core::Address address{};
  std::string name{};
  friend bool operator==(const LinkInfo&, const LinkInfo&) = default;
};

/// What arrived and was not acted upon, and what was refused. Counters only grow.
struct LinkTableStats {
  std::uint64_t malformed = 0;  // handshake frames that do not parse
  std::uint64_t stale = 0;      // WELCOME, CONFIRM, REFUSE or GOODBYE about an attempt or epoch that is not ours now
  std::uint64_t refused = 0;    // HELLO and CONFIRM messages that we refused
  std::uint64_t half_open_evicted = 0;  // half-open handshakes that made room for newer ones
  std::uint64_t dials_dropped = 0;      // Dial events beyond dials_max
  std::uint64_t unknown_epoch = 0;      // UnknownEpoch events that no handshake explains
};

class LinkTable {
 public:
  struct Config {
    core::NodeId self = 0;  // not 0
    core::Incarnation incarnation = 0;
    std::string name{};  // at most kNameBytesMax
    std::uint32_t partitions = core::kPartitionsDefault;
    std::uint32_t cluster = 0;  // cluster_hash(name of the cluster)
    core::Address listen{};     // a dial of it is a dial of ourselves
    std::uint64_t seed = 0;     // of nonces and jitter
    std::size_t links_max = 4'096;
    std::size_t dials_max = 4'096;
    std::size_t half_open_max = 1'024;  // overlay design 2.14: beyond it an attack is likely
    core::Duration retry_first = 50 * core::kMillisecond;
    core::Duration retry_max = core::kSecond;
  };

  /// A handshake frame that parse_frame accepted.
  struct Datagram {
    core::Address from{};
    FrameView frame{};
  };
  /// Dial until a link is up, the peer refuses, or StopDial. Idempotent.
  struct Dial {
    core::Address address{};
  };
  struct StopDial {
    core::Address address{};
  };
  /// Close the link to `peer` and tell the peer; `epoch` 0 means whichever is open. Nothing happens if there is none.
  struct Close {
    core::NodeId peer = 0;
    CloseReason reason = CloseReason::kFailed;
    core::LinkEpoch epoch = 0;
  };
  /// A valid frame (not a handshake) of an epoch that by_epoch() does not know came from `from`. It belongs to a
  /// half-open handshake (the WELCOME is sent again), or is answered by a GOODBYE, so that the peer of a process that
  /// died learns of it at once; 16 answers in a burst, 64 a second. Optional: without these events timers and
  /// keepalives find the same.
  struct UnknownEpoch {
    core::Address from{};
    core::LinkEpoch epoch = 0;
  };
  using Event = std::variant<Datagram, Dial, StopDial, Close, UnknownEpoch>;

  struct LinkUp {
    LinkInfo link{};
  };
  struct LinkDown {
    LinkInfo link{};
    CloseReason reason = CloseReason::kFailed;
    bool by_peer = false;  // the peer's GOODBYE; kLeft by the peer means that the peer leaves
  };
  /// The dial has ended. `detail` is the peer's sentence.
  struct DialRefused {
    core::Address address{};
    RefuseReason reason = RefuseReason::kFull;
    std::string detail{};
  };
  /// The dial has ended: the address is our own.
  struct DialSelf {
    core::Address address{};
  };
  /// The dial has ended: the address is another one of `peer`, which is linked.
  struct DialLinked {
    core::Address address{};
    core::NodeId peer = 0;
  };
  using Notice = std::variant<LinkUp, LinkDown, DialRefused, DialSelf, DialLinked>;

  struct Outgoing {
    core::Address to{};
    core::Bytes frame{};
  };
  /// Lent by the caller, appended to, never cleared here. Notices are in the order in which they happened.
  struct Outbox {
    std::vector<Outgoing> frames;
    std::vector<Notice> notices;
  };

  explicit LinkTable(Config config);

  void handle(const Event& event, core::Instant now, Outbox& outbox);
  void on_deadline(core::Instant now, Outbox& outbox);
  [[nodiscard]] core::Instant next_deadline() const { return due_; }

  /// The open link, or null; valid until the next handle or on_deadline.
  [[nodiscard]] const LinkInfo* by_epoch(core::LinkEpoch epoch) const;
  [[nodiscard]] const LinkInfo* by_peer(core::NodeId peer) const;
  /// All open links by NodeId.
  [[nodiscard]] std::vector<LinkInfo> links() const;

  [[nodiscard]] std::size_t link_count() const { return links_.size(); }
  [[nodiscard]] std::size_t dial_count() const { return dials_.size(); }
  [[nodiscard]] std::size_t half_open_count() const { return half_open_.size(); }
  [[nodiscard]] const LinkTableStats& stats() const { return stats_; }

 private:
  struct Link {
    LinkInfo info;
    std::uint64_t hello_nonce = 0;
    std::uint64_t welcome_nonce = 0;
    bool dialled = false;       // by us
    std::uint64_t ordinal = 0;  // of the dialling side
    std::uint64_t born = 0;     // place in the order of our links and half-open handshakes
  };
  struct Attempt {  // a dial
    std::uint64_t nonce = 0;
    core::Instant next = 0;  // when HELLO is sent again
    core::Instant last = 0;  // when it was sent
    core::Duration wait = 0;
  };
  struct HalfOpen {  // a HELLO that we welcomed
    core::Address from{};
    Hello hello{};
    std::uint64_t nonce = 0;  // ours
    core::LinkEpoch epoch = 0;
    core::Instant next = 0;  // when WELCOME is sent again, or the handshake given up
    core::Instant last = 0;
    core::Duration wait = 0;
    unsigned repeats = 0;  // left
    std::uint64_t born = 0;
  };
  using HalfOpenKey = std::pair<core::NodeId, std::uint64_t>;  // node and its nonce
  using Dials = std::map<core::Address, Attempt>;
  using HalfOpens = std::map<HalfOpenKey, HalfOpen>;

  // link_handshake.cpp
  void on_datagram(const Datagram& datagram, core::Instant now, Outbox& outbox);
  void on_hello(core::Address from, const Hello& hello, core::Instant now, Outbox& outbox);
  void on_welcome(core::Address from, const Welcome& welcome, core::Instant now, Outbox& outbox);
  void on_confirm(core::Address from, const Confirm& confirm, Outbox& outbox);
  void on_refuse(const Refuse& refuse, Outbox& outbox);
  void on_goodbye(core::Address from, const Goodbye& goodbye, Outbox& outbox);
  bool hello_of_ourselves(const Hello& hello, Outbox& outbox);
  bool refuse_hello(core::Address from, const Hello& hello, Outbox& outbox);
  bool our_hello_wins(core::Address from, const Hello& hello, core::Instant now, Outbox& outbox);
  bool ends_without_link(Dials::iterator dial, const Welcome& welcome, core::Instant now, Outbox& outbox);
  [[nodiscard]] bool superseded(const HalfOpen& half, const Confirm& confirm) const;
  void refuse_dial(Dials::iterator dial, RefuseReason reason, std::string detail, Outbox& outbox);
  void send_welcome(HalfOpen& half, core::Instant now, Outbox& outbox);
  void send_hello(core::Address to, Attempt& attempt, core::Instant now, Outbox& outbox);
  void send_confirm(const Link& link, Outbox& outbox);
  void send(core::Address to, core::LinkEpoch epoch, const Handshake& message, Outbox& outbox);
  [[nodiscard]] Hello hello(std::uint64_t nonce) const;

  // link_table.cpp
  void on_dial(core::Address address, core::Instant now, Outbox& outbox);
  void on_close(const Close& close, Outbox& outbox);
  void on_unknown_epoch(const UnknownEpoch& event, core::Instant now, Outbox& outbox);
  void open(Link link, Outbox& outbox);
  void close_link(core::NodeId peer, CloseReason reason, bool by_peer, Outbox& outbox);
  HalfOpen& add_half_open(core::Address from, const Hello& hello);
  HalfOpens::iterator drop_half_open(HalfOpens::iterator half);
  Dials::iterator find_dial(std::uint64_t nonce);
  HalfOpens::iterator find_half_open(core::LinkEpoch epoch);
  bool take_answer_token(core::Instant now);
  std::uint64_t draw_nonce();
  core::Duration jittered(core::Duration base);

  Config config_;
  core::Rng rng_;
  std::map<core::NodeId, Link> links_;
  std::map<core::LinkEpoch, core::NodeId> epochs_;
  Dials dials_;
  HalfOpens half_open_;
  std::map<std::uint64_t, HalfOpenKey> half_open_age_;  // by born: which to drop first
  std::uint64_t born_ = 0;
  std::uint64_t ordinal_ = 0;
  core::Instant due_ = core::kNever;  // no deadline is earlier
  unsigned answer_tokens_ = 16;
  core::Instant answer_refill_ = 0;
  LinkTableStats stats_;
};

}  // namespace anabranch::net

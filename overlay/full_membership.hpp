// Who is in the cluster, when everybody links to everybody. A sans-I/O machine (core/machine.hpp) on shard 0; one per
// node. It asks for dials and closes, is told of links, and speaks with other memberships by control messages.
//
// Every keepalive carries a digest of the sender's members. Where two differ, lists are exchanged, and every unknown
// member is dialled: so the mesh closes under loss without a reliable message. A member that is silent for ten
// keepalives has failed; it is dialled again, at growing intervals, for ten minutes. A member that has left is
// remembered and not dialled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/address.hpp"
#include "core/limits.hpp"
#include "core/rng.hpp"
#include "core/time.hpp"
#include "core/types.hpp"
#include "overlay/codec.hpp"

namespace anabranch::overlay {

enum class MemberState : std::uint8_t {
  kSelf,
  kJoining,   // told by others, not linked yet
  kAlive,     // linked, heard lately
  kSuspect,   // linked, silent for suspect_after keepalives
  kFailed,    // was silent for failed_after keepalives, or could not be reached; dialled again for a while
  kLeft,      // said that it leaves; a higher incarnation may come back
  kReplaced,  // another node answers at its address
};
std::string_view name(MemberState state);

/// A row of `anabranch members`.
struct MemberView {
  core::NodeId node = 0;
  core::Incarnation incarnation = 0;
  std::string name{};
  core::Address address{};
  MemberState state = MemberState::kJoining;
  core::LinkEpoch epoch = 0;   // 0: not linked
  core::Duration silence = 0;  // since it was last heard on this link; 0 where not linked
};

struct MembershipStats {
  std::uint64_t malformed = 0;        // control messages that do not parse
  std::uint64_t stale = 0;            // events of links that are not ours now
  std::uint64_t members_dropped = 0;  // specs beyond members_max
  std::uint64_t impostors = 0;        // lists in which our own NodeId has left or has a higher incarnation
  std::uint64_t lists_sent = 0;       // messages with member lists
  std::uint64_t stalls = 0;           // times that our own loop was late by more than a keepalive
};

class FullMembership {
 public:
  struct Config {
    core::NodeId self = 0;  // not 0
    core::Incarnation incarnation = 0;
    std::string name{};  // at most kNameBytesMax
    core::Address listen{};
    core::Duration keepalive = 500 * core::kMillisecond;
    unsigned suspect_after = 5;             // keepalive intervals of silence; overlay design 2.5
    unsigned failed_after = 10;             // keepalive intervals of silence; overlay design 2.5
    std::vector<core::Address> join{};      // dialled for ever while not linked
    std::uint64_t seed = 0;                 // of jitter
    std::size_t control_bytes_max = 1'448;  // what fits a frame
    std::size_t members_max = core::kListMax;
    core::Duration redial_first = core::kSecond;
    core::Duration redial_max = 15 * core::kSecond;
    core::Duration redial_for = 600 * core::kSecond;  // then a failed member is forgotten
  };

  struct LinkUp {
    core::NodeId peer = 0;
    core::Incarnation incarnation = 0;
    core::LinkEpoch epoch = 0;
    core::Address address{};
    std::string name{};
  };
  struct LinkDown {
    core::NodeId peer = 0;
    core::LinkEpoch epoch = 0;
    bool left = false;  // the peer said that it leaves the cluster
  };
  /// A control frame of the link `epoch`. Counts as Heard.
  struct Control {
    core::NodeId peer = 0;
    core::LinkEpoch epoch = 0;
    core::BytesView bytes{};  // borrowed for the call
  };
  /// Any frame of the link `epoch` has arrived.
  struct Heard {
    core::NodeId peer = 0;
    core::LinkEpoch epoch = 0;
  };
  /// The dial of `address` was refused and has ended.
  struct Refused {
    core::Address address{};
  };
  /// The dial of `address` reached ourselves and has ended.
  struct DialSelf {
    core::Address address{};
  };
  /// The dial of `address` has ended: it is another address of `peer`, which is linked.
  struct DialLinked {
    core::Address address{};
    core::NodeId peer = 0;
  };
  /// Join through one more address, as if it stood in the configuration.
  struct Join {
    core::Address address{};
  };
  /// Tell everybody that we leave, close all links, and do nothing more.
  struct Leave {};
  using Event = std::variant<LinkUp, LinkDown, Control, Heard, Refused, DialSelf, DialLinked, Join, Leave>;

  enum class CloseReason : std::uint8_t { kFailed, kLeft, kStale };
  enum class DownReason : std::uint8_t { kFailed, kLeft, kReplaced };
  struct Send {
    core::NodeId peer = 0;
    core::LinkEpoch epoch = 0;
    core::Bytes bytes{};  // the body of a control frame
  };
  struct Close {
    core::NodeId peer = 0;
    core::LinkEpoch epoch = 0;
    CloseReason reason = CloseReason::kFailed;
  };
  struct PeerUp {
    core::NodeId peer = 0;
    core::LinkEpoch epoch = 0;
    MemberSpec spec{};
  };
  /// Follows every PeerUp exactly once, before the next PeerUp of that peer.
  struct PeerDown {
    core::NodeId peer = 0;
    core::LinkEpoch epoch = 0;
    DownReason reason = DownReason::kFailed;
  };
  using Notice = std::variant<PeerUp, PeerDown>;

  /// Lent by the caller, appended to, never cleared here. Carry it out in the order of the members: stop_dials before
  /// dials, sends before closes.
  struct Outbox {
    std::vector<core::Address> stop_dials;
    std::vector<core::Address> dials;  // idempotent; told again from time to time while wanted
    std::vector<Send> sends;
    std::vector<Close> closes;  // the LinkDown that follows is welcome but not needed
    std::vector<Notice> notices;
  };

  /// The first on_deadline, due at once, dials the join addresses.
  explicit FullMembership(Config config);

  void handle(const Event& event, core::Instant now, Outbox& outbox);
  void on_deadline(core::Instant now, Outbox& outbox);
  [[nodiscard]] core::Instant next_deadline() const;

  /// Everybody known, ourselves included, by NodeId.
  [[nodiscard]] std::vector<MemberView> members(core::Instant now) const;
  /// Linked members, ourselves not counted.
  [[nodiscard]] std::size_t linked() const;
  /// What our keepalives say: equal on two nodes iff both are linked to the same members, each other included.
  [[nodiscard]] std::uint64_t digest() const { return digest_; }
  [[nodiscard]] bool left() const { return left_; }
  [[nodiscard]] const MembershipStats& stats() const { return stats_; }

 private:
  struct Member {
    MemberSpec spec{};             // what it says of itself, or what others say of it
    core::Address link_address{};  // where its frames came from, if it was ever linked
    MemberState state = MemberState::kJoining;
    core::Instant since = 0;  // when it was linked or unlinked last, or first told of
    // While linked; epoch is 0 otherwise.
    core::LinkEpoch epoch = 0;
    core::Incarnation linked_incarnation = 0;
    core::Instant last_heard = 0;
    core::Instant list_sent = 0;     // 0: not on this link
    core::Duration list_gap = 0;     // no list earlier than this after the last
    std::uint64_t list_digests = 0;  // both sides' digests when list_gap began to grow
    // While a dial may be wanted, it is in [dial_from, dial_until).
    core::Instant dial_from = 0;
    core::Instant dial_until = 0;
    core::Duration redial = 0;  // between two dials, grows
    core::Instant forget_at = core::kNever;
  };
  static constexpr core::Duration kFirstDialFor = 10 * core::kSecond;  // guess: a member that somebody is linked to
  static constexpr core::Duration kDialFor = 2 * core::kSecond;        // guess: five HELLOs

  struct JoinEntry {
    core::NodeId peer = 0;    // whom it led to, 0: nobody yet
    core::Instant next = 0;   // not dialled before
    core::Duration wait = 0;  // after a refusal, grows
    bool self = false;
  };

  void on_link_up(const LinkUp& event, core::Instant now, Outbox& outbox);
  void on_link_down(const LinkDown& event, core::Instant now, Outbox& outbox);
  void on_control(const Control& event, core::Instant now, Outbox& outbox);
  void on_keepalive(Member& member, const Keepalive& keepalive, core::Instant now, Outbox& outbox);
  void on_leave(core::Instant now, Outbox& outbox);
  void learn(const MemberSpec& spec, core::NodeId teller, core::Instant now, Outbox& outbox);
  void learn_new(const MemberSpec& spec, core::Instant now);
  void mark_left(Member& member, core::Instant now, Outbox& outbox);
  void down(Member& member, DownReason reason, core::Instant now, Outbox& outbox);
  void unlink(Member& member, MemberState state, core::Instant now);
  bool admit();
  Member* linked_member(core::NodeId peer, core::LinkEpoch epoch);
  void absorb_stall(core::Instant now);
  void tick(core::Instant now, Outbox& outbox);
  void check_silence(Member& member, core::Instant now, Outbox& outbox);
  void send_keepalives(core::Instant now, Outbox& outbox);
  void send_list(Member& member, core::Instant now, Outbox& outbox);
  void changed(core::Instant now);
  [[nodiscard]] core::Duration calm() const;
  [[nodiscard]] std::vector<MemberSpec> told_members(core::Instant now) const;

  // full_membership_dials.cpp
  void on_refused(core::Address address, core::Instant now);
  void on_dial_self(core::Address address);
  void on_dial_linked(core::Address address, core::NodeId peer, core::Instant now);
  void on_join(core::Address address);
  void answered_by(core::Address address, core::NodeId peer, core::Instant now);
  void plan_dial(Member& member, core::Instant now);
  void update_dials(core::Instant now, Outbox& outbox);
  [[nodiscard]] std::set<core::Address> wanted_dials(core::Instant now) const;
  [[nodiscard]] bool dialable(const core::Address& address) const;
  core::Duration jittered(core::Duration base);

  Config config_;
  core::Rng rng_;
  std::map<core::NodeId, Member> members_;  // without ourselves
  std::map<core::Address, JoinEntry> joins_;
  std::map<core::Address, core::Instant> dialling_;  // asked for, and when to ask again
  std::uint64_t digest_ = 0;
  std::uint32_t digest_members_ = 1;
  core::Instant next_tick_ = 0;
  core::Instant announce_at_ = core::kNever;  // early keepalives, because our digest changed
  core::Instant announced_ = 0;
  bool started_ = false;
  bool left_ = false;
  MembershipStats stats_;
};

}  // namespace anabranch::overlay

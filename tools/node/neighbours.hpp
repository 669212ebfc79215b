// Shard 0's view of other nodes: the link table and the membership, each acting on what the other says. Called by the pump
// of shard 0 only; peers that come and go are told to every shard by the pump.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/address.hpp"
#include "core/time.hpp"
#include "core/types.hpp"
#include "net/link_table.hpp"
#include "overlay/full_membership.hpp"
#include "tools/node/command.hpp"
#include "tools/node/shard_message.hpp"
#include "tools/node/sync.hpp"

namespace anabranch::node {

class Neighbours {
 public:
  struct Config {
    core::Origin self;
    std::string name;
    std::uint32_t partitions = core::kPartitionsDefault;
    std::uint32_t cluster = 0;
    core::Address listen;
    std::vector<core::Address> join;
    std::uint64_t seed = 0;
  };

  explicit Neighbours(const Config& config);

  /// A handshake or control frame; any other type only counts as a sign of life.
  void handle_frame(core::Address from, const net::FrameView& frame, core::Instant now);
  void on_deadline(core::Instant now);
  [[nodiscard]] core::Instant next_deadline() const;
  /// Says goodbye to everybody; frames() then holds the last ones.
  void leave(core::Instant now);

  /// What happened since the last call of the same name; the caller takes it away.
  [[nodiscard]] std::vector<OutFrame> take_frames();
  [[nodiscard]] std::vector<overlay::FullMembership::Notice> take_notices();
  /// Sentences for the log: links that open and end, refusals (one that repeats is said once a minute), and, once,
  /// join addresses that do not answer.
  [[nodiscard]] std::vector<std::string> take_news();

  /// Where frames of an open link go; {} if it is gone by now.
  [[nodiscard]] core::Address address_of(core::LinkEpoch epoch) const;
  [[nodiscard]] MembersReply members(core::Instant now) const;
  [[nodiscard]] std::size_t linked() const { return membership_.linked(); }
  [[nodiscard]] bool left() const { return membership_.left(); }
  [[nodiscard]] const net::LinkTableStats& link_stats() const { return links_.stats(); }
  [[nodiscard]] const overlay::MembershipStats& membership_stats() const { return membership_.stats(); }
  [[nodiscard]] std::uint64_t unknown_link() const { return unknown_link_; }

 private:
  void settle(core::Instant now);
  void apply_membership(core::Instant now);
  void tell_refusal(std::string refusal, core::Instant now);
  void tell_membership(const net::LinkTable::Notice& notice, core::Instant now);

  Config config_;
  net::LinkTable links_;
  overlay::FullMembership membership_;
  net::LinkTable::Outbox link_out_;
  overlay::FullMembership::Outbox membership_out_;
  std::vector<OutFrame> frames_;
  std::vector<overlay::FullMembership::Notice> notices_;
  std::vector<std::string> news_;
  std::map<std::string, core::Instant> refusals_;  // when each was last said; bounded
  core::Instant lonely_at_ = core::kNever;         // when to say that no join address answers
  std::uint64_t unknown_link_ = 0;
};

}  // namespace anabranch::node

// The five messages of a handshake, as LinkTable answers them (see link_table.hpp for the rules).
#include <algorithm>

#include "core/check.hpp"
#include "net/link_table.hpp"

namespace anabranch::net {
namespace {

constexpr core::Duration kWelcomeFirst = 100 * core::kMillisecond;  // guess; doubles up to kWelcomeMax
constexpr core::Duration kWelcomeMax = 1'600 * core::kMillisecond;
constexpr unsigned kWelcomeRepeats = 4;  // after 0.1, 0.3, 0.7 and 1.5 s; given up after 3.1 s

}  // namespace

void LinkTable::on_datagram(const Datagram& datagram, core::Instant now, Outbox& outbox) {
  CHECK(datagram.frame.header.type == FrameType::kHandshake);
  const auto message = decode_handshake(datagram.frame.body);
  if (!message) {
    ++stats_.malformed;
    return;
  }
  const core::Address from = datagram.from;
  if (const auto* hello = std::get_if<Hello>(&*message)) return on_hello(from, *hello, now, outbox);
  if (const auto* welcome = std::get_if<Welcome>(&*message)) return on_welcome(from, *welcome, now, outbox);
  if (const auto* confirm = std::get_if<Confirm>(&*message)) return on_confirm(from, *confirm, outbox);
  if (const auto* refuse = std::get_if<Refuse>(&*message)) return on_refuse(*refuse, outbox);
  on_goodbye(from, std::get<Goodbye>(*message), outbox);
}

void LinkTable::on_hello(core::Address from, const Hello& hello, core::Instant now, Outbox& outbox) {
  if (hello_of_ourselves(hello, outbox) || refuse_hello(from, hello, outbox)) return;
  const auto link = links_.find(hello.node);
  if (link != links_.end() && !link->second.dialled && link->second.hello_nonce == hello.nonce) return;  // a late copy
  if (our_hello_wins(from, hello, now, outbox)) return;
  const auto known = half_open_.find({hello.node, hello.nonce});
  HalfOpen& half = known != half_open_.end() ? known->second : add_half_open(from, hello);
  half.from = from;
  half.wait = kWelcomeFirst;
  half.repeats = kWelcomeRepeats;
  send_welcome(half, now, outbox);
}

/// True if `hello` carries our NodeId and is our own message that came back.
bool LinkTable::hello_of_ourselves(const Hello& hello, Outbox& outbox) {
  if (hello.node != config_.self) return false;
  const auto dial = find_dial(hello.nonce);
  if (dial == dials_.end()) return false;
  outbox.notices.emplace_back(DialSelf{dial->first});
  dials_.erase(dial);
  return true;
}

bool LinkTable::refuse_hello(core::Address from, const Hello& hello, Outbox& outbox) {
  const auto refuse = [&](RefuseReason reason, std::string detail) {
    ++stats_.refused;
    send(from, 0, Refuse{hello.nonce, reason, std::move(detail)}, outbox);
    return true;
  };
  if (hello.protocol != kProtocolVersion)
    return refuse(RefuseReason::kProtocol, "this node speaks protocol " + std::to_string(kProtocolVersion) + ", not " +
                                               std::to_string(hello.protocol));
  if (hello.partitions != config_.partitions)
    return refuse(RefuseReason::kPartitions, "this cluster has " + std::to_string(config_.partitions) +
                                                 " partitions, not " + std::to_string(hello.partitions));
  if (hello.node == config_.self) return refuse(RefuseReason::kSameNode, "this node has the same node id");
  const auto link = links_.find(hello.node);
  if (link == links_.end())
    return links_.size() >= config_.links_max &&
           refuse(RefuseReason::kFull, "this node has " + std::to_string(links_.size()) + " links");
  return hello.incarnation < link->second.info.incarnation &&
         refuse(RefuseReason::kStale,
                "incarnation " + std::to_string(link->second.info.incarnation) + " of this node id is linked");
}

/// Both sides dial: the HELLO of the smaller NodeId wins. Ours is sent again at once, since the peer is there.
bool LinkTable::our_hello_wins(core::Address from, const Hello& hello, core::Instant now, Outbox& outbox) {
  if (config_.self > hello.node) return false;
  const auto dial = dials_.find(from);
  if (dial == dials_.end()) return false;
  if (now >= dial->second.last + config_.retry_first / 2) send_hello(from, dial->second, now, outbox);
  return true;
}

void LinkTable::on_welcome(core::Address from, const Welcome& welcome, core::Instant now, Outbox& outbox) {
  const auto dial = find_dial(welcome.echo);
  if (dial == dials_.end()) {
    const auto link = links_.find(welcome.hello.node);
    const bool ours = link != links_.end() && link->second.dialled && link->second.hello_nonce == welcome.echo &&
                      link->second.welcome_nonce == welcome.hello.nonce;
    if (ours)
      send_confirm(link->second, outbox);
    else
      ++stats_.stale;
    return;
  }
  if (ends_without_link(dial, welcome, now, outbox)) return;
  const core::LinkEpoch epoch = link_epoch(welcome.echo, welcome.hello.nonce);
  if (epoch == 0 || epochs_.contains(epoch)) {  // one in 2^32 for each link: try with another nonce
    dial->second.nonce = draw_nonce();
    send_hello(dial->first, dial->second, now, outbox);
    return;
  }
  const core::Address dialled = dial->first;
  dials_.erase(dial);
  const Hello& peer = welcome.hello;
  open(Link{.info = {peer.node, peer.incarnation, epoch, from, peer.name},
            .hello_nonce = welcome.echo,
            .welcome_nonce = peer.nonce,
            .dialled = true,
            .ordinal = ++ordinal_},
       outbox);
  send_confirm(links_.at(peer.node), outbox);
  if (dialled != from) outbox.notices.emplace_back(DialLinked{dialled, peer.node});
}

/// The WELCOMEs that open no link. Every return of true has either ended the dial or leaves it to its timer.
bool LinkTable::ends_without_link(Dials::iterator dial, const Welcome& welcome, core::Instant now, Outbox& outbox) {
  const Hello& peer = welcome.hello;
  if (peer.node == config_.self) {
    outbox.notices.emplace_back(DialSelf{dial->first});
    dials_.erase(dial);
    return true;
  }
  if (peer.protocol != kProtocolVersion || peer.partitions != config_.partitions) {
    const bool protocol = peer.protocol != kProtocolVersion;
    refuse_dial(dial, protocol ? RefuseReason::kProtocol : RefuseReason::kPartitions,
                "the peer differs and did not say so", outbox);
    return true;
  }
  const auto link = links_.find(peer.node);
  if (link == links_.end() && links_.size() >= config_.links_max) {
    refuse_dial(dial, RefuseReason::kFull, "we have as many links as configured", outbox);
    return true;
  }
  if (link != links_.end() && peer.incarnation < link->second.info.incarnation) {
    refuse_dial(dial, RefuseReason::kStale, "a higher incarnation of the peer is linked", outbox);
    return true;
  }
  if (welcome.current == 0) return false;
  if (link != links_.end() && peer.incarnation == link->second.info.incarnation &&
      welcome.current == link->second.info.epoch) {
    outbox.notices.emplace_back(DialLinked{dial->first, peer.node});
    dials_.erase(dial);
    return true;
  }
  // The peer dialled us too and is up already; only its CONFIRM is missing. Ask for it and let this dial wait.
  const auto half = find_half_open(welcome.current);
  if (half == half_open_.end() || half->second.hello.node != peer.node) return false;
  send_welcome(half->second, now, outbox);
  return true;
}

void LinkTable::on_confirm(core::Address from, const Confirm& confirm, Outbox& outbox) {
  const auto found = half_open_.find({confirm.node, confirm.nonce});
  if (found == half_open_.end() || found->second.nonce != confirm.echo) {
    ++stats_.stale;
    return;
  }
  const HalfOpen half = found->second;
  drop_half_open(found);
  const bool full = by_peer(confirm.node) == nullptr && links_.size() >= config_.links_max;
  if (full) {  // became full since the WELCOME
    ++stats_.refused;
    send(from, half.epoch, Goodbye{half.epoch, CloseReason::kRefused}, outbox);
    return;
  }
  if (superseded(half, confirm) || epochs_.contains(half.epoch)) {
    ++stats_.stale;
    return;
  }
  open(Link{.info = {confirm.node, half.hello.incarnation, half.epoch, from, half.hello.name},
            .hello_nonce = confirm.nonce,
            .welcome_nonce = confirm.echo,
            .dialled = false,
            .ordinal = confirm.ordinal},
       outbox);
}

/// True if the link that we have stays although `half` is confirmed. The peer decides alike (link_table.hpp, second
/// paragraph).
bool LinkTable::superseded(const HalfOpen& half, const Confirm& confirm) const {
  const auto found = links_.find(confirm.node);
  if (found == links_.end()) return false;
  const Link& link = found->second;
  if (link.info.incarnation != half.hello.incarnation) return link.info.incarnation > half.hello.incarnation;
  if (!link.dialled) return link.ordinal > confirm.ordinal;
  return config_.self < confirm.node && link.born > half.born;
}

void LinkTable::on_refuse(const Refuse& refuse, Outbox& outbox) {
  const auto dial = find_dial(refuse.echo);
  if (dial == dials_.end()) {
    ++stats_.stale;
    return;
  }
  refuse_dial(dial, refuse.reason, refuse.detail, outbox);
}

void LinkTable::refuse_dial(Dials::iterator dial, RefuseReason reason, std::string detail, Outbox& outbox) {
  outbox.notices.emplace_back(DialRefused{dial->first, reason, std::move(detail)});
  dials_.erase(dial);
}

void LinkTable::on_goodbye(core::Address from, const Goodbye& goodbye, Outbox& outbox) {
  const LinkInfo* link = by_epoch(goodbye.epoch);
  if (link == nullptr || link->address != from) {
    ++stats_.stale;
    return;
  }
  close_link(link->peer, goodbye.reason, true, outbox);
}

void LinkTable::send_hello(core::Address to, Attempt& attempt, core::Instant now, Outbox& outbox) {
  send(to, 0, hello(attempt.nonce), outbox);
  attempt.last = now;
  attempt.next = now + jittered(attempt.wait);
  attempt.wait = std::min(2 * attempt.wait, config_.retry_max);
  due_ = std::min(due_, attempt.next);
}

void LinkTable::send_welcome(HalfOpen& half, core::Instant now, Outbox& outbox) {
  const LinkInfo* link = by_peer(half.hello.node);
  send(half.from, half.epoch,
       Welcome{hello(half.nonce), half.hello.nonce, link == nullptr ? 0 : link->epoch, half.from}, outbox);
  half.last = now;
  half.next = now + jittered(half.wait);
  half.wait = std::min(2 * half.wait, kWelcomeMax);
  due_ = std::min(due_, half.next);
}

void LinkTable::send_confirm(const Link& link, Outbox& outbox) {
  send(link.info.address, link.info.epoch, Confirm{config_.self, link.hello_nonce, link.welcome_nonce, link.ordinal},
       outbox);
}

void LinkTable::send(core::Address to, core::LinkEpoch epoch, const Handshake& message, Outbox& outbox) {
  const FrameHeader header{.type = FrameType::kHandshake, .link_epoch = epoch, .cluster = config_.cluster};
  outbox.frames.push_back({to, make_frame(header, encode_handshake(message))});
}

Hello LinkTable::hello(std::uint64_t nonce) const {
  return Hello{.nonce = nonce,
               .node = config_.self,
               .incarnation = config_.incarnation,
               .partitions = config_.partitions,
               .name = config_.name};
}

}  // namespace anabranch::net

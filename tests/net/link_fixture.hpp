// A few LinkTables on a scripted wire in virtual time: every frame can be dropped, copied, delayed or looked at.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "core/rng.hpp"
#include "net/link_table.hpp"

namespace anabranch::net::testing {

inline constexpr std::uint32_t kCluster = 0xC1;
inline constexpr core::Duration kTransit = core::kMillisecond;

enum class Kind : std::size_t { kHello, kWelcome, kConfirm, kRefuse, kGoodbye, kData };

struct Passing {  // a frame about to be put on the wire
  core::Address from;
  core::Address to;
  Kind kind;
  std::size_t nth;  // of its kind on this wire, from 0
};

struct Host {
  std::unique_ptr<LinkTable> table;
  LinkTable::Config config;
  std::vector<LinkTable::Notice> notices;

  template <class T>
  [[nodiscard]] std::vector<T> all() const {
    std::vector<T> found;
    for (const auto& notice : notices)
      if (const auto* match = std::get_if<T>(&notice)) found.push_back(*match);
    return found;
  }
};

class Wire {
 public:
  /// Says after which delays copies of a frame arrive; empty: lost. One copy after kTransit if not set.
  std::function<std::vector<core::Duration>(const Passing&)> rule;

  static core::Address address(std::uint16_t port) { return {0x7F000001, port}; }

  Host& add(std::uint16_t port, core::NodeId node, core::Incarnation incarnation = 1, std::uint64_t seed = 1) {
    LinkTable::Config config;
    config.self = node;
    config.incarnation = incarnation;
    config.name = std::to_string(node);
    config.cluster = kCluster;
    config.listen = address(port);
    config.seed = seed * 1'000 + node;
    return add(config);
  }

  /// A host at the address of its configuration; replaces the one that was there, as a restart does.
  Host& add(const LinkTable::Config& config) {
    Host& host = hosts[config.listen];
    host.table = std::make_unique<LinkTable>(config);
    host.config = config;
    host.notices.clear();
    return host;
  }

  /// What is sent to `alias` arrives at `real`.
  void alias(core::Address alias, core::Address real) { aliases_[alias] = real; }

  Host& at(std::uint16_t port) { return hosts.at(address(port)); }

  void give(Host& host, const LinkTable::Event& event) {
    LinkTable::Outbox outbox;
    host.table->handle(event, now, outbox);
    take(host, outbox);
  }
  void dial(Host& host, std::uint16_t port) { give(host, LinkTable::Dial{address(port)}); }

  /// A frame of a link that is not a handshake; whoever does not know its epoch says so.
  void data(Host& host, const LinkInfo& link) {
    const FrameHeader header{
        .type = FrameType::kControl, .lane = 0, .link_epoch = link.epoch, .sequence = 0, .cluster = kCluster};
    put(host.config.listen, link.address, make_frame(header, core::Bytes(8, '\0')));
  }

  void put(core::Address from, core::Address to, const core::Bytes& frame) {
    const Kind kind = kind_of(frame);
    const Passing passing{from, to, kind, count[kind]++};
    const auto delays = rule ? rule(passing) : std::vector<core::Duration>{kTransit};
    for (const core::Duration delay : delays) flying_.emplace(now + delay, Datagram{from, to, frame});
  }

  /// Lets `span` of virtual time pass.
  void run(core::Duration span) {
    const core::Instant end = now + span;
    for (;;) {
      core::Instant next = flying_.empty() ? core::kNever : flying_.begin()->first;
      for (auto& [where, host] : hosts) next = std::min(next, std::max(now, host.table->next_deadline()));
      if (next > end) break;
      now = next;
      if (!flying_.empty() && flying_.begin()->first <= now) {
        const Datagram datagram = flying_.begin()->second;
        flying_.erase(flying_.begin());
        deliver(datagram);
        continue;
      }
      for (auto& [where, host] : hosts) {
        LinkTable::Outbox outbox;
        host.table->on_deadline(now, outbox);
        take(host, outbox);
      }
    }
    now = end;
  }

  static Kind kind_of(const core::Bytes& frame) {
    const auto view = parse_frame(frame, kCluster);
    if (!view || view->header.type != FrameType::kHandshake) return Kind::kData;
    const auto message = decode_handshake(view->body);
    return message ? static_cast<Kind>(message->index()) : Kind::kData;
  }

  core::Instant now = core::kSecond;
  std::map<core::Address, Host> hosts;
  std::map<Kind, std::size_t> count;

 private:
  struct Datagram {
    core::Address from;
    core::Address to;
    core::Bytes frame;
  };

  void deliver(const Datagram& datagram) {
    const auto real = aliases_.find(datagram.to);
    const auto host = hosts.find(real == aliases_.end() ? datagram.to : real->second);
    const auto view = parse_frame(datagram.frame, kCluster);
    if (host == hosts.end() || !view) return;
    if (view->header.type == FrameType::kHandshake)
      give(host->second, LinkTable::Datagram{datagram.from, *view});
    else if (host->second.table->by_epoch(view->header.link_epoch) == nullptr)
      give(host->second, LinkTable::UnknownEpoch{datagram.from, view->header.link_epoch});
  }

  void take(Host& host, const LinkTable::Outbox& outbox) {
    for (const auto& notice : outbox.notices) host.notices.push_back(notice);
    for (const auto& outgoing : outbox.frames) put(host.config.listen, outgoing.to, outgoing.frame);
  }

  std::map<core::Address, core::Address> aliases_;
  std::multimap<core::Instant, Datagram> flying_;
};

}  // namespace anabranch::net::testing

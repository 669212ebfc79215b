// A few replicas and what they say to each other, delivered by hand: for scripted tests.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "delta/codec.hpp"
#include "delta/replica.hpp"

namespace anabranch::delta::testing {

inline const std::uint64_t kWall = 1'700'000'000'000;

inline lattice::Operation op(lattice::Verb verb, std::int64_t amount = 0) { return {verb, amount, {}, {}}; }
inline lattice::Operation op(lattice::Verb verb, std::vector<Bytes> elements) {
  return {verb, 0, std::move(elements), {}};
}

struct Letter {
  NodeId from = 0;
  NodeId to = 0;
  Message message;
};

/// The body of a letter, or a failure and an empty one.
template <class T>
T body(const Letter& letter) {
  const T* found = std::get_if<T>(&letter.message.body);
  EXPECT_NE(found, nullptr) << "another kind of message: " << letter.message.body.index();
  return found != nullptr ? *found : T();
}

class Cluster {
 public:
  explicit Cluster(std::size_t size, Replica::Config config = {}) : config_(config) {
    for (NodeId id = 1; id <= size; ++id) add(id);
  }
  Replica& add(NodeId id) {
    config_.self = {id, 0};
    return *(replicas_[id] = std::make_unique<Replica>(config_));
  }
  Replica& operator[](NodeId id) { return *replicas_.at(id); }

  core::Instant now = 1'000 * core::kSecond;
  std::deque<Letter> letters;  // on their way

  void connect(NodeId a, NodeId b) {
    act(a, [&](Outbox& out) { (*this)[a].peer_up(b, now, out); });
    act(b, [&](Outbox& out) { (*this)[b].peer_up(a, now, out); });
  }
  void connect_all() {
    for (const auto& [a, first] : replicas_)
      for (const auto& [b, second] : replicas_)
        if (a < b) connect(a, b);
  }
  void disconnect(NodeId a, NodeId b) {
    act(a, [&](Outbox& out) { (*this)[a].peer_down(b, out); });
    act(b, [&](Outbox& out) { (*this)[b].peer_down(a, out); });
  }
  /// Runs a step of replica `id` and takes its letters; what grew and what was reached is kept for the test.
  void act(NodeId id, const std::function<void(Outbox&)>& step) {
    Outbox outbox;
    step(outbox);
    for (Envelope& envelope : outbox.messages) letters.push_back({id, envelope.to, std::move(envelope.message)});
    for (Changed& change : outbox.changed) changed[id].push_back(std::move(change));
    for (const std::uint64_t token : outbox.reached) reached[id].push_back(token);
  }
  core::Result<Ticket> update(NodeId id, const Bytes& key, lattice::TypeId type, const lattice::Operation& operation) {
    core::Result<Ticket> result = core::fail(core::Errc::kClosed, "not run");
    act(id, [&](Outbox& out) { result = (*this)[id].update(key, type, operation, kWall, out); });
    return result;
  }
  void increment(NodeId id, const Bytes& key, std::int64_t amount = 1) {
    ASSERT_TRUE(update(id, key, lattice::TypeId::kGCounter, op(lattice::Verb::kIncrement, amount)).has_value());
  }
  /// Flushes and puts all that it has for its peers on the way.
  void ship(NodeId id) {
    act(id, [&](Outbox& out) { (*this)[id].flush(now, out); });
    for (const auto& [peer, replica] : replicas_) {
      while ((*this)[id].has_news(peer)) {
        auto message = (*this)[id].ship(peer, config_.message_bytes - kPacketOverhead, now);
        if (!message) break;
        letters.push_back({id, peer, std::move(*message)});
      }
    }
  }
  void ship_all() {
    for (const auto& [id, replica] : replicas_) ship(id);
  }
  Letter take() {
    EXPECT_FALSE(letters.empty());
    if (letters.empty()) return {};
    Letter letter = std::move(letters.front());
    letters.pop_front();
    return letter;
  }
  /// Hands a letter over as it would arrive: encoded and decoded.
  void deliver(const Letter& letter) {
    if (!replicas_.contains(letter.to)) return;
    auto packet = decode(encode({{letter.message}}), 64);
    ASSERT_TRUE(packet.has_value()) << packet.error().message();
    act(letter.to,
        [&](Outbox& out) { (*this)[letter.to].handle(letter.from, std::move(packet->messages.front()), now, out); });
  }
  /// Delivers and ships until nothing is on its way.
  void settle() {
    for (int i = 0; i < 100'000; ++i) {
      ship_all();
      if (letters.empty()) return;
      deliver(take());
    }
    FAIL() << "letters without end";
  }
  void wait(core::Duration duration) {
    now += duration;
    for (const auto& [id, replica] : replicas_) {
      if (replica->next_deadline() <= now) act(id, [&](Outbox& out) { (*this)[id].on_deadline(now, out); });
    }
  }
  void settle_for(core::Duration duration, core::Duration step = 100 * core::kMillisecond) {
    for (core::Duration passed = 0; passed < duration; passed += step) {
      wait(step);
      settle();
    }
  }
  std::int64_t value(NodeId id, const Bytes& key) {
    const lattice::Object* object = (*this)[id].find(key);
    return object != nullptr ? lattice::measure(*object) : -1;
  }
  void expect_agreement() {
    for (const auto& [id, replica] : replicas_) {
      EXPECT_EQ(replica->vector(), replicas_.begin()->second->vector()) << id;
      EXPECT_EQ(replica->fingerprint(), replicas_.begin()->second->fingerprint()) << id;
    }
  }
  void crash(NodeId id) { replicas_.erase(id); }

  std::map<NodeId, std::vector<Changed>> changed;
  std::map<NodeId, std::vector<std::uint64_t>> reached;

 private:
  Replica::Config config_;
  std::map<NodeId, std::unique_ptr<Replica>> replicas_;
};

}  // namespace anabranch::delta::testing

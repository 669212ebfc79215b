#include "net/lane.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "core/machine.hpp"

namespace anabranch::net {
namespace {

constexpr std::uint32_t kCluster = 5;
constexpr core::LinkEpoch kEpoch = 77;

/// A sender, a receiver and a wire between them in virtual time.
class Pair {
 public:
  double loss = 0;
  double duplicate = 0;
  core::Duration transit = core::kMillisecond;
  core::Duration spread = 0;  // uniform extra delay: reorders
  bool acks_pass = true;

  explicit Pair(std::uint64_t seed, SendLane::Config config = {})
      : rng_(core::Rng::stream(seed, "wire")), sender(with(config, seed)), receiver({kCluster, kEpoch, 3, 9}) {}

  void send(core::BytesView message, Cookie cookie) {
    SendLane::Outbox outbox;
    sender.send(message, cookie, now, outbox);
    take(outbox);
  }

  /// Runs until `end`, or until nothing is left to happen.
  void run(core::Duration span) {
    const core::Instant end = now + span;
    for (;;) {
      core::Instant next = std::min(sender.next_deadline(), receiver.next_deadline());
      if (!flying_.empty()) next = std::min(next, flying_.begin()->first);
      if (next > end) break;
      now = std::max(now, next);
      step();
    }
    now = end;
  }

  void take(const SendLane::Outbox& outbox) {
    for (const auto& frame : outbox.frames) put(frame, false);
    lost.insert(lost.end(), outbox.lost.begin(), outbox.lost.end());
    acked.insert(acked.end(), outbox.acked.begin(), outbox.acked.end());
  }

  [[nodiscard]] bool done() const { return sender.frames_in_flight() == 0 && flying_.empty(); }

  core::Instant now = core::kSecond;
  std::vector<Cookie> lost;
  std::vector<Cookie> acked;
  std::vector<core::Bytes> delivered;
  std::size_t ack_frames = 0;

 private:
  static SendLane::Config with(SendLane::Config config, std::uint64_t seed) {
    config.cluster = kCluster;
    config.epoch = kEpoch;
    config.lane = 3;
    config.seed = seed;
    return config;
  }

  void put(const core::Bytes& frame, bool ack) {
    ack_frames += ack ? 1 : 0;
    if (ack && !acks_pass) return;
    const int copies = (rng_.chance(loss) ? 0 : 1) + (rng_.chance(duplicate) ? 1 : 0);
    for (int i = 0; i < copies; ++i) flying_.emplace(now + transit + rng_.below(spread + 1), frame);
  }

  void step() {
    SendLane::Outbox sent;
    ReceiveLane::Outbox received;
    if (!flying_.empty() && flying_.begin()->first <= now) {
      const core::Bytes frame = flying_.begin()->second;
      flying_.erase(flying_.begin());
      const auto view = parse_frame(frame, kCluster);
      ASSERT_TRUE(view);
      if (view->header.type == FrameType::kAck) {
        EXPECT_EQ(view->header.lane, 9);
        sender.handle_ack(view->body, now, sent);
      } else {
        receiver.handle(*view, now, received);
      }
    } else {
      sender.on_deadline(now, sent);
      receiver.on_deadline(now, received);
    }
    take(sent);
    for (const auto& frame : received.ack_frames) put(frame, true);
    for (auto& message : received.messages) delivered.push_back(std::move(message));
  }

  core::Rng rng_;
  std::multimap<core::Instant, core::Bytes> flying_;

 public:
  SendLane sender;
  ReceiveLane receiver;
};

core::Bytes message_of(Cookie cookie, std::size_t bytes) {
  core::Bytes message(bytes, static_cast<char>(cookie));
  std::copy_n(reinterpret_cast<const char*>(&cookie), sizeof cookie, message.begin());
  return message;
}

Cookie cookie_of(const core::Bytes& message) {
  Cookie cookie = 0;
  std::copy_n(message.begin(), sizeof cookie, reinterpret_cast<char*>(&cookie));
  return cookie;
}

FrameView frame_of(FrameType type, std::uint64_t sequence, core::BytesView body) {
  return {{.type = type, .lane = 3, .link_epoch = kEpoch, .sequence = sequence, .cluster = kCluster}, body};
}

TEST(Lanes, DeliverAndAcknowledgeOnAGoodWire) {
  Pair pair(1);
  for (Cookie cookie = 1; cookie <= 10; ++cookie) pair.send(message_of(cookie, 64), cookie);
  pair.run(core::kSecond);
  EXPECT_EQ(pair.delivered.size(), 10u);
  EXPECT_EQ(pair.acked.size(), 10u);
  EXPECT_TRUE(pair.lost.empty());
  EXPECT_EQ(pair.ack_frames, 5u) << "one for two frames";
  EXPECT_EQ(pair.sender.round_trip(), 2 * core::kMillisecond);
  EXPECT_EQ(pair.sender.next_deadline(), core::kNever);
  EXPECT_EQ(pair.receiver.next_deadline(), core::kNever);
}

TEST(Lanes, ASingleFrameIsAcknowledgedAfterFiveMilliseconds) {
  Pair pair(1);
  pair.send(message_of(1, 8), 1);
  pair.run(core::kMillisecond);
  EXPECT_EQ(pair.receiver.next_deadline(), pair.now + 5 * core::kMillisecond);
  pair.run(core::kSecond);
  EXPECT_EQ(pair.acked.size(), 1u);
  EXPECT_EQ(pair.sender.round_trip(), 2 * core::kMillisecond) << "the receiver's delay is not the wire's";
}

TEST(Lanes, AFrameIsLostWhenThreeNewerOnesAreAcknowledged) {
  Pair pair(1);
  pair.loss = 1;
  pair.send(message_of(1, 8), 1);
  pair.loss = 0;
  for (Cookie cookie = 2; cookie <= 3; ++cookie) pair.send(message_of(cookie, 8), cookie);
  pair.run(8 * core::kMillisecond);
  EXPECT_EQ(pair.acked.size(), 2u);
  EXPECT_TRUE(pair.lost.empty());
  for (Cookie cookie = 4; cookie <= 5; ++cookie) pair.send(message_of(cookie, 8), cookie);
  pair.run(8 * core::kMillisecond);
  EXPECT_EQ(pair.lost, std::vector<Cookie>{1});
}

TEST(Lanes, SilenceReportsLossAndDoublesTheTimeoutUpToASecond) {
  Pair pair(1);
  pair.loss = 1;
  for (Cookie cookie = 1; cookie <= 12; ++cookie) {
    ASSERT_TRUE(pair.sender.ready());
    pair.send(message_of(cookie, 8), cookie);
    const core::Duration wait = pair.sender.next_deadline() - pair.now;
    const core::Duration expected = std::min(core::kSecond, (100 * core::kMillisecond) << (cookie - 1));
    EXPECT_GE(wait, expected * 9 / 10);
    EXPECT_LE(wait, expected * 11 / 10);
    pair.run(wait);
    EXPECT_EQ(pair.lost.size(), cookie);
  }
  for (Cookie cookie = 13; cookie <= 20; ++cookie) pair.send(message_of(cookie, 8), cookie);
  EXPECT_FALSE(pair.sender.ready()) << "eight frames at a time to a peer that does not answer";
  pair.loss = 0;
  pair.run(2 * core::kSecond);
  pair.send(message_of(21, 8), 21);
  pair.run(core::kSecond);
  EXPECT_EQ(pair.acked, std::vector<Cookie>{21});
  EXPECT_EQ(pair.sender.round_trip(), 2 * core::kMillisecond);
}

TEST(Lanes, TheWindowIsRespected) {
  SendLane::Config config;
  config.window_bytes = 64 << 10;
  Pair bytes(1, config);
  Cookie cookie = 0;
  for (; bytes.sender.ready(); bytes.send(message_of(cookie, 1'024), cookie)) ++cookie;
  EXPECT_EQ(cookie, 64u);
  EXPECT_EQ(bytes.sender.bytes_in_flight(), std::size_t{64} << 10);
  bytes.run(core::kSecond);
  EXPECT_TRUE(bytes.sender.ready());
  EXPECT_EQ(bytes.sender.bytes_in_flight(), 0u);

  Pair frames(1);
  cookie = 0;
  for (; frames.sender.ready(); frames.send(message_of(cookie, 8), cookie)) ++cookie;
  EXPECT_EQ(cookie, 256u);
  frames.run(core::kSecond);
  EXPECT_EQ(frames.acked.size(), 256u);
}

// The contract of the lattice class, on any wire: every cookie is reported once; what was reported acked has been
// delivered; what was not delivered has been reported lost; nothing is delivered twice; whole messages only.
TEST(Lanes, EveryMessageIsDeliveredOrReportedLost) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    core::Rng rng = core::Rng::stream(seed, "property");
    Pair pair(seed);
    pair.loss = 0.4 * rng.unit();
    pair.duplicate = 0.3 * rng.unit();
    pair.transit = rng.below(50) * core::kMillisecond;
    pair.spread = rng.below(100) * core::kMillisecond;
    std::map<Cookie, std::size_t> sizes;
    Cookie cookie = 0;
    for (int step = 0; step < 60; ++step) {
      for (std::uint64_t burst = rng.below(60); burst > 0 && pair.sender.ready(); --burst) {
        const std::size_t bytes = 8 + 8 * rng.below(rng.chance(0.05) ? 4'000 : 180);
        sizes[++cookie] = bytes;
        pair.send(message_of(cookie, bytes), cookie);
        ASSERT_LE(pair.sender.frames_in_flight(), 256u);
        ASSERT_LE(pair.sender.bytes_in_flight(), (256u << 10) + kFrameBodyMax);
        ASSERT_LE(pair.receiver.reassembly_bytes(), kLargeMessagesMax * core::kMessageBytesMax);
      }
      pair.run(rng.below(40) * core::kMillisecond);
    }
    for (int i = 0; i < 600 && !pair.done(); ++i) pair.run(core::kSecond);
    ASSERT_TRUE(pair.done());

    std::map<Cookie, int> reports;
    for (const Cookie reported : pair.acked) ++reports[reported];
    for (const Cookie reported : pair.lost) ++reports[reported];
    std::map<Cookie, int> deliveries;
    for (const auto& message : pair.delivered) {
      const Cookie delivered = cookie_of(message);
      ++deliveries[delivered];
      ASSERT_EQ(message, message_of(delivered, sizes[delivered]));
    }
    for (Cookie each = 1; each <= cookie; ++each) {
      ASSERT_EQ(reports[each], 1) << each;
      ASSERT_LE(deliveries[each], 1) << each;
    }
    for (const Cookie reported : pair.acked) ASSERT_EQ(deliveries[reported], 1) << reported;
    ASSERT_EQ(pair.sender.stats().bad_acks, 0u);
    ASSERT_EQ(pair.receiver.stats().malformed, 0u);
    ASSERT_EQ(pair.receiver.reassembly_bytes(), 0u);
  }
}

TEST(Lanes, AMebibyteArrivesWholeAtTwentyPercentLoss) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Pair pair(seed);
    pair.loss = 0.2;
    pair.duplicate = 0.1;
    pair.spread = 5 * core::kMillisecond;
    const core::Bytes large = message_of(seed, core::kMessageBytesMax);
    pair.send(large, seed);
    EXPECT_FALSE(pair.sender.ready()) << "pieces are waiting";
    pair.run(60 * core::kSecond);
    ASSERT_EQ(pair.delivered.size(), 1u);
    EXPECT_EQ(pair.delivered[0], large);
    EXPECT_EQ(pair.acked, std::vector<Cookie>{seed});
    EXPECT_TRUE(pair.lost.empty());
    EXPECT_EQ(pair.sender.bytes_in_flight(), 0u);
  }
}

TEST(Lanes, AtMostFourMessagesAreInPieces) {
  Pair pair(1);
  pair.acks_pass = false;
  Cookie cookie = 0;
  for (; pair.sender.ready(); pair.send(message_of(cookie, 2'000), cookie)) ++cookie;
  EXPECT_EQ(cookie, kLargeMessagesMax);
  pair.acks_pass = true;
  pair.run(5 * core::kSecond);
  EXPECT_EQ(pair.acked.size(), kLargeMessagesMax);
  EXPECT_EQ(pair.delivered.size(), kLargeMessagesMax);
}

TEST(Lanes, ClosingReportsEverythingInFlightAsLost) {
  Pair pair(1);
  pair.loss = 1;
  pair.send(message_of(1, 8), 1);
  pair.send(message_of(2, 8), 2);
  pair.send(message_of(3, 1 << 20), 3);
  SendLane::Outbox outbox;
  pair.sender.close(outbox);
  EXPECT_EQ(outbox.lost, (std::vector<Cookie>{1, 2, 3}));
  EXPECT_FALSE(pair.sender.ready());
  EXPECT_EQ(pair.sender.next_deadline(), core::kNever);
}

TEST(SendLane, IgnoresAcknowledgementsThatCannotBe) {
  Pair pair(1);
  pair.send(message_of(1, 8), 1);
  SendLane::Outbox outbox;
  pair.sender.handle_ack(Ack{.lane = 3, .largest = 2}, pair.now, outbox);
  pair.sender.handle_ack(Ack{.lane = 4, .largest = 1}, pair.now, outbox);
  pair.sender.handle_ack(core::Bytes(16, '\xFF'), pair.now, outbox);
  EXPECT_EQ(pair.sender.stats().bad_acks, 3u);
  EXPECT_EQ(pair.sender.frames_in_flight(), 1u);
  pair.sender.handle_ack(Ack{.lane = 3, .largest = 1, .received = {UINT64_MAX, 0, 0, 0}}, pair.now, outbox);
  EXPECT_EQ(outbox.acked, std::vector<Cookie>{1});
  pair.sender.handle_ack(Ack{.lane = 3, .largest = 1}, pair.now, outbox);
  EXPECT_EQ(outbox.acked.size(), 1u);
}

TEST(ReceiveLane, DropsDuplicatesOldAndImpossibleFrames) {
  ReceiveLane lane({kCluster, kEpoch, 3, 9});
  ReceiveLane::Outbox outbox;
  const core::Bytes body(8, 'b');
  lane.handle(frame_of(FrameType::kLattice, 5'000, body), 0, outbox);
  lane.handle(frame_of(FrameType::kLattice, 5'000, body), 0, outbox);
  lane.handle(frame_of(FrameType::kLattice, 5'000 - 1'024, body), 0, outbox);
  lane.handle(frame_of(FrameType::kLattice, 5'000 - 1'023, body), 0, outbox);
  lane.handle(frame_of(FrameType::kLattice, 0, body), 0, outbox);
  lane.handle(frame_of(FrameType::kLattice, UINT64_MAX, body), 0, outbox);
  lane.handle(frame_of(FrameType::kLattice, 5'001, {}), 0, outbox);
  lane.handle(frame_of(FrameType::kFragment, 5'001, body), 0, outbox);
  lane.handle(frame_of(FrameType::kLattice, 5'001, body), 0, outbox);
  EXPECT_EQ(outbox.messages.size(), 3u);
  EXPECT_EQ(lane.stats().duplicates, 1u);
  EXPECT_EQ(lane.stats().old, 1u);
  EXPECT_EQ(lane.stats().malformed, 4u);
}

TEST(Reassembly, IsBoundedInMessagesAndReach) {
  Reassembly reassembly;
  const core::Bytes data(kFragmentBytes, 'd');
  for (std::uint64_t message = 1; message <= kLargeMessagesMax; ++message) {
    for (std::uint16_t index = 0; index + 1u < kFragmentsMax; ++index) {
      const auto whole = reassembly.add({message, index, kFragmentsMax, data});
      ASSERT_TRUE(whole && !*whole);
    }
  }
  EXPECT_LE(reassembly.bytes(), kLargeMessagesMax * core::kMessageBytesMax);
  const std::size_t held = reassembly.bytes();
  EXPECT_EQ(reassembly.add({kLargeMessagesMax + 1, 0, 2, data}).error().code, core::Errc::kFull);
  EXPECT_EQ(reassembly.add({kLargeMessageSpan + 1, 0, 2, data}).error().code, core::Errc::kFull);
  EXPECT_EQ(reassembly.add({1, 0, 2, data}).error().code, core::Errc::kMalformed);
  EXPECT_EQ(reassembly.bytes(), held);
  const auto whole = reassembly.add({2, kFragmentsMax - 1, kFragmentsMax, core::BytesView(data).substr(0, 8)});
  ASSERT_TRUE(whole && *whole);
  EXPECT_EQ((*whole)->size(), (kFragmentsMax - 1) * kFragmentBytes + 8);
  EXPECT_FALSE(*reassembly.add({2, 3, kFragmentsMax, data})) << "complete: further pieces are duplicates";
  EXPECT_TRUE(reassembly.add({kLargeMessagesMax + 1, 0, 2, data}));
  EXPECT_EQ(reassembly.messages(), kLargeMessagesMax);
}

}  // namespace
}  // namespace anabranch::net

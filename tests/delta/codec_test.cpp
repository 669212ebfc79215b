#include "delta/codec.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "delta/sizes.hpp"
#include "tests/delta/samples.hpp"

namespace anabranch::delta {

bool operator==(const Entry& a, const Entry& b) { return a.key == b.key && a.fragment == b.fragment; }
bool operator==(const Interval& a, const Interval& b) {
  return a.origin == b.origin && a.base == b.base && a.top == b.top && a.dots_low == b.dots_low &&
         a.dots_high == b.dots_high && a.ack_wanted == b.ack_wanted && a.entries == b.entries;
}
bool operator==(const TransferChunk& a, const TransferChunk& b) {
  return a.id == b.id && a.index == b.index && a.count == b.count && a.vector == b.vector && a.context == b.context &&
         a.entries == b.entries;
}

namespace {

using core::Errc;

constexpr std::uint32_t kPartitions = 64;

Bytes encode_one(Body body, PartitionId partition = 1) { return encode({{Message{partition, std::move(body)}}}); }
Errc error_of(const Bytes& bytes, std::uint32_t partitions = kPartitions) {
  const auto packet = decode(bytes, partitions);
  EXPECT_FALSE(packet.has_value());
  return packet ? Errc::kClosed : packet.error().code;
}
Interval interval_with(lattice::Object object, lattice::CausalContext context = {}) {
  Interval interval;
  interval.origin = {7, 0};
  interval.base = 4;
  interval.top = 5;
  interval.dots_low = 10;
  interval.dots_high = 12;
  interval.entries.push_back({"k", {std::move(object), std::move(context)}});
  return interval;
}

RC_GTEST_PROP(Codec, EveryKindOfMessageRoundTrips, (std::uint64_t seed)) {
  const Packet packet = samples::random_packet(seed);
  const Bytes bytes = encode(packet);
  RC_ASSERT(bytes.size() % 8 == 0);
  const auto back = decode(bytes, kPartitions);
  if (!back) RC_FAIL(back.error().message());
  RC_ASSERT(back->messages.size() == packet.messages.size());
  RC_ASSERT(std::get<Interval>(back->messages[0].body) == std::get<Interval>(packet.messages[0].body));
  const auto& digest = std::get<Digest>(back->messages[1].body);
  const auto& sent = std::get<Digest>(packet.messages[1].body);
  RC_ASSERT(digest.entries == sent.entries && digest.greeting == sent.greeting && digest.number == sent.number);
  RC_ASSERT(digest.vector_hash == sent.vector_hash && digest.fingerprint == sent.fingerprint);
  RC_ASSERT(std::get<TransferChunk>(back->messages[8].body) == std::get<TransferChunk>(packet.messages[8].body));
  RC_ASSERT(encode(*back) == bytes);
}

RC_GTEST_PROP(Codec, WeightIsAnUpperBoundAndNotFarOff, (std::uint64_t seed)) {
  const Packet packet = samples::random_packet(seed);
  std::size_t all = kPacketOverhead;
  for (const Message& message : packet.messages) {
    all += weight(message);
    const std::size_t alone = encode({{message}}).size();
    RC_ASSERT(alone <= weight(message) + kPacketOverhead);
    RC_ASSERT(alone + alone / 8 + 64 >= weight(message));
  }
  RC_ASSERT(encode(packet).size() <= all);
}

TEST(Codec, EveryTruncationIsRefused) {
  const Bytes bytes = encode(samples::random_packet(3));
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(decode(BytesView(bytes).substr(0, length), kPartitions).has_value()) << length;
  }
}

TEST(Codec, EveryBitFlipIsRefusedOrGivesAPacketThatRoundTrips) {
  std::size_t refused = 0;
  std::size_t taken = 0;
  for (const std::uint64_t seed : {1, 2, 3}) {
    const Bytes bytes = encode(samples::random_packet(seed));
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      Bytes flipped = bytes;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      const auto packet = decode(flipped, kPartitions);
      ++(packet ? taken : refused);
      if (!packet) continue;
      const auto again = decode(encode(*packet), kPartitions);
      ASSERT_TRUE(again.has_value()) << "seed " << seed << " bit " << bit << ": " << again.error().message();
      ASSERT_EQ(encode(*again), encode(*packet));
    }
  }
  EXPECT_GT(refused, 1'000u);
  EXPECT_GT(taken, 1'000u);  // numbers may be any number
}

TEST(Codec, MisalignedBytesAreRead) {
  const Bytes bytes = encode(samples::random_packet(4));
  const Bytes shifted = "x" + bytes;
  EXPECT_TRUE(decode(BytesView(shifted).substr(1), kPartitions).has_value());
}

TEST(Codec, AnUnknownPartitionIsRefused) {
  EXPECT_TRUE(decode(encode_one(DigestSeen{1}, 63), 64).has_value());
  EXPECT_EQ(error_of(encode_one(DigestSeen{1}, 64), 64), Errc::kMalformed);
}

TEST(Codec, EntriesMustBeSortedAndDistinct) {
  Interval interval = interval_with(lattice::MaxInt(1));
  interval.entries.push_back(interval.entries.front());
  EXPECT_EQ(error_of(encode_one(interval)), Errc::kMalformed);
  interval.entries.back().key = "a";
  EXPECT_EQ(error_of(encode_one(interval)), Errc::kMalformed);
  interval.entries.back().key = "k";
  interval.entries.back().fragment.object = lattice::MinInt(1);  // the same key with a higher type is another variable
  EXPECT_TRUE(decode(encode_one(interval), kPartitions).has_value());
}

TEST(Codec, NumbersBeyondTheBoundAreRefused) {
  constexpr auto kMax = static_cast<std::int64_t>(core::kCountMax);
  EXPECT_TRUE(decode(encode_one(interval_with(lattice::MaxInt(kMax))), kPartitions).has_value());
  EXPECT_EQ(error_of(encode_one(interval_with(lattice::MaxInt(kMax + 1)))), Errc::kOverflow);
  EXPECT_EQ(error_of(encode_one(interval_with(lattice::MinInt(-kMax - 1)))), Errc::kOverflow);
  EXPECT_EQ(error_of(encode_one(Held{{1, 1}, core::kCountMax + 1})), Errc::kOverflow);
  // A counter's entry of 2^62, made larger in the encoded bytes.
  const lattice::GCounter::Entry entry{core::Actor::of({7, 0}), core::kCountMax};
  Bytes bytes = encode_one(interval_with(*lattice::GCounter::from_entries({&entry, 1})));
  EXPECT_TRUE(decode(bytes, kPartitions).has_value());
  const auto at = bytes.find(Bytes("\0\0\0\0\0\0\0\x40", 8));
  ASSERT_NE(at, Bytes::npos);
  bytes[at] = 1;
  EXPECT_EQ(error_of(bytes), Errc::kOverflow);
}

TEST(Codec, DotsOutsideTheClaimsAreRefused) {
  const auto flag = [](std::uint64_t sequence) { return lattice::EwFlag{lattice::DotSet({{7, 0}, sequence})}; };
  const auto context = [](Origin origin, std::uint64_t sequence) {
    lattice::CausalContext dots;
    dots.insert(origin, sequence, sequence);
    return dots;
  };
  EXPECT_TRUE(decode(encode_one(interval_with(flag(10), context({7, 0}, 10))), kPartitions).has_value());
  EXPECT_EQ(error_of(encode_one(interval_with(flag(10)))), Errc::kMalformed) << "live outside the context";
  EXPECT_EQ(error_of(encode_one(interval_with(flag(9), context({7, 0}, 9)))), Errc::kMalformed) << "born earlier";
  EXPECT_EQ(error_of(encode_one(interval_with(flag(13), context({7, 0}, 13)))), Errc::kMalformed) << "born later";
  EXPECT_EQ(error_of(encode_one(interval_with(lattice::EwFlag(), context({7, 0}, 13)))), Errc::kMalformed)
      << "dead, of the future";
  EXPECT_TRUE(decode(encode_one(interval_with(lattice::EwFlag(), context({8, 0}, 999))), kPartitions).has_value())
      << "dead, of another origin";
  EXPECT_EQ(error_of(encode_one(interval_with(lattice::MaxInt(1), context({7, 0}, 10)))), Errc::kMalformed)
      << "a plain type has no dots";
}

TEST(Codec, AnEmptyIntervalAndAChunkBeyondTheLastAreRefused) {
  Interval interval = interval_with(lattice::MaxInt(1));
  interval.base = interval.top;
  EXPECT_EQ(error_of(encode_one(interval)), Errc::kMalformed);
  EXPECT_EQ(error_of(encode_one(TransferChunk{1, 5, 5, {}, {}, {}})), Errc::kMalformed);
}

TEST(Codec, RunsOfMoreThanFourBillionDotsSurvive) {
  TransferChunk chunk{1, 0, 1, {}, {}, {}};
  chunk.context.insert({7, 0}, 1, (std::uint64_t{5} << 32) + 17);
  chunk.context.insert({8, 0}, 5, 5 + std::uint64_t{UINT32_MAX});
  chunk.context.insert({9, 0}, 5, 6 + std::uint64_t{UINT32_MAX});
  const auto back = decode(encode_one(chunk), kPartitions);
  ASSERT_TRUE(back.has_value()) << back.error().message();
  EXPECT_EQ(std::get<TransferChunk>(back->messages[0].body).context, chunk.context);
}

TEST(Codec, ValuesAndKeysAreTakenUpToTheirBounds) {
  lattice::GSet set;
  const auto added = set.add({Bytes(core::kValueBytesMax, 'v')});
  Interval interval = interval_with(added);
  interval.entries[0].key = Bytes(core::kKeyBytesMax, 'k');
  EXPECT_TRUE(decode(encode_one(interval), kPartitions).has_value());
  interval.entries[0].key += 'k';
  EXPECT_EQ(error_of(encode_one(interval)), Errc::kTooLarge);
  interval.entries[0].key = "k";
  interval.entries[0].fragment.object = set.add({Bytes(core::kValueBytesMax + 1, 'v')});
  EXPECT_EQ(error_of(encode_one(interval)), Errc::kTooLarge);
  EXPECT_EQ(error_of(Bytes(core::kMessageBytesMax + 8, '\0')), Errc::kTooLarge);
}

TEST(Codec, AnUnknownKindOrTypeIsNamedAsSuch) {
  Bytes bytes = encode_one(DigestSeen{1});
  bytes[8 + 8 + 8 + 6] = 99;  // root, packet, list tag, then bits 48..63 of the message
  EXPECT_EQ(error_of(bytes), Errc::kUnknown);
}

}  // namespace
}  // namespace anabranch::delta

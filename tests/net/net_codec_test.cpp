#include "net/codec.hpp"

#include <gtest/gtest.h>

#include "core/rng.hpp"

namespace anabranch::net {
namespace {

Hello sample_hello() {
  return {
      .nonce = 0x1122334455667788, .node = 42, .incarnation = 7, .partitions = 64, .capabilities = 5, .name = "node-a"};
}

std::vector<Handshake> sample_handshakes() {
  return {sample_hello(), Welcome{sample_hello(), 99, 0xDEADBEEF, {0x7F000001, 7370}},
          Confirm{.node = 1, .nonce = 2, .echo = 3, .ordinal = 4},
          Refuse{17, RefuseReason::kPartitions, "this cluster has 64 partitions, not 128"},
          Goodbye{0xFFFFFFFF, CloseReason::kUnknownEpoch}};
}

Ack sample_ack() { return {.lane = 3, .largest = UINT64_MAX, .received = {1, 2, UINT64_MAX, 4}, .delay_us = 4'999}; }

core::Bytes sample_piece() { return core::Bytes(kFragmentBytes, 'p'); }

/// Calls `decode` with every truncation and every single bit flip of `body`, and with copies at odd addresses.
template <class Decode>
std::size_t torture(const core::Bytes& body, Decode decode) {
  std::size_t accepted = 0;
  for (std::size_t size = 0; size < body.size(); ++size) decode(core::BytesView(body).substr(0, size));
  for (std::size_t bit = 0; bit < 8 * body.size(); ++bit) {
    core::Bytes flipped = body;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    accepted += decode(core::BytesView(flipped)) ? 1 : 0;
  }
  for (std::size_t offset = 1; offset < 8; ++offset) {
    const core::Bytes shifted = core::Bytes(offset, 'x') + body;
    EXPECT_TRUE(decode(core::BytesView(shifted).substr(offset)));
  }
  return accepted;
}

TEST(NetCodec, HandshakesRoundTrip) {
  for (const Handshake& message : sample_handshakes()) {
    const core::Bytes body = encode_handshake(message);
    EXPECT_EQ(body.size() % 8, 0u);
    EXPECT_LE(body.size(), kFrameBodyMax);
    const auto decoded = decode_handshake(body);
    ASSERT_TRUE(decoded) << decoded.error().message();
    EXPECT_EQ(*decoded, message);
  }
}

TEST(NetCodec, LongestNamesFitAFrame) {
  Hello hello = sample_hello();
  hello.name.assign(kNameBytesMax, 'n');
  const Handshake welcome = Welcome{hello, 1, 2, {3, 4}};
  EXPECT_EQ(*decode_handshake(encode_handshake(welcome)), welcome);
}

TEST(NetCodec, AcknowledgementsRoundTrip) {
  const auto decoded = decode_ack(encode_ack(sample_ack()));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, sample_ack());
}

TEST(NetCodec, PiecesRoundTripAndFillAFrameExactly) {
  const core::Bytes data = sample_piece();
  const core::Bytes body = encode_fragment({5, 0, kFragmentsMax, data});
  EXPECT_EQ(body.size(), kFrameBodyMax);
  const auto decoded = decode_fragment(body);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->data, data);
  EXPECT_EQ(decoded->count, kFragmentsMax);
  const core::Bytes last = encode_fragment({5, 1, 2, core::BytesView(data).substr(0, 8)});
  EXPECT_EQ(decode_fragment(last)->data.size(), 8u);
}

TEST(NetCodec, EveryTruncationAndBitFlipIsSurvived) {
  for (const Handshake& message : sample_handshakes()) {
    const core::Bytes body = encode_handshake(message);
    torture(body, [](core::BytesView bytes) {
      const auto decoded = decode_handshake(bytes);
      if (const auto* hello = decoded ? std::get_if<Hello>(&*decoded) : nullptr) {
        EXPECT_NE(hello->nonce, 0u);
        EXPECT_NE(hello->node, 0u);
        EXPECT_LE(hello->name.size(), kNameBytesMax);
      }
      return decoded.has_value();
    });
  }
  torture(encode_ack(sample_ack()), [](core::BytesView bytes) { return decode_ack(bytes).has_value(); });
  const core::Bytes piece = encode_fragment({5, 3, 9, sample_piece()});
  torture(piece, [](core::BytesView bytes) {
    const auto decoded = decode_fragment(bytes);
    if (decoded) {
      EXPECT_LT(decoded->index, decoded->count);
      EXPECT_GE(decoded->data.data(), bytes.data());
      EXPECT_LE(decoded->data.data() + decoded->data.size(), bytes.data() + bytes.size());
    }
    return decoded.has_value();
  });
}

TEST(NetCodec, RandomBytesAreSurvived) {
  core::Rng rng(2);
  for (int i = 0; i < 20'000; ++i) {
    core::Bytes body(rng.below(40) * 8, '\0');
    for (char& byte : body) byte = static_cast<char>(rng.below(rng.chance(0.5) ? 256 : 2));
    static_cast<void>(decode_handshake(body));
    static_cast<void>(decode_ack(body));
    static_cast<void>(decode_fragment(body));
  }
}

TEST(NetCodec, FieldsOutOfBoundsAreRefused) {
  EXPECT_FALSE(decode_handshake({}));
  EXPECT_FALSE(decode_handshake(core::Bytes(kFrameBodyMax + 8, '\0')));
  Hello hello = sample_hello();
  hello.nonce = 0;
  EXPECT_FALSE(decode_handshake(encode_handshake(hello)));
  hello = sample_hello();
  hello.node = 0;
  EXPECT_FALSE(decode_handshake(encode_handshake(hello)));
  EXPECT_FALSE(decode_handshake(encode_handshake(Welcome{sample_hello(), 0, 1, {}})));
  EXPECT_FALSE(decode_handshake(encode_handshake(Confirm{1, 0, 1, 0})));
  EXPECT_FALSE(decode_handshake(encode_handshake(Goodbye{0, CloseReason::kLeft})));
  EXPECT_FALSE(decode_handshake(encode_handshake(Goodbye{1, static_cast<CloseReason>(6)})));
  EXPECT_FALSE(decode_handshake(encode_handshake(Refuse{1, static_cast<RefuseReason>(5), ""})));
  EXPECT_FALSE(decode_ack(encode_ack({.lane = 0, .largest = 0})));
  const core::Bytes data = sample_piece();
  EXPECT_FALSE(decode_fragment(encode_fragment({0, 0, 2, data})));
  EXPECT_FALSE(decode_fragment(encode_fragment({1, 2, 2, data})));
  EXPECT_FALSE(decode_fragment(encode_fragment({1, 0, 1, data})));
  EXPECT_FALSE(decode_fragment(encode_fragment({1, 0, kFragmentsMax + 1, data})));
  EXPECT_FALSE(decode_fragment(encode_fragment({1, 0, 2, core::BytesView(data).substr(8)})))
      << "short, and not the last";
  EXPECT_FALSE(decode_fragment(encode_fragment({1, 1, 2, core::BytesView(data).substr(0, 12)})))
      << "not a multiple of 8";
  EXPECT_FALSE(decode_fragment(encode_fragment({1, 1, 2, {}})));
}

TEST(NetCodec, EpochsDependOnBothNoncesAndTheirOrder) {
  EXPECT_EQ(link_epoch(1, 2), link_epoch(1, 2));
  EXPECT_NE(link_epoch(1, 2), link_epoch(2, 1));
  EXPECT_NE(link_epoch(1, 2), link_epoch(1, 3));
}

TEST(NetCodec, EveryReasonHasAName) {
  for (int i = 0; i <= 5; ++i) EXPECT_NE(name(static_cast<CloseReason>(i)), "unknown");
  for (int i = 0; i <= 4; ++i) EXPECT_NE(name(static_cast<RefuseReason>(i)), "unknown");
}

}  // namespace
}  // namespace anabranch::net

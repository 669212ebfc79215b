#include <gtest/gtest.h>

#include "core/limits.hpp"
#include "core/rng.hpp"
#include "overlay/codec.hpp"

namespace anabranch::overlay {
namespace {

MemberList sample_list() {
  return {{{.node = 1, .incarnation = 2, .address = {0x7F000001, 7370}, .name = "a"},
           {.node = 5, .incarnation = UINT32_MAX, .address = {0, 0}, .name = "", .left = true},
           {.node = UINT64_MAX, .incarnation = 0, .address = {UINT32_MAX, 65'535}, .name = std::string(256, 'z')}}};
}

TEST(OverlayCodec, MessagesRoundTrip) {
  for (const ControlMessage& message : {ControlMessage{Keepalive{0x0123456789ABCDEF, 8}}, ControlMessage{sample_list()},
                                        ControlMessage{MemberList{}}}) {
    const core::Bytes body = encode_control(message);
    EXPECT_EQ(body.size() % 8, 0u);
    const auto decoded = decode_control(body);
    ASSERT_TRUE(decoded) << decoded.error().message();
    EXPECT_EQ(*decoded, message);
  }
}

TEST(OverlayCodec, TheSizeOfAListIsKnownBeforehand) {
  MemberList list;
  std::size_t bytes = kListOverheadBytes;
  for (core::NodeId node = 1; node <= 20; ++node) {
    list.members.push_back({.node = node, .name = std::string(node, 'n')});
    bytes += encoded_bytes(list.members.back());
    const std::size_t encoded = encode_control(list).size();
    EXPECT_LE(encoded, bytes);
    EXPECT_GE(encoded + 8, bytes) << "and not much below";
  }
}

TEST(OverlayCodec, EveryTruncationAndBitFlipIsSurvived) {
  for (const ControlMessage& message : {ControlMessage{Keepalive{1, 2}}, ControlMessage{sample_list()}}) {
    const core::Bytes body = encode_control(message);
    for (std::size_t size = 0; size < body.size(); ++size)
      static_cast<void>(decode_control(core::BytesView(body).substr(0, size)));
    for (std::size_t bit = 0; bit < 8 * body.size(); ++bit) {
      core::Bytes flipped = body;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      const auto decoded = decode_control(flipped);
      const auto* list = decoded ? std::get_if<MemberList>(&*decoded) : nullptr;
      if (list == nullptr) continue;
      core::NodeId previous = 0;
      for (const MemberSpec& spec : list->members) {
        EXPECT_GT(spec.node, previous);
        EXPECT_LE(spec.name.size(), kNameBytesMax);
        previous = spec.node;
      }
    }
    for (std::size_t offset = 1; offset < 8; ++offset) {
      const core::Bytes shifted = core::Bytes(offset, 'x') + body;
      EXPECT_TRUE(decode_control(core::BytesView(shifted).substr(offset)));
    }
  }
}

TEST(OverlayCodec, RandomBytesAreSurvived) {
  core::Rng rng(3);
  for (int i = 0; i < 20'000; ++i) {
    core::Bytes body(rng.below(40) * 8, '\0');
    for (char& byte : body) byte = static_cast<char>(rng.below(rng.chance(0.5) ? 256 : 2));
    static_cast<void>(decode_control(body));
  }
}

TEST(OverlayCodec, FieldsOutOfBoundsAreRefused) {
  EXPECT_FALSE(decode_control({}));
  EXPECT_FALSE(decode_control(core::Bytes(kControlBytesMax + 8, '\0')));
  EXPECT_FALSE(decode_control(encode_control(MemberList{{{.node = 0}}})));
  EXPECT_FALSE(decode_control(encode_control(MemberList{{{.node = 2}, {.node = 1}}})));
  EXPECT_FALSE(decode_control(encode_control(MemberList{{{.node = 2}, {.node = 2}}})));
}

}  // namespace
}  // namespace anabranch::overlay

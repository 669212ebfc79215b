#include "net/frame.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/hash.hpp"
#include "core/rng.hpp"

namespace anabranch::net {
namespace {

const std::uint32_t kCluster = cluster_hash("ads");

core::Bytes random_body(std::size_t bytes, std::uint64_t seed) {
  core::Rng rng(seed);
  core::Bytes body(bytes, '\0');
  for (auto& byte : body) byte = static_cast<char>(rng());
  return body;
}

FrameHeader some_header() { return {FrameType::kLattice, 3, 0xDEADBEEF, 0x0123456789ABCDEF, kCluster}; }

/// A frame with bytes changed after the fact and the checksum made right again, as another version would send it.
core::Bytes forge(core::Bytes frame, std::size_t offset, std::uint8_t value) {
  frame[offset] = static_cast<char>(value);
  for (std::size_t i = 20; i < 24; ++i) frame[i] = 0;
  const auto hash = core::hash64(frame);
  for (std::size_t i = 0; i < 4; ++i) frame[20 + i] = static_cast<char>(hash >> (8 * i));
  return frame;
}

/// Expects that the frame is refused for exactly this reason, and that exactly its counter rises.
void expect_refused(core::BytesView datagram, FrameFault fault, core::Errc code) {
  FrameDrops drops;
  const auto view = parse_frame(datagram, kCluster, &drops);
  ASSERT_FALSE(view.has_value());
  EXPECT_EQ(view.error().code, code);
  EXPECT_TRUE(view.error().detail.empty()) << "a drop must not allocate";
  EXPECT_EQ(drops[fault], 1U) << view.error().message();
  EXPECT_EQ(drops.total(), 1U);
}

TEST(Frame, RoundTripsEveryTypeAndBodySize) {
  for (const auto type :
       {FrameType::kHandshake, FrameType::kControl, FrameType::kLattice, FrameType::kAck, FrameType::kFragment}) {
    for (std::size_t size = 0; size <= kFrameBodyMax; size += 8) {
      FrameHeader header = some_header();
      header.type = type;
      const auto body = random_body(size, size);
      const auto frame = make_frame(header, body);
      ASSERT_EQ(frame.size(), kFrameHeaderBytes + size);
      FrameDrops drops;
      const auto view = parse_frame(frame, kCluster, &drops);
      ASSERT_TRUE(view.has_value()) << view.error().message();
      EXPECT_EQ(view->header, header);
      EXPECT_EQ(view->body, body);
      EXPECT_EQ(view->body.data(), frame.data() + kFrameHeaderBytes) << "the body must be a view, not a copy";
      EXPECT_EQ(drops.total(), 0U);
    }
  }
}

TEST(Frame, HasTheLayoutOfTheProtocol) {
  const auto frame = make_frame(some_header(), "bodybody");
  const std::string expected("\x01\x03\x03\x00\xEF\xBE\xAD\xDE\xEF\xCD\xAB\x89\x67\x45\x23\x01", 16);
  EXPECT_EQ(frame.substr(0, 16), expected);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(static_cast<std::uint8_t>(frame[16 + i]), static_cast<std::uint8_t>(kCluster >> (8 * i)));
  EXPECT_EQ(frame.substr(24), "bodybody");
}

TEST(Frame, IntoUsesTheMemoryOfTheBufferAgain) {
  core::Bytes out(core::kDatagramBytes, 'x');
  const char* const memory = out.data();
  make_frame_into(some_header(), random_body(kFrameBodyMax, 1), out);
  EXPECT_EQ(out.data(), memory);
  EXPECT_EQ(out, make_frame(some_header(), random_body(kFrameBodyMax, 1)));
  make_frame_into(some_header(), "", out);
  EXPECT_EQ(out, make_frame(some_header(), ""));
}

TEST(Frame, RefusesEveryTruncation) {
  const auto frame = make_frame(some_header(), random_body(kFrameBodyMax, 2));
  FrameDrops drops;
  for (std::size_t size = 0; size < frame.size(); ++size) {
    EXPECT_FALSE(parse_frame(core::BytesView(frame).substr(0, size), kCluster, &drops).has_value()) << size;
    EXPECT_EQ(drops.total(), size + 1);
  }
  EXPECT_EQ(drops[FrameFault::kTruncated], kFrameHeaderBytes);
  EXPECT_EQ(drops[FrameFault::kChecksum], kFrameBodyMax / 8) << "whole words are left: only the checksum can tell";
  EXPECT_EQ(drops[FrameFault::kAlignment], kFrameBodyMax - kFrameBodyMax / 8);
}

TEST(Frame, RefusesEverySingleBitFlip) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{8}, std::size_t{240}, kFrameBodyMax}) {
    const auto frame = make_frame(some_header(), random_body(size, 3));
    FrameDrops drops;
    for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
      auto damaged = frame;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      EXPECT_FALSE(parse_frame(damaged, kCluster, &drops).has_value()) << "bit " << bit << " of " << frame.size() * 8;
      EXPECT_EQ(drops.total(), bit + 1);
    }
    EXPECT_EQ(drops[FrameFault::kVersion], 8U);
    EXPECT_EQ(drops[FrameFault::kCluster], 32U);
    EXPECT_EQ(drops[FrameFault::kChecksum], (frame.size() - 5) * 8);
  }
}

TEST(Frame, NamesTheReasonOfARefusal) {
  const auto frame = make_frame(some_header(), "bodybody");
  expect_refused("", FrameFault::kTruncated, core::Errc::kMalformed);
  expect_refused(frame.substr(0, 23), FrameFault::kTruncated, core::Errc::kMalformed);
  expect_refused(core::Bytes(core::kDatagramBytes + 8, 'x'), FrameFault::kOversized, core::Errc::kTooLarge);
  expect_refused(forge(frame, 0, 2), FrameFault::kVersion, core::Errc::kWrongCluster);
  expect_refused(forge(frame, 0, 0), FrameFault::kVersion, core::Errc::kWrongCluster);
  auto other = some_header();
  other.cluster = cluster_hash("ads2");
  expect_refused(make_frame(other, "bodybody"), FrameFault::kCluster, core::Errc::kWrongCluster);
  expect_refused(frame.substr(0, 31), FrameFault::kAlignment, core::Errc::kMalformed);
  expect_refused(frame.substr(0, 24), FrameFault::kChecksum, core::Errc::kMalformed);
  expect_refused(forge(frame, 3, 1), FrameFault::kKeyPhase, core::Errc::kMalformed);
  expect_refused(forge(frame, 1, 0), FrameFault::kType, core::Errc::kMalformed);
  expect_refused(forge(frame, 1, 6), FrameFault::kType, core::Errc::kMalformed);
  expect_refused(forge(frame, 1, 255), FrameFault::kType, core::Errc::kMalformed);
}

TEST(Frame, RandomBytesAreNeverAFrame) {
  core::Rng rng(4);
  FrameDrops drops;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    const auto noise = random_body(rng.below(core::kDatagramBytes + 64), rng());
    EXPECT_FALSE(parse_frame(noise, kCluster, &drops).has_value());
    EXPECT_EQ(drops.total(), i + 1);
  }
}

TEST(Frame, EveryReasonHasItsOwnName) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < kFrameFaults; ++i) names.push_back(name(static_cast<FrameFault>(i)));
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::unique(names.begin(), names.end()), names.end());
  EXPECT_EQ(std::count(names.begin(), names.end(), "unknown"), 0);
}

TEST(FrameDeathTest, MakingABodyThatDoesNotFitIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(make_frame(some_header(), core::Bytes(kFrameBodyMax + 8, 'x')), "kFrameBodyMax");
  EXPECT_DEATH(make_frame(some_header(), "seven"), "% 8");
}

}  // namespace
}  // namespace anabranch::net

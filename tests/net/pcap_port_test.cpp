#include "net/pcap_port.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "net/loopback.hpp"
#include "net/udp_port.hpp"
#include "tests/net/port_fixture.hpp"

namespace anabranch::net {
namespace {

constexpr core::Address kA{0x0A000001, 7'370};
constexpr core::Address kB{0x0A0B0C0D, 65'535};

struct Packet {
  core::Instant at;
  core::Address from, to;
  core::Bytes bytes;
  friend bool operator==(const Packet&, const Packet&) = default;
};

core::Bytes file_at(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::uint32_t big(core::BytesView bytes, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<std::uint8_t>(bytes.at(at + i));
  return value;
}

std::uint32_t little32(core::BytesView bytes, std::size_t at) { return __builtin_bswap32(big(bytes, at, 4)); }

/// Reads a capture as a strict reader would; any doubt is a failure of the test.
std::vector<Packet> parse(const core::Bytes& file) {
  std::vector<Packet> packets;
  core::BytesView rest = file;
  if (rest.size() < 24) {
    ADD_FAILURE() << "no file header";
    return packets;
  }
  EXPECT_EQ(little32(rest, 0), 0xA1B23C4DU);
  EXPECT_EQ(little32(rest, 4), 0x00040002U) << "version 2.4";
  EXPECT_EQ(little32(rest, 20), 1U) << "Ethernet";
  rest.remove_prefix(24);
  while (rest.size() >= 16 + 42) {
    const std::uint32_t length = little32(rest, 8);
    EXPECT_EQ(little32(rest, 12), length);
    const core::Instant at = little32(rest, 0) * core::kSecond + little32(rest, 4);
    EXPECT_LT(little32(rest, 4), core::kSecond);
    const core::BytesView packet = rest.substr(16, length);
    EXPECT_EQ(packet.size(), length);
    EXPECT_EQ(big(packet, 12, 2), 0x0800U) << "IPv4";
    const core::BytesView ip = packet.substr(14);
    EXPECT_EQ(big(ip, 0, 1), 0x45U);
    EXPECT_EQ(big(ip, 2, 2), ip.size());
    EXPECT_EQ(big(ip, 9, 1), 17U) << "UDP";
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < 20; i += 2) sum += big(ip, i, 2);
    EXPECT_EQ((sum & 0xFFFF) + (sum >> 16), 0xFFFFU) << "IPv4 checksum";
    EXPECT_EQ(big(ip, 24, 2), ip.size() - 20) << "UDP length";
    packets.push_back({at,
                       {big(ip, 12, 4), static_cast<std::uint16_t>(big(ip, 20, 2))},
                       {big(ip, 16, 4), static_cast<std::uint16_t>(big(ip, 22, 2))},
                       core::Bytes(ip.substr(28))});
    rest.remove_prefix(16 + length);
  }
  EXPECT_TRUE(rest.empty()) << rest.size() << " bytes are left over";
  return packets;
}

std::unique_ptr<Port> capture(std::unique_ptr<Port> inner, const std::string& path) {
  auto port = make_pcap_port(std::move(inner), path);
  EXPECT_TRUE(port.has_value()) << port.error().message();
  return port ? std::move(*port) : nullptr;
}

TEST(PcapPort, WritesBothDirectionsWithTheCallersTime) {
  const TemporaryFile file;
  LoopbackNetwork network;
  const auto a = capture(network.open(kA), file.path());
  const auto b = network.open(kB);
  EXPECT_TRUE(parse(file_at(file.path())).empty()) << "complete from the start";
  const core::Bytes full(core::kDatagramBytes, '\xFF');
  const std::vector<Outgoing> burst{{kB, "request"}, {kB, full}, {kB, ""}};
  ASSERT_EQ(a->send(burst, 3 * core::kSecond + 7), 3U);
  ASSERT_TRUE(send_one(*b, kA, "answer"));
  std::vector<Kept> kept;
  ASSERT_EQ(take(*a, 4 * core::kSecond, kept), 1U);
  const std::vector<Packet> expected{{3 * core::kSecond + 7, kA, kB, "request"},
                                     {3 * core::kSecond + 7, kA, kB, full},
                                     {3 * core::kSecond + 7, kA, kB, ""},
                                     {4 * core::kSecond, kB, kA, "answer"}};
  EXPECT_EQ(parse(file_at(file.path())), expected) << "complete after every burst, while the port is open";
}

TEST(PcapPort, WritesRealTraffic) {
  const TemporaryFile file;
  auto udp = open_udp_port({.listen = kLocalhost});
  ASSERT_TRUE(udp.has_value());
  const auto port = capture(std::move(*udp), file.path());
  ASSERT_TRUE(send_one(*port, port->local(), "to myself", 1));
  ASSERT_EQ(collect(*port, 1, 2).size(), 1U);
  EXPECT_EQ(parse(file_at(file.path())), (std::vector<Packet>{{1, port->local(), port->local(), "to myself"},
                                                              {2, port->local(), port->local(), "to myself"}}));
}

TEST(PcapPort, LeavesOutWhatWasNotSent) {
  const TemporaryFile file;
  LoopbackNetwork network;
  const auto a = capture(network.open(kA), file.path());
  ASSERT_TRUE(send_one(*a, kB, core::Bytes(core::kDatagramBytes + 1, 'x')));
  EXPECT_TRUE(parse(file_at(file.path())).empty());
}

TEST(PcapPort, ReplacesAnOldFile) {
  const TemporaryFile file;
  std::ofstream(file.path()) << core::Bytes(10'000, 'x');
  LoopbackNetwork network;
  const auto a = capture(network.open(kA), file.path());
  EXPECT_EQ(file_at(file.path()).size(), 24U);
}

TEST(PcapPort, NamesTheFileThatItCannotWrite) {
  LoopbackNetwork network;
  const auto port = make_pcap_port(network.open(kA), "/nowhere/at/all.pcap");
  ASSERT_FALSE(port.has_value());
  EXPECT_EQ(port.error().code, core::Errc::kIo);
  EXPECT_NE(port.error().message().find("/nowhere/at/all.pcap"), std::string::npos);
}

TEST(PcapPort, AFullDiskAtTheStartIsAnError) {
  LoopbackNetwork network;
  const auto port = make_pcap_port(network.open(kA), "/dev/full");
  ASSERT_FALSE(port.has_value());
  EXPECT_EQ(port.error().code, core::Errc::kIo);
}

}  // namespace
}  // namespace anabranch::net

#include "net/udp_port.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cstdlib>
#include <map>
#include <set>

#include "tests/net/allocation_counter.hpp"
#include "tests/net/port_fixture.hpp"

namespace anabranch::net {
namespace {

std::unique_ptr<Port> open_one(core::Address address = kLocalhost) {
  auto port = open_udp_port({.listen = address});
  EXPECT_TRUE(port.has_value()) << port.error().message();
  return port ? std::move(*port) : nullptr;
}

std::vector<std::unique_ptr<Port>> open_many(std::size_t count) {
  auto ports = open_udp_ports({.listen = kLocalhost}, count);
  EXPECT_TRUE(ports.has_value()) << ports.error().message();
  return ports ? std::move(*ports) : std::vector<std::unique_ptr<Port>>{};
}

void expect_in_use(const core::Result<std::vector<std::unique_ptr<Port>>>& ports, core::Address address) {
  ASSERT_FALSE(ports.has_value());
  EXPECT_EQ(ports.error().code, core::Errc::kIo);
  EXPECT_NE(ports.error().message().find("in use"), std::string::npos) << ports.error().message();
  EXPECT_NE(ports.error().message().find(core::to_string(address)), std::string::npos) << ports.error().message();
}

/// Another process that holds `sockets` sockets on an address which it chose, until the object goes.
class OtherProcess {
 public:
  explicit OtherProcess(std::size_t sockets) {
    std::array<int, 2> up{};
    std::array<int, 2> down{};
    if (::pipe(up.data()) != 0 || ::pipe(down.data()) != 0) std::abort();
    child_ = ::fork();
    if (child_ == 0) {
      ::close(down[1]);
      const auto ports = open_udp_ports({.listen = kLocalhost}, sockets);
      const std::uint16_t port = ports ? ports->front()->local().port : 0;
      if (::write(up[1], &port, sizeof port) != sizeof port) std::_Exit(1);
      char end = 0;
      static_cast<void>(!::read(down[0], &end, 1));  // returns when the parent closes its end
      std::_Exit(0);
    }
    ::close(up[1]);
    ::close(down[0]);
    if (::read(up[0], &address_.port, sizeof address_.port) != sizeof address_.port) address_.port = 0;
    ::close(up[0]);
    release_ = down[1];
  }
  OtherProcess(const OtherProcess&) = delete;
  OtherProcess& operator=(const OtherProcess&) = delete;
  ~OtherProcess() {
    ::close(release_);
    ::waitpid(child_, nullptr, 0);
  }
  [[nodiscard]] core::Address address() const { return address_; }

 private:
  core::Address address_ = kLocalhost;
  pid_t child_ = -1;
  int release_ = -1;
};

TEST(UdpPort, RefusesAnAddressThatAnotherProcessHolds) {
  for (const std::size_t theirs : {1U, 4U}) {
    core::Address address;
    {
      const OtherProcess other(theirs);
      address = other.address();
      ASSERT_NE(address.port, 0);
      for (const std::size_t ours : {1U, 4U}) {
        expect_in_use(open_udp_ports({.listen = address}, ours), address);
        const core::Address any{0, address.port};
        expect_in_use(open_udp_ports({.listen = any}, ours), any);
      }
    }
    EXPECT_TRUE(open_udp_ports({.listen = address}, 4).has_value()) << "free when the other process has ended";
  }
}

TEST(UdpPort, RefusesAnAddressThatThisProcessHolds) {
  const auto shared = open_many(3);
  ASSERT_EQ(shared.size(), 3U);
  expect_in_use(open_udp_ports({.listen = shared.front()->local()}, 2), shared.front()->local());
  const auto alone = open_one();
  expect_in_use(open_udp_ports({.listen = alone->local()}, 2), alone->local());
}

TEST(UdpPort, RefusesAnAddressOfAnotherHost) {
  const auto port = open_udp_port({.listen = {0xC0000201, 0}});  // 192.0.2.1, for documentation: RFC 5737
  ASSERT_FALSE(port.has_value());
  EXPECT_EQ(port.error().code, core::Errc::kIo);
  EXPECT_NE(port.error().message().find("192.0.2.1:0"), std::string::npos) << port.error().message();
}

TEST(UdpPort, ShardsShareOneAddressAndTheKernelSpreadsTheSenders) {
  const auto shards = open_many(4);
  ASSERT_EQ(shards.size(), 4U);
  std::set<int> descriptors;
  for (const auto& shard : shards) {
    EXPECT_EQ(shard->local(), shards.front()->local());
    descriptors.insert(shard->wait_fd());
  }
  EXPECT_EQ(descriptors.size(), 4U);

  const std::size_t senders = 64;
  std::vector<std::unique_ptr<Port>> clients;
  for (std::size_t i = 0; i < senders; ++i) {
    clients.push_back(open_one());
    for (int copy = 0; copy < 3; ++copy) ASSERT_TRUE(send_one(*clients.back(), shards.front()->local(), "x"));
  }
  std::map<core::Address, std::set<std::size_t>> reached;
  std::size_t total = 0;
  for (int attempts = 0; total < 3 * senders && attempts < 1'000; ++attempts) {
    for (std::size_t shard = 0; shard < shards.size(); ++shard) {
      std::vector<Kept> kept;
      total += take(*shards[shard], 0, kept);
      for (const auto& one : kept) reached[one.from].insert(shard);
    }
  }
  EXPECT_EQ(total, 3 * senders);
  ASSERT_EQ(reached.size(), senders);
  std::set<std::size_t> used;
  for (const auto& [sender, at] : reached) {
    EXPECT_EQ(at.size(), 1U) << "one sender reaches one shard: " << core::to_string(sender);
    used.insert(at.begin(), at.end());
  }
  EXPECT_EQ(used.size(), 4U) << "64 senders leave one of four shards out once in 25 million runs";
}

TEST(UdpPort, EveryShardSendsFromTheCommonAddress) {
  const auto shards = open_many(3);
  const auto peer = open_one();
  for (const auto& shard : shards) {
    ASSERT_TRUE(send_one(*shard, peer->local(), "hello"));
    EXPECT_EQ(collect(*peer, 1), (std::vector<Kept>{{shards.front()->local(), "hello"}}));
  }
}

TEST(UdpPort, DropsAndCountsAForeignDatagramThatIsTooLarge) {
  const auto port = open_one();
  const int raw = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(port->local().ip);
  to.sin_port = htons(port->local().port);
  const auto send_raw = [&](std::size_t size) {
    const core::Bytes bytes(size, 'x');
    return ::sendto(raw, bytes.data(), size, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  };
  EXPECT_EQ(send_raw(core::kDatagramBytes + 1), static_cast<ssize_t>(core::kDatagramBytes + 1));
  EXPECT_EQ(send_raw(60'000), 60'000);
  EXPECT_EQ(send_raw(core::kDatagramBytes), static_cast<ssize_t>(core::kDatagramBytes));
  ::close(raw);
  const auto kept = collect(*port, 1);
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].bytes.size(), core::kDatagramBytes);
  EXPECT_EQ(port->stats().rx_errors, 2U);
}

TEST(UdpPort, AnUnreachableDestinationIsTakenAndDropped) {
  const auto a = open_one();
  const auto b = open_one();
  // A socket bound to 127.0.0.1 cannot reach beyond this host, nor can any send to port 0.
  const std::vector<Outgoing> burst{{{0xC0000201, 9}, "x"}, {{0x7F000001, 0}, "x"}, {b->local(), "y"}};
  EXPECT_EQ(a->send(burst, 0), 3U);
  EXPECT_EQ(collect(*b, 1), (std::vector<Kept>{{a->local(), "y"}}));
  EXPECT_EQ(a->stats().tx_dropped, 2U);
  EXPECT_EQ(a->stats().tx_datagrams, 1U);
}

TEST(UdpPort, AllocatesNothingInTheSteadyState) {
  const auto a = open_one();
  const auto b = open_one();
  const core::Bytes bytes(core::kDatagramBytes, 'x');
  const std::vector<Outgoing> burst(64, {b->local(), bytes});
  std::array<Received, 64> arrived;
  const std::uint64_t before = allocations();
  std::size_t total = 0;
  for (int round = 0; round < 50; ++round) {
    a->send(burst, 0);
    for (int attempts = 0; attempts < 4; ++attempts) total += b->receive(arrived, 0);
  }
  EXPECT_EQ(allocations(), before);
  EXPECT_GT(total, 64U) << "something must have been received";
}

}  // namespace
}  // namespace anabranch::net

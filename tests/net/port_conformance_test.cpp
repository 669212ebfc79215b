// What every port promises. A new backend adds one line to the list at the end.
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <list>
#include <set>
#include <stdexcept>
#include <utility>

#include "net/fault_port.hpp"
#include "net/loopback.hpp"
#include "net/pcap_port.hpp"
#include "net/udp_port.hpp"
#include "tests/net/port_fixture.hpp"

namespace anabranch::net {
namespace {

/// Opens ports that reach each other. Outlives them.
class World {
 public:
  World() = default;
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  virtual ~World() = default;
  virtual std::unique_ptr<Port> open(core::Address address) = 0;
};

class UdpWorld final : public World {
 public:
  std::unique_ptr<Port> open(core::Address address) override {
    auto port = open_udp_port({.listen = address});
    if (!port) throw std::runtime_error(port.error().message());
    return std::move(*port);
  }
};

class LoopbackWorld : public World {
 public:
  std::unique_ptr<Port> open(core::Address address) override { return network_.open(address); }

 private:
  LoopbackNetwork network_;
};

/// A fault port without faults must be as good as what it wraps.
class FaultlessWorld final : public LoopbackWorld {
 public:
  std::unique_ptr<Port> open(core::Address address) override {
    return make_fault_port(LoopbackWorld::open(address), &config_, core::Rng(1));
  }

 private:
  FaultConfig config_;
};

class PcapWorld final : public World {
 public:
  std::unique_ptr<Port> open(core::Address address) override {
    auto port = make_pcap_port(udp_.open(address), files_.emplace_back().path());
    if (!port) throw std::runtime_error(port.error().message());
    return std::move(*port);
  }

 private:
  UdpWorld udp_;
  std::list<TemporaryFile> files_;
};

struct Backend {
  std::string name;
  std::function<std::unique_ptr<World>()> make;
};

class PortConformance : public ::testing::TestWithParam<Backend> {
 protected:
  std::unique_ptr<World> world_ = GetParam().make();
  std::unique_ptr<Port> a_ = world_->open(kLocalhost);
  std::unique_ptr<Port> b_ = world_->open(kLocalhost);
};

/// `size` bytes that differ from those of another size or index.
core::Bytes pattern(std::size_t size, std::size_t index = 0) {
  core::Bytes bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 + size + index * 31);
  return bytes;
}

TEST_P(PortConformance, HasANameAndAnAddressOfItsOwn) {
  EXPECT_NE(a_->name().find(GetParam().name.substr(0, GetParam().name.find('_'))), std::string_view::npos);
  EXPECT_EQ(a_->local().ip, kLocalhost.ip);
  EXPECT_NE(a_->local().port, 0);
  EXPECT_NE(a_->local(), b_->local());
}

TEST_P(PortConformance, ReceivesNothingFromSilence) {
  std::vector<Kept> kept;
  EXPECT_EQ(take(*a_, 0, kept), 0U);
  EXPECT_EQ(a_->stats(), PortStats{});
}

TEST_P(PortConformance, DeliversBytesAndSenderOfEverySize) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{8}, std::size_t{24}, std::size_t{1'000},
                                 core::kDatagramBytes - 1, core::kDatagramBytes}) {
    ASSERT_TRUE(send_one(*a_, b_->local(), pattern(size)));
    const auto kept = collect(*b_, 1);
    ASSERT_EQ(kept.size(), 1U) << size;
    EXPECT_EQ(kept[0].from, a_->local());
    EXPECT_EQ(kept[0].bytes, pattern(size));
  }
}

TEST_P(PortConformance, AnswersReachTheSender) {
  ASSERT_TRUE(send_one(*a_, b_->local(), "question"));
  const auto question = collect(*b_, 1);
  ASSERT_EQ(question.size(), 1U);
  ASSERT_TRUE(send_one(*b_, question[0].from, "answer"));
  EXPECT_EQ(collect(*a_, 1), (std::vector<Kept>{{b_->local(), "answer"}}));
}

TEST_P(PortConformance, ReachesItself) {
  ASSERT_TRUE(send_one(*a_, a_->local(), "me"));
  EXPECT_EQ(collect(*a_, 1), (std::vector<Kept>{{a_->local(), "me"}}));
}

TEST_P(PortConformance, TakesABurstOf64KiBAndKeepsItsOrder) {
  const std::size_t count = (64U << 10) / core::kDatagramBytes + 1;
  for (std::size_t round = 0; round < 10; ++round) {
    std::vector<core::Bytes> bytes;
    for (std::size_t i = 0; i < count; ++i) bytes.push_back(pattern(core::kDatagramBytes, round * count + i));
    std::vector<Outgoing> burst;
    for (const auto& one : bytes) burst.push_back({b_->local(), one});
    ASSERT_EQ(a_->send(burst, round), count);
    const auto kept = collect(*b_, count, round);
    ASSERT_EQ(kept.size(), count);
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(kept[i].bytes, bytes[i]) << "round " << round << ", " << i;
  }
}

TEST_P(PortConformance, TakesABurstLongerThanAnyBatch) {
  const std::size_t count = 300;
  std::vector<core::Bytes> bytes;
  for (std::size_t i = 0; i < count; ++i) bytes.push_back(pattern(16, i) + std::to_string(i));
  std::vector<Outgoing> burst;
  for (const auto& one : bytes) burst.push_back({b_->local(), one});
  ASSERT_EQ(a_->send(burst, 0), count);
  const auto kept = collect(*b_, count);
  ASSERT_EQ(kept.size(), count);
  for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(kept[i].bytes, bytes[i]);
}

TEST_P(PortConformance, FillsAtMostTheBurst) {
  for (std::size_t i = 0; i < 10; ++i) ASSERT_TRUE(send_one(*a_, b_->local(), pattern(8, i)));
  std::vector<Kept> kept;
  EXPECT_EQ(b_->receive({}, 0), 0U) << "an empty burst takes nothing";
  for (int attempts = 0; kept.size() < 10 && attempts < 1'000; ++attempts) EXPECT_LE(take(*b_, 0, kept, 3), 3U);
  ASSERT_EQ(kept.size(), 10U);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(kept[i].bytes, pattern(8, i)) << "nothing is lost between bursts";
}

TEST_P(PortConformance, SendsNothingForAnEmptyBurst) {
  EXPECT_EQ(a_->send({}, 0), 0U);
  EXPECT_EQ(a_->stats(), PortStats{});
}

TEST_P(PortConformance, CopiesWhatItSends) {
  core::Bytes bytes = pattern(100);
  ASSERT_TRUE(send_one(*a_, b_->local(), bytes));
  std::fill(bytes.begin(), bytes.end(), '!');
  const auto kept = collect(*b_, 1);
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].bytes, pattern(100));
}

TEST_P(PortConformance, LendsAlignedBytesUntilTheNextReceive) {
  const std::size_t count = 32;
  for (std::size_t i = 0; i < count; ++i) ASSERT_TRUE(send_one(*a_, b_->local(), pattern(5 + i, i)));
  std::array<Received, count> burst;
  std::size_t seen = 0;
  for (int attempts = 0; seen < count && attempts < 1'000; ++attempts) {
    const std::size_t got = b_->receive(burst, 0);
    ASSERT_TRUE(send_one(*a_, a_->local(), pattern(1'000))) << "other traffic must not touch lent bytes";
    for (std::size_t i = 0; i < got; ++i) {
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(burst[i].bytes.data()) % 8, 0U);
      EXPECT_EQ(burst[i].bytes, pattern(5 + seen + i, seen + i));
    }
    seen += got;
  }
  EXPECT_EQ(seen, count);
}

TEST_P(PortConformance, DropsAndCountsOversizedDatagramsOnly) {
  const core::Bytes small = pattern(8);
  const core::Bytes large(core::kDatagramBytes + 1, 'x');
  const core::Bytes huge(1U << 17, 'x');
  const std::vector<Outgoing> burst{{b_->local(), large}, {b_->local(), small}, {b_->local(), huge},
                                    {b_->local(), large}, {b_->local(), small}, {b_->local(), huge}};
  ASSERT_EQ(a_->send(burst, 0), burst.size());
  EXPECT_EQ(collect(*b_, 2), (std::vector<Kept>(2, {a_->local(), small})));
  std::vector<Kept> more;
  EXPECT_EQ(take(*b_, 0, more), 0U);
  EXPECT_EQ(a_->stats().tx_dropped, 4U);
  EXPECT_EQ(a_->stats().tx_datagrams, 2U);
}

TEST_P(PortConformance, AnAddressWithoutAPortIsNoError) {
  const core::Address gone = b_->local();
  b_.reset();
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(send_one(*a_, gone, "anybody?"));
  auto c = world_->open(kLocalhost);
  ASSERT_TRUE(send_one(*a_, c->local(), "you"));
  EXPECT_EQ(collect(*c, 1), (std::vector<Kept>{{a_->local(), "you"}}));
  std::vector<Kept> kept;
  EXPECT_EQ(take(*a_, 0, kept), 0U);
  EXPECT_EQ(a_->stats().rx_errors, 0U);
}

TEST_P(PortConformance, AnAddressIsFreeAgainAfterItsPortIsGone) {
  const core::Address address = b_->local();
  ASSERT_TRUE(send_one(*a_, address, "for the old one"));
  b_.reset();
  b_ = world_->open(address);
  EXPECT_EQ(b_->local(), address);
  ASSERT_TRUE(send_one(*a_, address, "for the new one"));
  EXPECT_EQ(collect(*b_, 1), (std::vector<Kept>{{a_->local(), "for the new one"}}));
}

TEST_P(PortConformance, TellsManySendersApart) {
  std::vector<std::unique_ptr<Port>> senders;
  std::set<Kept> expected;
  for (std::size_t i = 0; i < 20; ++i) {
    senders.push_back(world_->open(kLocalhost));
    ASSERT_TRUE(send_one(*senders.back(), a_->local(), pattern(40, i)));
    expected.insert({senders.back()->local(), pattern(40, i)});
  }
  const auto kept = collect(*a_, senders.size());
  EXPECT_EQ(std::set<Kept>(kept.begin(), kept.end()), expected);
}

TEST_P(PortConformance, SaysWhenThereIsSomethingToReceive) {
  const auto waiting = [this] {
    pollfd fd{b_->wait_fd(), POLLIN, 0};
    if (fd.fd >= 0) return ::poll(&fd, 1, 0) == 1;
    return b_->next_deadline() <= 1'000;
  };
  EXPECT_FALSE(waiting());
  ASSERT_TRUE(send_one(*a_, b_->local(), "one", 1'000));
  ASSERT_TRUE(send_one(*a_, b_->local(), "two", 1'000));
  EXPECT_TRUE(waiting());
  std::vector<Kept> kept;
  EXPECT_EQ(take(*b_, 1'000, kept, 1), 1U);
  EXPECT_TRUE(waiting()) << "a second datagram is left";
  EXPECT_EQ(take(*b_, 1'000, kept, 1), 1U);
  EXPECT_FALSE(waiting());
  EXPECT_EQ(b_->next_deadline(), core::kNever);
}

TEST_P(PortConformance, CountsDatagramsAndBytes) {
  for (std::size_t i = 1; i <= 7; ++i) ASSERT_TRUE(send_one(*a_, b_->local(), pattern(i)));
  ASSERT_EQ(collect(*b_, 7).size(), 7U);
  EXPECT_EQ(a_->stats(), (PortStats{.tx_datagrams = 7, .tx_bytes = 28}));
  EXPECT_EQ(b_->stats(), (PortStats{.rx_datagrams = 7, .rx_bytes = 28}));
}

INSTANTIATE_TEST_SUITE_P(Backends, PortConformance,
                         ::testing::Values(Backend{"udp", [] { return std::make_unique<UdpWorld>(); }},
                                           Backend{"loopback", [] { return std::make_unique<LoopbackWorld>(); }},
                                           Backend{"fault_loopback", [] { return std::make_unique<FaultlessWorld>(); }},
                                           Backend{"pcap_udp", [] { return std::make_unique<PcapWorld>(); }}),
                         [](const auto& backend) { return backend.param.name; });

}  // namespace
}  // namespace anabranch::net

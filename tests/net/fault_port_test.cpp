#include "net/fault_port.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/hash.hpp"
#include "net/loopback.hpp"
#include "tests/net/port_fixture.hpp"

namespace anabranch::net {
namespace {

constexpr core::Address kA{0x0A000001, 1};
constexpr core::Address kB{0x0A000002, 1};
constexpr core::Address kC{0x0A000003, 1};

/// A sends through faults to B and C.
struct Bench {
  FaultConfig config;
  LoopbackNetwork network;
  std::unique_ptr<Port> a;
  std::unique_ptr<Port> b = network.open(kB);
  std::unique_ptr<Port> c = network.open(kC);

  explicit Bench(std::uint64_t seed = 1) : a(make_fault_port(network.open(kA), &config, core::Rng(seed))) {}

  void send(std::size_t count, core::Instant now, std::size_t size = 16) {
    for (std::size_t i = 0; i < count; ++i) {
      core::Bytes bytes = std::to_string(sent_++);
      bytes.resize(size, '.');
      ASSERT_TRUE(send_one(*a, kB, bytes, now));
    }
  }

  std::vector<Kept> arrived(core::Instant now) {
    std::vector<Kept> none;
    take(*a, now, none);  // releases what is due
    std::vector<Kept> kept;
    while (take(*b, now, kept) > 0) continue;
    return kept;
  }

 private:
  std::size_t sent_ = 0;
};

/// Four standard deviations around the mean of a binomial distribution.
void expect_share(std::uint64_t count, std::uint64_t trials, double probability, const char* what) {
  const auto n = static_cast<double>(trials);
  const double slack = 4 * std::sqrt(n * probability * (1 - probability));
  EXPECT_NEAR(static_cast<double>(count), n * probability, slack) << what;
}

/// Everything that arrives, with its time, in one hash.
std::uint64_t trace(std::uint64_t seed, FaultCounts* counts = nullptr) {
  Bench bench(seed);
  bench.config.loss = 0.2;
  bench.config.duplicate = 0.2;
  bench.config.reorder = 0.3;
  bench.config.delay_min = core::kMillisecond;
  bench.config.delay_mean = 2 * core::kMillisecond;
  bench.config.flip = 0.1;
  bench.config.truncate = 0.1;
  std::uint64_t hash = 0;
  for (core::Instant now = 0; now < 300 * core::kMillisecond; now += core::kMillisecond) {
    if (now < 200 * core::kMillisecond) bench.send(5, now);
    for (const auto& one : bench.arrived(now)) hash = core::hash64(one.bytes, hash ^ now);
  }
  if (counts != nullptr) *counts = bench.config.counts;
  return hash;
}

TEST(FaultPort, SameSeedGivesTheSameTrace) {
  FaultCounts first;
  FaultCounts second;
  EXPECT_EQ(trace(7, &first), trace(7, &second));
  EXPECT_EQ(first, second);
  EXPECT_EQ(first.offered, 1'000U);
  EXPECT_GT(first.lost, 0U);
  EXPECT_NE(trace(7), trace(8));
}

TEST(FaultPort, DoesEachFaultAsOftenAsAsked) {
  Bench bench;
  const std::uint64_t trials = 20'000;
  bench.config.loss = 0.2;
  bench.config.duplicate = 0.1;
  bench.config.reorder = 0.3;
  bench.config.flip = 0.05;
  bench.config.truncate = 0.02;
  std::uint64_t arrived = 0;
  for (std::uint64_t i = 0; i < trials; i += 100) {
    bench.send(100, i * core::kSecond);
    arrived += bench.arrived(i * core::kSecond + core::kSecond).size();
  }
  const FaultCounts& counts = bench.config.counts;
  const std::uint64_t passed = trials - counts.lost;
  const std::uint64_t copies = passed + counts.duplicated;
  EXPECT_EQ(counts.offered, trials);
  EXPECT_EQ(arrived, copies) << "what is not lost arrives, once for each copy";
  expect_share(counts.lost, trials, 0.2, "loss");
  expect_share(counts.duplicated, passed, 0.1, "duplicate");
  expect_share(counts.reordered, copies, 0.3, "reorder");
  expect_share(counts.flipped, copies, 0.05, "flip");
  expect_share(counts.truncated, copies, 0.02, "truncate");
}

TEST(FaultPort, AChangedProbabilityDoesNotShiftTheOtherDecisions) {
  const auto lost = [](double duplicate, double flip) {
    Bench bench(3);
    bench.config.loss = 0.5;
    bench.config.duplicate = duplicate;
    bench.config.flip = flip;
    bench.send(200, 0, 3);
    return bench.config.counts.lost;
  };
  EXPECT_EQ(lost(0, 0), lost(0.5, 0.9));
}

TEST(FaultPort, CertainLossLosesAllAndNoLossNone) {
  Bench bench;
  bench.config.loss = 1;
  bench.send(100, 0);
  EXPECT_TRUE(bench.arrived(core::kSecond).empty());
  bench.config.loss = 0;  // changed while running
  bench.send(100, core::kSecond);
  EXPECT_EQ(bench.arrived(core::kSecond).size(), 100U);
}

TEST(FaultPort, DelaysByTheCallersClock) {
  Bench bench;
  bench.config.delay_min = 10 * core::kMillisecond;
  bench.send(1, core::kSecond);
  EXPECT_TRUE(bench.arrived(core::kSecond).empty());
  EXPECT_EQ(bench.a->next_deadline(), core::kSecond + 10 * core::kMillisecond);
  EXPECT_TRUE(bench.arrived(core::kSecond + 10 * core::kMillisecond - 1).empty());
  EXPECT_EQ(bench.arrived(core::kSecond + 10 * core::kMillisecond).size(), 1U);
  EXPECT_EQ(bench.a->next_deadline(), core::kNever);
}

TEST(FaultPort, DelayHasTheMeanThatWasAsked) {
  Bench bench;
  bench.config.delay_min = 5 * core::kMillisecond;
  bench.config.delay_mean = 20 * core::kMillisecond;
  const std::uint64_t trials = 10'000;
  bench.send(trials, 0);
  double sum_ms = 0;
  std::uint64_t arrived = 0;
  for (std::uint64_t ms = 0; ms < 1'000; ++ms) {
    const auto count = bench.arrived(ms * core::kMillisecond).size();
    if (ms < 5) {
      EXPECT_EQ(count, 0U);
    }
    arrived += count;
    sum_ms += static_cast<double>(count * ms) - 0.5 * static_cast<double>(count);  // middle of the step
  }
  EXPECT_EQ(arrived, trials) << "20 ms is far below a second";
  EXPECT_NEAR(sum_ms / static_cast<double>(trials), 25, 4 * 20 / std::sqrt(static_cast<double>(trials)) + 0.1);
}

TEST(FaultPort, KeepsTheOrderOfEqualDelaysAndBreaksItByReordering) {
  Bench bench;
  bench.config.delay_min = core::kMillisecond;
  bench.send(200, 0);
  auto kept = bench.arrived(core::kSecond);
  ASSERT_EQ(kept.size(), 200U);
  for (std::size_t i = 0; i < kept.size(); ++i)
    EXPECT_EQ(kept[i].bytes.substr(0, kept[i].bytes.find('.')), std::to_string(i));
  bench.config.reorder = 0.5;
  bench.send(200, core::kSecond);
  kept = bench.arrived(2 * core::kSecond);
  ASSERT_EQ(kept.size(), 200U);
  EXPECT_FALSE(std::is_sorted(kept.begin(), kept.end(),
                              [](const Kept& x, const Kept& y) { return std::stoi(x.bytes) < std::stoi(y.bytes); }));
}

TEST(FaultPort, FlipsExactlyOneBit) {
  Bench bench;
  bench.config.flip = 1;
  const core::Bytes bytes(64, 'u');
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(send_one(*bench.a, kB, bytes));
  const auto kept = bench.arrived(0);
  ASSERT_EQ(kept.size(), 500U);
  for (const auto& one : kept) {
    ASSERT_EQ(one.bytes.size(), bytes.size());
    int bits = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bits += std::popcount(static_cast<std::uint8_t>(one.bytes[i] ^ bytes[i]));
    EXPECT_EQ(bits, 1);
  }
}

TEST(FaultPort, TruncatesToAProperPrefix) {
  Bench bench;
  bench.config.truncate = 1;
  const core::Bytes bytes = "0123456789abcdef";
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(send_one(*bench.a, kB, bytes));
  std::size_t shortest = bytes.size();
  std::size_t longest = 0;
  for (const auto& one : bench.arrived(0)) {
    EXPECT_EQ(one.bytes, bytes.substr(0, one.bytes.size()));
    shortest = std::min(shortest, one.bytes.size());
    longest = std::max(longest, one.bytes.size());
  }
  EXPECT_EQ(shortest, 0U);
  EXPECT_EQ(longest, bytes.size() - 1);
  ASSERT_TRUE(send_one(*bench.a, kB, ""));
  EXPECT_EQ(bench.arrived(0).size(), 1U) << "nothing can be cut from an empty datagram";
}

TEST(FaultPort, APartitionCutsSomePathsUntilItHeals) {
  Bench bench;
  bool split = true;
  bench.config.partition = [&split](core::Address from, core::Address to) { return split && from == kA && to == kB; };
  ASSERT_TRUE(send_one(*bench.a, kB, "cut"));
  ASSERT_TRUE(send_one(*bench.a, kC, "open"));
  EXPECT_TRUE(bench.arrived(0).empty());
  EXPECT_EQ(collect(*bench.c, 1).size(), 1U);
  EXPECT_EQ(bench.config.counts.cut, 1U);
  split = false;
  ASSERT_TRUE(send_one(*bench.a, kB, "healed"));
  EXPECT_EQ(bench.arrived(0), (std::vector<Kept>{{kA, "healed"}}));
}

TEST(FaultPort, HoldsABoundedNumberAndCountsTheRest) {
  Bench bench;
  bench.config.held_max = 10;
  bench.config.delay_min = core::kMillisecond;
  bench.send(25, 0);
  EXPECT_EQ(bench.config.counts.overflowed, 15U);
  EXPECT_EQ(bench.arrived(core::kSecond).size(), 10U);
  bench.send(1, core::kSecond);
  EXPECT_EQ(bench.arrived(2 * core::kSecond).size(), 1U);
}

/// Takes three datagrams of each burst, as a network that is nearly full.
class NarrowPort final : public Port {
 public:
  [[nodiscard]] std::string_view name() const override { return "narrow"; }
  [[nodiscard]] core::Address local() const override { return kA; }
  std::size_t receive(std::span<Received>, core::Instant) override { return 0; }
  std::size_t send(std::span<const Outgoing> burst, core::Instant) override {
    const std::size_t taken = std::min<std::size_t>(burst.size(), 3);
    for (const auto& one : burst.first(taken)) sent.emplace_back(one.bytes);
    return taken;
  }
  [[nodiscard]] PortStats stats() const override { return {}; }

  std::vector<core::Bytes> sent;
};

TEST(FaultPort, OffersAgainWhatTheInnerPortDidNotTake) {
  FaultConfig config;
  auto narrow = std::make_unique<NarrowPort>();
  const auto& sent = narrow->sent;
  const auto port = make_fault_port(std::move(narrow), &config, core::Rng(1));
  std::vector<core::Bytes> bytes;
  for (int i = 0; i < 10; ++i) bytes.push_back(std::to_string(i));
  std::vector<Outgoing> burst;
  for (const auto& one : bytes) burst.push_back({kB, one});
  EXPECT_EQ(port->send(burst, 5), 10U);
  EXPECT_EQ(sent.size(), 3U);
  EXPECT_LE(port->next_deadline(), 5U) << "the rest is overdue";
  for (int i = 0; i < 3; ++i) port->receive({}, 5);
  EXPECT_EQ(sent, bytes);
  EXPECT_EQ(port->next_deadline(), core::kNever);
}

}  // namespace
}  // namespace anabranch::net

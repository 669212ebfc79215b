// The control door and its client, over real sockets, in front of a fake node of three shards.
#include "tools/rpc/client.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "core/limits.hpp"
#include "core/rng.hpp"
#include "tests/tools/door_fixture.hpp"

namespace anabranch {
namespace {

using core::Errc;
using lattice::TypeId;
using lattice::Verb;
using rpc::Ack;
using testing::Doors;
using testing::kPatience;
using testing::update_of;

std::vector<node::Update> counters(int count) {
  std::vector<node::Update> updates;
  for (int i = 0; i < count; ++i)
    updates.push_back(update_of("k" + std::to_string(i), TypeId::kGCounter, Verb::kIncrement, i + 1));
  return updates;
}

TEST(Client, UpdatesKeysOfEveryShardAndReadsThemSorted) {
  const Doors doors;
  auto client = doors.client();
  const auto reply = client->update(counters(50), {}, kPatience);
  ASSERT_TRUE(reply.has_value()) << reply.error().message();
  EXPECT_TRUE(reply->refused.empty());
  const std::vector<core::Bytes> keys = {"k9", "k10", "k2", "absent", "k2"};
  const auto items = client->get(keys, kPatience);
  ASSERT_TRUE(items.has_value());
  ASSERT_EQ(items->items.size(), 3U);
  EXPECT_EQ(items->items[0].key, "k10");
  EXPECT_EQ(items->items[1].key, "k2");
  EXPECT_EQ(items->items[2].key, "k9");
  EXPECT_EQ(std::get<std::int64_t>(items->items[2].value), 10);
}

TEST(Client, CarriesEveryKindOfValue) {
  const Doors doors;
  auto client = doors.client();
  const core::Bytes odd("\0\xff[x]", 5);
  const std::vector<node::Update> updates = {
      update_of("set", TypeId::kAwSet, Verb::kAdd, 0, {odd, "", "a"}),
      update_of("max", TypeId::kMaxInt, Verb::kSet, -5),
      update_of("reg", TypeId::kLwwRegister, Verb::kSet, 0, {odd}),
      update_of("flag", TypeId::kEwFlag, Verb::kEnable, 0),
  };
  ASSERT_TRUE(client->update(updates, {}, kPatience).has_value());
  ASSERT_TRUE(client->declare("none", TypeId::kMinInt, {}, kPatience).has_value());
  const auto all = client->scan("", nullptr, 100, kPatience);
  ASSERT_TRUE(all.has_value());
  ASSERT_EQ(all->items.size(), 5U);
  EXPECT_EQ(std::get<bool>(all->items[0].value), true);
  EXPECT_EQ(std::get<std::int64_t>(all->items[1].value), -5);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(all->items[2].value));
  EXPECT_EQ(std::get<core::Bytes>(all->items[3].value), odd);
  EXPECT_EQ(std::get<std::vector<core::Bytes>>(all->items[4].value), (std::vector<core::Bytes>{"", odd, "a"}));
}

TEST(Client, CarriesTheActorOfARunningTotal) {
  const Doors doors;
  auto client = doors.client();
  auto total = update_of("c", TypeId::kGCounter, Verb::kTotal, 7);
  total.operation.actor = core::Actor::edge(3, 4);
  const std::vector<node::Update> twice = {total, total};
  ASSERT_TRUE(client->update(twice, {}, kPatience).has_value());
  const std::vector<core::Bytes> keys = {"c"};
  const auto items = client->get(keys, kPatience);
  ASSERT_TRUE(items.has_value());
  EXPECT_EQ(std::get<std::int64_t>(items->items.at(0).value), 7);
}

TEST(Client, ReportsRefusalsByTheirPlaceInTheCall) {
  const Doors doors;
  auto client = doors.client();
  auto updates = counters(40);
  updates[7].type = TypeId::kMaxInt;  // has no increment
  updates[33].operation.amount = -1;
  updates[21].key = std::string(core::kKeyBytesMax + 1, 'x');
  const auto reply = client->update(updates, {}, kPatience);
  ASSERT_TRUE(reply.has_value());
  ASSERT_EQ(reply->refused.size(), 3U);
  EXPECT_EQ(reply->refused[0].index, 7U);
  EXPECT_EQ(reply->refused[1].index, 21U);
  EXPECT_EQ(reply->refused[1].error.code, Errc::kTooLarge);
  EXPECT_EQ(reply->refused[2].index, 33U);
  EXPECT_FALSE(reply->refused[2].error.detail.empty());
  EXPECT_EQ(client->status(kPatience)->counters.at("updates"), 37U);
}

TEST(Client, TakesKeysAndValuesAtTheirBounds) {
  const Doors doors;
  auto client = doors.client();
  const std::vector<node::Update> fits = {update_of(std::string(core::kKeyBytesMax, 'k'), TypeId::kLwwRegister,
                                                    Verb::kSet, 0, {std::string(core::kValueBytesMax, 'v')})};
  const auto taken = client->update(fits, {}, kPatience);
  ASSERT_TRUE(taken.has_value()) << taken.error().message();
  EXPECT_TRUE(taken->refused.empty());
  const std::vector<node::Update> beyond = {
      update_of("k", TypeId::kLwwRegister, Verb::kSet, 0, {std::string(core::kValueBytesMax + 1, 'v')})};
  const auto refused = client->update(beyond, {}, kPatience);
  ASSERT_TRUE(refused.has_value());
  ASSERT_EQ(refused->refused.size(), 1U);
  EXPECT_EQ(refused->refused[0].error.code, Errc::kTooLarge);
}

TEST(Client, SplitsListsBeyondOneCall) {
  const Doors doors;
  auto client = doors.client();
  auto updates = counters(static_cast<int>(core::kListMax) + 10);
  updates.back().operation.amount = 0;
  const auto reply = client->update(updates, {}, kPatience);
  ASSERT_TRUE(reply.has_value()) << reply.error().message();
  ASSERT_EQ(reply->refused.size(), 1U);
  EXPECT_EQ(reply->refused[0].index, core::kListMax + 9);
}

TEST(Client, ScansInPagesWithoutGapOrRepeat) {
  const Doors doors;
  auto client = doors.client();
  ASSERT_TRUE(client->update(counters(500), {}, kPatience).has_value());
  std::vector<core::Bytes> seen;
  core::Bytes after;
  for (int page = 0; page < 500; ++page) {
    const auto part = client->scan("k1", page == 0 ? nullptr : &after, 7, kPatience);
    ASSERT_TRUE(part.has_value());
    ASSERT_LE(part->items.size(), 7U);
    for (const auto& item : part->items) seen.push_back(item.key);
    if (!part->more) break;
    after = seen.back();
  }
  EXPECT_EQ(seen.size(), 111U);  // k1, k10..k19, k100..k199
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end());
}

TEST(Client, ScansValuesThatNoSingleAnswerCouldHold) {
  const Doors doors;
  auto client = doors.client();
  const std::string large(core::kValueBytesMax, 'v');
  std::vector<core::Bytes> keys;
  for (int i = 0; i < 40; ++i) {
    keys.push_back("k" + std::to_string(i));
    const std::vector<node::Update> one = {update_of(keys.back(), TypeId::kLwwRegister, Verb::kSet, 0, {large})};
    ASSERT_TRUE(client->update(one, {}, kPatience).has_value());
  }
  const auto first = client->scan("", nullptr, 1'000, kPatience);
  ASSERT_TRUE(first.has_value()) << first.error().message();
  EXPECT_TRUE(first->more);
  EXPECT_LT(first->items.size(), 40U);
  const auto all = client->get(keys, kPatience);
  ASSERT_TRUE(all.has_value()) << all.error().message();
  EXPECT_EQ(all->items.size(), 40U);
}

TEST(Client, PipelinesTickets) {
  const Doors doors;
  auto client = doors.client();
  std::vector<std::uint64_t> tickets;
  for (int i = 0; i < 200; ++i) tickets.push_back(client->submit(counters(20), {}));
  std::reverse(tickets.begin(), tickets.end());
  for (const std::uint64_t ticket : tickets) {
    const auto reply = client->await(ticket, kPatience);
    ASSERT_TRUE(reply.has_value()) << reply.error().message();
  }
  EXPECT_EQ(client->await(tickets.front(), kPatience).error().code, Errc::kUnknown);
  EXPECT_EQ(client->status(kPatience)->counters.at("updates"), 4'000U);
}

TEST(Client, RefusesMoreOpenCallsThanTheBound) {
  const Doors doors;
  auto client = doors.client();
  std::vector<std::uint64_t> tickets;
  const Ack never{Ack::Level::kCopies, 2};
  for (std::size_t i = 0; i < rpc::kTicketsMax; ++i) tickets.push_back(client->submit(counters(1), never));
  const auto one_more = client->await(client->submit(counters(1), {}), kPatience);
  ASSERT_FALSE(one_more.has_value());
  EXPECT_EQ(one_more.error().code, Errc::kFull);
}

/// How many commands wait at the node, once it has had time to hear of cancelled ones: the first 0, or the last seen.
std::uint64_t waits_in_the_end(rpc::Client& client) {
  std::uint64_t waits = 0;
  for (int i = 0; i < 2'000; ++i) {
    const auto status = client.status(kPatience);
    if (!status) return 999;
    waits = status->counters.at("waits");
    if (waits == 0) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return waits;
}

TEST(Client, TimesOutAndCancelsWhatTheNodeWaitsFor) {
  const Doors doors;
  auto client = doors.client();
  const auto copies = client->update(counters(5), {Ack::Level::kCopies, 3}, 50 * core::kMillisecond);
  ASSERT_FALSE(copies.has_value());
  EXPECT_EQ(copies.error().code, Errc::kTimeout);
  const auto watch = client->watch("k0", 1'000, 50 * core::kMillisecond);
  ASSERT_FALSE(watch.has_value());
  EXPECT_EQ(watch.error().code, Errc::kTimeout);
  EXPECT_EQ(waits_in_the_end(*client), 0U);
}

TEST(Client, DroppedClientLeavesNoWaitBehind) {
  const Doors doors;
  {
    auto client = doors.client();
    client->submit(counters(5), {Ack::Level::kCopies, 3});
    EXPECT_GT(client->status(kPatience)->counters.at("waits"), 0U);
  }
  auto other = doors.client();
  EXPECT_EQ(waits_in_the_end(*other), 0U);
}

TEST(Client, WatchesAKeyThatDoesNotExistYet) {
  const Doors doors;
  core::Result<node::Item> seen = core::fail(Errc::kClosed, "");
  std::thread watcher([&]() { seen = doors.client()->watch("later", 3, kPatience); });
  auto client = doors.client();
  for (int i = 0; i < 3; ++i) {
    const std::vector<node::Update> one = {update_of("later", TypeId::kPnCounter, Verb::kIncrement, 1)};
    ASSERT_TRUE(client->update(one, {}, kPatience).has_value());
  }
  watcher.join();
  ASSERT_TRUE(seen.has_value()) << seen.error().message();
  EXPECT_EQ(std::get<std::int64_t>(seen->value), 3);
}

TEST(Client, RefusesDurableWithoutStorage) {
  const Doors doors;
  auto client = doors.client();
  const auto reply = client->update(counters(1), {Ack::Level::kDurable, 1}, kPatience);
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code, Errc::kRefused);
  EXPECT_NE(reply.error().message().find("storage"), std::string::npos);
  EXPECT_FALSE(client->update(counters(1), {Ack::Level::kCopies, 0}, kPatience).has_value());
}

TEST(Client, SaysThatNothingWasSentWhenNobodyListens) {
  std::string address;
  {
    const Doors doors;
    address = doors.facts().control;
  }
  const auto client = rpc::Client::connect(address, kPatience);
  ASSERT_FALSE(client.has_value());
  EXPECT_EQ(client.error().code, Errc::kUnreachable);
  EXPECT_NE(client.error().message().find(address), std::string::npos);
}

TEST(Client, SaysThatNothingWasSentWhenItIsNoNode) {
  const Doors doors;
  const auto client = rpc::Client::connect(doors.facts().http, 300 * core::kMillisecond);
  ASSERT_FALSE(client.has_value());
  EXPECT_EQ(client.error().code, Errc::kUnreachable);
}

TEST(Client, KnowsALostConnectionFromOneThatWasNeverThere) {
  Doors doors;
  auto client = doors.client();
  const std::uint64_t ticket = client->submit(counters(1), {Ack::Level::kCopies, 2});
  ASSERT_TRUE(client->status(kPatience).has_value());
  doors.stop();
  EXPECT_EQ(client->await(ticket, kPatience).error().code, Errc::kClosed);
  EXPECT_EQ(client->status(kPatience).error().code, Errc::kUnreachable);
}

TEST(Client, WaitsForARingThatIsFull) {
  const Doors doors([](testing::FakeNode& node) { node.fill_ring(40); });
  auto client = doors.client();
  const auto reply = client->update(counters(30), {}, kPatience);
  ASSERT_TRUE(reply.has_value()) << reply.error().message();
  EXPECT_TRUE(reply->refused.empty());
}

TEST(ControlDoor, SurvivesGarbageAndCountsIt) {
  const Doors doors;
  const std::uint64_t seed = 20'240;
  core::Rng rng(seed);
  SCOPED_TRACE(seed);
  constexpr int kStrangers = 60;
  for (int i = 0; i < kStrangers; ++i) {
    std::string bytes(1 + rng() % 300, '\0');
    for (char& c : bytes) c = static_cast<char>(rng());
    testing::talk(doors.facts().control, bytes);
  }
  testing::talk(doors.facts().control, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  testing::talk(doors.facts().control, "");
  auto client = doors.client();
  ASSERT_TRUE(client->update(counters(3), {}, kPatience).has_value());
  const std::string page =
      testing::talk(doors.facts().http, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", false);
  EXPECT_NE(page.find("anabranch_control_connections_garbage_total " + std::to_string(kStrangers + 2) + "\n"),
            std::string::npos)
      << page.substr(0, 2'000);
}

TEST(Client, ScansNamesWithoutTheirValues) {
  const Doors doors;
  auto client = doors.client();
  ASSERT_TRUE(client->update(counters(10), {}, kPatience).has_value());
  const auto names = client->scan("", nullptr, 100, kPatience, rpc::ScanValues::kLeaveOut);
  ASSERT_TRUE(names.has_value()) << names.error().message();
  ASSERT_EQ(names->items.size(), 10U);
  EXPECT_EQ(names->items[3].key, "k3");
  EXPECT_EQ(names->items[3].type, TypeId::kGCounter);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(names->items[3].value));
  EXPECT_FALSE(names->items[3].too_large);
}

TEST(Client, SaysThatANodeWhichDoesNotAnswerWasSentNothing) {
  auto stopped = cli::TcpListener::open({0x7f000001, 0}, "--control");  // the kernel connects, nobody reads
  ASSERT_TRUE(stopped.has_value());
  const auto client = rpc::Client::connect(core::to_string(stopped->address()), 200 * core::kMillisecond);
  ASSERT_FALSE(client.has_value());
  EXPECT_EQ(client.error().code, Errc::kUnreachable);
  EXPECT_NE(client.error().message().find("no answer from the node in time; nothing was sent"), std::string::npos)
      << client.error().message();
}

TEST(ControlDoor, TellsAClientThatItIsFull) {
  const Doors doors({}, 1);
  const auto first = doors.client();
  core::Result<std::unique_ptr<rpc::Client>> second = core::fail(Errc::kClosed, "");
  std::thread([&]() { second = rpc::Client::connect(doors.facts().control, kPatience); }).join();
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::kUnreachable);
  EXPECT_NE(second.error().message().find("limit of connections"), std::string::npos) << second.error().message();
}

TEST(ControlDoor, BoundsItsConnections) {
  constexpr int kBound = 20;
  const Doors doors({}, kBound);
  std::vector<std::thread> threads;
  std::atomic<int> open = 0;
  std::atomic<int> refused = 0;
  std::promise<void> done;
  auto waiter = done.get_future().share();
  constexpr int kMany = 34;
  for (int i = 0; i < kMany; ++i) {
    threads.emplace_back([&, waiter]() {
      const auto client = rpc::Client::connect(doors.facts().control, kPatience);
      ++(client ? open : refused);
      waiter.wait();
    });
  }
  for (int i = 0; i < 20'000 && open + refused < kMany; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  done.set_value();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(open, kBound);
  EXPECT_EQ(refused, kMany - kBound);
}

TEST(ControlDoor, LeavesTheClusterWhenToldToStop) {
  Doors doors;
  doors.stop();
  EXPECT_TRUE(doors.left());
  EXPECT_TRUE(doors.ended_well());
}

}  // namespace
}  // namespace anabranch

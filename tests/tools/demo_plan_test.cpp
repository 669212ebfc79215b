#include "tools/cli/demo_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/tools/access_log.hpp"

namespace anabranch::cli {
namespace {

bool same(const DemoPlan& a, const DemoPlan& b) {
  const auto slots = std::equal(a.slots.begin(), a.slots.end(), b.slots.begin(), b.slots.end(),
                                [](const DemoSlot& x, const DemoSlot& y) {
                                  return x.at == y.at && x.client == y.client && x.choice == y.choice;
                                });
  const auto clients = std::equal(a.clients.begin(), a.clients.end(), b.clients.begin(), b.clients.end(),
                                  [](const DemoClient& x, const DemoClient& y) {
                                    return x.name == y.name && x.home == y.home && x.offline_from == y.offline_from &&
                                           x.offline_until == y.offline_until;
                                  });
  return slots && clients && a.victim == b.victim && a.kill_at == b.kill_at && a.back_at == b.back_at;
}

TEST(DemoPlan, IsDrawnFromTheSeedAlone) {
  DemoOptions options;
  const auto once = make_plan(options), again = make_plan(options);
  ASSERT_TRUE(once.has_value() && again.has_value());
  EXPECT_TRUE(same(*once, *again));
  options.seed = 43;
  EXPECT_FALSE(same(*once, *make_plan(options)));
}

TEST(DemoPlan, HoldsWhatTheOptionsSay) {
  for (std::int64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    DemoOptions options;
    options.seed = seed;
    const auto plan = make_plan(options);
    ASSERT_TRUE(plan.has_value());
    EXPECT_EQ(plan->ads.size(), 20u);
    EXPECT_EQ(plan->ads.front(), "ad:1");
    EXPECT_EQ(plan->clients.size(), 200u);
    EXPECT_GT(plan->slots.size(), 20u * 50u);  // enough moments for every advertisement to reach its limit
    std::size_t away = 0;
    for (const DemoClient& client : plan->clients) {
      EXPECT_LT(client.home, 5u);
      EXPECT_LE(client.offline_from, client.offline_until);
      EXPECT_LT(client.offline_until, plan->length);  // back before the end
      away += client.offline_until > client.offline_from ? 1 : 0;
    }
    EXPECT_EQ(away, 60u);
    EXPECT_TRUE(std::is_sorted(plan->slots.begin(), plan->slots.end(),
                               [](const DemoSlot& a, const DemoSlot& b) { return a.at < b.at; }));
    EXPECT_LT(plan->slots.back().at, plan->length);
    EXPECT_TRUE(plan->kill);
    EXPECT_LT(plan->victim, 5u);
    EXPECT_LT(plan->kill_at, plan->back_at);
    EXPECT_LT(plan->back_at, plan->length);
  }
}

TEST(DemoPlan, BoundsHoldAtTheirEnds) {
  DemoOptions options;
  options.nodes = options.clients = options.ads = options.limit = 1;
  options.offline = 1;
  const auto least = make_plan(options);
  ASSERT_TRUE(least.has_value());
  EXPECT_FALSE(least->kill);
  EXPECT_GT(least->clients[0].offline_until, 0u);
  options = {};
  options.ads = 10'000;
  options.limit = 1'000'000'000;
  options.offline = 0;
  const auto most = make_plan(options);
  ASSERT_TRUE(most.has_value());
  EXPECT_LE(most->slots.size(), 500'000u);
  for (const DemoClient& client : most->clients) EXPECT_EQ(client.offline_until, 0u);
}

TEST(DemoPlan, ATraceKeepsItsHostsPathsAndOrder) {
  const test::ScratchDirectory scratch;
  const auto log = test::make_access_log(11, 2'000, 70, 40);
  DemoOptions options;
  options.trace = scratch.write("log.gz", test::gzip("broken\n" + log.text()));
  const auto plan = make_plan(options);
  ASSERT_TRUE(plan.has_value()) << plan.error().message();
  EXPECT_EQ(plan->limit, 0);
  EXPECT_EQ(plan->malformed, 1u);
  EXPECT_EQ(plan->complaints, std::vector<std::string>{options.trace + ":1: expected host, ident and user"});
  std::map<std::string, std::uint64_t> paths, hosts;
  for (const DemoSlot& slot : plan->slots) {
    ++paths[plan->ads[slot.choice]];
    ++hosts[plan->clients[slot.client].name];
  }
  EXPECT_EQ(paths, log.paths);
  EXPECT_EQ(hosts, log.hosts);
}

TEST(DemoPlan, ATraceThatCannotBeReadIsAnError) {
  const test::ScratchDirectory scratch;
  const auto log = test::make_access_log(12, 200, 7, 4);
  const std::string packed = test::gzip(log.text());
  DemoOptions options;
  for (const std::string& path : {scratch.file("missing"), scratch.write("empty", ""), scratch.write("bad", "x\ny\n"),
                                  scratch.write("cut.gz", packed.substr(0, packed.size() / 2))}) {
    options.trace = path;
    const auto plan = make_plan(options);
    ASSERT_FALSE(plan.has_value()) << path;
    EXPECT_NE(plan.error().message().find(path), std::string::npos) << plan.error().message();
  }
}

}  // namespace
}  // namespace anabranch::cli

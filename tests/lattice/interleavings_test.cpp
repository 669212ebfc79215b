// Every interleaving of six steps by three replicas, against what the types declare: an operation is in force as long as
// no later one has seen it. A step is one of two operations at a replica, or a replica taking over another's state.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lattice/catalog.hpp"
#include "tests/lattice/world.hpp"

namespace anabranch::lattice {
namespace {

constexpr std::size_t kReplicas = 3;
constexpr int kDepth = 6;

/// An operation that happened, and which operations its replica had seen by then (a bit each).
struct Event {
  bool first;  // the first of the two operations, or the second
  std::uint32_t saw;
};

/// What replicas know: states on one side, sets of events on the other.
struct History {
  std::array<Replica, kReplicas> replicas;
  std::array<std::uint32_t, kReplicas> known{};
  std::vector<Event> events;
};

struct Oracle {
  TypeId type;
  Operation first;
  Operation second;
  /// What a replica reads that knows `events`: `alive` are those that no known event saw, `known` all.
  std::function<Reading(const History& run, std::uint32_t known, std::uint32_t alive)> reading;
};

std::uint32_t alive_of(const History& run, std::uint32_t known) {
  std::uint32_t alive = known;
  for (std::size_t i = 0; i < run.events.size(); ++i) {
    if ((known >> i & 1U) != 0) alive &= ~run.events[i].saw;
  }
  return alive;
}

bool any(const History& run, std::uint32_t of, bool first) {
  for (std::size_t i = 0; i < run.events.size(); ++i) {
    if ((of >> i & 1U) != 0 && run.events[i].first == first) return true;
  }
  return false;
}

/// Walks every continuation of `run`; counts states checked. Stops at the first that reads otherwise than declared.
bool walk(const Oracle& oracle, const History& run, int depth, std::uint64_t& checked) {
  for (std::size_t r = 0; r < kReplicas; ++r) {
    ++checked;
    if (read(run.replicas[r].state.object) != oracle.reading(run, run.known[r], alive_of(run, run.known[r])))
      return false;
  }
  if (depth == 0) return true;
  for (std::size_t r = 0; r < kReplicas; ++r) {
    for (const bool first : {true, false}) {
      History next = run;
      if (!next.replicas[r].mutate(first ? oracle.first : oracle.second)) return false;
      next.events.push_back({first, run.known[r]});
      next.known[r] |= 1U << run.events.size();
      if (!walk(oracle, next, depth - 1, checked)) return false;
    }
    for (std::size_t from = 0; from < kReplicas; ++from) {
      if ((run.known[from] & ~run.known[r]) == 0) continue;  // nothing to take over
      History next = run;
      join(next.replicas[r].state, run.replicas[from].state);
      next.known[r] |= run.known[from];
      if (!walk(oracle, next, depth - 1, checked)) return false;
    }
  }
  return true;
}

void expect_as_declared(const Oracle& oracle) {
  History run;
  for (std::size_t r = 0; r < kReplicas; ++r) {
    run.replicas[r].origin = {r + 1, 0};
    run.replicas[r].state.object = bottom(oracle.type);
  }
  std::uint64_t checked = 0;
  EXPECT_TRUE(walk(oracle, run, kDepth, checked)) << name(oracle.type);
  std::printf("%s: %llu readings\n", std::string(name(oracle.type)).c_str(), static_cast<unsigned long long>(checked));
  EXPECT_GT(checked, 1'000'000U);
}

Operation bare(Verb verb) { return {verb, 0, {}, {}}; }
Operation with(Verb verb, core::Bytes element) { return {verb, 0, {std::move(element)}, {}}; }

TEST(AwSet, AddsWinInEveryInterleaving) {
  expect_as_declared({TypeId::kAwSet, with(Verb::kAdd, "x"), with(Verb::kRemove, "x"),
                      [](const History& run, std::uint32_t, std::uint32_t alive) {
                        return any(run, alive, true) ? Reading(std::vector<core::Bytes>{"x"})
                                                     : Reading(std::vector<core::Bytes>{});
                      }});
}

TEST(AwSet, ClearRemovesWhatItSawInEveryInterleaving) {
  expect_as_declared({TypeId::kAwSet, with(Verb::kAdd, "x"), bare(Verb::kClear),
                      [](const History& run, std::uint32_t, std::uint32_t alive) {
                        return any(run, alive, true) ? Reading(std::vector<core::Bytes>{"x"})
                                                     : Reading(std::vector<core::Bytes>{});
                      }});
}

TEST(EwFlag, EnablesWinInEveryInterleaving) {
  expect_as_declared({TypeId::kEwFlag, bare(Verb::kEnable), bare(Verb::kDisable),
                      [](const History& run, std::uint32_t, std::uint32_t alive) { return any(run, alive, true); }});
}

TEST(DwFlag, DisablesWinInEveryInterleaving) {
  expect_as_declared({TypeId::kDwFlag, bare(Verb::kEnable), bare(Verb::kDisable),
                      [](const History& run, std::uint32_t, std::uint32_t alive) {
                        return any(run, alive, true) && !any(run, alive, false);
                      }});
}

TEST(MvRegister, KeepsConcurrentWritesInEveryInterleaving) {
  expect_as_declared({TypeId::kMvRegister, with(Verb::kSet, "x"), with(Verb::kSet, "y"),
                      [](const History& run, std::uint32_t, std::uint32_t alive) {
                        std::vector<core::Bytes> values;
                        if (any(run, alive, true)) values.emplace_back("x");
                        if (any(run, alive, false)) values.emplace_back("y");
                        return Reading(values);
                      }});
}

}  // namespace
}  // namespace anabranch::lattice

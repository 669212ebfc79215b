// What will happen in a demo, all of it drawn from the seed before anything starts: who shows an advertisement when, who is
// offline when, which node is killed. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"

namespace anabranch::cli {

struct DemoOptions {
  std::int64_t nodes = 5;
  std::int64_t clients = 200;
  std::int64_t ads = 20;
  std::int64_t limit = 50;  // impressions an advertisement is paid for
  double offline = 0.3;     // share of the clients that are away for a while
  std::int64_t seed = 42;
  std::string trace;  // a web server's log instead of drawn impressions; "" for none
  std::string dump;   // directory for one NODE.tsv per node; "" for none
};

/// A moment at which a client shows an advertisement. Times count from the start of the run.
struct DemoSlot {
  core::Duration at = 0;
  std::uint32_t client = 0;
  std::uint64_t choice = 0;  // with a trace: the advertisement; else a random number to choose one that runs
};

struct DemoClient {
  std::string name;
  std::uint32_t home = 0;           // the node that it talks to
  core::Duration offline_from = 0;  // away in [offline_from, offline_until); both 0: never
  core::Duration offline_until = 0;
};

struct DemoPlan {
  std::vector<std::string> ads;  // their keys
  std::vector<DemoClient> clients;
  std::vector<DemoSlot> slots;  // sorted by time
  core::Duration length = 0;    // of the run; every client is back before its end
  std::int64_t limit = 0;       // 0: no advertisement stops
  bool kill = false;            // with one node there is nobody to hold a copy
  std::uint32_t victim = 0;
  core::Duration kill_at = 0, back_at = 0;
  std::uint64_t malformed = 0;          // lines of the trace that could not be read
  std::vector<std::string> complaints;  // the first of them: "file:line: reason"
};

/// Draws the plan, or reads the trace: its hosts are the clients, its paths the advertisements, its order is kept.
///   errors  kIo, kMalformed (a trace that cannot be read to its end, or holds no impression), kTooLarge (a longer trace)
core::Result<DemoPlan> make_plan(const DemoOptions& options);

}  // namespace anabranch::cli

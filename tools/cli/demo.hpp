// Runs a demo: real nodes, edge clients, watches, a kill, a return, and the check at the end. Called by the demo command.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "tools/cli/demo_plan.hpp"
#include "tools/cli/demo_report.hpp"

namespace anabranch::cli {

struct DemoHooks {
  std::function<bool()> interrupted;                                                // asked every few milliseconds
  std::function<void(std::uint64_t impressions, std::string_view stage)> progress;  // as often
};

/// Plays `plan` with processes of `program` and returns what was found, also when that is bad; blocks for the length of the
/// plan and a few seconds. Everything that was started has ended when it returns. Main thread, without threads of the caller.
///   errors  kIo, kTimeout, kClosed (a node does not start, ends by itself, or the nodes do not find each other),
///           kRefused (interrupted)
core::Result<DemoOutcome> run_demo(const DemoOptions& options, const DemoPlan& plan, const std::string& program,
                                   const DemoHooks& hooks);

/// Writes one NODE.tsv per node that answered: key, tab, value, sorted by the bytes of the key.
///   errors  kIo
core::Status dump_views(const std::string& directory, const std::vector<NodeView>& views);

}  // namespace anabranch::cli

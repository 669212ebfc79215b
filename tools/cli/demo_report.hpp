// What a demo found, for people and for scripts. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "tools/cli/demo_check.hpp"
#include "tools/cli/demo_plan.hpp"

namespace anabranch::cli {

struct DemoOutcome {
  std::vector<std::uint64_t> truth;  // impressions that the clients hold, by advertisement
  std::vector<bool> stopped;         // by advertisement: a node's watch has fired
  DemoCheck check;
  std::uint64_t offered_offline = 0;
  std::uint64_t clients_away = 0;  // for a while
  bool converged = false;
  core::Duration convergence = 0;  // from the last event until all nodes agreed: news of a client, or a return
  std::uint64_t divergence_max = 0;
  std::uint64_t frames = 0, bytes = 0;
  std::uint64_t batches_again = 0;            // sent to a second node, or twice
  std::uint64_t unacknowledged = 0;           // totals that two nodes never acknowledged
  core::Duration killed_at = 0, back_at = 0;  // from the start of the run
  core::Duration elapsed = 0;                 // the whole command

  [[nodiscard]] bool good() const {
    return converged && check.lost == 0 && check.double_counted == 0 && unacknowledged == 0;
  }
};

/// One JSON object on one line.
std::string demo_json(const DemoOptions& options, const DemoPlan& plan, const DemoOutcome& outcome);
/// At most 40 lines.
std::string demo_text(const DemoOptions& options, const DemoPlan& plan, const DemoOutcome& outcome);

}  // namespace anabranch::cli

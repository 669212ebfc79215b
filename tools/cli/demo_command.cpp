// `anabranch demo`: options, messages and exit code around run_demo.
#include <cstdio>

#include "tools/cli/command.hpp"
#include "tools/cli/demo.hpp"
#include "tools/cli/interrupt.hpp"
#include "tools/cli/output.hpp"
#include "tools/cli/progress.hpp"

namespace anabranch::cli {
namespace {

class Demo final : public Command {
 public:
  void declare(Options& options) override {
    options.integer("--nodes", options_.nodes, 1, 64, "N",
                    "processes to start; one is killed and comes back, if there are two");
    options.integer("--clients", options_.clients, 1, 100'000, "N", "edge clients");
    options.integer("--ads", options_.ads, 1, 10'000, "N", "advertisements");
    options.integer("--limit", options_.limit, 1, 1'000'000'000, "N", "impressions after which an advertisement stops");
    options.number("--offline", options_.offline, 0, 1, "SHARE",
                   "of the clients, 0 to 1, that are offline for part of the run");
    options.integer("--seed", options_.seed, 0, INT64_MAX, "N", "everything random is drawn from it");
    options.text(
        "--trace", options_.trace, "FILE",
        "take the impressions from a web server's log, plain or gzip: hosts are the clients, paths the keys, nothing "
        "stops; --clients, --ads and --limit have no meaning");
    options.text("--dump", options_.dump, "DIR",
                 "write what each node counts to DIR/NODE.tsv: key, tab, value, sorted");
  }

  int run(const Shared& shared) override {
    if (!options_.dump.empty())  // before the work, not after it
      if (auto writable = dump_views(options_.dump, {}); !writable) return fail_with(writable.error());
    auto plan = make_plan(options_);
    if (!plan) {
      complain(plan.error().message());
      return kFailed;
    }
    for (const std::string& complaint : plan->complaints) std::fprintf(stderr, "%s\n", complaint.c_str());
    if (plan->malformed > plan->complaints.size())
      std::fprintf(stderr, "%s: and %llu more malformed lines\n", options_.trace.c_str(),
                   static_cast<unsigned long long>(plan->malformed - plan->complaints.size()));

    Interrupt interrupt;
    core::Result<DemoOutcome> outcome = core::fail(core::Errc::kRefused, "");
    {
      Progress progress("impressions", 0);
      DemoHooks hooks;
      hooks.interrupted = [&interrupt] { return interrupt.pending(); };
      hooks.progress = [&progress](std::uint64_t impressions, std::string_view stage) {
        progress.update(impressions, stage);
      };
      outcome = run_demo(options_, *plan, shared.program, hooks);
    }
    if (!outcome) {
      complain("demo: " + outcome.error().message());
      return kFailed;
    }
    if (shared.json) {
      print_line(demo_json(options_, *plan, *outcome));
    } else {
      std::string text = demo_text(options_, *plan, *outcome);
      text.pop_back();  // print_line ends the last line
      print_line(text);
    }
    if (shared.json)
      for (const std::string& difference : outcome->check.differences) complain(difference);
    return outcome->good() ? kOk : kFailed;
  }

 private:
  DemoOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_demo() { return std::make_unique<Demo>(); }

}  // namespace anabranch::cli

#include "tools/cli/demo.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include "tools/cli/demo_clients.hpp"
#include "tools/cli/demo_cluster.hpp"
#include "tools/cli/demo_observer.hpp"
#include "tools/cli/demo_watch.hpp"
#include "tools/cli/edge_client.hpp"

namespace anabranch::cli {
namespace {

constexpr core::Duration kStep = 10 * core::kMillisecond;
constexpr core::Duration kBetweenLooks = 200 * core::kMillisecond;
// Bounds of the stages that wait for others; a stage that reaches its bound is a failure and is reported as one.
constexpr core::Duration kStartMax = 60 * core::kSecond;
constexpr core::Duration kFormMax = 30 * core::kSecond;
constexpr core::Duration kDeliverMax = 30 * core::kSecond;
constexpr core::Duration kConvergeMax = 30 * core::kSecond;

using Unexpected = tl::unexpected<core::Error>;

class DemoRun {
 public:
  DemoRun(const DemoOptions& options, const DemoPlan& plan, const std::string& program, const DemoHooks& hooks)
      : options_(options),
        plan_(plan),
        hooks_(hooks),
        nodes_(static_cast<std::size_t>(options.nodes)),
        began_(core::monotonic_now()),
        book_(nodes_),
        cluster_(program, nodes_, book_),
        board_(nodes_, plan.ads.size()),
        traffic_(nodes_) {}

  core::Result<DemoOutcome> run() {
    core::Status status = start_nodes();
    if (status) observer_ = std::make_unique<DemoObserver>(nodes_, book_);
    if (status) status = form();
    if (status) status = play();
    if (status) status = deliver();
    if (status) status = converge();
    clients_.reset();
    watches_.reset();
    sender_.reset();
    observer_.reset();
    cluster_.stop();
    if (!status) return Unexpected(status.error());
    if (!options_.dump.empty())
      if (auto dumped = dump_views(options_.dump, views_); !dumped) return Unexpected(dumped.error());
    outcome_.elapsed = core::monotonic_now() - began_;
    return std::move(outcome_);
  }

 private:
  // A short sleep, and the reasons to end early.
  core::Status step(core::Duration pause, std::string_view what) {
    std::this_thread::sleep_for(std::chrono::nanoseconds(pause));
    if (hooks_.progress) hooks_.progress(clients_ ? clients_->offered() : 0, what);
    if (hooks_.interrupted && hooks_.interrupted()) return core::fail(core::Errc::kRefused, "interrupted");
    if (auto casualty = cluster_.casualty()) return Unexpected(*casualty);
    return {};
  }

  core::Status start_nodes() {
    for (std::size_t node = 0; node < nodes_; ++node) {
      if (auto started = cluster_.start(node); !started) return started;
      if (core::monotonic_now() - began_ > kStartMax)
        return core::fail(core::Errc::kTimeout, "the nodes take too long to start");
      if (auto alive = step(0, "starting nodes"); !alive) return alive;
    }
    return {};
  }

  void look() {
    views_ = observer_->look();
    traffic_.see(views_);
    outcome_.divergence_max = std::max(outcome_.divergence_max, divergence(views_));
    looked_ = core::monotonic_now();
  }

  // Waits until every node holds every node alive.
  core::Status form() {
    const core::Instant deadline = core::monotonic_now() + kFormMax;
    while (true) {
      look();
      if (std::all_of(views_.begin(), views_.end(), [this](const NodeView& view) { return view.members >= nodes_; }))
        return {};
      if (core::monotonic_now() > deadline) {
        std::string found;
        for (const NodeView& view : views_) found += " " + std::to_string(view.members);
        return core::fail(core::Errc::kTimeout, "the nodes do not find each other; members alive, by node", found);
      }
      if (auto alive = step(kStep, "nodes find each other"); !alive) return alive;
    }
  }

  core::Status play() {
    SenderConfig config;
    config.nodes = nodes_;
    config.ack = {rpc::Ack::Level::kCopies, nodes_ > 1 ? 2U : 1U};
    sender_ = std::make_unique<EdgeSender>(config, [this](std::size_t node) -> core::Result<std::unique_ptr<NodeLink>> {
      const std::string address = book_.get(node);
      if (address.empty()) return core::fail(core::Errc::kUnreachable, "the node is away");
      return rpc_link(address);
    });
    if (plan_.limit > 0) watches_ = std::make_unique<DemoWatches>(plan_.ads, plan_.limit, nodes_, book_, board_);
    clients_ = std::make_unique<DemoClients>(plan_, board_, *sender_, nodes_);
    const core::Instant start = core::monotonic_now();
    clients_->start(start);
    while (!clients_->finished()) {
      const core::Instant now = core::monotonic_now();
      if (auto fate = kill_and_return(now - start); !fate) return fate;
      if (now - looked_ >= kBetweenLooks) look();
      if (auto alive = step(kStep, "clients show advertisements"); !alive) return alive;
    }
    return kill_and_return(UINT64_MAX, start);  // if the machine was too slow for its time to come
  }

  core::Status kill_and_return(core::Duration now, core::Instant start = 0) {
    if (!plan_.kill) return {};
    if (outcome_.killed_at == 0 && now >= plan_.kill_at) {
      look();  // the last reading of its counters
      cluster_.kill(plan_.victim);
      traffic_.restarted(plan_.victim);
      outcome_.killed_at = now == UINT64_MAX ? core::monotonic_now() - start : now;
    }
    if (outcome_.back_at == 0 && now >= plan_.back_at) {
      if (auto started = cluster_.start(plan_.victim); !started) return started;
      outcome_.back_at = now == UINT64_MAX ? core::monotonic_now() - start : now;
    }
    return {};
  }

  // Waits until two nodes hold every total.
  core::Status deliver() {
    const core::Instant deadline = core::monotonic_now() + kDeliverMax;
    while (!sender_->wait_done(core::monotonic_now() + kStep)) {
      if (core::monotonic_now() > deadline) break;  // the report says how many are missing
      if (auto alive = step(0, "clients wait for acknowledgements"); !alive) return alive;
    }
    const SenderState state = sender_->state();
    outcome_.unacknowledged = state.waiting;
    outcome_.batches_again = state.batches_again;
    outcome_.offered_offline = clients_->offered_offline();
    outcome_.truth = clients_->truth();
    refusals_ = state.complaints;
    return {};
  }

  core::Status converge() {
    const core::Instant deadline = core::monotonic_now() + kConvergeMax;
    while (true) {
      look();
      const core::Instant now = looked_;
      auto check = check_nodes(plan_.ads, outcome_.truth, views_);
      if (check.agreed || now > deadline) {
        outcome_.converged = check.agreed;
        outcome_.convergence = now - std::min(now, clients_->last_event());
        outcome_.check = std::move(check);
        for (const std::string& refusal : refusals_) outcome_.check.differences.push_back("refused: " + refusal);
        break;
      }
      if (auto alive = step(kStep, "nodes agree"); !alive) return alive;
    }
    outcome_.frames = traffic_.frames();
    outcome_.bytes = traffic_.bytes();
    for (const DemoClient& client : plan_.clients)
      if (client.offline_until > client.offline_from) ++outcome_.clients_away;
    for (std::size_t ad = 0; ad < plan_.ads.size(); ++ad) {
      bool stopped = false;
      for (std::size_t node = 0; node < nodes_; ++node) stopped = stopped || board_.stopped(node, ad);
      outcome_.stopped.push_back(stopped);
    }
    return {};
  }

  const DemoOptions& options_;
  const DemoPlan& plan_;
  const DemoHooks& hooks_;
  const std::size_t nodes_;
  const core::Instant began_;
  AddressBook book_;
  DemoCluster cluster_;
  StopBoard board_;
  TrafficMeter traffic_;
  std::vector<NodeView> views_;
  core::Instant looked_ = 0;
  std::vector<std::string> refusals_;
  DemoOutcome outcome_;
  std::unique_ptr<DemoObserver> observer_;
  std::unique_ptr<EdgeSender> sender_;
  std::unique_ptr<DemoWatches> watches_;
  std::unique_ptr<DemoClients> clients_;
};

}  // namespace

core::Result<DemoOutcome> run_demo(const DemoOptions& options, const DemoPlan& plan, const std::string& program,
                                   const DemoHooks& hooks) {
  return DemoRun(options, plan, program, hooks).run();
}

core::Status dump_views(const std::string& directory, const std::vector<NodeView>& views) {
  std::error_code code;
  std::filesystem::create_directories(directory, code);
  if (code)
    return core::fail(core::Errc::kIo, "cannot make the directory of --dump", directory + ": " + code.message());
  for (std::size_t node = 0; node < views.size(); ++node) {
    if (!views[node].answered) continue;
    const std::string path = directory + "/" + DemoCluster::name(node) + ".tsv";
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    for (const auto& [key, count] : views[node].counts) file << key << '\t' << count << '\n';
    file.close();
    if (!file) return core::fail(core::Errc::kIo, "cannot write", path + ": " + std::strerror(errno));
  }
  return {};
}

}  // namespace anabranch::cli

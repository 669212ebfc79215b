#include "tests/sim/scenario.hpp"

#include <algorithm>
#include <utility>

#include "core/hash.hpp"

namespace anabranch::sim {
namespace {

using lattice::TypeId;
using lattice::Verb;

constexpr std::uint32_t kKeysOfAType = 6;
constexpr std::uint32_t kClients = 12;
constexpr std::int64_t kWatchAt = 20;

class Scenario {
 public:
  explicit Scenario(const ScenarioConfig& config)
      : config_(config), rng_(core::Rng::stream(config.cluster.seed, "workload")), cluster_(config.cluster) {}

  Outcome run() {
    set_faults();
    start_ = cluster_.now();
    watch_everywhere();
    plan_cut();
    const core::Duration gap = config_.work_for / config_.operations;
    for (std::uint32_t i = 0; i < config_.operations && outcome_.problem.empty(); ++i) {
      cluster_.run_until(start_ + (i + 1) * gap);
      cut_or_heal();
      crash_or_restart(i);
      operate();
    }
    heal();
    settle();
    if (outcome_.problem.empty()) check();
    outcome_.trace_hash = cluster_.trace().hash();
    outcome_.datagrams = cluster_.trace().datagrams();
    return outcome_;
  }

 private:
  void set_faults() {
    net::FaultConfig& faults = cluster_.faults();
    faults.loss = config_.loss;
    faults.duplicate = config_.duplicate;
    faults.reorder = config_.reorder;
    faults.delay_min = core::kMillisecond;
    faults.delay_mean = 2 * core::kMillisecond;
  }

  void fail(std::string problem) {
    if (outcome_.problem.empty()) outcome_.problem = std::move(problem);
  }

  static std::string key_of(TypeId type, std::uint64_t number) {
    return std::string(lattice::name(type)) + ":" + std::to_string(number);
  }

  void watch_everywhere() {
    const std::string key = key_of(TypeId::kGCounter, 0);
    for (std::uint32_t node = 0; node < cluster_.size(); ++node)
      cluster_.post(node, key, node::WatchCommand{key, kWatchAt}, [this, node](const node::Reply& reply) {
        ++watch_fired_[node];
        const auto& item = std::get<node::ItemsReply>(*reply.body).items.at(0);
        if (std::get<std::int64_t>(item.value) < kWatchAt) fail("a watch fired below its threshold");
      });
  }

  void plan_cut() {
    cut_at_ = start_ + rng_.below(config_.work_for / 2);
    heal_at_ = cut_at_ + core::kSecond + rng_.below(8 * core::kSecond);
    side_ = 1 + rng_.below((std::uint64_t{1} << cluster_.size()) - 2);  // neither empty nor everybody
    one_way_ = rng_.chance(0.25);
  }

  void cut_or_heal() {
    if (!config_.partition) return;
    if (!cut_ && cluster_.now() >= cut_at_ && cluster_.now() < heal_at_) {
      cut_ = true;
      const std::uint16_t first = cluster_.address(0).port;
      cluster_.faults().partition = [side = side_, one_way = one_way_, first](core::Address from, core::Address to) {
        const bool a = ((side >> (from.port - first)) & 1) != 0;
        const bool b = ((side >> (to.port - first)) & 1) != 0;
        return one_way ? a && !b : a != b;
      };
    }
    if (cut_ && cluster_.now() >= heal_at_) heal();
  }

  void heal() {
    cluster_.faults().partition = nullptr;
    cut_ = false;
  }

  void crash_or_restart(std::uint32_t operation) {
    if (!config_.crash) return;
    if (operation == config_.operations / 3) {
      victim_ = static_cast<std::uint32_t>(rng_.below(cluster_.size()));
      cluster_.kill(victim_);
      watch_fired_.erase(victim_);
      lost_watch_ = victim_;
    }
    if (operation == 2 * config_.operations / 3) cluster_.restart(victim_);
  }

  std::uint32_t random_live_node() {
    for (;;) {
      const auto node = static_cast<std::uint32_t>(rng_.below(cluster_.size()));
      if (cluster_.alive(node)) return node;
    }
  }

  /// Posts the update; `accepted` runs when the node has joined it (or, for copies > 1, when enough nodes hold it).
  void update(TypeId type, const std::string& key, lattice::Operation operation, std::uint32_t copies = 1) {
    node::UpdateCommand command;
    command.updates.push_back({key, type, std::move(operation)});
    command.copies = copies;
    updated_.insert(key);
    post(key, std::move(command), copies);
  }

  void post(const std::string& key, node::CommandBody command, std::uint32_t copies) {
    if (copies > 1) ++open_waits_;
    cluster_.post(random_live_node(), key, std::move(command), [this, copies](const node::Reply& reply) {
      if (copies > 1) --open_waits_;
      if (!reply.body || !std::get<node::UpdateReply>(*reply.body).refused.empty()) fail("an update was refused");
    });
  }

  void operate() {
    if (config_.crash) return operate_total();
    const std::string element = std::string("e").append(std::to_string(rng_.below(8)));
    const std::uint64_t number = rng_.below(kKeysOfAType);
    const auto amount = static_cast<std::int64_t>(1 + rng_.below(9));
    const std::uint32_t copies = rng_.chance(0.1) ? 3 : 1;
    lattice::Operation op;
    op.amount = amount;
    switch (rng_.below(11)) {
      case 0: return operate_total();
      case 1:
      case 2: {
        op.verb = Verb::kIncrement;
        sums_[key_of(TypeId::kGCounter, number)] += amount;
        return update(TypeId::kGCounter, key_of(TypeId::kGCounter, number), op, copies);
      }
      case 3: {
        op.verb = rng_.chance(0.5) ? Verb::kIncrement : Verb::kDecrement;
        sums_[key_of(TypeId::kPnCounter, number)] += op.verb == Verb::kIncrement ? amount : -amount;
        return update(TypeId::kPnCounter, key_of(TypeId::kPnCounter, number), op, copies);
      }
      case 4: return operate_extremum(number);
      case 5: {
        op = {Verb::kAdd, 0, {element}, {}};
        added_[key_of(TypeId::kGSet, number)].insert(element);
        return update(TypeId::kGSet, key_of(TypeId::kGSet, number), op);
      }
      case 6:
      case 7: return operate_awset(number, element);
      case 8: {
        const TypeId type = rng_.chance(0.5) ? TypeId::kLwwRegister : TypeId::kMvRegister;
        return update(type, key_of(type, number), {Verb::kSet, 0, {element}, {}});
      }
      case 9: return declare(number, copies);
      default: {
        const TypeId type = rng_.chance(0.5) ? TypeId::kEwFlag : TypeId::kDwFlag;
        return update(type, key_of(type, number), {rng_.chance(0.5) ? Verb::kEnable : Verb::kDisable, 0, {}, {}});
      }
    }
  }

  void operate_extremum(std::uint64_t number) {
    const TypeId type = rng_.chance(0.5) ? TypeId::kMaxInt : TypeId::kMinInt;
    const std::string key = key_of(type, number);
    const std::int64_t value = static_cast<std::int64_t>(rng_.below(2'001)) - 1'000;
    const auto [best, first] = sums_.emplace(key, value);
    if (!first) best->second = type == TypeId::kMaxInt ? std::max(best->second, value) : std::min(best->second, value);
    update(type, key, {Verb::kSet, value, {}, {}});
  }

  /// A removal hits what its node has seen: an element of before it may be gone or not. One that is added again afterwards is
  /// a new one, which no earlier removal has seen; it stays.
  void operate_awset(std::uint64_t number, const std::string& element) {
    const std::string key = key_of(TypeId::kAwSet, number);
    const auto dice = rng_.below(10);
    if (dice == 9) {
      if (const auto all = added_.find(key); all != added_.end()) removed_[key] = all->second;
      return update(TypeId::kAwSet, key, {Verb::kClear, 0, {}, {}});
    }
    lattice::Operation op{dice < 6 ? Verb::kAdd : Verb::kRemove, 0, {element}, {}};
    if (op.verb == Verb::kAdd) {
      added_[key].insert(element);
      removed_[key].erase(element);
    } else {
      removed_[key].insert(element);
    }
    update(TypeId::kAwSet, key, std::move(op));
  }

  /// Of a key that others may update before or after, or that nobody ever does.
  void declare(std::uint64_t number, std::uint32_t copies) {
    const auto types = lattice::catalog();
    const TypeId type = types[rng_.below(types.size())];
    const std::string key = rng_.chance(0.5) ? key_of(type, number) : "declared-" + key_of(type, number);
    declared_[key] = type;
    post(key, node::DeclareCommand{key, type, copies}, copies);
  }

  /// An edge client's running total, which it offers until two nodes hold it: to this node now, and again after a crash.
  void operate_total() {
    const std::uint64_t client = rng_.below(kClients);
    const std::string key = std::string("total:").append(std::to_string(rng_.below(kKeysOfAType)));
    auto& total = totals_[{key, client}];
    total += static_cast<std::int64_t>(1 + rng_.below(3));
    send_total(key, client, total, random_live_node());
  }

  void send_total(const std::string& key, std::uint64_t client, std::int64_t total, std::uint32_t node) {
    node::UpdateCommand command;
    command.copies = 2;
    command.updates.push_back(
        {key,
         TypeId::kGCounter,
         {Verb::kTotal, total, {}, core::edge_actor(std::string("client-").append(std::to_string(client)))}});
    const auto offer = next_offer_++;
    offers_[offer] = {key, client, total};
    cluster_.post(node, key, std::move(command), [this, offer](const node::Reply&) { offers_.erase(offer); });
  }

  void settle() {
    const core::Instant from = cluster_.now();
    bool done = false;
    while (outcome_.problem.empty() && !done && cluster_.now() < from + config_.settle_for) {
      // Clients repeat every total that two nodes do not hold yet, to whichever node they meet.
      const auto again = offers_;
      if (config_.crash)
        for (const auto& [offer, total] : again) {
          send_total(total.key, total.client, total.total, random_live_node());
          offers_.erase(offer);
        }
      cluster_.run_until(cluster_.now() + core::kSecond);
      done = cluster_.fully_linked() && offers_.empty() && open_waits_ == 0 && cluster_.converged();
    }
    outcome_.settled_after = cluster_.now() - from;
    if (!done)
      fail(std::string("not at rest: ") + (cluster_.fully_linked() ? "" : "links missing; ") +
           (cluster_.converged() ? "" : "states differ; ") + std::to_string(offers_.size()) + " totals and " +
           std::to_string(open_waits_) + " waits open");
  }

  void check() {
    const auto reference = cluster_.items(first_live());
    for (std::uint32_t node = 0; node < cluster_.size(); ++node) {
      const auto items = cluster_.items(node);
      const bool equal = std::equal(items.begin(), items.end(), reference.begin(), reference.end(),
                                    [](const node::Item& a, const node::Item& b) {
                                      return a.key == b.key && a.type == b.type && a.value == b.value;
                                    });
      if (!equal) fail("equal fingerprints over different values");
    }
    std::map<std::string, lattice::Reading> values;
    for (const auto& item : reference) values[item.key] = item.value;
    check_declared(reference);
    check_numbers(values);
    check_sets(values);
    check_watches(values);
  }

  std::uint32_t first_live() const {
    std::uint32_t node = 0;
    while (!cluster_.alive(node)) ++node;
    return node;
  }

  void check_declared(const std::vector<node::Item>& items) {
    auto missing = declared_;
    for (const node::Item& item : items) {
      const auto declared = declared_.find(item.key);
      if (declared == declared_.end()) continue;
      missing.erase(item.key);
      if (item.type != declared->second) fail(item.key + " has another type than declared");
      if (!updated_.contains(item.key) && item.value != lattice::read(lattice::bottom(item.type)))
        fail(item.key + " is not empty, and nobody updated it");
    }
    if (!missing.empty()) fail(missing.begin()->first + " was declared and is missing");
  }

  void check_numbers(const std::map<std::string, lattice::Reading>& values) {
    auto expected = sums_;
    for (const auto& [who, total] : totals_) expected[who.first] += total;
    for (const auto& [key, number] : expected) {
      const auto found = values.find(key);
      if (found == values.end()) return fail(key + " is missing");
      const auto got = std::get<std::int64_t>(found->second);
      if (got != number) fail(key + " is " + std::to_string(got) + ", expected " + std::to_string(number));
    }
  }

  void check_sets(const std::map<std::string, lattice::Reading>& values) {
    for (const auto& [key, elements] : added_) {
      const auto& got = std::get<std::vector<core::Bytes>>(values.at(key));
      for (const core::Bytes& element : got)
        if (!elements.contains(element))
          fail(std::string(key).append(" holds ").append(element).append(", which nobody added"));
      for (const std::string& element : elements)
        if (!removed_[key].contains(element) && !std::binary_search(got.begin(), got.end(), element))
          fail(std::string(key).append(" lacks ").append(element).append(", which nobody removed since"));
    }
  }

  void check_watches(const std::map<std::string, lattice::Reading>& values) {
    const auto found = values.find(key_of(TypeId::kGCounter, 0));
    const bool due = found != values.end() && std::get<std::int64_t>(found->second) >= kWatchAt;
    for (std::uint32_t node = 0; node < cluster_.size(); ++node) {
      if (lost_watch_ == node) continue;
      if (watch_fired_[node] != (due ? 1U : 0U)) fail("a watch did not fire exactly once");
    }
  }

  struct Offer {
    std::string key;
    std::uint64_t client = 0;
    std::int64_t total = 0;
  };

  ScenarioConfig config_;
  core::Rng rng_;
  Cluster cluster_;
  Outcome outcome_;
  core::Instant start_ = 0;
  core::Instant cut_at_ = 0;
  core::Instant heal_at_ = 0;
  std::uint64_t side_ = 0;
  bool one_way_ = false;
  bool cut_ = false;
  std::uint32_t victim_ = 0;
  std::uint32_t lost_watch_ = UINT32_MAX;
  std::map<std::uint32_t, std::uint32_t> watch_fired_;
  std::map<std::string, std::int64_t> sums_;  // of counters; of extrema the best
  std::map<std::string, std::set<std::string>> added_;
  std::map<std::string, std::set<std::string>> removed_;  // since they were last added
  std::map<std::string, TypeId> declared_;
  std::set<std::string> updated_;
  std::map<std::pair<std::string, std::uint64_t>, std::int64_t> totals_;
  std::map<std::uint64_t, Offer> offers_;
  std::uint64_t next_offer_ = 1;
  int open_waits_ = 0;
};

}  // namespace

Outcome run_scenario(const ScenarioConfig& config) { return Scenario(config).run(); }

}  // namespace anabranch::sim

#include "tools/cli/demo_clients.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <optional>

#include "core/rng.hpp"

namespace anabranch::cli {
namespace {

constexpr std::size_t kThreads = 2;
constexpr core::Duration kStep = 5 * core::kMillisecond;

std::uint64_t bounded(std::uint64_t random, std::uint64_t bound) { return core::Rng(random).below(bound); }

}  // namespace

// One edge client: what it has shown, and what it knows. Belongs to one thread.
struct DemoClients::Client {
  struct Shown {
    std::uint64_t count = 0;
    std::uint64_t told = 0;  // of them the sender knows
    std::optional<EdgeTotals::Entry> entry;
  };
  std::map<std::uint32_t, Shown> shown;  // by advertisement
  std::vector<bool> known_stopped;       // as it left, while it is away
  bool away = false;
};

// Plays the slots of every kThreads-th client.
class DemoClients::Player {
 public:
  Player(DemoClients& demo, std::size_t part) : demo_(demo), part_(part) {}

  void run(core::Instant start) {
    auto slot = demo_.plan_.slots.begin();
    const auto end = demo_.plan_.slots.end();
    for (core::Duration now = 0; !demo_.stopping_.load() && now < demo_.plan_.length;) {
      const bool over = now > demo_.all_back_ && demo_.all_stopped();
      now = core::monotonic_now() - start;
      come_and_go(now);
      for (; slot != end && slot->at <= now; ++slot)
        if (slot->client % kThreads == part_) show(*slot);
      if (over) break;
      std::this_thread::sleep_for(std::chrono::nanoseconds(kStep));
    }
    if (!demo_.stopping_.load()) come_and_go(demo_.plan_.length);
    --demo_.running_;
  }

 private:
  void come_and_go(core::Duration now) {
    for (std::size_t i = part_; i < demo_.clients_.size(); i += kThreads) {
      const DemoClient& plan = demo_.plan_.clients[i];
      Client& client = demo_.clients_[i];
      const bool away = now >= plan.offline_from && now < plan.offline_until;
      if (away == client.away) continue;
      client.away = away;
      if (away) {
        client.known_stopped.resize(demo_.plan_.ads.size());
        for (std::size_t ad = 0; ad < client.known_stopped.size(); ++ad)
          client.known_stopped[ad] = demo_.board_.stopped(node_of(plan), ad);
      } else {
        client.known_stopped = {};
        for (auto& [ad, shown] : client.shown) tell(i, ad, shown);
      }
    }
  }

  // The client's own node, or the next one while that is away.
  std::size_t node_of(const DemoClient& plan) const {
    for (std::size_t step = 0; step < demo_.nodes_; ++step)
      if (demo_.sender_.up((plan.home + step) % demo_.nodes_)) return (plan.home + step) % demo_.nodes_;
    return plan.home;
  }

  void show(const DemoSlot& slot) {
    Client& client = demo_.clients_[slot.client];
    const auto ad = choose(slot, client);
    if (!ad) return;
    Client::Shown& shown = client.shown[*ad];
    ++shown.count;
    demo_.offered_.fetch_add(1, std::memory_order_relaxed);
    if (client.away) {
      demo_.offered_offline_.fetch_add(1, std::memory_order_relaxed);
    } else {
      tell(slot.client, *ad, shown);
    }
  }

  // An advertisement that runs, as far as the client knows; popular ones more often. None when all have stopped.
  std::optional<std::uint32_t> choose(const DemoSlot& slot, const Client& client) const {
    const auto ads = static_cast<std::uint32_t>(demo_.plan_.ads.size());
    if (demo_.plan_.limit == 0) return static_cast<std::uint32_t>(slot.choice);
    const std::size_t node = client.away ? 0 : node_of(demo_.plan_.clients[slot.client]);
    const auto stopped = [&](std::uint32_t ad) {
      return client.away ? bool{client.known_stopped[ad]} : demo_.board_.stopped(node, ad);
    };
    const double draw = core::Rng(slot.choice).unit() * demo_.popularity_.back();
    const auto popular = std::upper_bound(demo_.popularity_.begin(), demo_.popularity_.end() - 1, draw);
    const auto first = static_cast<std::uint32_t>(popular - demo_.popularity_.begin());
    if (!stopped(first)) return first;
    const auto from = static_cast<std::uint32_t>(bounded(slot.choice ^ 1, ads));
    for (std::uint32_t step = 0; step < ads; ++step)
      if (const std::uint32_t ad = (from + step) % ads; !stopped(ad)) return ad;
    return std::nullopt;
  }

  void tell(std::size_t client, std::uint32_t ad, Client::Shown& shown) const {
    if (shown.told == shown.count) return;
    const DemoClient& plan = demo_.plan_.clients[client];
    if (!shown.entry) shown.entry = demo_.sender_.open(plan.name, demo_.plan_.ads[ad], plan.home);
    demo_.sender_.raise(*shown.entry, shown.count);
    shown.told = shown.count;
    demo_.last_.store(core::monotonic_now(), std::memory_order_relaxed);
  }

  DemoClients& demo_;
  const std::size_t part_;
};

DemoClients::DemoClients(const DemoPlan& plan, const StopBoard& board, EdgeSender& sender, std::size_t nodes)
    : plan_(plan), board_(board), sender_(sender), nodes_(nodes), clients_(plan.clients.size()) {
  double sum = 0;
  for (std::size_t ad = 0; ad < plan.ads.size(); ++ad)
    popularity_.push_back(sum += 1 / std::sqrt(static_cast<double>(ad + 1)));
  for (const DemoClient& client : plan.clients) all_back_ = std::max(all_back_, client.offline_until);
  if (plan.kill) all_back_ = std::max(all_back_, plan.back_at);
}

bool DemoClients::all_stopped() const {
  if (plan_.limit == 0) return false;
  for (std::size_t node = 0; node < nodes_; ++node)
    for (std::size_t ad = 0; ad < plan_.ads.size(); ++ad)
      if (!board_.stopped(node, ad)) return false;
  return true;
}

DemoClients::~DemoClients() {
  stopping_.store(true);
  for (std::thread& thread : threads_) thread.join();
}

void DemoClients::start(core::Instant start) {
  running_.store(kThreads);
  started_ = start;
  last_.store(start);
  for (std::size_t part = 0; part < kThreads; ++part)
    threads_.emplace_back([this, part, start] { Player(*this, part).run(start); });
}

std::vector<std::uint64_t> DemoClients::truth() const {
  std::vector<std::uint64_t> sums(plan_.ads.size());
  for (const Client& client : clients_)
    for (const auto& [ad, shown] : client.shown) sums[ad] += shown.count;
  return sums;
}

}  // namespace anabranch::cli

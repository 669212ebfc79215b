#include "tools/sim/cluster.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "core/check.hpp"
#include "core/hash.hpp"

namespace anabranch::sim {
namespace {

constexpr int kPassesPerInstant = 10'000;              // more means that two machines keep each other busy: a livelock
constexpr std::uint64_t kEpochMs = 1'700'000'000'000;  // the Unix time at virtual time zero

core::Address address_of(std::uint32_t node) { return {0x7F000001, static_cast<std::uint16_t>(20'000 + node)}; }

}  // namespace

struct Cluster::SimNode {
  explicit SimNode(std::uint32_t shards) : mesh(shards), mailboxes(shards) {}

  node::ShardMesh mesh;
  std::vector<node::Mailbox> mailboxes;
  core::Waker reply_waker;
  std::vector<std::unique_ptr<net::Port>> ports;
  std::vector<std::unique_ptr<node::Pump>> pumps;
  std::map<std::uint64_t, OnReply> waiting;
};

Cluster::Cluster(const ClusterConfig& config)
    : config_(config), ids_(core::Rng::stream(config.seed, "node-ids")), nodes_(config.nodes) {
  for (std::uint32_t i = 0; i < config_.nodes; ++i)
    start(i, i == 0 ? std::vector<core::Address>{} : std::vector{address_of(0)});
}

Cluster::~Cluster() = default;

core::Address Cluster::address(std::uint32_t node) const { return address_of(node); }

void Cluster::start(std::uint32_t index, const std::vector<core::Address>& join) {
  auto sim = std::make_unique<SimNode>(config_.shards);
  auto faulty = net::make_fault_port(make_trace_port(network_.open(address_of(index)), &trace_), &faults_,
                                     core::Rng::stream(config_.seed, "faults", starts_++));
  sim->ports.push_back(std::move(faulty));
  for (std::uint32_t shard = 1; shard < config_.shards; ++shard)
    sim->ports.push_back(make_send_only_port(sim->ports[0].get()));
  const core::NodeId id = ids_() | 1;
  for (std::uint32_t shard = 0; shard < config_.shards; ++shard) {
    node::Pump::Config pump;
    pump.shard = static_cast<core::ShardId>(shard);
    pump.partitions = config_.partitions;
    pump.cluster = net::cluster_hash("simulated");
    pump.self = {id, 0};
    pump.name = std::string("n").append(std::to_string(index));
    pump.listen = address_of(index);
    pump.join = join;
    pump.seed = id + shard;
    pump.log_bytes_max = config_.log_bytes_max;
    pump.wall_ms = [](core::Instant now) { return kEpochMs + now / core::kMillisecond; };
    sim->pumps.push_back(std::make_unique<node::Pump>(std::move(pump), *sim->ports[shard], sim->mesh,
                                                      sim->mailboxes[shard], sim->reply_waker));
  }
  nodes_[index] = std::move(sim);
}

void Cluster::kill(std::uint32_t node) {
  SimNode& sim = *nodes_[node];
  sim.pumps.clear();
  while (!sim.ports.empty()) sim.ports.pop_back();  // the shared one is the first and goes last
  nodes_[node].reset();
}

void Cluster::restart(std::uint32_t node) {
  CHECK(!alive(node), node);
  std::vector<core::Address> join;
  for (std::uint32_t i = 0; i < config_.nodes; ++i)
    if (i != node) join.push_back(address_of(i));
  start(node, join);
}

bool Cluster::alive(std::uint32_t node) const { return nodes_[node] != nullptr; }

std::uint64_t Cluster::post(std::uint32_t node, core::BytesView key, node::CommandBody body, OnReply on_reply) {
  SimNode& sim = *nodes_[node];
  const std::uint64_t id = next_command_++;
  const auto shard = core::partition_of(key, config_.partitions) % config_.shards;
  if (on_reply) sim.waiting.emplace(id, std::move(on_reply));
  const bool posted = sim.mailboxes[shard].commands.push({id, std::move(body)});
  CHECK(posted);  // the workload posts fewer commands an instant than a mailbox holds
  return id;
}

void Cluster::deliver_replies(SimNode& sim) {
  for (auto& mailbox : sim.mailboxes) {
    node::Reply reply;
    while (mailbox.replies.pop(reply)) {
      const auto waiting = sim.waiting.find(reply.id);
      if (waiting == sim.waiting.end()) continue;
      const OnReply on_reply = std::move(waiting->second);
      sim.waiting.erase(waiting);
      on_reply(reply);
    }
  }
}

void Cluster::settle() {
  for (int pass = 0; pass < kPassesPerInstant; ++pass) {
    bool worked = false;
    for (auto& sim : nodes_) {
      if (sim == nullptr) continue;
      for (auto& pump : sim->pumps) worked |= pump->poll(now_);
      deliver_replies(*sim);
    }
    if (!worked) return;
  }
  CHECK(false, "the nodes do not come to rest at instant", now_);
}

core::Instant Cluster::next_event() const {
  core::Instant next = core::kNever;
  for (const auto& sim : nodes_) {
    if (sim == nullptr) continue;
    for (const auto& pump : sim->pumps) next = std::min(next, pump->next_deadline());
  }
  return next;
}

void Cluster::run_until(core::Instant until) {
  for (;;) {
    settle();
    const core::Instant next = next_event();
    if (next > until) break;
    // A deadline that is due and stays due would stop time: let it move by at least a microsecond.
    now_ = std::max(next, now_ + core::kMicrosecond);
  }
  now_ = std::max(now_, until);
}

bool Cluster::converged() const {
  for (std::uint32_t partition = 0; partition < config_.partitions; ++partition) {
    const delta::Replica* first = nullptr;
    for (const auto& sim : nodes_) {
      if (sim == nullptr) continue;
      const auto& replica = *sim->pumps[partition % config_.shards]->replicas()[partition];
      if (first == nullptr) first = &replica;
      if (replica.pending() || replica.vector() != first->vector() || replica.fingerprint() != first->fingerprint())
        return false;
    }
  }
  return true;
}

bool Cluster::fully_linked() const {
  std::size_t live = 0;
  for (const auto& sim : nodes_) live += sim != nullptr ? 1 : 0;
  for (const auto& sim : nodes_) {
    if (sim == nullptr) continue;
    for (const auto& pump : sim->pumps)
      if (pump->peers() + 1 != live) return false;
  }
  return true;
}

std::vector<node::Item> Cluster::items(std::uint32_t node) const {
  std::vector<std::pair<core::BytesView, const lattice::Object*>> found;
  for (const auto& pump : nodes_[node]->pumps)
    for (const auto& replica : pump->replicas())
      if (replica != nullptr) replica->scan("", found);
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<node::Item> items;
  items.reserve(found.size());
  for (const auto& [key, object] : found)
    items.push_back({core::Bytes(key), lattice::type_of(*object), lattice::read(*object)});
  return items;
}

}  // namespace anabranch::sim

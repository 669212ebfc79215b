// Nodes for tests of edge clients: maps joined by max, with the faults that a seed draws. Safe from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/rng.hpp"
#include "tools/cli/edge_client.hpp"

namespace anabranch::test {

struct Faults {
  double no_connection = 0;  // connect() is refused
  double lost_before = 0;    // the connection breaks, nothing was applied
  double lost_after = 0;     // the batch was applied, the acknowledgement is lost
  double full = 0;           // the whole batch is put off
  double item_full = 0;      // one update of the batch is put off
};

class FakeCluster {
 public:
  FakeCluster(std::size_t nodes, std::uint64_t seed, Faults faults)
      : rng_(core::Rng::stream(seed, "test/fake_cluster")), faults_(faults), away_(nodes, false), batches_(nodes, 0) {}

  cli::LinkFactory links() {
    return [this](std::size_t node) -> core::Result<std::unique_ptr<cli::NodeLink>> {
      const std::lock_guard lock(mutex_);
      if (away_[node] || rng_.chance(faults_.no_connection)) return core::fail(core::Errc::kUnreachable, "refused");
      return std::unique_ptr<cli::NodeLink>(std::make_unique<Link>(*this, node));
    };
  }

  void set_away(std::size_t node, bool away) {
    const std::lock_guard lock(mutex_);
    away_[node] = away;
  }
  /// Updates of this key are refused for good.
  void refuse(const std::string& key) { refused_.insert(key); }

  /// The value of every key, as a node that has joined everything counts it.
  std::map<std::string, std::uint64_t> counts() const {
    const std::lock_guard lock(mutex_);
    std::map<std::string, std::uint64_t> sums;
    for (const auto& [entry, total] : totals_) sums[entry.first] += total;
    return sums;
  }
  std::uint64_t batches(std::size_t node) const {
    const std::lock_guard lock(mutex_);
    return batches_[node];
  }

 private:
  class Link final : public cli::NodeLink {
   public:
    Link(FakeCluster& cluster, std::size_t node) : cluster_(cluster), node_(node) {}
    std::uint64_t submit(std::span<const node::Update> updates, rpc::Ack) override {
      open_[++last_] = {updates.begin(), updates.end()};
      return last_;
    }
    core::Result<node::UpdateReply> await(std::uint64_t ticket, core::Duration) override {
      auto updates = std::move(open_[ticket]);
      open_.erase(ticket);
      return cluster_.apply(node_, updates);
    }

   private:
    FakeCluster& cluster_;
    std::size_t node_;
    std::uint64_t last_ = 0;
    std::map<std::uint64_t, std::vector<node::Update>> open_;
  };

  core::Result<node::UpdateReply> apply(std::size_t node, const std::vector<node::Update>& updates) {
    const std::lock_guard lock(mutex_);
    if (away_[node] || rng_.chance(faults_.lost_before)) return core::fail(core::Errc::kClosed, "lost before");
    if (rng_.chance(faults_.full)) return core::fail(core::Errc::kFull, "full");
    node::UpdateReply reply;
    const bool drop_one = rng_.chance(faults_.item_full);
    const std::uint64_t dropped = rng_.below(updates.size());
    for (std::size_t i = 0; i < updates.size(); ++i) {
      const node::Update& update = updates[i];
      if (refused_.contains(update.key)) {
        reply.refused.push_back({static_cast<std::uint32_t>(i), {core::Errc::kTypeMismatch, "another type", {}}});
      } else if (drop_one && i == dropped) {
        reply.refused.push_back({static_cast<std::uint32_t>(i), {core::Errc::kFull, "no room", {}}});
      } else {
        auto& total = totals_[{update.key, update.operation.actor}];
        total = std::max(total, static_cast<std::uint64_t>(update.operation.amount));
      }
    }
    ++batches_[node];
    if (rng_.chance(faults_.lost_after)) return core::fail(core::Errc::kClosed, "lost after");
    return reply;
  }

  mutable std::mutex mutex_;
  core::Rng rng_;
  const Faults faults_;
  std::vector<bool> away_;
  std::vector<std::uint64_t> batches_;
  std::set<std::string> refused_;
  std::map<std::pair<std::string, core::Actor>, std::uint64_t> totals_;
};

}  // namespace anabranch::test

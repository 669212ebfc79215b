#include "net/fault_port.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/check.hpp"

namespace anabranch::net {
namespace {

constexpr std::size_t kBatch = 64;  // datagrams given to the inner port at once

/// What the generator decides about one copy of a datagram: always the same number of draws.
struct Fate {
  double reorder, reorder_share, delay, flip, truncate;
  std::uint64_t flip_at, truncate_at;

  explicit Fate(core::Rng& rng)
      : reorder(rng.unit()),
        reorder_share(rng.unit()),
        delay(rng.unit()),
        flip(rng.unit()),
        truncate(rng.unit()),
        flip_at(rng()),
        truncate_at(rng()) {}
};

core::Duration scaled(double factor, core::Duration duration) {
  return static_cast<core::Duration>(factor * static_cast<double>(duration));
}

class FaultPort final : public Port {
 public:
  FaultPort(std::unique_ptr<Port> inner, FaultConfig* config, core::Rng rng)
      : inner_(std::move(inner)), config_(config), rng_(rng), name_("fault(" + std::string(inner_->name()) + ")") {}

  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] core::Address local() const override { return inner_->local(); }
  [[nodiscard]] int wait_fd() const override { return inner_->wait_fd(); }
  [[nodiscard]] PortStats stats() const override { return inner_->stats(); }
  [[nodiscard]] core::Instant next_deadline() const override {
    const core::Instant due = held_.empty() ? core::kNever : held_.begin()->first.first;
    return std::min(due, inner_->next_deadline());
  }

  std::size_t receive(std::span<Received> burst, core::Instant now) override {
    release(now);
    return inner_->receive(burst, now);
  }

  std::size_t send(std::span<const Outgoing> burst, core::Instant now) override {
    for (const auto& datagram : burst) decide(datagram, now);
    release(now);
    return burst.size();
  }

 private:
  struct Held {
    core::Address to;
    core::Bytes bytes;
  };

  void decide(const Outgoing& datagram, core::Instant now) {
    FaultCounts& counts = config_->counts;
    ++counts.offered;
    const bool lost = rng_.chance(config_->loss);
    const bool twice = rng_.chance(config_->duplicate);
    const Fate first(rng_);
    const Fate second(rng_);
    if (config_->partition && config_->partition(local(), datagram.to)) {
      ++counts.cut;
      return;
    }
    if (lost) {
      ++counts.lost;
      return;
    }
    hold(datagram, first, now);
    if (!twice) return;
    ++counts.duplicated;
    hold(datagram, second, now);
  }

  void hold(const Outgoing& datagram, const Fate& fate, core::Instant now) {
    FaultCounts& counts = config_->counts;
    if (held_.size() >= config_->held_max) {
      ++counts.overflowed;
      return;
    }
    core::Bytes bytes(datagram.bytes);
    if (fate.flip < config_->flip && !bytes.empty()) {
      ++counts.flipped;
      const std::uint64_t bit = fate.flip_at % (bytes.size() * 8);
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    }
    if (fate.truncate < config_->truncate && !bytes.empty()) {
      ++counts.truncated;
      bytes.resize(fate.truncate_at % bytes.size());
    }
    core::Instant due = now + config_->delay_min + scaled(-std::log1p(-fate.delay), config_->delay_mean);
    if (fate.reorder < config_->reorder) {
      ++counts.reordered;
      due += scaled(fate.reorder_share, config_->reorder_delay);
    }
    held_.emplace(std::pair(due, next_++), Held{datagram.to, std::move(bytes)});
  }

  /// Gives the inner port what is due, by time and then in the order of sending. What it does not take stays.
  void release(core::Instant now) {
    while (!held_.empty() && held_.begin()->first.first <= now) {
      batch_.clear();
      for (auto it = held_.begin(); it != held_.end() && it->first.first <= now && batch_.size() < kBatch; ++it)
        batch_.push_back({it->second.to, it->second.bytes});
      const std::size_t taken = inner_->send(batch_, now);
      held_.erase(held_.begin(), std::next(held_.begin(), static_cast<std::ptrdiff_t>(taken)));
      if (taken < batch_.size()) return;
    }
  }

  std::unique_ptr<Port> inner_;
  FaultConfig* config_;
  core::Rng rng_;
  std::string name_;
  std::map<std::pair<core::Instant, std::uint64_t>, Held> held_;  // by due time, then by order of sending
  std::uint64_t next_ = 0;
  std::vector<Outgoing> batch_;
};

}  // namespace

std::unique_ptr<Port> make_fault_port(std::unique_ptr<Port> inner, FaultConfig* config, core::Rng rng) {
  CHECK(inner != nullptr);
  CHECK(config != nullptr);
  return std::make_unique<FaultPort>(std::move(inner), config, rng);
}

}  // namespace anabranch::net

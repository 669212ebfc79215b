#include "net/loopback.hpp"

#include <algorithm>
#include <deque>
#include <vector>

#include "core/check.hpp"

namespace anabranch::net {
namespace {

constexpr std::uint16_t kFirstFreePort = 49'152;  // RFC 6335: dynamic ports
constexpr std::size_t kBatch = 64;                // datagrams of one receive()

struct Waiting {
  core::Address from;
  core::Bytes bytes;
};

}  // namespace

class LoopbackPort final : public Port {
 public:
  LoopbackPort(LoopbackNetwork& network, core::Address local) : network_(network), local_(local) {}
  ~LoopbackPort() override { network_.ports_.erase(local_); }

  [[nodiscard]] std::string_view name() const override { return "loopback"; }
  [[nodiscard]] core::Address local() const override { return local_; }
  [[nodiscard]] PortStats stats() const override { return stats_; }
  [[nodiscard]] core::Instant next_deadline() const override { return inbox_.empty() ? core::kNever : 0; }

  std::size_t receive(std::span<Received> burst, core::Instant) override {
    lent_.clear();
    const std::size_t count = std::min({burst.size(), kBatch, inbox_.size()});
    for (std::size_t i = 0; i < count; ++i) {
      lent_.push_back(std::move(inbox_.front()));
      inbox_.pop_front();
    }
    for (std::size_t i = 0; i < count; ++i) {
      burst[i] = {lent_[i].from, lent_[i].bytes};
      stats_.rx_bytes += lent_[i].bytes.size();
    }
    stats_.rx_datagrams += count;
    return count;
  }

  std::size_t send(std::span<const Outgoing> burst, core::Instant) override {
    for (const auto& datagram : burst) {
      if (datagram.bytes.size() > core::kDatagramBytes) {
        ++stats_.tx_dropped;
        continue;
      }
      ++stats_.tx_datagrams;
      stats_.tx_bytes += datagram.bytes.size();
      const auto peer = network_.ports_.find(datagram.to);
      if (peer != network_.ports_.end()) peer->second->deliver(local_, datagram.bytes);
    }
    return burst.size();
  }

 private:
  void deliver(core::Address from, core::BytesView bytes) {
    if (inbox_.size() >= network_.inbox_max_) {
      ++stats_.rx_errors;
      return;
    }
    inbox_.push_back({from, core::Bytes(bytes)});
  }

  LoopbackNetwork& network_;
  core::Address local_;
  std::deque<Waiting> inbox_;
  std::vector<Waiting> lent_;  // what the last receive() gave out
  PortStats stats_;
};

LoopbackNetwork::~LoopbackNetwork() { CHECK(ports_.empty(), ports_.size()); }

std::unique_ptr<Port> LoopbackNetwork::open(core::Address address) {
  if (address.port == 0) {
    address.port = kFirstFreePort;
    while (ports_.contains(address) && address.port != 0) ++address.port;
  }
  CHECK(address.port != 0, "no free port");
  CHECK(!ports_.contains(address), core::to_string(address));
  auto port = std::make_unique<LoopbackPort>(*this, address);
  ports_[address] = port.get();
  return port;
}

}  // namespace anabranch::net

#include "tools/sim/ports.hpp"

#include <utility>

#include "core/hash.hpp"

namespace anabranch::sim {
namespace {

class TracePort final : public net::Port {
 public:
  TracePort(std::unique_ptr<net::Port> inner, Trace* trace) : inner_(std::move(inner)), trace_(trace) {}
  [[nodiscard]] std::string_view name() const override { return "trace"; }
  [[nodiscard]] core::Address local() const override { return inner_->local(); }
  std::size_t receive(std::span<net::Received> burst, core::Instant now) override {
    return inner_->receive(burst, now);
  }
  std::size_t send(std::span<const net::Outgoing> burst, core::Instant now) override {
    const std::size_t taken = inner_->send(burst, now);
    for (const net::Outgoing& out : burst.first(taken)) trace_->record(now, local(), out.to, out.bytes);
    return taken;
  }
  [[nodiscard]] int wait_fd() const override { return inner_->wait_fd(); }
  [[nodiscard]] core::Instant next_deadline() const override { return inner_->next_deadline(); }
  [[nodiscard]] net::PortStats stats() const override { return inner_->stats(); }

 private:
  std::unique_ptr<net::Port> inner_;
  Trace* trace_;
};

class SendOnlyPort final : public net::Port {
 public:
  explicit SendOnlyPort(net::Port* shared) : shared_(shared) {}
  [[nodiscard]] std::string_view name() const override { return "send-only"; }
  [[nodiscard]] core::Address local() const override { return shared_->local(); }
  std::size_t receive(std::span<net::Received>, core::Instant) override { return 0; }
  std::size_t send(std::span<const net::Outgoing> burst, core::Instant now) override {
    return shared_->send(burst, now);
  }
  [[nodiscard]] net::PortStats stats() const override { return {}; }

 private:
  net::Port* shared_;
};

}  // namespace

void Trace::record(core::Instant now, core::Address from, core::Address to, core::BytesView bytes) {
  const std::uint64_t ends[] = {hash_, now, from.ip, from.port, to.ip, to.port};
  hash_ = core::hash64({reinterpret_cast<const char*>(ends), sizeof ends}, core::hash64(bytes));
  ++datagrams_;
}

std::unique_ptr<net::Port> make_trace_port(std::unique_ptr<net::Port> inner, Trace* trace) {
  return std::make_unique<TracePort>(std::move(inner), trace);
}

std::unique_ptr<net::Port> make_send_only_port(net::Port* shared) { return std::make_unique<SendOnlyPort>(shared); }

}  // namespace anabranch::sim

// A fake node behind real doors: the control loop runs on a thread of its own, with ports that the kernel chose.
#pragma once

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <future>
#include <memory>
#include <string>
#include <thread>

#include "tests/tools/fake_node.hpp"
#include "tools/cli/control_loop.hpp"
#include "tools/rpc/client.hpp"

namespace anabranch::testing {

inline constexpr core::Duration kPatience = 20 * core::kSecond;

class Doors {
 public:
  explicit Doors(std::function<void(FakeNode&)> prepare = {}, std::size_t connections = 4'096)
      : stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    std::promise<rpc::Facts> ready;
    auto facts = ready.get_future();
    thread_ = std::thread([this, prepare = std::move(prepare), connections, &ready]() {
      node::NodeConfig config;
      config.name = "fake";
      config.shards = 3;
      FakeNode node(config);
      if (prepare) prepare(node);
      auto control = cli::TcpListener::open({0x7f000001, 0}, "--control");
      auto http = cli::TcpListener::open({0x7f000001, 0}, "--http");
      if (!control || !http) return ready.set_value({});
      cli::ControlConfig loop{std::move(*control), std::move(*http), stop_, "9.9"};
      loop.control_connections = connections;
      loop.on_ready = [&ready](const rpc::Facts& one) { ready.set_value(one); };
      ended_ = cli::run_control(node, std::move(loop));
      left_ = node.left();
    });
    facts_ = facts.get();
  }
  Doors(const Doors&) = delete;
  Doors& operator=(const Doors&) = delete;
  ~Doors() {
    stop();
    close(stop_);
  }

  /// Leaves and stops; afterwards the results below hold.
  void stop() {
    if (!thread_.joinable()) return;
    const std::uint64_t one = 1;
    EXPECT_EQ(write(stop_, &one, sizeof one), static_cast<ssize_t>(sizeof one));
    thread_.join();
  }

  [[nodiscard]] const rpc::Facts& facts() const { return facts_; }
  [[nodiscard]] std::unique_ptr<rpc::Client> client() const {
    auto client = rpc::Client::connect(facts_.control, kPatience);
    EXPECT_TRUE(client.has_value()) << (client ? "" : client.error().message());
    return client ? std::move(*client) : nullptr;
  }
  [[nodiscard]] bool left() const { return left_; }
  [[nodiscard]] bool ended_well() const { return ended_.has_value(); }

 private:
  int stop_ = -1;
  std::thread thread_;
  rpc::Facts facts_;
  core::Status ended_;
  bool left_ = false;
};

/// One key, one operation.
inline node::Update update_of(std::string key, lattice::TypeId type, lattice::Verb verb, std::int64_t amount,
                              std::vector<core::Bytes> elements = {}) {
  node::Update update{std::move(key), type, {}};
  update.operation.verb = verb;
  update.operation.amount = amount;
  update.operation.elements = std::move(elements);
  return update;
}

/// Sends raw bytes to "HOST:PORT" and returns what comes back until the other side closes.
std::string talk(const std::string& host_port, const std::string& bytes, bool close_after = true);

}  // namespace anabranch::testing

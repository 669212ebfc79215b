#include "tools/cli/demo_watch.hpp"

#include <algorithm>
#include <chrono>
#include <memory>

#include "tools/rpc/client.hpp"

namespace anabranch::cli {
namespace {

// A watch that has a thread for itself waits this long at a time, so that the thread can be stopped; one of several waits less.
constexpr core::Duration kPatience = 500 * core::kMillisecond;
constexpr core::Duration kTurn = 10 * core::kMillisecond;

}  // namespace

DemoWatches::DemoWatches(const std::vector<std::string>& ads, std::int64_t limit, std::size_t nodes,
                         const AddressBook& book, StopBoard& board)
    : ads_(ads), limit_(limit), book_(book), board_(board) {
  const std::size_t parts = std::clamp<std::size_t>(kThreadsMax / nodes, 1, ads.size());
  for (std::size_t node = 0; node < nodes; ++node)
    for (std::size_t part = 0; part < parts; ++part)
      threads_.emplace_back([this, node, part, parts] { watch(node, part, parts); });
}

DemoWatches::~DemoWatches() {
  stopping_.store(true);
  for (std::thread& thread : threads_) thread.join();
}

void DemoWatches::watch(std::size_t node, std::size_t part, std::size_t parts) {
  std::vector<std::size_t> open;
  for (std::size_t ad = part; ad < ads_.size(); ad += parts) open.push_back(ad);
  std::unique_ptr<rpc::Client> client;
  std::size_t turn = 0;
  while (!stopping_.load() && !open.empty()) {
    if (!client) {
      const std::string address = book_.get(node);
      core::Result<std::unique_ptr<rpc::Client>> connected = core::fail(core::Errc::kUnreachable, "the node is away");
      if (!address.empty()) connected = rpc::Client::connect(address, core::kSecond);
      if (!connected) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        continue;
      }
      client = std::move(*connected);
    }
    turn = (turn + 1) % open.size();
    const auto reached = client->watch(ads_[open[turn]], limit_, open.size() == 1 ? kPatience : kTurn);
    if (reached) {
      board_.stop(node, open[turn]);
      fired_.fetch_add(1);
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(turn));
    } else if (reached.error().code != core::Errc::kTimeout) {
      client.reset();  // the node is gone; the watch is set again when it is back
    }
  }
}

}  // namespace anabranch::cli

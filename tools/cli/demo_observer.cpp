#include "tools/cli/demo_observer.hpp"

#include <algorithm>
#include <chrono>

#include "tools/cli/output.hpp"

namespace anabranch::cli {
namespace {

constexpr core::Duration kAnswerTimeout = core::kSecond;

std::uint64_t counter(const rpc::Status& status, const std::string& name) {
  const auto found = status.counters.find(name);
  return found == status.counters.end() ? 0 : found->second;
}

}  // namespace

std::uint64_t NodeView::total() const {
  std::uint64_t sum = 0;
  for (const auto& [key, count] : counts) sum += count;
  return sum;
}

core::Result<NodeView> view_node(rpc::Client& client) {
  NodeView view;
  core::Bytes after;
  for (bool first = true, more = true; more; first = false) {
    auto page = client.scan("", first ? nullptr : &after, rpc::kScanMax, kAnswerTimeout);
    if (!page) return tl::unexpected<core::Error>(page.error());
    for (const node::Item& item : page->items) {
      if (const auto* const count = std::get_if<std::int64_t>(&item.value))
        view.counts[item.key] = static_cast<std::uint64_t>(*count);
      view.text += json_of(item);
      view.text += '\n';
    }
    more = page->more && !page->items.empty();
    if (more) after = page->items.back().key;
  }
  const auto status = client.status(kAnswerTimeout);
  if (!status) return tl::unexpected<core::Error>(status.error());
  view.frames = counter(*status, "frames_sent");
  view.bytes = counter(*status, "bytes_sent");
  for (const auto& [state, count] : status->members)
    if (state == "self" || state == "alive") view.members += count;
  view.answered = true;
  return view;
}

DemoObserver::DemoObserver(std::size_t nodes, const AddressBook& book) : book_(book), views_(nodes) {
  threads_.reserve(nodes);
  for (std::size_t node = 0; node < nodes; ++node) threads_.emplace_back([this, node] { watch(node); });
}

DemoObserver::~DemoObserver() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  asked_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void DemoObserver::watch(std::size_t node) {
  std::unique_ptr<rpc::Client> client;
  std::string address;
  std::uint64_t seen = 0;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      asked_.wait(lock, [&] { return stopping_ || round_ != seen; });
      if (stopping_) return;
      seen = round_;
    }
    NodeView view;
    if (const std::string now = book_.get(node); now != address || !client) {
      client.reset();
      address = now;
      if (!address.empty())
        if (auto connected = rpc::Client::connect(address, kAnswerTimeout)) client = std::move(*connected);
    }
    if (client) {
      if (auto answer = view_node(*client)) {
        view = std::move(*answer);
      } else {
        client.reset();
      }
    }
    const std::lock_guard lock(mutex_);
    if (seen != round_) continue;  // too late: the next round has begun
    views_[node] = std::move(view);
    --missing_;
    answered_.notify_all();
  }
}

std::vector<NodeView> DemoObserver::look() {
  std::unique_lock lock(mutex_);
  ++round_;
  missing_ = views_.size();
  for (NodeView& view : views_) view = {};
  asked_.notify_all();
  answered_.wait_for(lock, std::chrono::nanoseconds(2 * kAnswerTimeout), [this] { return missing_ == 0; });
  return views_;
}

}  // namespace anabranch::cli

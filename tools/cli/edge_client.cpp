#include "tools/cli/edge_client.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <utility>

#include "core/check.hpp"

namespace anabranch::cli {
namespace {

std::chrono::nanoseconds nanoseconds(core::Duration duration) {
  return std::chrono::nanoseconds(static_cast<std::chrono::nanoseconds::rep>(duration));
}

// A node that says so now may say otherwise later; every other refusal is for good.
bool passing(core::Errc code) {
  switch (code) {
    case core::Errc::kFull:
    case core::Errc::kTimeout:
    case core::Errc::kUnreachable:
    case core::Errc::kStale:
    case core::Errc::kClosed:
    case core::Errc::kIo: return true;
    default: return false;
  }
}

}  // namespace

// One node's thread: connects, keeps up to `window` batches in flight, gives back what was lost.
class EdgeSender::Worker {
 public:
  Worker(EdgeSender& sender, std::size_t node) : sender_(sender), node_(node) {}

  void run() {
    core::Duration backoff = sender_.config_.backoff_min;
    while (!stopping()) {
      auto link = sender_.links_(node_);
      if (!link) {
        note_error(link.error());
        pause(backoff);
        backoff = std::min(backoff * 2, sender_.config_.backoff_max);
        continue;
      }
      set_up(true);
      if (drive(**link)) backoff = sender_.config_.backoff_min;
      link->reset();  // what was in flight is cancelled at the node before it is sent elsewhere
      give_back_all();
      set_up(false);
      pause(backoff);
    }
  }

 private:
  // Until the link fails or the sender stops; true if anything was acknowledged.
  bool drive(NodeLink& link) {
    bool useful = false;
    while (true) {
      EdgeBatch batch;
      if (!next(batch)) return useful;
      if (!batch.entries.empty()) {
        const std::uint64_t ticket = link.submit(batch.updates, sender_.config_.ack);
        batch.updates.clear();
        in_flight_.push_back({std::move(batch), ticket});
        continue;
      }
      const auto reply = link.await(in_flight_.front().ticket, sender_.config_.ack_timeout);
      if (!reply && passing(reply.error().code) && reply.error().code != core::Errc::kFull) {
        note_error(reply.error());
        return useful;
      }
      InFlight oldest = std::move(in_flight_.front());
      in_flight_.pop_front();
      if (sender_.settle(oldest.batch, reply)) pause(sender_.config_.backoff_min);
      useful = true;
    }
  }

  // Waits for something to do. False: stop. An empty batch: await the oldest one in flight.
  bool next(EdgeBatch& batch) {
    std::unique_lock lock(sender_.mutex_);
    while (!sender_.stopping_) {
      if (in_flight_.size() < sender_.config_.window && sender_.take(node_, in_flight_.empty(), batch)) return true;
      if (!in_flight_.empty()) return true;
      // Bounded, so that the queues of a node that has gone away meanwhile are seen.
      sender_.work_.wait_for(lock, std::chrono::milliseconds(50));
    }
    return false;
  }

  void give_back_all() {
    const std::lock_guard lock(sender_.mutex_);
    for (const InFlight& lost : in_flight_) sender_.totals_.give_back(lost.batch);
    sender_.state_.batches_again += in_flight_.size();
    in_flight_.clear();
    sender_.work_.notify_all();
  }

  bool stopping() {
    const std::lock_guard lock(sender_.mutex_);
    return sender_.stopping_;
  }

  void set_up(bool up) {
    const std::lock_guard lock(sender_.mutex_);
    sender_.up_[node_] = up;
    if (up) ++sender_.state_.connections;
    sender_.work_.notify_all();
  }

  void note_error(const core::Error& error) {
    const std::lock_guard lock(sender_.mutex_);
    sender_.state_.last_error = error.message();
  }

  void pause(core::Duration duration) {
    std::unique_lock lock(sender_.mutex_);
    sender_.done_.wait_for(lock, nanoseconds(duration), [this] { return sender_.stopping_; });
  }

  EdgeSender& sender_;
  const std::size_t node_;
  std::deque<InFlight> in_flight_;
};

EdgeSender::EdgeSender(SenderConfig config, LinkFactory links)
    : config_(config), links_(std::move(links)), totals_(config.nodes), up_(config.nodes, false) {
  CHECK(config_.nodes > 0 && config_.batch_max > 0 && config_.window > 0);
  threads_.reserve(config_.nodes);
  for (std::size_t node = 0; node < config_.nodes; ++node)
    threads_.emplace_back([this, node] { Worker(*this, node).run(); });
}

EdgeSender::~EdgeSender() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  done_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

EdgeTotals::Entry EdgeSender::open(std::string_view client, std::string_view key, std::size_t home) {
  const std::lock_guard lock(mutex_);
  return totals_.open(client, key, home);
}

void EdgeSender::raise(EdgeTotals::Entry entry, std::uint64_t total) {
  const std::lock_guard lock(mutex_);
  totals_.raise(entry, total);
  work_.notify_all();
}

EdgeTotals::Entry EdgeSender::count(std::string_view client, std::string_view key, std::size_t home) {
  const std::lock_guard lock(mutex_);
  const EdgeTotals::Entry entry = totals_.open(client, key, home);
  totals_.add_one(entry);
  if (totals_.queued(home) == 1 || totals_.queued(home) == config_.batch_max) work_.notify_all();
  return entry;
}

// A node's own lane first, then those of nodes that are away. While batches are in flight (`idle` false) only full ones are
// worth a message of their own: the rest is joined meanwhile.
bool EdgeSender::take(std::size_t node, bool idle, EdgeBatch& into) {
  const std::size_t least = idle ? 1 : config_.batch_max;
  for (std::size_t step = 0; step < config_.nodes; ++step) {
    const std::size_t lane = (node + step) % config_.nodes;
    if (step > 0 && up_[lane]) continue;
    if (totals_.queued(lane) < least) continue;
    if (!totals_.take(lane, config_.batch_max, into)) continue;
    state_.submitted = true;
    return true;
  }
  return false;
}

bool EdgeSender::settle(const EdgeBatch& batch, const core::Result<node::UpdateReply>& reply) {
  const std::lock_guard lock(mutex_);
  std::vector<std::uint32_t> refused, put_off;
  const auto sort_out = [&](std::uint32_t index, const core::Error& error) {
    (passing(error.code) ? put_off : refused).push_back(index);
    if (passing(error.code) || state_.complaints.size() >= kComplaintsMax || index >= batch.entries.size()) return;
    // What a node says arrives as the detail alone.
    const std::string reason = *error.what == '\0' ? error.detail : error.message();
    std::string complaint = totals_.key_of(batch.entries[index]) + ": " + reason;
    if (std::find(state_.complaints.begin(), state_.complaints.end(), complaint) == state_.complaints.end())
      state_.complaints.push_back(std::move(complaint));
  };
  if (reply) {
    for (const node::Refusal& refusal : reply->refused) sort_out(refusal.index, refusal.error);
  } else {  // the batch as a whole
    for (std::uint32_t i = 0; i < batch.entries.size(); ++i) sort_out(i, reply.error());
  }
  totals_.acknowledge(batch, refused, put_off);
  if (put_off.empty()) {
    ++state_.batches;
  } else {
    ++state_.batches_again;
  }
  if (put_off.size() < batch.entries.size()) state_.last_acknowledgement = core::monotonic_now();
  if (totals_.waiting() == 0) done_.notify_all();
  return !put_off.empty();
}

bool EdgeSender::wait_done(core::Instant deadline) {
  std::unique_lock lock(mutex_);
  while (totals_.waiting() > 0) {
    const core::Instant now = core::monotonic_now();
    if (now >= deadline) return false;
    done_.wait_for(lock, nanoseconds(deadline - now));
  }
  return true;
}

SenderState EdgeSender::state() const {
  const std::lock_guard lock(mutex_);
  SenderState state = state_;
  state.acknowledged = totals_.acknowledged();
  state.refused = totals_.refused();
  state.waiting = totals_.waiting();
  state.entries = totals_.entries();
  state.clients = totals_.clients();
  state.keys = totals_.keys();
  return state;
}

bool EdgeSender::up(std::size_t node) const {
  const std::lock_guard lock(mutex_);
  return up_[node];
}

}  // namespace anabranch::cli

#include "tools/rpc/mailbox.hpp"

#include <algorithm>
#include <utility>

namespace anabranch::rpc {
namespace {

constexpr auto kRetry = 1 * kj::MILLISECONDS;  // a full ring drains in microseconds; guess

bool may_wait(const node::CommandBody& body) {
  if (std::holds_alternative<node::WatchCommand>(body)) return true;
  if (const auto* update = std::get_if<node::UpdateCommand>(&body)) return update->copies > 1;
  if (const auto* declare = std::get_if<node::DeclareCommand>(&body)) return declare->copies > 1;
  return false;
}

}  // namespace

// Lives inside its promise: its destructor is how a door learns that nobody waits. A promise can outlive the mailbox (RPC hands
// the calls of a closed connection to the event loop), so both sides forget each other when they part.
class Mailbox::Waiter {
 public:
  Waiter(kj::PromiseFulfiller<Outcome>& fulfiller, Mailbox& mailbox, core::ShardId shard, node::CommandBody body)
      : fulfiller_(fulfiller), shard_(shard), cancels_(may_wait(body)), id_(++mailbox.last_id_) {
    if (shard >= mailbox.queues_.size()) {
      fulfiller.fulfill(Outcome(core::fail(core::Errc::kUnknown, "shard", std::to_string(shard))));
      return;
    }
    if (mailbox.queues_[shard].size() >= kQueueMax) {
      fulfiller.fulfill(Outcome(core::fail(core::Errc::kFull, "too many commands wait for this shard; try again")));
      return;
    }
    mailbox_ = &mailbox;
    mailbox.waiters_[id_] = this;
    mailbox.post(shard, {id_, std::move(body)});
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  ~Waiter() noexcept(false) {
    if (mailbox_ == nullptr) return;
    mailbox_->waiters_.erase(id_);
    auto& queue = mailbox_->queues_[shard_];
    const auto mine = std::find_if(queue.begin(), queue.end(), [&](const auto& command) { return command.id == id_; });
    if (mine != queue.end())
      queue.erase(mine);  // the shard never saw it
    else if (cancels_)
      mailbox_->post(shard_, {++mailbox_->last_id_, node::CancelCommand{id_}});
  }

  /// The mailbox has no entry of this waiter any more.
  void part() { mailbox_ = nullptr; }
  void fulfill(Outcome outcome) { fulfiller_.fulfill(std::move(outcome)); }

 private:
  kj::PromiseFulfiller<Outcome>& fulfiller_;
  Mailbox* mailbox_ = nullptr;  // not null exactly while the mailbox has an entry
  core::ShardId shard_;
  bool cancels_;
  std::uint64_t id_;
};

Mailbox::Mailbox(node::Node& node, kj::UnixEventPort& port, kj::Timer& timer)
    : node_(node),
      timer_(timer),
      observer_(port, node.reply_fd(), kj::UnixEventPort::FdObserver::OBSERVE_READ),
      queues_(node.shards()) {}

Mailbox::~Mailbox() noexcept(false) {
  for (const auto& [id, waiter] : waiters_) waiter->part();
}

kj::Promise<Outcome> Mailbox::call(core::ShardId shard, node::CommandBody body) {
  return kj::newAdaptedPromise<Outcome, Waiter>(*this, shard, std::move(body));
}

void Mailbox::post(core::ShardId shard, node::Command command) {
  queues_[shard].push_back(std::move(command));
  flush(shard);
}

void Mailbox::flush(core::ShardId shard) {
  auto& queue = queues_[shard];
  while (!queue.empty()) {
    if (!node_.post(shard, queue.front())) {
      retry_later();
      return;
    }
    queue.pop_front();
  }
}

void Mailbox::retry_later() {
  if (retrying_) return;
  retrying_ = true;
  retry_ = retry().eagerlyEvaluate(nullptr);
}

kj::Promise<void> Mailbox::retry() {
  return timer_.afterDelay(kRetry).then([this]() -> kj::Promise<void> {
    for (std::size_t shard = 0; shard < queues_.size(); ++shard) flush(static_cast<core::ShardId>(shard));
    retrying_ = std::any_of(queues_.begin(), queues_.end(), [](const auto& queue) { return !queue.empty(); });
    return retrying_ ? retry() : kj::Promise<void>(kj::READY_NOW);
  });
}

kj::Promise<void> Mailbox::watch_replies() {
  // Edge-triggered: ask to be told first, then drain, so that a reply in between is not missed.
  auto readable = observer_.whenBecomesReadable();
  node_.drain_replies([this](node::Reply&& reply) {
    const auto found = waiters_.find(reply.id);
    if (found == waiters_.end()) return;  // cancelled meanwhile
    Waiter& waiter = *found->second;
    waiters_.erase(found);
    waiter.part();
    waiter.fulfill(std::move(reply.body));
  });
  return readable.then([this]() { return watch_replies(); });
}

kj::Promise<void> Mailbox::run() { return watch_replies(); }

}  // namespace anabranch::rpc

#include "tools/rpc/server.hpp"

#include <capnp/rpc-twoparty.h>
#include <capnp/serialize-async.h>
#include <kj/debug.h>
#include <sys/socket.h>

#include <utility>

#include "tools/rpc/session.hpp"
#include "tools/rpc/wire.hpp"

namespace anabranch::rpc {
namespace {

constexpr std::size_t kFlowWords = kMessageWordsMax / 4;  // 16 MiB of unanswered calls a connection; guess
constexpr auto kAcceptRetry = 100 * kj::MILLISECONDS;

/// Passes messages on and remembers whether the peer sent something that is no message.
class WatchedStream final : public capnp::MessageStream {
 public:
  explicit WatchedStream(kj::AsyncIoStream& stream) : inner_(stream) {}

  kj::Promise<kj::Maybe<capnp::MessageReaderAndFds>> tryReadMessage(kj::ArrayPtr<kj::AutoCloseFd> fds,
                                                                    capnp::ReaderOptions options,
                                                                    kj::ArrayPtr<capnp::word> scratch) override {
    return inner_.tryReadMessage(fds, options, scratch)
        .catch_([this](kj::Exception&& exception) -> kj::Promise<kj::Maybe<capnp::MessageReaderAndFds>> {
          if (exception.getType() != kj::Exception::Type::DISCONNECTED) garbage_ = true;
          return kj::mv(exception);
        });
  }
  kj::Promise<void> writeMessage(kj::ArrayPtr<const int> fds,
                                 kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments) override {
    return inner_.writeMessage(fds, segments);
  }
  kj::Promise<void> writeMessages(kj::ArrayPtr<kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>>> messages) override {
    return inner_.writeMessages(messages);
  }
  kj::Maybe<int> getSendBufferSize() override { return inner_.getSendBufferSize(); }
  kj::Promise<void> end() override { return inner_.end(); }

  [[nodiscard]] bool garbage() const { return garbage_; }

 private:
  capnp::AsyncIoMessageStream inner_;
  bool garbage_ = false;
};

/// Everything of one connection, destroyed from the last member to the first: calls before bytes.
class Connection {
 public:
  Connection(kj::Own<kj::AsyncIoStream> stream, Mailbox& mailbox, const Facts& facts, DoorCounters& counters,
             std::size_t open_calls_max, const Notice& notice)
      : stream_(kj::mv(stream)),
        watched_(*stream_),
        counters_(counters),
        notice_(notice),
        network_(watched_, capnp::rpc::twoparty::Side::SERVER, reader_options()),
        system_(capnp::makeRpcServer(network_, bootstrap(mailbox, facts, open_calls_max))) {
    system_.setFlowLimit(kFlowWords);
    const int on = 1;  // a client whose machine is gone must not hold its place for ever
    stream_->setsockopt(SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    ++counters_.control_open;
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() noexcept(false) {
    --counters_.control_open;
    if (!watched_.garbage() && session_->greeted()) return;
    ++counters_.control_garbage;
    notice_("control: a connection ended that did not speak the protocol");
  }

  kj::Promise<void> ended() { return network_.onDisconnect(); }
  [[nodiscard]] bool greeted() const { return session_->greeted(); }

 private:
  capnp::Capability::Client bootstrap(Mailbox& mailbox, const Facts& facts, std::size_t open_calls_max) {
    auto session = kj::heap<Session>(mailbox, facts, counters_, open_calls_max);
    session_ = session.get();
    return capability_.emplace(kj::mv(session));
  }

  kj::Own<kj::AsyncIoStream> stream_;
  WatchedStream watched_;
  DoorCounters& counters_;
  const Notice& notice_;
  const Session* session_ = nullptr;  // kept by the capability
  kj::Maybe<capnp::Capability::Client> capability_;
  capnp::TwoPartyVatNetwork network_;
  capnp::RpcSystem<capnp::rpc::twoparty::VatId> system_;
};

}  // namespace

kj::Promise<core::Result<Survey>> survey(Mailbox& mailbox) {
  kj::Vector<kj::Promise<Outcome>> calls;
  const std::uint32_t shards = mailbox.node().shards();
  for (std::uint32_t shard = 0; shard < shards; ++shard)
    calls.add(mailbox.call(static_cast<core::ShardId>(shard), node::StatusCommand{}));
  calls.add(mailbox.call(0, node::MembersCommand{}));
  return kj::joinPromises(calls.releaseAsArray()).then([](kj::Array<Outcome> outcomes) -> core::Result<Survey> {
    Survey all;
    for (Outcome& outcome : outcomes) {
      if (!outcome) return tl::unexpected(outcome.error());
      if (auto* status = std::get_if<node::StatusReply>(&*outcome)) all.shards.push_back(std::move(*status));
      if (auto* members = std::get_if<node::MembersReply>(&*outcome)) all.members = std::move(*members);
    }
    return all;
  });
}

Server::Server(Mailbox& mailbox, kj::Timer& timer, Facts& facts, DoorCounters& counters, ServerLimits limits,
               Notice notice)
    : mailbox_(mailbox),
      timer_(timer),
      facts_(facts),
      counters_(counters),
      limits_(limits),
      notice_(std::move(notice)),
      tasks_(*this) {}

Server::~Server() noexcept(false) = default;

kj::Promise<void> Server::listen(kj::ConnectionReceiver& receiver) {
  return receiver.accept()
      .then([this](kj::Own<kj::AsyncIoStream> stream) -> kj::Promise<void> {
        admit(kj::mv(stream));
        return kj::READY_NOW;
      })
      .catch_([this](kj::Exception&& exception) -> kj::Promise<void> {
        // Out of descriptors, or a peer that left while it waited: the door stays open.
        ++counters_.accept_errors;
        notice_(std::string("control: cannot accept a connection: ") + exception.getDescription().cStr());
        return timer_.afterDelay(kAcceptRetry);
      })
      .then([this, &receiver]() { return listen(receiver); });
}

void Server::admit(kj::Own<kj::AsyncIoStream> stream) {
  if (counters_.control_open >= limits_.connections_max) {
    ++counters_.control_refused;
    notice_("control: refused a connection, " + std::to_string(limits_.connections_max) + " are open");
    return;  // closes it
  }
  ++counters_.control_accepted;
  auto connection = kj::heap<Connection>(kj::mv(stream), mailbox_, facts_, counters_, limits_.open_calls_max, notice_);
  Connection& borrowed = *connection;
  auto silent = timer_.afterDelay(static_cast<std::int64_t>(limits_.hello_within) * kj::NANOSECONDS)
                    .then([&borrowed]() -> kj::Promise<void> {
                      if (borrowed.greeted()) return kj::NEVER_DONE;
                      return kj::READY_NOW;
                    });
  tasks_.add(borrowed.ended().exclusiveJoin(kj::mv(silent)).attach(kj::mv(connection)));
}

void Server::taskFailed(kj::Exception&& exception) {
  if (exception.getType() == kj::Exception::Type::DISCONNECTED) return;
  notice_(std::string("control: a connection failed: ") + exception.getDescription().cStr());
}

}  // namespace anabranch::rpc

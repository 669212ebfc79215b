#include "tools/rpc/client.hpp"

#include <capnp/rpc-twoparty.h>
#include <kj/async-io.h>
#include <kj/debug.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <utility>

#include "core/address.hpp"
#include "core/limits.hpp"
#include "tools/rpc/wire.hpp"

namespace anabranch::rpc {
namespace {

using core::Errc;

core::Error error_of(const kj::Exception& exception) {
  // The peer, or the network, ended the connection after the call was handed to it.
  if (exception.getType() == kj::Exception::Type::DISCONNECTED)
    return {Errc::kClosed, "the connection to the node was lost; whether it did the work is not known", {}};
  if (exception.getType() == kj::Exception::Type::OVERLOADED)
    return {Errc::kTimeout, "no answer from the node in time", {}};
  return {Errc::kRefused, "the node could not handle the call", exception.getDescription().cStr()};
}

kj::Exception timed_out() { return KJ_EXCEPTION(OVERLOADED, "timed out"); }

/// Why a connection that stood ended without a greeting; `error` is how the call of hello ended.
core::Error not_greeted(const core::Error& error) {
  switch (error.code) {
    case Errc::kRefused: return error;
    case Errc::kTimeout: return {Errc::kUnreachable, "no answer from the node in time; nothing was sent", {}};
    default:
      return {Errc::kUnreachable,
              "the node closed the connection at once: it is at its limit of connections, or it is not an anabranch "
              "control address",
              {}};
  }
}

kj::TimePoint deadline(kj::Timer& timer, core::Duration timeout) {
  // Ten years stand for ever; kj counts nanoseconds in 63 bits.
  constexpr core::Duration kForever = 10ULL * 365 * 24 * 3'600 * core::kSecond;
  return timer.now() + static_cast<std::int64_t>(std::min(timeout, kForever)) * kj::NANOSECONDS;
}

}  // namespace

struct Client::Impl {
  using UpdateResponse = capnp::RemotePromise<wire::Control::UpdateResults>;

  explicit Impl(kj::AsyncIoContext context) : io(kj::mv(context)) {}

  /// Waits for `promise`, at most `timeout`. Dropping a promise that ran out tells the node to stop.
  template <class T>
  core::Result<T> wait(kj::Promise<T> promise, core::Duration timeout) {
    auto& timer = io.provider->getTimer();
    auto late = timer.atTime(deadline(timer, timeout)).then([]() -> kj::Promise<T> { return timed_out(); });
    core::Result<T> result = core::fail(Errc::kClosed, "");
    KJ_IF_MAYBE (exception, kj::runCatchingExceptions(
                                [&]() { result = kj::mv(promise).exclusiveJoin(kj::mv(late)).wait(io.waitScope); })) {
      result = tl::unexpected(error_of(*exception));
    }
    return result;
  }

  /// Sends `request` and reads its results with `parse`, which runs on the event loop; an answer's error comes back as such.
  template <class T, class Request, class Parse>
  core::Result<T> call(Request&& request, core::Duration timeout, Parse parse) {
    if (gone) return core::fail(Errc::kUnreachable, "the connection to the node is gone; nothing was sent");
    auto outcome = wait(request.send().then([parse](auto&& response) -> core::Result<T> {
      if (response.hasError()) return tl::unexpected(read(response.getError()));
      return parse(response);
    }),
                        timeout);
    if (!outcome) return fail(outcome.error());
    return std::move(*outcome);
  }

  tl::unexpected<core::Error> fail(core::Error error) {
    if (error.code == Errc::kClosed) gone = true;
    return tl::unexpected<core::Error>(std::move(error));
  }

  // Destroyed from the last to the first: calls, capability, RPC, stream, loop.
  kj::AsyncIoContext io;
  kj::Own<kj::AsyncIoStream> stream;
  kj::Own<capnp::TwoPartyVatNetwork> network;
  kj::Maybe<capnp::RpcSystem<capnp::rpc::twoparty::VatId>> system;
  kj::Maybe<wire::Control::Client> control;
  std::map<std::uint64_t, kj::Promise<core::Result<node::UpdateReply>>> tickets;
  std::uint64_t last_ticket = 0;
  bool gone = false;
  bool durable = false;  // said in the greeting

  [[nodiscard]] wire::Control::Client& node() { return KJ_ASSERT_NONNULL(control); }
};

namespace {

template <class Response>
core::Result<node::UpdateReply> read_refusals(Response&& response) {
  if (response.hasError()) return tl::unexpected(read(response.getError()));
  node::UpdateReply reply;
  for (const auto refusal : response.getRefused())
    reply.refused.push_back({refusal.getIndex(), read(refusal.getError())});
  return reply;
}

template <class Response>
core::Result<Items> read_items(Response&& response) {
  Items reply;
  for (const auto in : response.getItems()) {
    auto item = read(in);
    if (!item) return tl::unexpected(item.error());
    reply.items.push_back(std::move(*item));
  }
  return reply;
}

}  // namespace

bool Client::durable() const { return impl_->durable; }

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Client::~Client() {
  // KJ destructors may throw; there is nobody left to tell.
  kj::runCatchingExceptions([this]() { impl_.reset(); });
}

core::Result<std::unique_ptr<Client>> Client::connect(const std::string& host_port, core::Duration timeout) {
  const auto address = core::resolve_address(host_port);
  if (!address) return tl::unexpected(address.error());
  if (address->port == 0) return core::fail(Errc::kMalformed, "port 0 is nobody's address", host_port);
  const core::Instant end = core::monotonic_now() + std::min(timeout, core::kNever - core::monotonic_now());
  std::unique_ptr<Client> client;
  core::Error why{Errc::kUnreachable, "", {}};
  KJ_IF_MAYBE (exception, kj::runCatchingExceptions([&]() {
                 auto impl = std::make_unique<Impl>(kj::setupAsyncIo());
                 sockaddr_in target{};
                 target.sin_family = AF_INET;
                 target.sin_port = htons(address->port);
                 target.sin_addr.s_addr = htonl(address->ip == 0 ? INADDR_LOOPBACK : address->ip);
                 auto where = impl->io.provider->getNetwork().getSockaddr(&target, sizeof target);
                 auto stream = impl->wait(where->connect(), timeout);
                 if (!stream) {
                   why.what = "no node answers there";
                   return;
                 }
                 impl->stream = std::move(*stream);
                 const int on = 1;
                 impl->stream->setsockopt(IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                 impl->network = kj::heap<capnp::TwoPartyVatNetwork>(*impl->stream, capnp::rpc::twoparty::Side::CLIENT,
                                                                     reader_options());
                 auto& system = impl->system.emplace(capnp::makeRpcClient(*impl->network));
                 capnp::MallocMessageBuilder host(8);
                 auto id = host.initRoot<capnp::rpc::twoparty::VatId>();
                 id.setSide(capnp::rpc::twoparty::Side::SERVER);
                 impl->control = system.bootstrap(id).castAs<wire::Control>();
                 auto hello = impl->node().helloRequest();
                 hello.setVersion(wire::PROTOCOL_VERSION);
                 hello.setProgram("anabranch");
                 const core::Instant now = core::monotonic_now();
                 const auto greeted = impl->call<bool>(
                     hello, end > now ? end - now : 0,
                     [](const auto& response) -> core::Result<bool> { return response.getNode().getDurable(); });
                 if (!greeted) {
                   why = not_greeted(greeted.error());
                   return;
                 }
                 impl->durable = *greeted;
                 client.reset(new Client(std::move(impl)));
               })) {
    why = {Errc::kUnreachable, "no node answers there", exception->getDescription().cStr()};
  }
  if (client) return client;
  why.detail = host_port + (why.detail.empty() ? "" : " (" + why.detail + ")");
  return tl::unexpected(why);
}

std::uint64_t Client::submit(std::span<const node::Update> updates, Ack ack) {
  Impl& impl = *impl_;
  const std::uint64_t ticket = ++impl.last_ticket;
  const auto settled = [&](Errc code, const char* what) {
    impl.tickets.emplace(ticket, core::Result<node::UpdateReply>(core::fail(code, what)));
    return ticket;
  };
  if (impl.gone) return settled(Errc::kUnreachable, "the connection to the node is gone; nothing was sent");
  if (updates.size() > core::kListMax) return settled(Errc::kTooLarge, "more than 4,096 updates in one call");
  auto request = impl.node().updateRequest();
  auto list = request.initUpdates(static_cast<unsigned>(updates.size()));
  for (unsigned i = 0; i < list.size(); ++i) write(list[i], updates[i]);
  write(request.initAck(), ack);
  kj::Promise<core::Result<node::UpdateReply>> reply = request.send().then(
      [](auto&& response) { return read_refusals(response); },
      [](kj::Exception&& exception) -> core::Result<node::UpdateReply> { return tl::unexpected(error_of(exception)); });
  impl.tickets.emplace(ticket, reply.eagerlyEvaluate(nullptr));
  return ticket;
}

core::Result<node::UpdateReply> Client::await(std::uint64_t ticket, core::Duration timeout) {
  const auto found = impl_->tickets.find(ticket);
  if (found == impl_->tickets.end()) return core::fail(Errc::kUnknown, "no such open ticket", std::to_string(ticket));
  auto promise = kj::mv(found->second);
  impl_->tickets.erase(found);
  auto outcome = impl_->wait(kj::mv(promise), timeout);
  if (!outcome) return impl_->fail(outcome.error());
  if (!*outcome) return impl_->fail(outcome->error());
  return std::move(*outcome);
}

core::Result<node::UpdateReply> Client::update(std::span<const node::Update> updates, Ack ack, core::Duration timeout) {
  node::UpdateReply all;
  const core::Instant end = core::monotonic_now() + std::min(timeout, core::kNever - core::monotonic_now());
  for (std::size_t begin = 0; begin < updates.size(); begin += core::kListMax) {
    const auto part = updates.subspan(begin, std::min(core::kListMax, updates.size() - begin));
    const core::Instant now = core::monotonic_now();
    auto reply = await(submit(part, ack), end > now ? end - now : 0);
    if (!reply) return reply;
    for (node::Refusal& refusal : reply->refused)
      all.refused.push_back({refusal.index + static_cast<std::uint32_t>(begin), std::move(refusal.error)});
  }
  return all;
}

core::Status Client::declare(core::BytesView key, lattice::TypeId type, Ack ack, core::Duration timeout) {
  auto request = impl_->node().declareRequest();
  request.setKey(data_of(key));
  request.setType(static_cast<std::uint8_t>(type));
  write(request.initAck(), ack);
  const auto done = impl_->call<bool>(request, timeout, [](const auto&) -> core::Result<bool> { return true; });
  if (!done) return tl::unexpected(done.error());
  return {};
}

core::Result<Items> Client::get(std::span<const core::Bytes> keys, core::Duration timeout) {
  std::vector<core::Bytes> sorted(keys.begin(), keys.end());
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  Items all;
  std::size_t part = kScanMax;
  for (std::size_t begin = 0; begin < sorted.size();) {
    const std::size_t count = std::min(part, sorted.size() - begin);
    auto request = impl_->node().getRequest();
    auto list = request.initKeys(static_cast<unsigned>(count));
    for (unsigned i = 0; i < count; ++i) list.set(i, data_of(sorted[begin + i]));
    auto reply = impl_->call<Items>(request, timeout, [](const auto& r) { return read_items(r); });
    if (!reply && reply.error().code == Errc::kTooLarge && count > 1) {  // large values: ask for fewer at once
      part = count / 2;
      continue;
    }
    if (!reply) return reply;
    std::move(reply->items.begin(), reply->items.end(), std::back_inserter(all.items));
    begin += count;
  }
  return all;
}

core::Result<Items> Client::scan(core::BytesView prefix, const core::Bytes* after, std::uint32_t limit,
                                 core::Duration timeout, ScanValues values) {
  auto request = impl_->node().scanRequest();
  request.setPrefix(data_of(prefix));
  request.setFromStart(after == nullptr);
  if (after != nullptr) request.setAfter(data_of(*after));
  request.setLimit(std::min(limit, kScanMax));
  request.setValues(values == ScanValues::kBring);
  return impl_->call<Items>(request, timeout, [](const auto& response) {
    auto reply = read_items(response);
    if (reply) reply->more = response.getMore();
    return reply;
  });
}

core::Result<Item> Client::watch(core::BytesView key, std::int64_t at_least, core::Duration timeout) {
  auto request = impl_->node().watchRequest();
  request.setKey(data_of(key));
  request.setAtLeast(at_least);
  return impl_->call<Item>(request, timeout, [](const auto& response) { return read(response.getItem()); });
}

core::Result<node::MembersReply> Client::members(core::Duration timeout) {
  auto request = impl_->node().membersRequest();
  return impl_->call<node::MembersReply>(request, timeout,
                                         [](const auto& response) -> core::Result<node::MembersReply> {
                                           node::MembersReply reply;
                                           for (const auto member : response.getMembers())
                                             reply.members.push_back(read(member));
                                           return reply;
                                         });
}

core::Result<Status> Client::status(core::Duration timeout) {
  auto request = impl_->node().statusRequest();
  return impl_->call<Status>(request, timeout,
                             [](const auto& response) -> core::Result<Status> { return read(response.getStatus()); });
}

}  // namespace anabranch::rpc

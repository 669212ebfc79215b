// One client's connection: the methods of the control protocol, each turned into commands for the shards that own its keys.
// Internal to tools/rpc (shows Cap'n Proto types); control thread only.
#pragma once

#include <capnp/capability.h>

#include <string>

#include "tools/rpc/anabranch.capnp.h"
#include "tools/rpc/facts.hpp"
#include "tools/rpc/mailbox.hpp"
#include "tools/rpc/server.hpp"

namespace anabranch::rpc {

class Session final : public wire::Control::Server {
 public:
  /// Borrows everything for life; calls that outlive the connection touch nothing of it when they are dropped.
  Session(Mailbox& mailbox, const Facts& facts, DoorCounters& counters, std::size_t open_calls_max);

  [[nodiscard]] bool greeted() const { return greeted_; }

  kj::Promise<void> hello(HelloContext context) override;
  kj::Promise<void> update(UpdateContext context) override;
  kj::Promise<void> declare(DeclareContext context) override;
  kj::Promise<void> get(GetContext context) override;
  kj::Promise<void> scan(ScanContext context) override;
  kj::Promise<void> watch(WatchContext context) override;
  kj::Promise<void> members(MembersContext context) override;
  kj::Promise<void> status(StatusContext context) override;

 private:
  /// Runs `work(context)` if the session may call now, else writes why not.
  template <class Context, class Work>
  kj::Promise<void> admit(Context context, Work work);
  core::Result<std::uint32_t> copies_for(wire::Ack::Reader ack) const;
  core::ShardId shard_of(core::BytesView key) const { return mailbox_.node().shard_of(key); }

  Mailbox& mailbox_;
  const Facts& facts_;
  DoorCounters& counters_;
  std::size_t open_calls_max_;
  bool greeted_ = false;
  std::size_t open_calls_ = 0;
};

}  // namespace anabranch::rpc

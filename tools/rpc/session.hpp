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

/// Shared between a connection and its session; outlives both.
struct SessionState {
  bool greeted = false;
  std::size_t open_calls = 0;
};

class Session final : public wire::Control::Server {
 public:
  /// Borrows everything for life.
  Session(Mailbox& mailbox, const Facts& facts, DoorCounters& counters, std::size_t open_calls_max,
          SessionState& state);

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
  SessionState& state_;
};

}  // namespace anabranch::rpc

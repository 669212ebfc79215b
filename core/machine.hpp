// The contract of every protocol: sans-I/O. A machine has no clock, socket, thread, logger or unordered iteration.
#pragma once

#include <concepts>

#include "core/time.hpp"

namespace anabranch::core {

/// The caller lends the outbox, feeds events with the current time, polls the deadline and calls `on_deadline` when it
/// has passed. Deadlines are polled, never scheduled: nothing to cancel, nothing stale.
template <class M>
concept Machine = requires(M machine, const typename M::Event& event, Instant now, typename M::Outbox& outbox) {
  machine.handle(event, now, outbox);
  machine.on_deadline(now, outbox);
  { machine.next_deadline() } -> std::same_as<Instant>;
};

}  // namespace anabranch::core

// Whole states: offered to a peer that is behind the log, or fetched when equal vectors come with different states.
#include <algorithm>

#include "delta/replica_parts.hpp"

namespace anabranch::delta {

void Replica::Parts::on(NodeId from, TransferOffer& offer, core::Instant now, Outbox& outbox) {
  if (staging && staging->peer() == from) {
    if (offer.busy) return staging->postpone(now, now + config.digest_interval);
    if (offer.id == 0 || offer.id != staging->id()) return;  // an answer to an older question
    ++stats.transfers_dropped;
    return start_transfer(from, now, outbox);
  }
  if (staging || offer.busy || offer.id != 0) return;
  const Peer& peer = *peers.find(from);
  const bool useful = std::any_of(peer.links.begin(), peer.links.end(),
                                  [&](const auto& link) { return link.second.known > held(link.first); });
  if (useful) start_transfer(from, now, outbox);
}

void Replica::Parts::start_transfer(NodeId from, core::Instant now, Outbox& outbox) {
  staging.emplace(from, now, config.graft_timeout);
  send(from, staging->request(now), outbox);
}

void Replica::Parts::on(NodeId from, TransferRequest& request, core::Instant now, Outbox& outbox) {
  const bool his = capture && capture->peer() == from;
  if (request.id != 0 && !(his && capture->id() == request.id)) {
    if (request.count > 0) send(from, TransferOffer{false, request.id}, outbox);
    return;
  }
  if (request.count == 0) {  // all are in
    capture.reset();
    return;
  }
  if (request.id == 0 && capture && !his && !capture->served()) return send(from, TransferOffer{true, 0}, outbox);
  if (request.id == 0 && (!capture || capture->served())) {  // one that was given out whole may be displaced
    flush(outbox);                                           // what is captured is exactly the state at the vector
    capture.emplace(store, vector, ++transfer_ids, from, limit, now);
  }
  const bool served_before = capture->served();
  for (TransferChunk& chunk : capture->chunks(request.first, request.count, now)) send(from, std::move(chunk), outbox);
  stats.transfers_served += capture->served() && !served_before ? 1 : 0;
}

void Replica::Parts::on(NodeId from, TransferChunk& chunk, core::Instant now, Outbox& outbox) {
  if (!staging || staging->peer() != from || !staging->add(std::move(chunk), now)) return;
  if (staging->complete()) return complete_transfer(outbox);
  if (staging->window_full()) send(from, staging->request(now), outbox);
}

void Replica::Parts::complete_transfer(Outbox& outbox) {
  send(staging->peer(), TransferRequest{staging->id(), 0, 0}, outbox);
  auto whole = staging->assemble();
  staging.reset();
  if (!whole || whole->vector[config.self] > writer.last()) {
    ++stats.refused_messages;
    ++stats.transfers_dropped;
    return;
  }
  store.join_whole(std::move(whole->entries), whole->context, outbox.changed);
  ++stats.transfers_joined;
  for (const auto& [origin, flush] : whole->vector) {
    if (flush <= held(origin)) continue;
    logs.restart(origin, flush);  // the flushes in between were never seen here: no hole is ever served
    raise(origin, flush, outbox);
    take_early(origin, outbox);
  }
}

void Replica::Parts::drop_transfers_of(NodeId peer) {
  if (staging && staging->peer() == peer) {
    staging.reset();
    ++stats.transfers_dropped;
  }
  if (capture && capture->peer() == peer) {
    stats.transfers_dropped += capture->served() ? 0 : 1;
    capture.reset();
  }
}

void Replica::Parts::run_transfer_deadlines(core::Instant now, Outbox& outbox) {
  if (capture && now >= capture->deadline()) {
    stats.transfers_dropped += capture->served() ? 0 : 1;
    capture.reset();
  }
  if (!staging || now < staging->deadline()) return;
  if (staging->silent(now)) {
    staging.reset();
    ++stats.transfers_dropped;
    return;
  }
  send(staging->peer(), staging->request(now), outbox);
}

}  // namespace anabranch::delta

#include <algorithm>
#include <bit>

#include "core/check.hpp"
#include "net/lane.hpp"

namespace anabranch::net {
namespace {

constexpr unsigned kNewerAcked = 3;  // then an older frame is lost; overlay design 2.4
constexpr unsigned kBackoffMax = 16;
constexpr std::size_t kFramesMin = 8;  // guess: what may be in flight to a peer that does not answer

/// The third highest sequence number that `ack` says has arrived, 0 if it names fewer.
std::uint64_t third_highest(const Ack& ack) {
  unsigned count = 1;  // ack.largest
  for (std::size_t word = 0; word < ack.received.size(); ++word) {
    for (std::uint64_t bits = ack.received[word]; bits != 0; bits &= bits - 1) {
      if (++count < kNewerAcked) continue;
      const std::uint64_t below = 1 + 64 * word + static_cast<unsigned>(std::countr_zero(bits));
      return ack.largest > below ? ack.largest - below : 0;
    }
  }
  return 0;
}

bool names(const Ack& ack, std::uint64_t sequence) {
  if (sequence >= ack.largest) return sequence == ack.largest;
  const std::uint64_t bit = ack.largest - 1 - sequence;
  return bit < kAckBits && ((ack.received[bit / 64] >> (bit % 64)) & 1) != 0;
}

}  // namespace

SendLane::SendLane(const Config& config)
    : config_(config), rng_(core::Rng::stream(config.seed, "lane", config.lane)), jitter_(rng_.below(201)) {
  CHECK(config_.window_frames > 0 && config_.window_frames <= kAckBits, config_.window_frames);
  CHECK(config_.window_bytes > 0 && config_.pto_first > 0 && config_.pto_floor > 0);
}

bool SendLane::credit() const {
  const std::size_t frames = std::max(config_.window_frames >> backoff_, std::min(kFramesMin, config_.window_frames));
  return !closed_ && in_flight_.size() < frames && bytes_in_flight_ < config_.window_bytes;
}

bool SendLane::ready() const {
  const bool room =
      large_.empty() || (large_.size() < kLargeMessagesMax && next_large_ - large_.begin()->first < kLargeMessageSpan);
  return room && waiting_.empty() && credit();
}

void SendLane::send(core::BytesView message, Cookie cookie, core::Instant now, Outbox& outbox) {
  CHECK(ready());
  CHECK(!message.empty() && message.size() % 8 == 0 && message.size() <= core::kMessageBytesMax, message.size());
  if (message.size() <= kFrameBodyMax) {
    transmit(FrameType::kLattice, message, {.sent = now, .bytes = message.size(), .piece = {}, .cookie = cookie},
             outbox);
    return;
  }
  Large large{.bytes = core::Bytes(message), .cookie = cookie, .count = 0, .acked = {}, .acked_count = 0};
  large.count = static_cast<std::uint16_t>((message.size() + kFragmentBytes - 1) / kFragmentBytes);
  large.acked.resize(large.count);
  for (std::uint16_t index = 0; index < large.count; ++index) waiting_.insert(waiting_.end(), {next_large_, index});
  large_.emplace(next_large_++, std::move(large));
  pump_pieces(now, outbox);
}

void SendLane::pump_pieces(core::Instant now, Outbox& outbox) {
  while (!waiting_.empty() && credit()) {
    const Piece piece = *waiting_.begin();
    waiting_.erase(waiting_.begin());
    const Large& large = large_.at(piece.first);
    const core::BytesView data = core::BytesView(large.bytes).substr(piece.second * kFragmentBytes, kFragmentBytes);
    const core::Bytes body = encode_fragment({piece.first, piece.second, large.count, data});
    transmit(FrameType::kFragment, body, {.sent = now, .bytes = body.size(), .piece = piece, .cookie = large.cookie},
             outbox);
  }
}

void SendLane::transmit(FrameType type, core::BytesView body, const Flight& flight, Outbox& outbox) {
  const std::uint64_t sequence = next_sequence_++;
  outbox.frames.push_back(make_frame({.type = type,
                                      .lane = config_.lane,
                                      .link_epoch = config_.epoch,
                                      .sequence = sequence,
                                      .cluster = config_.cluster},
                                     body));
  in_flight_.emplace_hint(in_flight_.end(), sequence, flight);
  bytes_in_flight_ += flight.bytes;
  ++stats_.frames;
  stats_.bytes += flight.bytes;
}

void SendLane::handle_ack(core::BytesView body, core::Instant now, Outbox& outbox) {
  const auto ack = decode_ack(body);
  if (ack)
    handle_ack(*ack, now, outbox);
  else
    ++stats_.bad_acks;
}

void SendLane::handle_ack(const Ack& ack, core::Instant now, Outbox& outbox) {
  if (ack.lane != config_.lane || ack.largest == 0 || ack.largest >= next_sequence_) {
    ++stats_.bad_acks;
    return;
  }
  const auto newest = in_flight_.find(ack.largest);
  if (newest != in_flight_.end()) {
    const core::Duration elapsed = now - std::min(now, newest->second.sent);
    const core::Duration held = std::min(ack.delay_us * core::kMicrosecond, config_.ack_delay);
    measure(elapsed > held ? elapsed - held : elapsed);
  }
  lost_below_ = std::max(lost_below_, third_highest(ack));
  for (auto flight = in_flight_.begin(); flight != in_flight_.end();) {
    const auto& [sequence, what] = *flight;
    const bool acked = names(ack, sequence);
    if (!acked && sequence >= lost_below_) {
      if (sequence > ack.largest) break;
      ++flight;
      continue;
    }
    bytes_in_flight_ -= what.bytes;
    if (acked) {
      backoff_ = 0;
      take_acked(what, outbox);
    } else {
      take_lost(what, outbox);
    }
    flight = in_flight_.erase(flight);
  }
  pump_pieces(now, outbox);
}

void SendLane::on_deadline(core::Instant now, Outbox& outbox) {
  if (now < next_deadline()) return;
  const core::Duration limit = timeout();
  while (!in_flight_.empty() && in_flight_.begin()->second.sent + limit <= now) {
    const Flight flight = in_flight_.begin()->second;
    in_flight_.erase(in_flight_.begin());
    bytes_in_flight_ -= flight.bytes;
    take_lost(flight, outbox);
  }
  ++stats_.timeouts;
  backoff_ = std::min(backoff_ + 1, kBackoffMax);
  jitter_ = rng_.below(201);
  pump_pieces(now, outbox);
}

core::Instant SendLane::next_deadline() const {
  return in_flight_.empty() ? core::kNever : in_flight_.begin()->second.sent + timeout();
}

void SendLane::take_acked(const Flight& flight, Outbox& outbox) {
  ++stats_.acked;
  if (flight.piece.first == 0) return outbox.acked.push_back(flight.cookie);
  const auto found = large_.find(flight.piece.first);
  CHECK(found != large_.end() && !found->second.acked[flight.piece.second], flight.piece.first, flight.piece.second);
  Large& large = found->second;
  large.acked[flight.piece.second] = true;
  if (++large.acked_count < large.count) return;
  outbox.acked.push_back(large.cookie);
  large_.erase(found);
}

void SendLane::take_lost(const Flight& flight, Outbox& outbox) {
  ++stats_.lost;
  if (flight.piece.first == 0) return outbox.lost.push_back(flight.cookie);
  ++stats_.resent_pieces;
  waiting_.insert(flight.piece);
}

/// RFC 6298, section 2, with the peer's own delay taken off as in RFC 9002, section 5.3.
void SendLane::measure(core::Duration sample) {
  sample = std::max<core::Duration>(sample, 1);
  if (srtt_ == 0) {
    srtt_ = sample;
    rttvar_ = sample / 2;
    return;
  }
  const core::Duration error = srtt_ > sample ? srtt_ - sample : sample - srtt_;
  rttvar_ = (3 * rttvar_ + error) / 4;
  srtt_ = (7 * srtt_ + sample) / 8;
}

/// How long an unacknowledged frame is waited for: doubles with each timeout in a row, ± 10 %.
core::Duration SendLane::timeout() const {
  const core::Duration base =
      srtt_ == 0 ? config_.pto_first : std::max(config_.pto_floor, srtt_ + 4 * rttvar_ + config_.ack_delay);
  const core::Duration doubled = std::min(base, config_.pto_max) << backoff_;
  return std::min(doubled, config_.pto_max) * (900 + jitter_) / 1'000;
}

void SendLane::close(Outbox& outbox) {
  for (const auto& [sequence, flight] : in_flight_)
    if (flight.piece.first == 0) outbox.lost.push_back(flight.cookie);
  for (const auto& [number, large] : large_) outbox.lost.push_back(large.cookie);
  in_flight_.clear();
  large_.clear();
  waiting_.clear();
  bytes_in_flight_ = 0;
  closed_ = true;
}

}  // namespace anabranch::net

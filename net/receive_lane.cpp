#include <algorithm>

#include "core/check.hpp"
#include "net/lane.hpp"

namespace anabranch::net {
namespace {

// A sender numbers at most 256 frames between two acknowledgements or timeouts; a partition of an hour stays below
// this.
constexpr std::uint64_t kJumpMax = std::uint64_t{1} << 20;

}  // namespace

ReceiveLane::ReceiveLane(const Config& config) : config_(config) { CHECK(config_.ack_after > 0); }

void ReceiveLane::handle(const FrameView& frame, core::Instant now, Outbox& outbox) {
  const bool piece = frame.header.type == FrameType::kFragment;
  CHECK(piece || frame.header.type == FrameType::kLattice, static_cast<int>(frame.header.type));
  const std::uint64_t sequence = frame.header.sequence;
  if (sequence == 0 || sequence > largest_ + kJumpMax || frame.body.empty()) {
    ++stats_.malformed;
    return;
  }
  if (sequence + kSeenBits <= largest_) {
    ++stats_.old;
    return;
  }
  if (seen(sequence)) {
    ++stats_.duplicates;
    return;
  }
  if (piece) {
    const auto fragment = decode_fragment(frame.body);
    auto whole = fragment ? reassembly_.add(*fragment) : tl::unexpected(fragment.error());
    if (!whole) {
      ++stats_.malformed;
      return;
    }
    if (*whole) outbox.messages.push_back(std::move(**whole));
    stats_.messages += whole->has_value() ? 1 : 0;
  } else {
    outbox.messages.emplace_back(frame.body);
    ++stats_.messages;
  }
  ++stats_.frames;
  mark(sequence, now);
  if (++unacked_ >= config_.ack_after)
    ack(now, outbox);
  else
    ack_due_ = std::min(ack_due_, now + config_.ack_delay);
}

void ReceiveLane::on_deadline(core::Instant now, Outbox& outbox) {
  if (now >= ack_due_) ack(now, outbox);
}

bool ReceiveLane::seen(std::uint64_t sequence) const {
  if (sequence > largest_) return false;
  const std::uint64_t bit = sequence % kSeenBits;
  return ((seen_[bit / 64] >> (bit % 64)) & 1) != 0;
}

void ReceiveLane::mark(std::uint64_t sequence, core::Instant now) {
  if (sequence > largest_) {
    if (sequence - largest_ >= kSeenBits) {
      seen_.fill(0);
    } else {
      for (std::uint64_t skipped = largest_ + 1; skipped < sequence; ++skipped)
        seen_[skipped % kSeenBits / 64] &= ~(std::uint64_t{1} << (skipped % 64));
    }
    largest_ = sequence;
    largest_at_ = now;
  }
  seen_[sequence % kSeenBits / 64] |= std::uint64_t{1} << (sequence % 64);
}

void ReceiveLane::ack(core::Instant now, Outbox& outbox) {
  Ack ack{.lane = config_.lane, .largest = largest_, .received = {}, .delay_us = 0};
  for (std::uint64_t bit = 0; bit < kAckBits && bit + 1 < largest_; ++bit)
    if (seen(largest_ - 1 - bit)) ack.received[bit / 64] |= std::uint64_t{1} << (bit % 64);
  const core::Duration held_us = (now - largest_at_) / core::kMicrosecond;
  ack.delay_us = static_cast<std::uint32_t>(std::min<core::Duration>(held_us, UINT32_MAX));
  outbox.ack_frames.push_back(make_frame({.type = FrameType::kAck,
                                          .lane = config_.own_lane,
                                          .link_epoch = config_.epoch,
                                          .sequence = 0,
                                          .cluster = config_.cluster},
                                         encode_ack(ack)));
  unacked_ = 0;
  ack_due_ = core::kNever;
}

}  // namespace anabranch::net

// One direction of one shard's traffic on a link: sequence numbers, acknowledgements, window, loss. Two sans-I/O
// machines, each on the shard that calls it: a SendLane per (link, own shard), a ReceiveLane per (link, remote
// shard).
//
// The lattice class: no frame is sent twice. A message is reported `acked` or `lost` by its cookie, exactly once; on
// `lost` the caller sends what is current by then. A message that was reported lost may still have arrived. Pieces of
// a message larger than a frame are the exception: their bytes are sent again, under new sequence numbers, until the
// lane is closed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "core/rng.hpp"
#include "core/time.hpp"
#include "core/types.hpp"
#include "net/codec.hpp"
#include "net/frame.hpp"
#include "net/reassembly.hpp"

namespace anabranch::net {

using Cookie = std::uint64_t;  // the caller's name for what a message carried

struct SendLaneStats {
  std::uint64_t frames = 0;         // sent, pieces included
  std::uint64_t bytes = 0;          // of bodies sent
  std::uint64_t acked = 0;          // frames acknowledged
  std::uint64_t lost = 0;           // frames taken for lost
  std::uint64_t resent_pieces = 0;  // pieces sent again
  std::uint64_t timeouts = 0;       // times that the timer declared frames lost
  std::uint64_t bad_acks = 0;       // acknowledgements that do not parse, or of frames never sent
};

class SendLane {
 public:
  struct Config {
    std::uint32_t cluster = 0;
    core::LinkEpoch epoch = 0;
    std::uint8_t lane = 0;   // this shard
    std::uint64_t seed = 0;  // of jitter
    std::size_t window_bytes = 256 << 10;
    std::size_t window_frames = 256;  // at most kAckBits: an acknowledgement describes the whole window
    core::Duration pto_floor = 10 * core::kMillisecond;   // overlay design 2.4
    core::Duration pto_max = core::kSecond;               // overlay design 2.4
    core::Duration pto_first = 100 * core::kMillisecond;  // guess, until a round trip is measured
    core::Duration ack_delay = 5 * core::kMillisecond;    // how long the peer may hold an acknowledgement back
  };
  struct Outbox {
    std::vector<core::Bytes> frames;  // whole datagrams for the link's address
    std::vector<Cookie> lost;
    std::vector<Cookie> acked;
  };

  explicit SendLane(const Config& config);

  /// True iff send() may be called: there is credit, no piece waits, and fewer than four messages are in pieces.
  [[nodiscard]] bool ready() const;

  /// Sends `message` once; borrowed for the call.
  ///   message  not empty, a multiple of 8 bytes, at most core::kMessageBytesMax; larger than a frame: in pieces
  ///   requires ready() (CHECK)
  void send(core::BytesView message, Cookie cookie, core::Instant now, Outbox& outbox);

  /// The body of a kAck frame of this link that names this lane. A malformed or stale one changes nothing.
  void handle_ack(core::BytesView body, core::Instant now, Outbox& outbox);
  void handle_ack(const Ack& ack, core::Instant now, Outbox& outbox);

  void on_deadline(core::Instant now, Outbox& outbox);
  [[nodiscard]] core::Instant next_deadline() const;

  /// Reports every message that is not acknowledged as lost; afterwards ready() is false for ever. For a link that is
  /// down.
  void close(Outbox& outbox);

  [[nodiscard]] std::size_t bytes_in_flight() const { return bytes_in_flight_; }
  [[nodiscard]] std::size_t frames_in_flight() const { return in_flight_.size(); }
  /// The smoothed round trip, 0 until one was measured.
  [[nodiscard]] core::Duration round_trip() const { return srtt_; }
  [[nodiscard]] const SendLaneStats& stats() const { return stats_; }

 private:
  using Piece = std::pair<std::uint64_t, std::uint16_t>;  // message, index; message 0: a whole message
  struct Flight {
    core::Instant sent = 0;
    std::size_t bytes = 0;
    Piece piece{};
    Cookie cookie = 0;
  };
  struct Large {  // a message in pieces
    core::Bytes bytes{};
    Cookie cookie = 0;
    std::uint16_t count = 0;
    std::vector<bool> acked;
    std::uint16_t acked_count = 0;
  };

  void transmit(FrameType type, core::BytesView body, const Flight& flight, Outbox& outbox);
  void pump_pieces(core::Instant now, Outbox& outbox);
  void take_acked(const Flight& flight, Outbox& outbox);
  void take_lost(const Flight& flight, Outbox& outbox);
  void measure(core::Duration sample);
  [[nodiscard]] bool credit() const;
  [[nodiscard]] core::Duration timeout() const;

  Config config_;
  core::Rng rng_;
  std::map<std::uint64_t, Flight> in_flight_;  // by sequence
  std::size_t bytes_in_flight_ = 0;
  std::uint64_t next_sequence_ = 1;
  std::uint64_t lost_below_ = 0;          // three frames from this one on were acknowledged
  std::map<std::uint64_t, Large> large_;  // by message number
  std::uint64_t next_large_ = 1;
  std::set<Piece> waiting_;  // pieces to be sent (again), oldest message first
  core::Duration srtt_ = 0;
  core::Duration rttvar_ = 0;
  unsigned backoff_ = 0;       // consecutive timeouts
  core::Duration jitter_ = 0;  // permille of the timeout
  bool closed_ = false;
  SendLaneStats stats_;
};

struct ReceiveLaneStats {
  std::uint64_t frames = 0;      // new and well formed
  std::uint64_t messages = 0;    // delivered
  std::uint64_t duplicates = 0;  // dropped: seen before
  std::uint64_t old = 0;         // dropped: before the window
  std::uint64_t malformed = 0;   // dropped: sequence 0 or far ahead, empty, a piece that does not fit its message
};

class ReceiveLane {
 public:
  struct Config {
    std::uint32_t cluster = 0;
    core::LinkEpoch epoch = 0;
    std::uint8_t lane = 0;                              // the remote shard whose frames these are
    std::uint8_t own_lane = 0;                          // this shard: the lane in the header of acknowledgements
    unsigned ack_after = 2;                             // frames
    core::Duration ack_delay = 5 * core::kMillisecond;  // overlay design 2.4
  };
  struct Outbox {
    std::vector<core::Bytes> ack_frames;  // whole datagrams for the link's address
    std::vector<core::Bytes> messages;    // whole lattice messages, each delivered once
  };

  explicit ReceiveLane(const Config& config);

  /// A kLattice or kFragment frame of this link and lane (CHECK of the type). A malformed one is counted, changes
  /// nothing and is not acknowledged.
  void handle(const FrameView& frame, core::Instant now, Outbox& outbox);
  void on_deadline(core::Instant now, Outbox& outbox);
  [[nodiscard]] core::Instant next_deadline() const { return ack_due_; }

  [[nodiscard]] std::size_t reassembly_bytes() const { return reassembly_.bytes(); }
  [[nodiscard]] const ReceiveLaneStats& stats() const { return stats_; }

 private:
  static constexpr std::size_t kSeenBits = 1'024;  // the duplicate window: four send windows

  [[nodiscard]] bool seen(std::uint64_t sequence) const;
  void mark(std::uint64_t sequence, core::Instant now);
  void ack(core::Instant now, Outbox& outbox);

  Config config_;
  std::uint64_t largest_ = 0;
  core::Instant largest_at_ = 0;
  std::array<std::uint64_t, kSeenBits / 64> seen_{};  // bit sequence mod kSeenBits
  unsigned unacked_ = 0;
  core::Instant ack_due_ = core::kNever;
  Reassembly reassembly_;
  ReceiveLaneStats stats_;
};

}  // namespace anabranch::net

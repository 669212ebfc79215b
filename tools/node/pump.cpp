#include "tools/node/pump.hpp"

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>
#include <variant>

#include "net/codec.hpp"
#include "tools/node/shard_status.hpp"

namespace anabranch::node {
namespace {

constexpr std::size_t kBurst = 64;                 // datagrams a pass: bounds how long commands and deadlines wait
constexpr std::size_t kCommandsPerPass = 256;      // likewise
constexpr std::size_t kFramesWaitingMax = 16'384;  // beyond the lanes' windows nothing should wait; a guess

Replicas make_replicas(const Pump::Config& config, std::uint32_t shards) {
  Replicas replicas(config.partitions);
  for (std::uint32_t partition = config.shard; partition < config.partitions; partition += shards) {
    delta::Replica::Config replica;
    replica.partition = static_cast<core::PartitionId>(partition);
    replica.self = config.self;
    replica.message_bytes = net::kFrameBodyMax;
    replica.log_bytes_max = config.log_bytes_max;
    replicas[partition] = std::make_unique<delta::Replica>(replica);
  }
  return replicas;
}

Sync::Config sync_config(const Pump::Config& config, std::uint32_t shards) {
  return {config.shard, shards, config.partitions, config.cluster, config.self};
}

Neighbours::Config neighbours_config(const Pump::Config& config) {
  return {config.self, config.name, config.partitions, config.cluster, config.listen, config.join, config.seed};
}

}  // namespace

Pump::Pump(Config config, net::Port& port, ShardMesh& mesh, Mailbox& mailbox, core::Waker& reply_waker)
    : config_(std::move(config)),
      port_(port),
      mesh_(mesh),
      mailbox_(mailbox),
      reply_waker_(reply_waker),
      replicas_(make_replicas(config_, mesh.shards())),
      doors_(replicas_),
      sync_(std::make_unique<Sync>(sync_config(config_, mesh.shards()), replicas_)),
      burst_(kBurst) {
  if (config_.shard == 0) neighbours_ = std::make_unique<Neighbours>(neighbours_config(config_));
}

bool Pump::poll(core::Instant now) {
  bool worked = receive(now);
  worked |= drain_mesh(now);
  worked |= take_commands(now);
  worked |= run_deadlines(now);
  settle(now);
  transmit(now);
  worked |= mesh_.flush(config_.shard);
  send_replies(now);
  return worked;
}

core::Instant Pump::next_deadline() const {
  core::Instant due = std::min(sync_->next_deadline(), port_.next_deadline());
  if (neighbours_ != nullptr) due = std::min(due, neighbours_->next_deadline());
  return std::min(due, retry_at_);
}

// A full ring to another shard stops the port: the senders' windows then hold back what we could not pass on.
bool Pump::receive(core::Instant now) {
  if (!mesh_.has_room(config_.shard)) return false;
  const std::size_t count = port_.receive(burst_, now);
  for (std::size_t i = 0; i < count; ++i) {
    const auto frame = net::parse_frame(burst_[i].bytes, config_.cluster, &drops_);
    if (frame) dispatch(burst_[i].from, *frame, now);
  }
  return count > 0;
}

void Pump::dispatch(core::Address from, const net::FrameView& frame, core::Instant now) {
  core::ShardId owner = config_.shard;
  switch (frame.header.type) {
    case net::FrameType::kHandshake:
    case net::FrameType::kControl:
      owner = 0;
      if (owner == config_.shard) neighbours_->handle_frame(from, frame, now);
      break;
    case net::FrameType::kAck: {
      const auto ack = net::decode_ack(frame.body);
      if (!ack || ack->lane >= mesh_.shards()) {
        ++malformed_acks_;
        return;
      }
      owner = ack->lane;
      if (owner == config_.shard) sync_->handle_ack(frame, now);
      break;
    }
    case net::FrameType::kLattice:
    case net::FrameType::kFragment:
      sync_->handle_frame(from, frame, now, [this](ForeignMessage message) {
        const auto to = static_cast<core::ShardId>(message.message.partition % mesh_.shards());
        mesh_.stage(config_.shard, to, std::move(message));
      });
      break;
  }
  if (owner == config_.shard) return;
  ++frames_forwarded_;
  mesh_.stage(config_.shard, owner, ForeignFrame{from, frame.header, core::Bytes(frame.body)});
}

bool Pump::drain_mesh(core::Instant now) {
  return mesh_.drain(config_.shard, [this, now](core::ShardId, const ShardMessage& message) {
    std::visit(
        [this, now](const auto& body) {
          using Body = std::decay_t<decltype(body)>;
          if constexpr (std::is_same_v<Body, ForeignFrame>) dispatch(body.from, {body.header, body.body}, now);
          if constexpr (std::is_same_v<Body, ForeignMessage>) sync_->handle_message(body.from, body.message, now);
          if constexpr (std::is_same_v<Body, PeerUp>) sync_->peer_up(body.peer, now);
          if constexpr (std::is_same_v<Body, PeerDown>) sync_->peer_down(body.node, body.epoch);
        },
        message);
  });
}

// Replies that the mailbox has no room for hold back the commands that would add to them.
bool Pump::take_commands(core::Instant now) {
  if (replies_.size() >= Mailbox::kDepth) return false;
  bool any = false;
  Command command;
  for (std::size_t left = kCommandsPerPass; left > 0 && mailbox_.commands.pop(command); --left) {
    execute(std::move(command), now);
    any = true;
  }
  return any;
}

void Pump::execute(Command command, core::Instant now) {
  if (std::holds_alternative<StatusCommand>(command.body)) {
    replies_.push_back({command.id, status(now)});
  } else if (std::holds_alternative<MembersCommand>(command.body) && neighbours_ != nullptr) {
    replies_.push_back({command.id, neighbours_->members(now)});
  } else if (std::holds_alternative<LeaveCommand>(command.body) && neighbours_ != nullptr) {
    sync_->flush_and_ship(now, frames_);  // what is pending leaves before the goodbye
    neighbours_->leave(now);
    leave_command_ = command.id;
  } else {
    doors_.handle(std::move(command), config_.wall_ms(now), sync_->outbox(), replies_);
  }
}

bool Pump::run_deadlines(core::Instant now) {
  bool any = false;
  if (neighbours_ != nullptr && neighbours_->next_deadline() <= now) {
    neighbours_->on_deadline(now);
    any = true;
  }
  if (sync_->next_deadline() <= now) {
    sync_->on_deadline(now);
    any = true;
  }
  return any;
}

void Pump::tell_peers(core::Instant now) {
  for (std::string& news : neighbours_->take_news())
    if (config_.on_news) config_.on_news(std::move(news));
  for (const auto& notice : neighbours_->take_notices()) {
    ShardMessage message;
    if (const auto* up = std::get_if<overlay::FullMembership::PeerUp>(&notice)) {
      const PeerUp event{{up->peer, up->epoch, neighbours_->address_of(up->epoch)}};
      sync_->peer_up(event.peer, now);
      message = event;
    } else {
      const auto& down = std::get<overlay::FullMembership::PeerDown>(notice);
      sync_->peer_down(down.peer, down.epoch);
      message = PeerDown{down.peer, down.epoch};
    }
    for (std::uint32_t shard = 1; shard < mesh_.shards(); ++shard)
      mesh_.stage(0, static_cast<core::ShardId>(shard), message);
  }
}

void Pump::settle(core::Instant now) {
  if (neighbours_ != nullptr) tell_peers(now);
  sync_->flush_and_ship(now, frames_);
  if (neighbours_ != nullptr)
    for (OutFrame& frame : neighbours_->take_frames()) frames_.push_back(std::move(frame));
  delta::Outbox& outbox = sync_->outbox();
  doors_.react(outbox, replies_);
  outbox.changed.clear();
  outbox.reached.clear();
}

void Pump::transmit(core::Instant now) {
  std::array<net::Outgoing, kBurst> burst;
  while (first_frame_ < frames_.size()) {
    const std::size_t count = std::min(kBurst, frames_.size() - first_frame_);
    for (std::size_t i = 0; i < count; ++i) burst[i] = {frames_[first_frame_ + i].to, frames_[first_frame_ + i].bytes};
    const std::size_t taken = port_.send(std::span(burst.data(), count), now);
    first_frame_ += taken;
    if (taken < count) break;  // the network is full: offer the rest in the next pass
  }
  const std::size_t waiting = frames_.size() - first_frame_;
  retry_at_ = waiting > 0 || mesh_.backlog(config_.shard) ? now + core::kMillisecond : core::kNever;
  if (waiting > 0 && waiting <= kFramesWaitingMax) return;
  frames_dropped_ += waiting;
  frames_.clear();
  first_frame_ = 0;
  if (leave_command_) replies_.push_back({*std::exchange(leave_command_, std::nullopt), UpdateReply{}});
}

void Pump::send_replies(core::Instant now) {
  if (replies_.empty()) return;
  const std::size_t sent = mailbox_.replies.push_batch(std::span(replies_).subspan(first_reply_));
  first_reply_ += sent;
  if (sent > 0) reply_waker_.notify();
  if (first_reply_ < replies_.size()) {  // the control thread empties the mailbox without telling: look again soon
    retry_at_ = std::min(retry_at_, now + core::kMillisecond);
    return;
  }
  replies_.clear();
  first_reply_ = 0;
}

StatusReply Pump::status(core::Instant now) const {
  ShardStatus shard;
  for (const auto& replica : replicas_)
    if (replica != nullptr) shard.add(replica->stats());
  shard.add(port_.stats());
  shard.add(drops_);
  shard.add(sync_->stats());
  shard.set_doors(doors_.commands(), doors_.watches(), doors_.waits());
  shard.set_pump(frames_forwarded_, frames_dropped_, malformed_acks_);
  if (config_.allocated_bytes) shard.set_memory(config_.allocated_bytes());
  if (neighbours_ != nullptr) shard.set_neighbours(*neighbours_, now);
  return shard.reply();
}

}  // namespace anabranch::node

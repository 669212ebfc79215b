#include "tools/node/shard_status.hpp"

#include <array>

namespace anabranch::node {

void ShardStatus::counter(std::string_view name, std::string_view help, std::uint64_t value,
                          std::string_view label_name, std::string_view label_value) {
  metrics_.push_back({name, help, Metric::Kind::kCounter, value, label_name, label_value});
}

void ShardStatus::gauge(std::string_view name, std::string_view help, std::uint64_t value, std::string_view label_name,
                        std::string_view label_value) {
  metrics_.push_back({name, help, Metric::Kind::kGauge, value, label_name, label_value});
}

void ShardStatus::add(const delta::Stats& stats) {
  partitions_.updates += stats.updates;
  partitions_.refused += stats.refused;
  partitions_.flushes += stats.flushes;
  partitions_.intervals_sent += stats.intervals_sent;
  partitions_.intervals_joined += stats.intervals_joined;
  partitions_.duplicates += stats.duplicates;
  partitions_.gaps += stats.gaps;
  partitions_.gaps_dropped += stats.gaps_dropped;
  partitions_.grafts += stats.grafts;
  partitions_.prunes += stats.prunes;
  partitions_.digests_sent += stats.digests_sent;
  partitions_.transfers_served += stats.transfers_served;
  partitions_.transfers_joined += stats.transfers_joined;
  partitions_.transfers_dropped += stats.transfers_dropped;
  partitions_.fingerprint_alarms += stats.fingerprint_alarms;
  partitions_.refused_messages += stats.refused_messages;
  partitions_.variables += stats.variables;
  partitions_.clashes += stats.clashes;
  partitions_.log_bytes += stats.log_bytes;
}

void ShardStatus::add(const net::PortStats& stats) {
  counter("frames_sent", "Datagrams handed to the network.", stats.tx_datagrams);
  counter("bytes_sent", "Bytes of datagrams handed to the network.", stats.tx_bytes);
  counter("frames_received", "Datagrams received.", stats.rx_datagrams);
  counter("bytes_received", "Bytes of datagrams received.", stats.rx_bytes);
  counter("frames_unsendable", "Datagrams that the network refused.", stats.tx_dropped);
  counter("receive_errors", "Datagrams that arrived and could not be taken.", stats.rx_errors);
}

void ShardStatus::add(const net::FrameDrops& drops) {
  for (std::size_t fault = 0; fault < net::kFrameFaults; ++fault)
    counter("frames_refused", "Datagrams that are not frames of this cluster, by reason.", drops.by_fault[fault],
            "reason", net::name(static_cast<net::FrameFault>(fault)));
}

void ShardStatus::add(const SyncStats& stats) {
  counter("packets_sent", "Packets of the delta layer sent to peers.", stats.packets_sent);
  counter("packets_received", "Packets of the delta layer received and decoded.", stats.packets_received);
  counter("packets_lost", "Packets that a lane took for lost; their state was shipped again.", stats.packets_lost);
  counter("packets_malformed", "Packets that did not decode.", stats.malformed_packets);
  counter("frames_unknown_link", "Lattice frames of a link that is not open here.", stats.unknown_link);
  counter("messages_dropped", "Requests and answers beyond a peer's bound; timers repeat them.",
          stats.messages_dropped);
}

void ShardStatus::set_doors(std::uint64_t commands, std::size_t watches, std::size_t waits) {
  counter("commands", "Commands taken from the doors.", commands);
  gauge("watches", "Threshold watches that wait.", watches);
  gauge("waits", "Updates that wait for copies on other nodes.", waits);
}

void ShardStatus::set_pump(std::uint64_t forwarded, std::uint64_t dropped, std::uint64_t malformed_acks) {
  counter("frames_forwarded", "Frames passed to the shard whose business they are.", forwarded);
  counter("frames_dropped", "Frames given up because the network took none for too long.", dropped);
  counter("acks_malformed", "Acknowledgements that did not decode.", malformed_acks);
}

void ShardStatus::set_memory(std::uint64_t allocated_bytes) {
  gauge("memory_bytes", "Bytes in live allocations of the shard's arena.", allocated_bytes);
}

void ShardStatus::set_neighbours(const Neighbours& neighbours, core::Instant now) {
  constexpr std::array<std::string_view, 6> kStates = {"joining", "alive", "suspect", "failed", "left", "replaced"};
  const MembersReply members = neighbours.members(now);
  for (const std::string_view state : kStates) {
    std::uint64_t count = 0;
    for (const Member& member : members.members) count += member.state == state ? 1 : 0;
    gauge("members", "Other members of the cluster, by state.", count, "state", state);
  }
  const net::LinkTableStats& links = neighbours.link_stats();
  counter("handshakes_malformed", "Handshake frames that did not decode.", links.malformed);
  counter("handshakes_stale", "Handshake frames about a link or attempt that is over.", links.stale);
  counter("handshakes_refused", "Handshakes of others that this node refused.", links.refused);
  const overlay::MembershipStats& membership = neighbours.membership_stats();
  counter("control_malformed", "Control messages that did not decode.", membership.malformed);
  counter("loop_stalls", "Times that this node's own loop was late by more than a keepalive.", membership.stalls);
}

StatusReply ShardStatus::reply() const {
  ShardStatus all = *this;
  const delta::Stats& stats = partitions_;
  all.counter("updates", "Updates accepted.", stats.updates);
  all.counter("updates_refused", "Updates refused.", stats.refused);
  all.counter("flushes", "Flushes of this node as an origin.", stats.flushes);
  all.counter("intervals_sent", "Delta intervals sent.", stats.intervals_sent);
  all.counter("intervals_joined", "Delta intervals joined.", stats.intervals_joined);
  all.counter("intervals_duplicate", "Delta intervals that brought nothing new.", stats.duplicates);
  all.counter("intervals_early", "Delta intervals that arrived before their predecessors.", stats.gaps);
  all.counter("intervals_early_dropped", "Early delta intervals that found no room to wait.", stats.gaps_dropped);
  all.counter("grafts_sent", "Requests for what an origin's interval lacked.", stats.grafts);
  all.counter("prunes_sent", "Answers to duplicate intervals: announce only.", stats.prunes);
  all.counter("digests_sent", "Version vector digests sent.", stats.digests_sent);
  all.counter("transfers_served", "Whole-state transfers served to peers behind the log.", stats.transfers_served);
  all.counter("transfers_joined", "Whole-state transfers joined.", stats.transfers_joined);
  all.counter("transfers_dropped", "Whole-state transfers given up.", stats.transfers_dropped);
  all.counter("fingerprint_alarms", "Equal version vectors over different states: a defect.", stats.fingerprint_alarms);
  all.counter("messages_refused", "Messages of the delta layer that made no sense.", stats.refused_messages);
  all.gauge("keys", "Variables held.", stats.variables);
  all.gauge("type_clashes", "Keys that exist with more than one type.", stats.clashes);
  all.gauge("log_bytes", "Bytes in the origins' logs.", stats.log_bytes);
  return {all.metrics_};
}

}  // namespace anabranch::node

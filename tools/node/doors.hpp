// The doors' side of one shard: commands in, replies out. It holds what waits: updates for their copies, watches for their
// thresholds. Called by the shard's pump only.
#pragma once

#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "core/time.hpp"
#include "dataflow/variables.hpp"
#include "delta/outbox.hpp"
#include "tools/node/command.hpp"

namespace anabranch::node {

using dataflow::Replicas;

class Doors {
 public:
  /// `replicas` is borrowed for life.
  explicit Doors(Replicas& replicas);

  /// Executes a command on the shard's keys; replies that are ready go to `replies`, the others come later. Status,
  /// members and leave are the pump's.
  ///   wall_ms  Unix time, for hybrid logical clocks
  ///   outbox   what the replicas want done; the pump acts on it
  void handle(Command command, std::uint64_t wall_ms, delta::Outbox& outbox, std::vector<Reply>& replies);

  /// Looks at variables that grew and at waits that are over.
  void react(const delta::Outbox& outbox, std::vector<Reply>& replies);

  [[nodiscard]] std::size_t watches() const { return watch_by_command_.size(); }
  [[nodiscard]] std::size_t waits() const { return waits_.size(); }
  [[nodiscard]] std::uint64_t commands() const { return commands_; }

 private:
  /// An update that waits until its flushes are held by enough nodes.
  struct Wait {
    UpdateReply reply;
    std::vector<std::pair<core::PartitionId, std::uint64_t>> open;  // partition and token of each flush not yet held
  };

  void update(std::uint64_t id, const UpdateCommand& command, std::uint64_t wall_ms, delta::Outbox& outbox,
              std::vector<Reply>& replies);
  void declare(std::uint64_t id, const DeclareCommand& command, delta::Outbox& outbox, std::vector<Reply>& replies);
  void get(std::uint64_t id, const GetCommand& command, std::vector<Reply>& replies) const;
  void scan(std::uint64_t id, const ScanCommand& command, std::vector<Reply>& replies) const;
  void watch(std::uint64_t id, const WatchCommand& command, std::vector<Reply>& replies);
  void cancel(std::uint64_t id);
  void wait_for(std::uint64_t id, Wait wait, std::uint32_t copies,
                const std::map<core::PartitionId, core::FlushNumber>& flushes, delta::Outbox& outbox,
                std::vector<Reply>& replies);

  dataflow::Variables variables_;
  std::unordered_map<std::uint64_t, dataflow::WatchId> watch_by_command_;
  std::unordered_map<dataflow::WatchId, std::uint64_t> command_by_watch_;
  std::unordered_map<std::uint64_t, Wait> waits_;                // by command
  std::unordered_map<std::uint64_t, std::uint64_t> wait_owner_;  // token to command
  std::vector<dataflow::Variables::Fired> fired_;                // scratch
  std::uint64_t next_token_ = 1;
  std::uint64_t commands_ = 0;
};

}  // namespace anabranch::node

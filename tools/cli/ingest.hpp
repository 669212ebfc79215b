// The work of `anabranch ingest`: every line of a log is counted by the edge client that it names, as the n-th line of that
// client for that key. The only state is the file: reading it again from the start gives the same totals again.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/time.hpp"
#include "tools/cli/edge_client.hpp"
#include "tools/cli/key_template.hpp"
#include "tools/cli/line_source.hpp"

namespace anabranch::cli {

struct IngestPlan {
  KeyTemplate client, key;
  std::string source;  // tells the clients of this file from those of others; "": the first good line's hash
  double rate = 0;     // lines a second; 0: as fast as they come
  core::Duration timeout = 30 * core::kSecond;  // give up when nothing is acknowledged for so long
};

struct IngestReport {
  std::string source;  // what told this file from others
  std::uint64_t lines = 0;
  std::uint64_t malformed = 0;
  std::optional<core::Error> read_error;  // the file ended early; what came before is counted
  bool gave_up = false;                   // plan.timeout passed
  SenderState sender;
  core::Duration elapsed = 0;
};

/// What happens meanwhile; both may be empty.
struct IngestHooks {
  std::function<void(std::uint64_t line, std::string_view reason)> malformed;
  std::function<void(std::uint64_t lines)> progress;
};

/// Reads `lines` to its end and waits until `sender` has brought every total home, or nothing moves for plan.timeout.
/// Blocks; main thread. Clients are spread over the sender's `nodes` by their id.
IngestReport run_ingest(LineSource& lines, const IngestPlan& plan, std::size_t nodes, EdgeSender& sender,
                        const IngestHooks& hooks);

/// The source of a log that was given none: the XXH3_64 of its first well-formed line, in hex. It stays the same when the
/// log is packed, renamed, or grows.
std::string source_of_line(std::string_view first);

/// "received", "durable" or a number of nodes from 1 to 64.
///   errors  kMalformed
core::Result<rpc::Ack> parse_ack(std::string_view text);

}  // namespace anabranch::cli

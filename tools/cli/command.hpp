// How a command of `anabranch` is written and registered. A command is one file: a class with its options as members, a
// factory, and one line in the array of commands.cpp. Everything runs on the main thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/time.hpp"
#include "tools/cli/options.hpp"

namespace anabranch::cli {

/// Exit codes that scripts rely on.
enum Exit : int {
  kOk = 0,
  kFailed = 1,       // the node or the operating system said no
  kUsage = 2,        // the command line was wrong; nothing was done
  kUnreachable = 3,  // the node was not reached; nothing was sent
  kNotYet = 4,       // sent, but no acknowledgement in time; a watch that ran out
};

/// Options that commands share, accepted before and after the command's name.
struct Shared {
  bool json = false;                           // --json: one JSON object a line on stdout
  std::string node = "127.0.0.1:7371";         // --node HOST:PORT, environment ANABRANCH_NODE
  core::Duration timeout = 5 * core::kSecond;  // --timeout S
  std::string program;                         // path of the running binary, for commands that start nodes
};

class Command {
 public:
  virtual ~Command() = default;
  /// Binds members to options and arguments. Called once, before run().
  virtual void declare(Options& options) = 0;
  /// Does the work and returns an exit code. stdout carries results only, everything else goes to stderr.
  virtual int run(const Shared& shared) = 0;
};

/// One line of the registry.
struct Entry {
  std::string_view name;
  std::string_view group;     // heading under which `anabranch --help` lists it
  std::string_view summary;   // first line of its help: what it does
  std::string_view examples;  // printed at the end of its help
  bool json = true;           // honours --json; false: listed as not, and --json is refused
  bool client = true;  // takes --node and --timeout from Shared; false: the command declares what it needs itself
  std::unique_ptr<Command> (*make)();
};

/// Every command, in the order of the help text.
std::span<const Entry> commands();

// The factories, one per command file.
std::unique_ptr<Command> make_completion();
std::unique_ptr<Command> make_declare();
std::unique_ptr<Command> make_demo();
std::unique_ptr<Command> make_get();
std::unique_ptr<Command> make_ingest();
std::unique_ptr<Command> make_keys();
std::unique_ptr<Command> make_members();
std::unique_ptr<Command> make_serve();
std::unique_ptr<Command> make_status();
std::unique_ptr<Command> make_update();
std::unique_ptr<Command> make_version();
std::unique_ptr<Command> make_watch();

/// Parses the command line (argv[0] decides whether `serve` is implied), runs the command and returns its exit code.
int run_main(int argc, const char* const* argv);

}  // namespace anabranch::cli

// One command with its options bound and the shared ones added: what run_main parses, what completions list, what tests walk.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "tools/cli/command.hpp"
#include "tools/cli/options.hpp"

namespace anabranch::cli {

class Invocation {
 public:
  explicit Invocation(const Entry& entry);

  /// Parses the words after the command's name and runs it; prints help or what is wrong otherwise. Returns the exit code.
  int run(std::span<const std::string> words, const std::string& program);

  [[nodiscard]] const Options& options() const { return options_; }

 private:
  const Entry& entry_;
  std::unique_ptr<Command> command_;
  Shared shared_;
  double timeout_s_ = 5;
  Options options_;
};

/// The entry of that name, or null.
const Entry* find_command(std::string_view name);

/// `anabranch --help`.
std::string overview();

}  // namespace anabranch::cli

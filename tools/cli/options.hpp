// The options and arguments of one command. A thin face over CLI11, so that only options.cpp compiles it; values keep their
// exact bytes (empty, "-5", "[a,b]", not UTF-8), which CLI11 alone would split or take for options.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace anabranch::cli {

/// Declared in any order; the bound variables keep their present value as the default, are filled by parse(), and must
/// outlive this object. Option names are written "--name". Ranges are inclusive.
class Options {
 public:
  Options(std::string_view command, std::string_view summary, std::string_view examples);
  ~Options();
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  void flag(std::string_view name, bool& into, std::string_view help);
  void text(std::string_view name, std::string& into, std::string_view value_name, std::string_view help);
  /// May be given several times.
  void texts(std::string_view name, std::vector<std::string>& into, std::string_view value_name, std::string_view help);
  void integer(std::string_view name, std::int64_t& into, std::int64_t low, std::int64_t high,
               std::string_view value_name, std::string_view help);
  void number(std::string_view name, double& into, double low, double high, std::string_view value_name,
              std::string_view help);
  /// The option has been declared.
  [[nodiscard]] bool has(std::string_view name) const;
  /// The option was given on the command line.
  [[nodiscard]] bool given(std::string_view name) const;
  /// The option must be given.
  void require(std::string_view name);

  /// A positional argument; required.
  void argument(std::string_view name, std::string& into, std::string_view help);
  /// The remaining positional arguments, at least `at_least`.
  void arguments(std::string_view name, std::vector<std::string>& into, std::size_t at_least, std::string_view help);
  /// Positional arguments may start with one '-' ("-5"); two dashes still need "--" before them.
  void allow_dashes();

  /// Fills the bound variables from the words after the command's name.
  ///   errors  kUnknown (an option, with "did you mean"), kMalformed (a value, or arguments missing or too many)
  core::Status parse(std::span<const std::string> words);
  [[nodiscard]] bool help_asked() const;
  [[nodiscard]] std::string help() const;

  struct Described {
    std::string name;  // "--ack"
    std::string help;
    bool takes_value = false;
  };
  /// Every option, in the order declared; for completions and tests.
  [[nodiscard]] std::vector<Described> described() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace anabranch::cli

// The settings of `anabranch serve`: one table says for each its flag, its key in the configuration file and its environment
// variable. Later sources win: defaults, file, environment (ANABRANCH_SECTION_KEY), flags.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/limits.hpp"
#include "core/result.hpp"

namespace anabranch::cli {

class Options;

struct ServeSettings {
  std::string name;
  std::string cluster = "anabranch";
  std::string data;
  std::int64_t shards = 0;
  std::int64_t partitions = core::kPartitionsDefault;
  std::string listen = "127.0.0.1:7370";
  std::vector<std::string> join;
  bool insecure = false;
  std::string pcap;
  std::string control = "127.0.0.1:7371";
  std::string http = "127.0.0.1:7380";
  std::int64_t control_connections = 4'096;
  std::int64_t http_connections = 256;
  std::string log_level = "info";
  std::string log_format = "auto";
};

struct Setting {
  std::string_view flag;     // "--listen"
  std::string_view section;  // [net]
  std::string_view key;      // listen
  std::string_view value_name;
  std::string_view help;
  std::variant<std::string ServeSettings::*, std::vector<std::string> ServeSettings::*, std::int64_t ServeSettings::*,
               bool ServeSettings::*>
      field;
  std::int64_t high = 0;  // of a number, inclusive
  std::int64_t low = 0;
};

std::span<const Setting> settings();

/// "ANABRANCH_NET_LISTEN"
std::string environment_name(const Setting& setting);

/// Binds every flag to `into`.
void declare(Options& options, ServeSettings& into);

/// Reads the TOML file `path` into `into`.
///   errors  kIo, kMalformed, kUnknown; each with FILE:LINE:COLUMN, an unknown key with "did you mean"
core::Status read_file(const std::string& path, ServeSettings& into);

/// Reads the environment into `into`. A list is separated by commas.
core::Status read_environment(ServeSettings& into);

/// Names in the environment that look like settings and are none, each with "did you mean".
std::vector<std::string> unknown_environment();

/// Copies what was given on the command line from `flags` to `into`.
void copy_given(const Options& options, const ServeSettings& flags, ServeSettings& into);

}  // namespace anabranch::cli

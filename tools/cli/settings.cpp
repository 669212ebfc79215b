#include "tools/cli/settings.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>

#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

#include "tools/cli/options.hpp"
#include "tools/cli/output.hpp"

namespace anabranch::cli {
namespace {

using core::Errc;
using S = ServeSettings;

constexpr std::int64_t kShardsMax = 256;
constexpr std::int64_t kConnectionsMax = 1'000'000;

constexpr std::array<Setting, 15> kSettings = {{
    {"--listen", "net", "listen", "HOST:PORT", "Where peers reach this node, by UDP", &S::listen},
    {"--control", "control", "listen", "HOST:PORT", "Where clients reach this node", &S::control},
    {"--http", "http", "listen", "HOST:PORT", "Where /metrics, /livez, /readyz and /api/v1/status are", &S::http},
    {"--control-connections", "control", "connections", "N", "Clients at one time; more are turned away",
     &S::control_connections, kConnectionsMax, 1},
    {"--http-connections", "http", "connections", "N", "HTTP connections at one time; more are turned away",
     &S::http_connections, kConnectionsMax, 1},
    {"--join", "net", "join", "HOST:PORT", "A member to join through; tried until it answers; may be repeated",
     &S::join},
    {"--cluster", "node", "cluster", "NAME", "Nodes of two clusters never talk to each other", &S::cluster},
    {"--shards", "node", "shards", "N", "Cores to use; 0: all", &S::shards, kShardsMax},
    {"--partitions", "node", "partitions", "N", "Slices of the key space, the same on every node, a power of two",
     &S::partitions, core::kPartitionsMax},
    {"--data", "node", "data", "DIR", "Keep the state in DIR (not built in yet: without it the state is in memory)",
     &S::data},
    {"--name", "node", "name", "NAME", "A label for people; default: the node's id", &S::name},
    {"--insecure", "net", "insecure", "", "Listen beyond loopback although nothing is encrypted yet", &S::insecure},
    {"--pcap", "net", "pcap", "FILE", "Write every datagram to FILE", &S::pcap},
    {"--log-level", "log", "level", "LEVEL", "debug, info, warn or error", &S::log_level},
    {"--log-format", "log", "format", "FORMAT", "auto (text on a terminal, else logfmt), text or logfmt",
     &S::log_format},
}};

std::string dotted(const Setting& setting) { return std::string(setting.section) + '.' + std::string(setting.key); }

core::Status number_for(const Setting& setting, std::int64_t value, std::int64_t& into) {
  if (value < setting.low || value > setting.high)
    return core::fail(Errc::kMalformed, "a value is out of range",
                      dotted(setting) + " takes " + std::to_string(setting.low) + " to " +
                          std::to_string(setting.high) + ", not " + std::to_string(value));
  into = value;
  return {};
}

core::Status assign_text(const Setting& setting, const std::string& text, ServeSettings& into) {
  if (const auto* field = std::get_if<std::string S::*>(&setting.field)) {
    into.** field = text;
  } else if (const auto* list = std::get_if<std::vector<std::string> S::*>(&setting.field)) {
    (into.**list).clear();
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find(',', begin), text.size());
      if (end > begin) (into.**list).push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
  } else if (const auto* number = std::get_if<std::int64_t S::*>(&setting.field)) {
    std::int64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size())
      return core::fail(Errc::kMalformed, "expected a whole number", dotted(setting) + " is '" + text + "'");
    return number_for(setting, value, into.**number);
  } else if (const auto* flag = std::get_if<bool S::*>(&setting.field)) {
    if (text != "true" && text != "false" && text != "1" && text != "0")
      return core::fail(Errc::kMalformed, "expected true or false", dotted(setting) + " is '" + text + "'");
    into.** flag = text == "true" || text == "1";
  }
  return {};
}

core::Status wrong_kind(const Setting& setting, std::string_view expected) {
  return core::fail(Errc::kMalformed, "a value has the wrong type",
                    dotted(setting) + " takes " + std::string(expected));
}

core::Status assign_node(const Setting& setting, const toml::node& value, ServeSettings& into) {
  if (const auto* field = std::get_if<std::string S::*>(&setting.field)) {
    if (!value.is_string()) return wrong_kind(setting, "a text in quotes");
    into.** field = value.as_string()->get();
  } else if (const auto* number = std::get_if<std::int64_t S::*>(&setting.field)) {
    if (!value.is_integer()) return wrong_kind(setting, "a whole number");
    return number_for(setting, value.as_integer()->get(), into.**number);
  } else if (const auto* flag = std::get_if<bool S::*>(&setting.field)) {
    if (!value.is_boolean()) return wrong_kind(setting, "true or false");
    into.** flag = value.as_boolean()->get();
  } else if (const auto* list = std::get_if<std::vector<std::string> S::*>(&setting.field)) {
    const toml::array* array = value.as_array();
    if (array == nullptr) return wrong_kind(setting, "a list of texts");
    (into.**list).clear();
    for (const toml::node& one : *array) {
      if (!one.is_string()) return wrong_kind(setting, "a list of texts");
      (into.**list).push_back(one.as_string()->get());
    }
  }
  return {};
}

core::Status assign_section(const std::string& section, const toml::table& table, ServeSettings& into,
                            toml::source_position& at) {
  for (const auto& [key, value] : table) {
    at = key.source().begin;
    const auto setting = std::find_if(kSettings.begin(), kSettings.end(), [&, name = key.str()](const Setting& one) {
      return one.section == section && one.key == name;
    });
    if (setting == kSettings.end()) {
      std::vector<std::string> known;
      for (const Setting& one : kSettings) known.push_back(dotted(one));
      return core::fail(Errc::kUnknown, "unknown key", did_you_mean(section + '.' + std::string(key.str()), known));
    }
    at = value.source().begin;
    if (auto assigned = assign_node(*setting, value, into); !assigned) return assigned;
  }
  return {};
}

core::Status assign_file(const toml::table& file, ServeSettings& into, toml::source_position& at) {
  std::vector<std::string> sections;
  for (const Setting& one : kSettings) {
    if (std::find(sections.begin(), sections.end(), one.section) == sections.end()) sections.emplace_back(one.section);
  }
  for (const auto& [key, value] : file) {
    at = key.source().begin;
    const std::string name(key.str());
    if (std::find(sections.begin(), sections.end(), name) == sections.end())
      return core::fail(Errc::kUnknown, "unknown section", did_you_mean(name, sections));
    const toml::table* table = value.as_table();
    if (table == nullptr) return core::fail(Errc::kMalformed, "this is a section", "[" + name + "]");
    if (auto assigned = assign_section(name, *table, into, at); !assigned) return assigned;
  }
  return {};
}

std::string place(const std::string& path, const toml::source_position& at) {
  return path + ':' + std::to_string(at.line) + ':' + std::to_string(at.column) + ": ";
}

}  // namespace

std::span<const Setting> settings() { return kSettings; }

std::string environment_name(const Setting& setting) {
  std::string name = "ANABRANCH_" + std::string(setting.section) + '_' + std::string(setting.key);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return name;
}

void declare(Options& options, ServeSettings& into) {
  for (const Setting& one : kSettings) {
    const std::string help = std::string(one.help) + "; " + dotted(one) + ", " + environment_name(one);
    if (const auto* text = std::get_if<std::string S::*>(&one.field))
      options.text(one.flag, into.**text, one.value_name, help);
    if (const auto* list = std::get_if<std::vector<std::string> S::*>(&one.field))
      options.texts(one.flag, into.**list, one.value_name, help);
    if (const auto* number = std::get_if<std::int64_t S::*>(&one.field))
      options.integer(one.flag, into.**number, one.low, one.high, one.value_name, help);
    if (const auto* flag = std::get_if<bool S::*>(&one.field)) options.flag(one.flag, into.**flag, help);
  }
}

core::Status read_file(const std::string& path, ServeSettings& into) {
  toml::source_position at{1, 1};
  try {
    const toml::table file = toml::parse_file(path);
    auto done = assign_file(file, into, at);
    if (!done) done.error().detail += " (" + place(path, at).substr(0, place(path, at).size() - 2) + ")";
    return done;
  } catch (const toml::parse_error& error) {
    const toml::source_position where = error.source().begin;
    if (where.line == 0) return core::fail(Errc::kIo, "cannot read the configuration file", path);
    return core::fail(Errc::kMalformed, "the configuration file does not parse",
                      place(path, where) + std::string(error.description()));
  }
}

core::Status read_environment(ServeSettings& into) {
  for (const Setting& one : kSettings) {
    const std::string name = environment_name(one);
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) continue;
    if (auto assigned = assign_text(one, value, into); !assigned) {
      assigned.error().detail += " (environment " + name + ")";
      return assigned;
    }
  }
  return {};
}

std::vector<std::string> unknown_environment() {
  std::vector<std::string> known;
  for (const Setting& one : kSettings) known.push_back(environment_name(one));
  std::vector<std::string> unknown;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string name = std::string(*entry).substr(0, std::string_view(*entry).find('='));
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const bool ours = std::any_of(known.begin(), known.end(), [&](const std::string& one) {
      return name.starts_with(one.substr(0, one.find('_', one.find('_') + 1) + 1));  // "ANABRANCH_NET_"
    });
    if (ours) unknown.push_back(did_you_mean(name, known));
  }
  return unknown;
}

void copy_given(const Options& options, const ServeSettings& flags, ServeSettings& into) {
  for (const Setting& one : kSettings) {
    if (!options.given(one.flag)) continue;
    std::visit([&](auto field) { into.*field = flags.*field; }, one.field);
  }
}

}  // namespace anabranch::cli

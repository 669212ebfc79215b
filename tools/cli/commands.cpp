// The registry: every command, visible, in the order of the help text. A new command costs its file and one line here.
#include <array>

#include "tools/cli/command.hpp"

namespace anabranch::cli {
namespace {

constexpr std::string_view kDaily = "Variables";
constexpr std::string_view kNode = "Nodes";
constexpr std::string_view kMore = "Housekeeping";

constexpr std::array<Entry, 12> kCommands = {{
    {"update", kDaily, "Changes the value of a key.",
     "  anabranch update ad:17 gcounter increment 5\n"
     "  anabranch update s awset add a b c\n"
     "  anabranch update m maxint set -5\n"
     "  anabranch update s awset add -- --an-element-with-dashes\n"
     "  anabranch update r lwwregister set hello --ack 2\n"
     "  anabranch update picture lwwregister set --stdin < picture.png\n"
     "\n"
     "increment and decrement go by 1 when the amount is left out.",
     true, true, make_update},
    {"declare", kDaily, "Makes a key known with its type's empty value.", "  anabranch declare ad:17 gcounter", true,
     true, make_declare},
    {"get", kDaily, "Prints the values of keys, sorted by key.",
     "  anabranch get ad:17\n"
     "  anabranch get ad:17 ad:18 --json\n"
     "  anabranch get --prefix ad: --json\n"
     "\n"
     "With --json each line is {\"key\":...,\"type\":...,\"value\":...}: numbers above 2^53 are strings, sets are "
     "sorted arrays, a\n"
     "register or number that was never set is null. A byte XX that is not UTF-8 is written \\udcXX. Without --json "
     "control\n"
     "characters are escaped. A key that does not exist is named on stderr, and the exit code is 1.",
     true, true, make_get},
    {"keys", kDaily, "Lists keys and their types, sorted by key.", "  anabranch keys\n  anabranch keys ad: --json",
     true, true, make_keys},
    {"watch", kDaily, "Blocks until a key reaches a threshold, then prints its value.",
     "  anabranch watch ad:17 --at-least 50\n  anabranch watch ad:17 --at-least 50 --timeout 10 --json", true, true,
     make_watch},
    {"ingest", kDaily, "Counts the lines of a web server's log, each exactly once.",
     "  anabranch ingest access.log.gz --format clf --client '{host}' --key 'hits/{path}'", true, false, make_ingest},
    {"serve", kNode, "Runs a node until SIGTERM; prints one JSON line when it serves.",
     "  anabranch serve\n"
     "  anabranch serve --listen 127.0.0.1:0 --control 127.0.0.1:0 --http 127.0.0.1:0 --join 127.0.0.1:7370\n"
     "  anabranch serve --config anabranch.toml",
     true, false, make_serve},
    {"status", kNode, "Shows a node on one screen; exit code 0 if it is ready.",
     "  anabranch status\n  anabranch status --json", true, true, make_status},
    {"members", kNode, "Lists the cluster's nodes as one node sees them.",
     "  anabranch members\n  anabranch members --json", true, true, make_members},
    {"demo", kNode, "Runs a cluster and its clients on this machine, breaks it, and checks every count.",
     "  anabranch demo\n  anabranch demo --nodes 3 --seed 7 --json", true, false, make_demo},
    {"completion", kMore, "Prints completions for a shell.",
     "  anabranch completion bash > /etc/bash_completion.d/anabranch", false, false, make_completion},
    {"version", kMore, "Prints the version of this binary.", "  anabranch version --json", true, false, make_version},
}};

}  // namespace

std::span<const Entry> commands() { return kCommands; }

}  // namespace anabranch::cli

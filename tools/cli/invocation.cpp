#include "tools/cli/invocation.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "tools/cli/output.hpp"

namespace anabranch::cli {
namespace {

constexpr double kTimeoutMaxSeconds = 1e6;

std::string program_path(const char* argv0) {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::string(argv0) : path.string();
}

/// Options that may stand before the command's name; they are moved behind it.
struct Front {
  std::string_view name;
  bool takes_value;
};
constexpr std::array<Front, 3> kFront = {{{"--json", false}, {"--node", true}, {"--timeout", true}}};

int unknown_command(const std::string& word) {
  std::vector<std::string> known;
  for (const Entry& entry : commands()) known.emplace_back(entry.name);
  complain("unknown command " + did_you_mean(word, known) + " See: anabranch --help");
  return kUsage;
}

int unknown_front(const std::string& word) {
  std::vector<std::string> known = {"--help", "--version"};
  for (const Front& one : kFront) known.emplace_back(one.name);
  complain("unknown option " + did_you_mean(word, known) + " before the command. See: anabranch --help");
  return kUsage;
}

/// Moves leading options of `words` into `moved`. An exit code when there is nothing more to do, else -1.
int take_front(std::vector<std::string>& words, std::vector<std::string>& moved) {
  std::size_t i = 0;
  for (; i < words.size() && words[i].starts_with("-"); ++i) {
    const std::string name = words[i].substr(0, words[i].find('='));
    if (name == "-h" || name == "--help") return print_line(overview()) ? kOk : kFailed;
    if (name == "--version") {
      words[i] = "version";
      break;
    }
    const auto* front = std::find_if(kFront.begin(), kFront.end(), [&](const Front& one) { return one.name == name; });
    if (front == kFront.end()) return unknown_front(name);
    moved.push_back(words[i]);
    if (!front->takes_value || name.size() < words[i].size()) continue;
    if (i + 1 < words.size()) moved.push_back(words[++i]);
  }
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(i));
  return -1;
}

}  // namespace

Invocation::Invocation(const Entry& entry)
    : entry_(entry), command_(entry.make()), options_(entry.name, entry.summary, entry.examples) {
  if (const char* node = std::getenv("ANABRANCH_NODE"); node != nullptr && *node != '\0') shared_.node = node;
  command_->declare(options_);
  if (entry.client)
    options_.text("--node", shared_.node, "HOST:PORT", "Control address of the node; environment ANABRANCH_NODE");
  if (entry.client && !options_.has("--timeout"))
    options_.number("--timeout", timeout_s_, 0, kTimeoutMaxSeconds, "S", "Seconds to wait for the node's answer");
  if (entry.json) options_.flag("--json", shared_.json, "Print JSON, one object a line");
}

int Invocation::run(std::span<const std::string> words, const std::string& program) {
  if (const auto parsed = options_.parse(words); !parsed) {
    complain(parsed.error().message());
    std::fprintf(stderr, "See: anabranch %s --help\n", std::string(entry_.name).c_str());
    return kUsage;
  }
  if (options_.help_asked()) return print_line(options_.help()) && std::fflush(stdout) == 0 ? kOk : kFailed;
  shared_.program = program;
  shared_.timeout = static_cast<core::Duration>(timeout_s_ * static_cast<double>(core::kSecond));
  const int code = command_->run(shared_);
  // A full disk or a closed pipe must not pass for success.
  return std::fflush(stdout) == 0 && std::ferror(stdout) == 0 ? code : std::max<int>(code, kFailed);
}

const Entry* find_command(std::string_view name) {
  for (const Entry& entry : commands()) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

std::string overview() {
  std::string out =
      "Replicated data types that never conflict, on a cluster that keeps serving.\n"
      "Usage: anabranch [--json] [--node HOST:PORT] [--timeout S] COMMAND ...\n";
  std::string_view group;
  for (const Entry& entry : commands()) {
    if (entry.group != group) out += "\n" + std::string(entry.group) + "\n";
    group = entry.group;
    out += "  " + std::string(entry.name) + std::string(12 - std::min<std::size_t>(11, entry.name.size()), ' ') +
           std::string(entry.summary) + "\n";
  }
  out +=
      "\nExit codes: 0 ok, 1 failed, 2 usage, 3 node not reached and nothing sent, 4 sent but no answer in time.\n"
      "\nEXAMPLES\n"
      "  anabranch serve\n"
      "  anabranch update ad:17 gcounter increment 5\n"
      "  anabranch get ad:17 --json\n"
      "  anabranch COMMAND --help";
  return out;
}

int run_main(int argc, const char* const* argv) {
  std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  const std::string called = argc > 0 ? std::filesystem::path(argv[0]).filename().string() : "anabranch";
  if (called == "anabranchd") words.insert(words.begin(), "serve");
  std::vector<std::string> moved;
  if (const int code = take_front(words, moved); code >= 0) return code;
  if (words.empty()) {
    std::fprintf(stderr, "%s\n", overview().c_str());
    return kUsage;
  }
  if (words.front() == "help") return print_line(overview()) ? kOk : kFailed;
  const Entry* entry = find_command(words.front());
  if (entry == nullptr) return unknown_command(words.front());
  words.erase(words.begin());
  words.insert(words.begin(), moved.begin(), moved.end());
  return Invocation(*entry).run(words, program_path(argc > 0 ? argv[0] : "anabranch"));
}

}  // namespace anabranch::cli

// `anabranch completion` and `anabranch version`: what the binary says about itself; no node is asked.
#include <algorithm>
#include <string>
#include <vector>

#include "tools/cli/command.hpp"
#include "tools/cli/invocation.hpp"
#include "tools/cli/output.hpp"
#include "tools/cli/version.hpp"

namespace anabranch::cli {
namespace {

using Described = Options::Described;

std::string spaced(std::span<const Described> options) {
  std::string out;
  for (const Described& one : options) out += (out.empty() ? "" : " ") + one.name;
  return out;
}

std::string names() {
  std::string out;
  for (const Entry& entry : commands()) out += (out.empty() ? "" : " ") + std::string(entry.name);
  return out;
}

/// Text inside single quotes of a shell.
std::string quoted(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out;
}

std::string bash() {
  std::string out =
      "# bash completion for anabranch; source it, or put it in /etc/bash_completion.d/\n"
      "_anabranch() {\n"
      "  local cur=\"${COMP_WORDS[COMP_CWORD]}\" command='' word\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    case \"$word\" in -*) ;; *) command=\"$word\"; break ;; esac\n"
      "  done\n"
      "  case \"$command\" in\n";
  for (const Entry& entry : commands()) {
    out += "    " + std::string(entry.name) + ") COMPREPLY=($(compgen -W '" +
           spaced(Invocation(entry).options().described()) + "' -- \"$cur\")) ;;\n";
  }
  return out + "    *) COMPREPLY=($(compgen -W '" + names() +
         " --json --node --timeout --help --version' -- \"$cur\")) ;;\n"
         "  esac\n"
         "}\n"
         "complete -o default -F _anabranch anabranch";
}

std::string zsh() {
  std::string out =
      "#compdef anabranch\n# zsh completion for anabranch; put it in a directory of $fpath as _anabranch\n"
      "_anabranch() {\n  local -a commands\n  commands=(\n";
  for (const Entry& entry : commands()) out += "    '" + std::string(entry.name) + ":" + quoted(entry.summary) + "'\n";
  out += "  )\n  if (( CURRENT == 2 )); then _describe command commands; return; fi\n  case \"$words[2]\" in\n";
  for (const Entry& entry : commands()) {
    out += "    " + std::string(entry.name) + ") _values -s ' ' option";
    for (const Described& one : Invocation(entry).options().described()) {
      std::string help = quoted(one.help);
      for (const char bracket : {'[', ']', ':'}) std::replace(help.begin(), help.end(), bracket, ' ');
      out += " '" + one.name + "[" + help + "]'";
    }
    out += " ;;\n";
  }
  return out + "  esac\n}\n_anabranch \"$@\"";
}

std::string fish() {
  std::string out = "# fish completion for anabranch; put it in ~/.config/fish/completions/\n";
  for (const Entry& entry : commands()) {
    const std::string name(entry.name);
    out += "complete -c anabranch -n __fish_use_subcommand -a " + name + " -d '" + quoted(entry.summary) + "'\n";
    for (const Described& one : Invocation(entry).options().described()) {
      out += "complete -c anabranch -n '__fish_seen_subcommand_from " + name + "' -l " + one.name.substr(2) +
             (one.takes_value ? " -r" : "") + " -d '" + quoted(one.help) + "'\n";
    }
  }
  out.pop_back();
  return out;
}

class Completion final : public Command {
 public:
  void declare(Options& options) override { options.argument("SHELL", shell_, "bash, zsh or fish"); }

  int run(const Shared&) override {
    if (shell_ == "bash") return print_line(bash()) ? kOk : kFailed;
    if (shell_ == "zsh") return print_line(zsh()) ? kOk : kFailed;
    if (shell_ == "fish") return print_line(fish()) ? kOk : kFailed;
    const std::vector<std::string> known = {"bash", "zsh", "fish"};
    complain("no completion for " + did_you_mean(shell_, known) + " There are: bash, zsh, fish");
    return kUsage;
  }

 private:
  std::string shell_;
};

class Version final : public Command {
 public:
  void declare(Options&) override {}

  int run(const Shared& shared) override {
    const std::string version(version_text());
    if (!shared.json) return print_line("anabranch " + version + " (" __VERSION__ ")") ? kOk : kFailed;
    JsonObject object;
    object.text("name", "anabranch").text("version", version).text("compiler", __VERSION__).text("storage", "memory");
    return print_line(object.str()) ? kOk : kFailed;
  }
};

}  // namespace

std::unique_ptr<Command> make_completion() { return std::make_unique<Completion>(); }
std::unique_ptr<Command> make_version() { return std::make_unique<Version>(); }

}  // namespace anabranch::cli

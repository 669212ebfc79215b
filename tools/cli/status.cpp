// `anabranch status` and `anabranch members`: a node, and the cluster as it sees it.
#include "tools/http/status_json.hpp"

#include <algorithm>
#include <cstdio>
#include <string>

#include "tools/cli/command.hpp"
#include "tools/cli/output.hpp"
#include "tools/rpc/client.hpp"

namespace anabranch::cli {
namespace {

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

std::string row(const std::string& name, const std::string& id, const std::string& state, const std::string& address,
                const std::string& silent) {
  return padded(name, 18) + padded(id, 18) + padded(state, 9) + padded(address, 23) + silent;
}

std::string seconds(std::uint64_t ms) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.1f s", static_cast<double>(ms) / 1e3);
  return buffer;
}

class Members final : public Command {
 public:
  void declare(Options&) override {}

  int run(const Shared& shared) override {
    auto client = rpc::Client::connect(shared.node, shared.timeout);
    if (!client) return fail_with(client.error(), true);
    const auto reply = (*client)->members(shared.timeout);
    if (!reply) return fail_with(reply.error());
    bool printed = shared.json || print_line(row("NAME", "ID", "STATE", "ADDRESS", "SILENT"));
    for (const node::Member& member : reply->members) {
      JsonObject object;
      object.text("name", member.name)
          .text("id", http::id_text(member.node))
          .count("incarnation", member.incarnation)
          .text("state", member.state)
          .text("address", core::to_string(member.address))
          .count("silent_ms", member.silent_ms);
      printed = printed && print_line(shared.json ? object.str()
                                                  : row(text_of(member.name), http::id_text(member.node), member.state,
                                                        core::to_string(member.address), seconds(member.silent_ms)));
    }
    return printed ? kOk : kFailed;
  }
};

class Status final : public Command {
 public:
  void declare(Options&) override {}

  int run(const Shared& shared) override {
    auto client = rpc::Client::connect(shared.node, shared.timeout);
    if (!client) return fail_with(client.error(), true);
    const auto status = (*client)->status(shared.timeout);
    if (!status) return fail_with(status.error());
    const bool printed = shared.json ? print_line(http::status_json(*status)) : print_screen(*status);
    if (!printed) return kFailed;
    return status->ready ? kOk : kNotYet;
  }

 private:
  static bool print_screen(const rpc::Status& status) {
    bool printed = true;
    const auto line = [&](const char* name, const std::string& value) {
      printed = printed && print_line(padded(name, 12) + value);
    };
    line("node", text_of(status.name) + "  " + http::id_text(status.id) + (status.ready ? "  ready" : "  leaving"));
    line("cluster", text_of(status.cluster));
    line("version", status.version + (status.durable ? ", durable" : ", memory"));
    line("uptime", seconds(status.uptime_ms));
    line("listen", status.listen + "  control " + status.control + "  http " + status.http);
    line("shards", std::to_string(status.shards) + "  partitions " + std::to_string(status.partitions));
    line("keys", std::to_string(status.keys));
    std::string members;
    for (const auto& [state, count] : status.members)
      members += (members.empty() ? "" : ", ") + std::to_string(count) + " " + state;
    line("members", members);
    for (const auto& [name, value] : status.counters) {
      if (value != 0 && name != "keys")
        printed = printed && print_line("  " + padded(name, 40) + std::to_string(value));
    }
    return printed;
  }
};

}  // namespace

std::unique_ptr<Command> make_members() { return std::make_unique<Members>(); }
std::unique_ptr<Command> make_status() { return std::make_unique<Status>(); }

}  // namespace anabranch::cli

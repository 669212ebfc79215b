// `anabranch update` and `anabranch declare`: one key, one acknowledgement.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "core/limits.hpp"
#include "tools/cli/command.hpp"
#include "tools/cli/output.hpp"
#include "tools/cli/progress.hpp"
#include "tools/cli/words.hpp"
#include "tools/rpc/client.hpp"

namespace anabranch::cli {
namespace {

constexpr std::string_view kAckHelp =
    "Wait until: received, durable, or so many nodes hold it; default durable where the node "
    "has storage, else received";

/// What was reached: the level, or the number of copies.
int acknowledged(const Shared& shared, const node::Update& update, const rpc::Ack& ack, bool durable_node) {
  if (!shared.json) return kOk;
  JsonObject object;
  object.text("key", update.key).text("type", lattice::name(update.type)).flag("ok", true);
  using Level = rpc::Ack::Level;
  const bool durable = ack.level == Level::kDurable || (ack.level == Level::kDefault && durable_node);
  if (ack.level == Level::kCopies)
    object.count("ack", ack.copies);
  else
    object.text("ack", durable ? "durable" : "received");
  return print_line(object.str()) ? kOk : kFailed;
}

/// All of standard input. kMalformed beyond core::kValueBytesMax, kIo.
core::Result<std::string> read_standard_input() {
  std::string all(core::kValueBytesMax + 1, '\0');
  all.resize(std::fread(all.data(), 1, all.size(), stdin));
  if (std::ferror(stdin) != 0) return core::fail(core::Errc::kIo, "cannot read standard input");
  static_assert(core::kValueBytesMax == 1U << 20, "the message names the bound");
  if (all.size() > core::kValueBytesMax)
    return core::fail(core::Errc::kMalformed, "standard input holds more than 1 MiB, the most that one element takes");
  return all;
}

class Update final : public Command {
 public:
  void declare(Options& options) override {
    options.argument("KEY", key_, "1 to 1,024 bytes");
    options.argument("TYPE", type_, "gcounter pncounter maxint minint gset awset lwwregister mvregister ewflag dwflag");
    options.argument("OP", operation_, "increment decrement set enable disable add remove clear");
    options.arguments("ARG", arguments_, 0,
                      "A number, a value or elements, as the operation takes; increment and decrement without one go "
                      "by 1; -- before one "
                      "that starts with --");
    options.text("--ack", ack_, "LEVEL", kAckHelp);
    options.flag("--stdin", stdin_, "Take the last ARG from standard input, every byte of it, at most 1 MiB");
    options.allow_dashes();
  }

  int run(const Shared& shared) override {
    if (stdin_) {
      auto last = read_standard_input();
      if (!last) return fail_with(last.error(), true);
      arguments_.push_back(std::move(*last));
    }
    const auto update = update_of_words(key_, type_, operation_, arguments_);
    if (!update) return fail_with(update.error(), true);
    const auto ack = ack_of_word(ack_);
    if (!ack) return fail_with(ack.error(), true);
    auto client = rpc::Client::connect(shared.node, shared.timeout);
    if (!client) return fail_with(client.error(), true);
    auto waiting = std::make_unique<Waiting>("waiting for the acknowledgement");
    const auto reply = (*client)->update({&*update, 1}, *ack, shared.timeout);
    waiting.reset();
    if (!reply) return fail_with(reply.error());
    if (!reply->refused.empty()) return fail_with(reply->refused.front().error);
    return acknowledged(shared, *update, *ack, (*client)->durable());
  }

 private:
  std::string key_;
  std::string type_;
  std::string operation_;
  std::vector<std::string> arguments_;
  std::string ack_;
  bool stdin_ = false;
};

class Declare final : public Command {
 public:
  void declare(Options& options) override {
    options.argument("KEY", key_, "1 to 1,024 bytes");
    options.argument("TYPE", type_, "gcounter pncounter maxint minint gset awset lwwregister mvregister ewflag dwflag");
    options.text("--ack", ack_, "LEVEL", kAckHelp);
  }

  int run(const Shared& shared) override {
    if (const auto checked = check_key(key_); !checked) return fail_with(checked.error(), true);
    const auto type = type_of_word(type_);
    if (!type) return fail_with(type.error(), true);
    const auto ack = ack_of_word(ack_);
    if (!ack) return fail_with(ack.error(), true);
    auto client = rpc::Client::connect(shared.node, shared.timeout);
    if (!client) return fail_with(client.error(), true);
    if (const auto done = (*client)->declare(key_, *type, *ack, shared.timeout); !done) return fail_with(done.error());
    return acknowledged(shared, {key_, *type, {}}, *ack, (*client)->durable());
  }

 private:
  std::string key_;
  std::string type_;
  std::string ack_;
};

}  // namespace

std::unique_ptr<Command> make_update() { return std::make_unique<Update>(); }
std::unique_ptr<Command> make_declare() { return std::make_unique<Declare>(); }

}  // namespace anabranch::cli

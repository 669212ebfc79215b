// `anabranch watch`: blocks until a threshold holds.
#include <algorithm>
#include <memory>
#include <string>

#include "tools/cli/command.hpp"
#include "tools/cli/output.hpp"
#include "tools/cli/progress.hpp"
#include "tools/cli/words.hpp"
#include "tools/rpc/client.hpp"

namespace anabranch::cli {
namespace {

constexpr core::Duration kConnectMin = 100 * core::kMillisecond;  // even with --timeout 0

class Watch final : public Command {
 public:
  void declare(Options& options) override {
    options.argument("KEY", key_, "The key; it need not exist yet");
    options.text("--at-least", at_least_, "N", "A counter's value, a set's size, a flag as 0 or 1");
    options.require("--at-least");
    options.number(
        "--timeout", timeout_s_, 0, 1e6, "S",
        "Give up after S seconds, with exit code 4, or 3 if the node was not reached; default: wait without end");
    options_ = &options;
  }

  int run(const Shared& shared) override {
    if (const auto checked = check_key(key_); !checked) return fail_with(checked.error(), true);
    const auto at_least = integer_of_word(at_least_, "--at-least");
    if (!at_least) return fail_with(at_least.error(), true);
    core::Duration timeout = core::kNever;
    if (options_->given("--timeout"))
      timeout = static_cast<core::Duration>(timeout_s_ * static_cast<double>(core::kSecond));
    const core::Instant started = core::monotonic_now();
    auto client = rpc::Client::connect(shared.node, std::clamp(timeout, kConnectMin, shared.timeout));
    if (!client) return fail_with(client.error(), true);
    if (timeout != core::kNever) timeout -= std::min(timeout, core::monotonic_now() - started);
    auto waiting = std::make_unique<Waiting>("waiting for " + text_of(key_));
    const auto item = (*client)->watch(key_, *at_least, timeout);
    waiting.reset();
    if (!item && item.error().code == core::Errc::kTimeout) {
      complain(text_of(key_) + " did not reach " + std::to_string(*at_least) + " in time");
      return kNotYet;
    }
    if (!item) return fail_with(item.error());
    if (item->too_large) {
      complain_too_large(item->key);  // the threshold holds all the same
      return kOk;
    }
    return print_line(shared.json ? json_of(*item) : text_of(item->value)) ? kOk : kFailed;
  }

 private:
  std::string key_;
  std::string at_least_;
  double timeout_s_ = 0;
  const Options* options_ = nullptr;
};

}  // namespace

std::unique_ptr<Command> make_watch() { return std::make_unique<Watch>(); }

}  // namespace anabranch::cli

// `anabranch get` and `anabranch keys`: what a node holds, sorted by key bytes, in pages, so that any number of keys works.
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "tools/cli/command.hpp"
#include "tools/cli/output.hpp"
#include "tools/cli/progress.hpp"
#include "tools/cli/words.hpp"
#include "tools/rpc/client.hpp"

namespace anabranch::cli {
namespace {

/// Calls `each` with every key that begins with `prefix`, in order; stops when it returns false.
core::Status for_each(rpc::Client& client, const std::string& prefix, core::Duration timeout, rpc::ScanValues values,
                      const std::function<bool(const rpc::Item&)>& each) {
  core::Bytes after;
  bool from_start = true;
  std::uint64_t read = 0;
  Progress progress("keys read", 0);
  const bool printed = isatty(STDOUT_FILENO) == 1;  // what is printed on the terminal is progress enough
  while (true) {
    const auto page = client.scan(prefix, from_start ? nullptr : &after, rpc::kScanMax, timeout, values);
    if (!page) return tl::unexpected(page.error());
    if (!printed) progress.update(read += page->items.size());
    for (const rpc::Item& item : page->items) {
      if (!each(item)) return {};
    }
    if (!page->more || page->items.empty()) return {};
    after = page->items.back().key;
    from_start = false;
  }
}

/// A value that is too large is no reason to stop: its key is kept in `too_large`.
bool print_item(const Shared& shared, const rpc::Item& item, std::vector<core::Bytes>& too_large) {
  if (item.too_large) {
    too_large.push_back(item.key);
    return true;
  }
  return print_line(shared.json ? json_of(item) : text_of(item.key) + '\t' + text_of(item.value));
}

class Get final : public Command {
 public:
  void declare(Options& options) override {
    options.arguments("KEY", keys_, 0, "Keys to read");
    options.text("--prefix", prefix_, "P", "Read every key that begins with P; '' reads all");
    options_ = &options;
  }

  int run(const Shared& shared) override {
    const bool scans = options_->given("--prefix");
    if (keys_.empty() && !scans) {
      complain("get needs a KEY or --prefix P");
      return kUsage;
    }
    for (const std::string& key : keys_) {
      if (const auto checked = check_key(key); !checked) return fail_with(checked.error(), true);
    }
    auto client = rpc::Client::connect(shared.node, shared.timeout);
    if (!client) return fail_with(client.error(), true);
    const auto named = (*client)->get(keys_, shared.timeout);
    if (!named) return fail_with(named.error());
    bool printed = true;
    std::vector<core::Bytes> too_large;
    auto next = named->items.begin();  // named keys and scanned ones are merged: each key once, all sorted
    const auto print_before = [&](const std::string* key) {
      for (; printed && next != named->items.end() && (key == nullptr || next->key <= *key); ++next)
        if (key == nullptr || next->key != *key) printed = print_item(shared, *next, too_large);
    };
    if (scans) {
      const auto done =
          for_each(**client, prefix_, shared.timeout, rpc::ScanValues::kBring, [&](const rpc::Item& item) {
            print_before(&item.key);
            printed = printed && print_item(shared, item, too_large);
            return printed;
          });
      if (!done) return fail_with(done.error());
    }
    print_before(nullptr);
    for (const core::Bytes& key : too_large) complain_too_large(key);
    return std::max<int>(printed && too_large.empty() ? kOk : kFailed, report_missing(named->items));
  }

 private:
  int report_missing(const std::vector<rpc::Item>& found) {
    int code = kOk;
    std::sort(keys_.begin(), keys_.end());
    keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());
    for (const std::string& key : keys_) {
      if (std::any_of(found.begin(), found.end(), [&](const rpc::Item& item) { return item.key == key; })) continue;
      complain("no such key: " + text_of(key));
      code = kFailed;
    }
    return code;
  }

  std::vector<std::string> keys_;
  std::string prefix_;
  const Options* options_ = nullptr;
};

class Keys final : public Command {
 public:
  void declare(Options& options) override { options.arguments("PREFIX", prefix_, 0, "Only keys that begin with it"); }

  int run(const Shared& shared) override {
    if (prefix_.size() > 1) {
      complain("keys takes one PREFIX");
      return kUsage;
    }
    auto client = rpc::Client::connect(shared.node, shared.timeout);
    if (!client) return fail_with(client.error(), true);
    bool printed = true;
    const auto done = for_each(
        **client, prefix_.empty() ? "" : prefix_.front(), shared.timeout, rpc::ScanValues::kLeaveOut,
        [&](const rpc::Item& item) {
          JsonObject object;
          object.text("key", item.key).text("type", lattice::name(item.type));
          printed =
              print_line(shared.json ? object.str() : text_of(item.key) + '\t' + std::string(lattice::name(item.type)));
          return printed;
        });
    if (!done) return fail_with(done.error());
    return printed ? kOk : kFailed;
  }

 private:
  std::vector<std::string> prefix_;
};

}  // namespace

std::unique_ptr<Command> make_get() { return std::make_unique<Get>(); }
std::unique_ptr<Command> make_keys() { return std::make_unique<Keys>(); }

}  // namespace anabranch::cli

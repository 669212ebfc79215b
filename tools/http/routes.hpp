// What the HTTP door serves, as plain functions: which path is what, and the text of each answer. No socket and no event loop.
#pragma once

#include <string>
#include <string_view>

#include "tools/rpc/facts.hpp"

namespace anabranch::http {

enum class Page { kMetrics, kLive, kReady, kStatus, kNotFound, kNotAllowed };

struct Answer {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::string allow;  // not empty: the Allow header of a 405
};

struct Target {
  Page page = Page::kNotFound;
  bool verbose = false;  // "?verbose"
};

/// Which page a request asks for. GET and HEAD are allowed everywhere, nothing else anywhere.
Target find(std::string_view method, std::string_view url);

/// 404 and 405; both say what exists.
Answer not_found(std::string_view url);
Answer not_allowed(std::string_view method);

/// Alive: every shard answered, whatever the peers do. `survey` null: a shard did not answer in time.
Answer live(const rpc::Survey* survey);
/// Ready: alive, doors open, not leaving. `verbose` lists each check as "[+]name ok" or "[-]name why".
Answer ready(const rpc::Survey* survey, const rpc::Facts& facts, bool verbose);
/// The same facts as `anabranch status --json`.
Answer status(const rpc::Status& status);
Answer no_answer();  // 503: a shard did not answer in time

}  // namespace anabranch::http

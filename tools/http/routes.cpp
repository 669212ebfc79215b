#include "tools/http/routes.hpp"

#include <array>

#include "tools/http/status_json.hpp"

namespace anabranch::http {
namespace {

constexpr std::array<std::pair<std::string_view, Page>, 4> kPages = {{
    {"/metrics", Page::kMetrics},
    {"/livez", Page::kLive},
    {"/readyz", Page::kReady},
    {"/api/v1/status", Page::kStatus},
}};

std::string what_exists() {
  return "This node serves, by GET and HEAD:\n"
         "  /metrics         Prometheus metrics\n"
         "  /livez           200 while every shard answers\n"
         "  /readyz          200 while the node serves clients; ?verbose lists the checks\n"
         "  /api/v1/status   the node in one JSON object\n";
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 200)) out += c >= 0x20 && c < 0x7f ? c : '?';
  return out;
}

}  // namespace

Target find(std::string_view method, std::string_view url) {
  const std::string_view path = url.substr(0, url.find_first_of("?#"));
  const std::string_view query = path.size() < url.size() ? url.substr(path.size() + 1) : std::string_view{};
  for (const auto& [name, page] : kPages) {
    if (path != name) continue;
    if (method != "GET" && method != "HEAD") return {Page::kNotAllowed, false};
    return {page, query == "verbose" || query.substr(0, 8) == "verbose=" || query.find("&verbose") != query.npos};
  }
  return {};
}

Answer not_found(std::string_view url) {
  Answer answer;
  answer.status = 404;
  answer.body = "There is no " + printable(url) + " here.\n" + what_exists();
  return answer;
}

Answer not_allowed(std::string_view method) {
  Answer answer;
  answer.status = 405;
  answer.allow = "GET, HEAD";
  answer.body = printable(method) + " is not allowed here.\n" + what_exists();
  return answer;
}

Answer no_answer() {
  Answer answer;
  answer.status = 503;
  answer.body = "A shard did not answer in time.\n";
  return answer;
}

Answer live(const rpc::Survey* survey) {
  if (survey == nullptr) return no_answer();
  Answer answer;
  answer.body = "ok\n";
  return answer;
}

Answer ready(const rpc::Survey* survey, const rpc::Facts& facts, bool verbose) {
  Answer answer;
  const bool good = survey != nullptr && facts.ready;
  answer.status = good ? 200 : 503;
  if (verbose) {
    answer.body += survey != nullptr ? "[+]shards ok\n" : "[-]shards a shard did not answer in time\n";
    answer.body += facts.ready ? "[+]serving ok\n" : "[-]serving the node is leaving\n";
    if (survey != nullptr) {
      std::size_t alive = 0;
      for (const node::Member& member : survey->members.members) alive += member.state == "alive" ? 1 : 0;
      answer.body += "[+]peers " + std::to_string(alive) + " alive\n";  // for information: a lone node is ready
    }
  }
  answer.body += good ? "ok\n" : "not ready\n";
  return answer;
}

Answer status(const rpc::Status& status) {
  Answer answer;
  answer.content_type = "application/json";
  answer.body = status_json(status) + "\n";
  return answer;
}

}  // namespace anabranch::http

// The pages of the HTTP door, as functions and over a real socket.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/tools/door_fixture.hpp"
#include "tools/http/metrics.hpp"
#include "tools/http/routes.hpp"

namespace anabranch {
namespace {

using testing::Doors;
using testing::talk;

std::string request(const Doors& doors, const std::string& method, const std::string& path) {
  return talk(doors.facts().http, method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", false);
}

std::string body_of(const std::string& answer) {
  const auto at = answer.find("\r\n\r\n");
  return at == answer.npos ? "" : answer.substr(at + 4);
}

rpc::Survey sample() {
  rpc::Survey survey;
  for (std::uint64_t shard = 0; shard < 2; ++shard) {
    node::StatusReply status;
    status.metrics.push_back({"keys", "Keys.", node::Metric::Kind::kGauge, 10 + shard});
    status.metrics.push_back({"frames_sent", "Frames sent.", node::Metric::Kind::kCounter, 5});
    status.metrics.push_back({"drops", "Frames dropped.", node::Metric::Kind::kCounter, 2, "reason", "stale"});
    status.metrics.push_back({"drops", "Frames dropped.", node::Metric::Kind::kCounter, 1, "reason", "flipped"});
    status.metrics.push_back({"bad name", "Left out.", node::Metric::Kind::kCounter, 1});
    survey.shards.push_back(status);
  }
  survey.members.members = {{1, 1, "a", {}, "self", 0}, {2, 1, "b", {}, "alive", 3}, {3, 1, "c", {}, "alive", 4}};
  return survey;
}

TEST(Routes, NameThePagesThatExist) {
  EXPECT_EQ(http::find("GET", "/metrics").page, http::Page::kMetrics);
  EXPECT_EQ(http::find("HEAD", "/livez?x=1").page, http::Page::kLive);
  EXPECT_TRUE(http::find("GET", "/readyz?verbose").verbose);
  EXPECT_FALSE(http::find("GET", "/readyz").verbose);
  EXPECT_EQ(http::find("POST", "/readyz").page, http::Page::kNotAllowed);
  EXPECT_EQ(http::find("GET", "/metricsx").page, http::Page::kNotFound);
  EXPECT_NE(http::not_found("/x\r\nEvil: 1").body.find("/x??Evil"), std::string::npos);
}

TEST(Summary, AddsShardsUpByNameAndLabel) {
  const rpc::Status status = rpc::summarize(sample(), {}, 0);
  EXPECT_EQ(status.keys, 21U);
  EXPECT_EQ(status.counters.at("frames_sent"), 10U);
  EXPECT_EQ(status.counters.at("drops{reason=stale}"), 4U);
  EXPECT_EQ(status.members.at("alive"), 2U);
}

TEST(Metrics, CarryShardLabelsAndCounterSuffixes) {
  const std::string text = http::metrics_text(sample(), {}, {}, core::kSecond);
  EXPECT_NE(text.find("anabranch_frames_sent_total{shard=\"1\"} 5\n"), std::string::npos) << text;
  EXPECT_NE(text.find("anabranch_drops_total{shard=\"0\",reason=\"stale\"} 2\n"), std::string::npos);
  EXPECT_NE(text.find("anabranch_keys{shard=\"1\"} 11\n"), std::string::npos);
  EXPECT_NE(text.find("anabranch_members{state=\"alive\"} 2\n"), std::string::npos);
  EXPECT_EQ(text.find("bad name"), std::string::npos);
}

TEST(Metrics, PassPromtool) {
  const Doors doors;
  const std::string text = body_of(request(doors, "GET", "/metrics"));
  ASSERT_NE(text.find("anabranch_build_info{"), std::string::npos);
  const auto file = std::filesystem::temp_directory_path() / ("anabranch_metrics_" + std::to_string(getpid()));
  std::ofstream(file) << text;
  const std::string command = "promtool check metrics < '" + file.string() + "' > '" + file.string() + ".out' 2>&1";
  const int code = std::system(command.c_str());
  std::ifstream out(file.string() + ".out");
  const std::string complaints((std::istreambuf_iterator<char>(out)), std::istreambuf_iterator<char>());
  std::filesystem::remove(file);
  std::filesystem::remove(file.string() + ".out");
  EXPECT_EQ(code, 0) << "promtool (package prometheus) must be installed";
  EXPECT_EQ(complaints, "");
}

TEST(HttpDoor, ServesHealthAndStatus) {
  const Doors doors;
  EXPECT_EQ(request(doors, "GET", "/livez").substr(0, 15), "HTTP/1.1 200 OK");
  const std::string ready = request(doors, "GET", "/readyz?verbose");
  EXPECT_NE(ready.find("200 OK"), std::string::npos);
  EXPECT_NE(ready.find("[+]shards ok"), std::string::npos);
  const std::string status = request(doors, "GET", "/api/v1/status");
  EXPECT_NE(status.find("application/json"), std::string::npos);
  EXPECT_NE(status.find("\"id\":\"0123456789abcdef\""), std::string::npos);
  EXPECT_NE(status.find("\"members\":{\"alive\":1,\"self\":1}"), std::string::npos);
  EXPECT_EQ(body_of(request(doors, "HEAD", "/livez")), "");
}

TEST(HttpDoor, SaysWhatExistsInsteadOf404And405) {
  const Doors doors;
  const std::string missing = request(doors, "GET", "/nothing");
  EXPECT_NE(missing.find("404 Not Found"), std::string::npos);
  EXPECT_NE(missing.find("/api/v1/status"), std::string::npos);
  const std::string refused = request(doors, "DELETE", "/metrics");
  EXPECT_NE(refused.find("405 Method Not Allowed"), std::string::npos);
  EXPECT_NE(refused.find("Allow: GET, HEAD"), std::string::npos);
}

TEST(HttpDoor, SurvivesGarbage) {
  const Doors doors;
  talk(doors.facts().http, std::string(70'000, 'x'));
  talk(doors.facts().http, "GET\r\n\r\n\xff\xfe");
  talk(doors.facts().http, std::string("\0\0\0\0", 4));
  EXPECT_NE(request(doors, "GET", "/livez").find("200 OK"), std::string::npos);
}

TEST(HttpDoor, IsNotAliveWhenAShardDoesNotAnswer) {
  const Doors doors([](testing::FakeNode& node) { node.hang(true); });
  EXPECT_NE(request(doors, "GET", "/livez").find("503"), std::string::npos);
  const std::string ready = request(doors, "GET", "/readyz?verbose");
  EXPECT_NE(ready.find("503"), std::string::npos);
  EXPECT_NE(ready.find("[-]shards"), std::string::npos);
}

}  // namespace
}  // namespace anabranch

#include "tools/cli/process.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <thread>

#include "tools/cli/interrupt.hpp"

namespace anabranch::cli {
namespace {

constexpr core::Duration kPlenty = 20 * core::kSecond;

std::unique_ptr<Process> shell(const std::string& script) {
  auto process = Process::start({"/bin/sh", "-c", script});
  if (!process) {
    ADD_FAILURE() << process.error().message();
    return nullptr;
  }
  return std::move(*process);
}

TEST(Process, HandsOutItsLinesAndItsStatus) {
  const auto process = shell("echo one; printf 'two\\nthree'; exit 7");
  ASSERT_TRUE(process);
  EXPECT_EQ(process->read_line(kPlenty).value_or("?"), "one");
  EXPECT_EQ(process->read_line(kPlenty).value_or("?"), "two");
  const auto end = process->read_line(kPlenty);
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().code, core::Errc::kClosed);
  EXPECT_EQ(process->wait(kPlenty).value_or(-1), 7);
  EXPECT_EQ(process->wait(0).value_or(-1), 7);
  EXPECT_FALSE(process->running());
  process->send(SIGKILL);  // nobody is hit
}

TEST(Process, WaitingIsBounded) {
  const auto process = shell("exec sleep 1000");
  ASSERT_TRUE(process);
  EXPECT_TRUE(process->running());
  EXPECT_EQ(process->read_line(core::kMillisecond).error().code, core::Errc::kTimeout);
  EXPECT_EQ(process->wait(core::kMillisecond).error().code, core::Errc::kTimeout);
  process->send(SIGKILL);
  EXPECT_EQ(process->wait(kPlenty).value_or(-1), 128 + SIGKILL);
}

TEST(Process, StopKillsWhatDoesNotEnd) {
  const auto polite = shell("exec sleep 1000");
  const auto stubborn = shell("trap '' TERM; echo ready; while :; do sleep 0.01; done");
  ASSERT_TRUE(polite && stubborn);
  ASSERT_TRUE(stubborn->read_line(kPlenty).has_value());
  polite->stop(kPlenty);
  EXPECT_EQ(polite->wait(0).value_or(-1), 128 + SIGTERM);
  stubborn->stop(20 * core::kMillisecond);
  EXPECT_EQ(stubborn->wait(0).value_or(-1), 128 + SIGKILL);
}

TEST(Process, KeepsTheEndOfItsComplaints) {
  const auto process = shell("echo first >&2; echo last >&2");
  ASSERT_TRUE(process);
  ASSERT_TRUE(process->wait(kPlenty).has_value());
  EXPECT_EQ(process->stderr_tail(1'000), "first\nlast\n");
  EXPECT_EQ(process->stderr_tail(5), "last\n");
}

TEST(Process, AProgramThatDoesNotExistSaysSo) {
  auto process = Process::start({"/nonexistent/anabranch"});
  ASSERT_TRUE(process.has_value());
  EXPECT_EQ((*process)->wait(kPlenty).value_or(-1), 127);
  EXPECT_NE((*process)->stderr_tail(100).find("cannot execute"), std::string::npos);
}

TEST(Process, DiesWithTheThreadThatStartedIt) {
  std::unique_ptr<Process> process;
  std::thread([&process] {
    process = shell("echo ready; exec sleep 1000");
    EXPECT_TRUE(process && process->read_line(kPlenty).has_value());
  }).join();
  ASSERT_TRUE(process);
  EXPECT_EQ(process->wait(kPlenty).value_or(-1), 128 + SIGKILL);
}

TEST(Process, IsGoneWithItsOwner) {
  auto process = shell("exec sleep 1000");
  ASSERT_TRUE(process);
  const pid_t pid = process->pid();
  process.reset();
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST(Interrupt, HoldsASignalBackUntilAskedAndChildrenDoNotInheritThat) {
  Interrupt interrupt;
  EXPECT_FALSE(interrupt.pending());
  const auto child = shell("exec sleep 1000");
  ASSERT_TRUE(child);
  ::raise(SIGINT);
  EXPECT_TRUE(interrupt.pending());
  EXPECT_TRUE(interrupt.pending());
  child->send(SIGTERM);
  EXPECT_EQ(child->wait(kPlenty).value_or(-1), 128 + SIGTERM);
}

}  // namespace
}  // namespace anabranch::cli

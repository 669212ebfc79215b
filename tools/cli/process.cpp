#include "tools/cli/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace anabranch::cli {
namespace {

constexpr std::size_t kReadyBytesMax = 64 << 10;

core::Error io_error(const char* what) { return {core::Errc::kIo, what, std::strerror(errno)}; }

// Runs in the child between fork and exec: only calls that are safe there.
[[noreturn]] void become(char* const* argv, pid_t parent, int out, int err) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // the parent ended before it could be heard
  const int in = ::open("/dev/null", O_RDONLY);
  if (in < 0 || dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0) _exit(127);
  execv(argv[0], argv);
  constexpr std::string_view kComplaint = "cannot execute the program\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kComplaint.data(), kComplaint.size());
  _exit(127);
}

}  // namespace

core::Result<std::unique_ptr<Process>> Process::start(const std::vector<std::string>& argv) {
  std::vector<std::string> words = argv;
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);

  std::array<int, 2> out{};
  if (pipe2(out.data(), O_CLOEXEC) != 0) return tl::unexpected<core::Error>(io_error("cannot make a pipe"));
  const int err = memfd_create("stderr", MFD_CLOEXEC);
  if (err < 0 || fcntl(err, F_SETFL, O_APPEND) != 0) {
    const core::Error error = io_error("cannot keep the errors of a process");
    ::close(out[0]);
    ::close(out[1]);
    if (err >= 0) ::close(err);
    return tl::unexpected<core::Error>(error);
  }
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) become(pointers.data(), parent, out[1], err);
  const core::Error error = io_error("cannot start a process");
  ::close(out[1]);
  if (pid < 0) {
    ::close(out[0]);
    ::close(err);
    return tl::unexpected<core::Error>(error);
  }
  setpgid(pid, pid);  // as the child does, whoever comes first
  return std::unique_ptr<Process>(new Process(pid, out[0], err));
}

Process::~Process() {
  if (!reaped_) {
    send(SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  ::close(out_);
  ::close(err_);
}

core::Result<std::string> Process::read_line(core::Duration timeout) {
  const core::Instant deadline = core::monotonic_now() + timeout;
  while (true) {
    if (const auto newline = pending_.find('\n'); newline != std::string::npos) {
      std::string line = pending_.substr(0, newline);
      pending_.erase(0, newline + 1);
      return line;
    }
    if (pending_.size() > kReadyBytesMax) return core::fail(core::Errc::kTooLarge, "a line of a process has no end");
    const core::Instant now = core::monotonic_now();
    if (now >= deadline) return core::fail(core::Errc::kTimeout, "the process has not written a line in time");
    pollfd ready{out_, POLLIN, 0};
    const int count = poll(&ready, 1, static_cast<int>((deadline - now) / core::kMillisecond) + 1);
    if (count <= 0) continue;
    std::array<char, 4096> buffer{};
    const ssize_t got = ::read(out_, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return core::fail(core::Errc::kClosed, "the process has closed its output");
    pending_.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

void Process::send(int signal) {
  if (!reaped_) ::kill(pid_, signal);
}

bool Process::running() { return !wait(0).has_value(); }

core::Result<int> Process::wait(core::Duration timeout) {
  const core::Instant deadline = core::monotonic_now() + timeout;
  while (!reaped_) {
    int status = 0;
    const pid_t ended = waitpid(pid_, &status, WNOHANG);
    if (ended == pid_ || (ended < 0 && errno == ECHILD)) {
      reaped_ = true;
      status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      break;
    }
    if (core::monotonic_now() >= deadline) return core::fail(core::Errc::kTimeout, "the process still runs");
    usleep(2'000);
  }
  return status_;
}

void Process::stop(core::Duration patience) {
  send(SIGTERM);
  if (wait(patience)) return;
  send(SIGKILL);
  // Returns soon: nothing survives SIGKILL but a process stuck in the kernel, which the bound is for.
  [[maybe_unused]] const auto killed = wait(5 * core::kSecond);
}

std::string Process::stderr_tail(std::size_t bytes) const {
  struct stat info{};
  if (fstat(err_, &info) != 0) return {};
  const auto size = static_cast<std::size_t>(info.st_size);
  const std::size_t length = std::min(bytes, size);
  std::string tail(length, '\0');
  const ssize_t got = pread(err_, tail.data(), length, static_cast<off_t>(size - length));
  tail.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return tail;
}

}  // namespace anabranch::cli

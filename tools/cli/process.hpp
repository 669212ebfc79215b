// A child process: started with pipes, its first line read, ended by its id. Used by `demo` and by tests that need real nodes.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"

namespace anabranch::cli {

class Process {
 public:
  /// Starts `argv` (argv[0] is a path). Its stdin is empty, its stdout can be read by read_line, its stderr is kept in memory,
  /// it has a process group of its own, so that Ctrl-C in a terminal reaches only its parent, and no blocked signal. It is
  /// killed when the calling thread ends: start it from a thread that outlives it, such as the main thread.
  ///   errors  kIo; a program that cannot be executed ends at once with status 127 and says so on its stderr
  static core::Result<std::unique_ptr<Process>> start(const std::vector<std::string>& argv);
  /// Kills the process if it still runs, and reaps it.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// The next line of its stdout, without the newline.
  ///   errors  kTimeout, kClosed (it closed stdout or ended), kTooLarge (beyond 64 KiB)
  core::Result<std::string> read_line(core::Duration timeout);
  /// Sends `signal`; nothing happens once the process was reaped.
  void send(int signal);
  /// Waits for its end and reaps it. The status is that of exit(), or 128 + the signal that ended it.
  ///   errors  kTimeout
  core::Result<int> wait(core::Duration timeout);
  /// Asks it to end (SIGTERM), and kills it if it has not within `patience`.
  void stop(core::Duration patience);
  [[nodiscard]] bool running();
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// The end of what it wrote to stderr, at most `bytes`.
  [[nodiscard]] std::string stderr_tail(std::size_t bytes) const;

 private:
  Process(pid_t pid, int out, int err) : pid_(pid), out_(out), err_(err) {}

  pid_t pid_;
  int out_, err_;
  std::string pending_;  // read from stdout, not yet handed out
  bool reaped_ = false;
  int status_ = 0;
};

}  // namespace anabranch::cli

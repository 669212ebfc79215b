// A progress line on stderr for what lasts more than two seconds, on a terminal only: Progress for work that is counted
// (ingest, demo), Waiting for one answer of a node (update, watch, get). Made on the main thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

#include "core/time.hpp"

namespace anabranch::cli {

class Progress {
 public:
  /// `total` 0: not known. Nothing is printed unless stderr is a terminal.
  Progress(std::string label, std::uint64_t total);
  /// Wipes the line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Says how far the work is; redraws at most ten times a second, first after two seconds. Cheap: call it per item.
  void update(std::uint64_t done, std::string_view note = {});
  /// Wipes the line so that other output can be printed; the next update draws it again.
  void wipe();

 private:
  std::string label_;
  std::uint64_t total_;
  core::Instant started_;
  core::Instant drawn_ = 0;
  bool terminal_;
  bool visible_ = false;
};

/// While it lives, says each second how long the wait has been. Without a terminal it does nothing and starts no thread.
class Waiting {
 public:
  explicit Waiting(std::string label);
  /// Wipes the line.
  ~Waiting() = default;
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  std::jthread thread_;  // stopped and joined when the wait is over
};

}  // namespace anabranch::cli

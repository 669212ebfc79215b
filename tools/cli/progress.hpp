// A progress line on stderr for work that lasts more than two seconds, on a terminal only. Used by ingest and demo, main thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

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

}  // namespace anabranch::cli

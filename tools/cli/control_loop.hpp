// The control thread of a node: one event loop that serves the control door and the HTTP door until it is told to stop.
// No KJ type shows here; `serve` runs it on the main thread, tests on a thread of their own.
#pragma once

#include <functional>
#include <string>

#include "core/address.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "tools/node/node.hpp"
#include "tools/rpc/facts.hpp"

namespace anabranch::cli {

/// A listening TCP socket; closes it unless it was handed on.
class TcpListener {
 public:
  /// errors  kIo, in words: the address is in use, not ours, or not permitted
  static core::Result<TcpListener> open(const core::Address& address, const char* option);
  TcpListener(TcpListener&& other) noexcept;
  TcpListener& operator=(TcpListener&&) = delete;
  ~TcpListener();

  [[nodiscard]] const core::Address& address() const { return address_; }  // with the port that was chosen
  [[nodiscard]] int release();

 private:
  TcpListener(int fd, core::Address address) : fd_(fd), address_(address) {}
  int fd_ = -1;
  core::Address address_;
};

struct ControlConfig {
  TcpListener control;
  TcpListener http;
  int stop_fd = -1;  // readable: leave the cluster, then return; readable again: return at once. Borrowed
  std::string version = {};
  std::size_t control_connections = 4'096;  // more are closed at once
  std::size_t http_connections = 256;
  core::Duration leave_within = 2 * core::kSecond;
  std::function<void(const rpc::Facts&)> on_ready = {};  // both doors are open
  std::function<void(const std::string&)> notice = {};   // a line for the log
};

/// Serves until told to stop. Waits of clients are cancelled on return.
///   errors  kIo, when the event loop itself fails
core::Status run_control(node::Node& node, ControlConfig config);

}  // namespace anabranch::cli

// A wrapping port that writes every datagram, both directions, to a capture file for tcpdump or Wireshark.
#pragma once

#include <memory>
#include <string>

#include "core/result.hpp"
#include "net/port.hpp"

namespace anabranch::net {

/// Wraps `inner` and writes the file at `path` (an old one is replaced), in pcap format with nanoseconds: each datagram
/// with an Ethernet, IPv4 and UDP header made from its addresses, stamped with the caller's `now` (virtual time too).
/// The file is complete after every burst. If writing fails later, the capture ends and the traffic goes on.
///   errors  kIo with the path and the reason; `inner` is closed then
core::Result<std::unique_ptr<Port>> make_pcap_port(std::unique_ptr<Port> inner, const std::string& path);

}  // namespace anabranch::net

#include "net/pcap_port.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>

#include "core/check.hpp"

namespace anabranch::net {
namespace {

constexpr std::uint32_t kMagicNanoseconds = 0xA1B23C4D;  // pcap-savefile(5)
constexpr std::uint32_t kLinkTypeEthernet = 1;
constexpr std::size_t kEthernetBytes = 14;
constexpr std::size_t kIpBytes = 20;
constexpr std::size_t kUdpBytes = 8;
constexpr std::size_t kHeaderBytes = kEthernetBytes + kIpBytes + kUdpBytes;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

/// Appends integers of the capture file (little endian) or of the packet headers (network order).
class Writer {
 public:
  explicit Writer(char* out) : at_(out) {}
  void little32(std::uint32_t value) {
    for (int i = 0; i < 4; ++i) *at_++ = static_cast<char>(value >> (8 * i));
  }
  void little16(std::uint16_t value) {
    for (int i = 0; i < 2; ++i) *at_++ = static_cast<char>(value >> (8 * i));
  }
  void big32(std::uint32_t value) {
    for (int i = 3; i >= 0; --i) *at_++ = static_cast<char>(value >> (8 * i));
  }
  void big16(std::size_t value) {
    for (int i = 1; i >= 0; --i) *at_++ = static_cast<char>(value >> (8 * i));
  }
  void byte(std::uint8_t value) { *at_++ = static_cast<char>(value); }
  /// A locally administered address that shows the IP address.
  void mac(std::uint32_t ip) {
    byte(0x02);
    byte(0x00);
    big32(ip);
  }

 private:
  char* at_;
};

/// RFC 1071 over the IPv4 header.
std::uint16_t ip_checksum(const char* header) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < kIpBytes; i += 2) {
    const auto high = static_cast<std::uint8_t>(header[i]);
    const auto low = static_cast<std::uint8_t>(header[i + 1]);
    sum += static_cast<std::uint32_t>(high << 8 | low);
  }
  while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

std::array<char, kHeaderBytes> packet_headers(core::Address from, core::Address to, std::size_t payload_bytes) {
  std::array<char, kHeaderBytes> out{};
  Writer ethernet(out.data());
  ethernet.mac(to.ip);
  ethernet.mac(from.ip);
  ethernet.big16(0x0800);
  char* const ip_at = out.data() + kEthernetBytes;
  Writer ip(ip_at);
  ip.big16(0x4500);  // version 4, five words, best effort
  ip.big16(kIpBytes + kUdpBytes + payload_bytes);
  ip.big32(0x00004000);  // no identification, do not fragment
  ip.big16(0x4011);      // 64 hops, UDP
  ip.big16(0);           // checksum, below
  ip.big32(from.ip);
  ip.big32(to.ip);
  Writer(ip_at + 10).big16(ip_checksum(ip_at));
  Writer udp(ip_at + kIpBytes);
  udp.big16(from.port);
  udp.big16(to.port);
  udp.big16(kUdpBytes + payload_bytes);
  udp.big16(0);  // RFC 768: no checksum was computed
  return out;
}

class PcapPort final : public Port {
 public:
  PcapPort(std::unique_ptr<Port> inner, File file)
      : inner_(std::move(inner)), file_(std::move(file)), name_("pcap(" + std::string(inner_->name()) + ")") {}

  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] core::Address local() const override { return inner_->local(); }
  [[nodiscard]] int wait_fd() const override { return inner_->wait_fd(); }
  [[nodiscard]] core::Instant next_deadline() const override { return inner_->next_deadline(); }
  [[nodiscard]] PortStats stats() const override { return inner_->stats(); }

  std::size_t receive(std::span<Received> burst, core::Instant now) override {
    const std::size_t count = inner_->receive(burst, now);
    for (const auto& datagram : burst.first(count)) record(datagram.from, local(), datagram.bytes, now);
    if (count > 0) flush();
    return count;
  }

  std::size_t send(std::span<const Outgoing> burst, core::Instant now) override {
    const std::size_t taken = inner_->send(burst, now);
    for (const auto& datagram : burst.first(taken)) record(local(), datagram.to, datagram.bytes, now);
    if (taken > 0) flush();
    return taken;
  }

  bool write_file_header() {
    std::array<char, 24> header{};
    Writer out(header.data());
    out.little32(kMagicNanoseconds);
    out.little16(2);  // version 2.4
    out.little16(4);
    out.little32(0);  // time zone, accuracy: always 0
    out.little32(0);
    out.little32(65'535);  // longest packet
    out.little32(kLinkTypeEthernet);
    write({header.data(), header.size()});
    flush();
    return file_ != nullptr;
  }

 private:
  void record(core::Address from, core::Address to, core::BytesView bytes, core::Instant now) {
    if (bytes.size() > core::kDatagramBytes) return;  // taken, but the inner port dropped it
    const auto length = static_cast<std::uint32_t>(kHeaderBytes + bytes.size());
    std::array<char, 16> header{};
    Writer out(header.data());
    out.little32(static_cast<std::uint32_t>(now / core::kSecond));
    out.little32(static_cast<std::uint32_t>(now % core::kSecond));
    out.little32(length);
    out.little32(length);
    const auto headers = packet_headers(from, to, bytes.size());
    write({header.data(), header.size()});
    write({headers.data(), headers.size()});
    write(bytes);
  }

  void write(core::BytesView bytes) {
    if (file_ == nullptr || bytes.empty()) return;
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) file_.reset();
  }

  void flush() {
    if (file_ != nullptr && std::fflush(file_.get()) != 0) file_.reset();
  }

  std::unique_ptr<Port> inner_;
  File file_;  // null once writing has failed: the capture ends, the traffic goes on
  std::string name_;
};

}  // namespace

core::Result<std::unique_ptr<Port>> make_pcap_port(std::unique_ptr<Port> inner, const std::string& path) {
  CHECK(inner != nullptr);
  File file(std::fopen(path.c_str(), "wbe"));
  if (file == nullptr)
    return core::fail(core::Errc::kIo, "cannot write the capture", path + ": " + std::strerror(errno));
  auto port = std::make_unique<PcapPort>(std::move(inner), std::move(file));
  if (!port->write_file_header())
    return core::fail(core::Errc::kIo, "cannot write the capture", path + ": " + std::strerror(errno));
  return std::unique_ptr<Port>(std::move(port));
}

}  // namespace anabranch::net

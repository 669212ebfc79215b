#include "net/codec.hpp"

#include <capnp/message.h>
#include <capnp/serialize.h>

#include <cstring>

#include "core/check.hpp"
#include "core/hash.hpp"
#include "net/net.capnp.h"

namespace anabranch::net {
namespace {

constexpr std::size_t kWords = kFrameBodyMax / sizeof(capnp::word);
constexpr int kNesting = 8;  // the deepest message has four levels

/// Builds one flat segment on the stack and copies it out.
template <class Root, class Fill>
core::Bytes encode(Fill fill) {
  capnp::word scratch[kWords] = {};
  capnp::MallocMessageBuilder builder(kj::arrayPtr(scratch, kWords));
  fill(builder.initRoot<Root>());
  const auto segments = builder.getSegmentsForOutput();
  CHECK(segments.size() == 1, "message larger than a frame");
  const auto bytes = segments[0].asBytes();
  return core::Bytes(reinterpret_cast<const char*>(bytes.begin()), bytes.size());
}

/// Reads one flat segment from an aligned copy, within limits; exceptions end here.
///   read  (Root::Reader, const capnp::word* begin of the copy) -> core::Result<T>
template <class Root, class T, class Read>
core::Result<T> decode(core::BytesView body, Read read) {
  if (body.empty() || body.size() > kFrameBodyMax || body.size() % sizeof(capnp::word) != 0)
    return core::fail(core::Errc::kMalformed, "message body of a wrong size");
  capnp::word copy[kWords];
  std::memcpy(copy, body.data(), body.size());
  const kj::ArrayPtr<const capnp::word> segment(copy, body.size() / sizeof(capnp::word));
  capnp::ReaderOptions options;
  options.traversalLimitInWords = 2 * segment.size();
  options.nestingLimit = kNesting;
  try {
    capnp::SegmentArrayMessageReader reader(kj::arrayPtr(&segment, 1), options);
    return read(reader.getRoot<Root>(), copy);
  } catch (const kj::Exception&) {
    return core::fail(core::Errc::kMalformed, "message body does not parse");
  }
}

void fill(wire::Hello::Builder to, const Hello& from) {
  CHECK(from.name.size() <= kNameBytesMax, from.name.size());
  to.setNonce(from.nonce);
  to.setNode(from.node);
  to.setIncarnation(from.incarnation);
  to.setProtocol(from.protocol);
  to.setPartitions(from.partitions);
  to.setCapabilities(from.capabilities);
  to.setName(from.name);
}

core::Result<std::string> read_text(capnp::Text::Reader text) {
  if (text.size() > kNameBytesMax) return core::fail(core::Errc::kTooLarge, "text longer than 256 bytes");
  return std::string(text.begin(), text.size());
}

core::Result<Hello> read(wire::Hello::Reader from) {
  auto label = read_text(from.getName());
  if (!label) return tl::unexpected(std::move(label.error()));
  if (from.getNonce() == 0 || from.getNode() == 0)
    return core::fail(core::Errc::kMalformed, "hello without nonce or node id");
  return Hello{.nonce = from.getNonce(),
               .node = from.getNode(),
               .incarnation = from.getIncarnation(),
               .protocol = from.getProtocol(),
               .partitions = from.getPartitions(),
               .capabilities = from.getCapabilities(),
               .name = std::move(*label)};
}

core::Result<Handshake> read(wire::Welcome::Reader from) {
  auto hello = read(from.getHello());
  if (!hello) return tl::unexpected(std::move(hello.error()));
  if (from.getEcho() == 0) return core::fail(core::Errc::kMalformed, "welcome without echo");
  return Welcome{.hello = std::move(*hello),
                 .echo = from.getEcho(),
                 .current = from.getCurrent(),
                 .observed = {from.getObservedIp(), from.getObservedPort()}};
}

core::Result<Handshake> read(wire::Confirm::Reader from) {
  if (from.getNode() == 0 || from.getNonce() == 0 || from.getEcho() == 0)
    return core::fail(core::Errc::kMalformed, "confirm without node id or nonces");
  return Confirm{
      .node = from.getNode(), .nonce = from.getNonce(), .echo = from.getEcho(), .ordinal = from.getOrdinal()};
}

core::Result<Handshake> read(wire::Refuse::Reader from) {
  auto detail = read_text(from.getDetail());
  if (!detail) return tl::unexpected(std::move(detail.error()));
  const auto reason = static_cast<std::uint16_t>(from.getReason());
  if (reason > static_cast<std::uint16_t>(RefuseReason::kFull) || from.getEcho() == 0)
    return core::fail(core::Errc::kMalformed, "refusal without echo or known reason");
  return Refuse{.echo = from.getEcho(), .reason = static_cast<RefuseReason>(reason), .detail = std::move(*detail)};
}

core::Result<Handshake> read(wire::Goodbye::Reader from) {
  const auto reason = static_cast<std::uint16_t>(from.getReason());
  if (reason > static_cast<std::uint16_t>(CloseReason::kUnknownEpoch) || from.getEpoch() == 0)
    return core::fail(core::Errc::kMalformed, "goodbye without epoch or known reason");
  return Goodbye{.epoch = from.getEpoch(), .reason = static_cast<CloseReason>(reason)};
}

core::Result<Handshake> read(wire::Handshake::Reader from) {
  switch (from.which()) {
    case wire::Handshake::HELLO: {
      auto hello = read(from.getHello());
      if (!hello) return tl::unexpected(std::move(hello.error()));
      return Handshake{std::move(*hello)};
    }
    case wire::Handshake::WELCOME: return read(from.getWelcome());
    case wire::Handshake::CONFIRM: return read(from.getConfirm());
    case wire::Handshake::REFUSE: return read(from.getRefuse());
    case wire::Handshake::GOODBYE: return read(from.getGoodbye());
  }
  return core::fail(core::Errc::kMalformed, "handshake of an unknown kind");
}

void fill(wire::Handshake::Builder to, const Handshake& from) {
  if (const auto* hello = std::get_if<Hello>(&from)) return fill(to.initHello(), *hello);
  if (const auto* welcome = std::get_if<Welcome>(&from)) {
    auto out = to.initWelcome();
    fill(out.initHello(), welcome->hello);
    out.setEcho(welcome->echo);
    out.setCurrent(welcome->current);
    out.setObservedIp(welcome->observed.ip);
    out.setObservedPort(welcome->observed.port);
  } else if (const auto* confirm = std::get_if<Confirm>(&from)) {
    auto out = to.initConfirm();
    out.setNode(confirm->node);
    out.setNonce(confirm->nonce);
    out.setEcho(confirm->echo);
    out.setOrdinal(confirm->ordinal);
  } else if (const auto* refuse = std::get_if<Refuse>(&from)) {
    CHECK(refuse->detail.size() <= kNameBytesMax, refuse->detail.size());
    auto out = to.initRefuse();
    out.setEcho(refuse->echo);
    out.setReason(static_cast<wire::Refuse::Reason>(refuse->reason));
    out.setDetail(refuse->detail);
  } else if (const auto* goodbye = std::get_if<Goodbye>(&from)) {
    auto out = to.initGoodbye();
    out.setEpoch(goodbye->epoch);
    out.setReason(static_cast<wire::Goodbye::Reason>(goodbye->reason));
  }
}

core::Result<Ack> read(wire::Ack::Reader from) {
  if (from.getLargest() == 0) return core::fail(core::Errc::kMalformed, "acknowledgement of nothing");
  return Ack{.lane = from.getLane(),
             .largest = from.getLargest(),
             .received = {from.getBits0(), from.getBits1(), from.getBits2(), from.getBits3()},
             .delay_us = from.getDelayUs()};
}

}  // namespace

std::string_view name(CloseReason reason) {
  switch (reason) {
    case CloseReason::kFailed: return "failed";
    case CloseReason::kLeft: return "left";
    case CloseReason::kReplaced: return "replaced";
    case CloseReason::kRefused: return "refused";
    case CloseReason::kStale: return "stale";
    case CloseReason::kUnknownEpoch: return "unknown epoch";
  }
  return "unknown";
}

std::string_view name(RefuseReason reason) {
  switch (reason) {
    case RefuseReason::kPartitions: return "partition count differs";
    case RefuseReason::kProtocol: return "protocol version differs";
    case RefuseReason::kStale: return "stale incarnation";
    case RefuseReason::kSameNode: return "node id in use";
    case RefuseReason::kFull: return "no room for a link";
  }
  return "unknown";
}

core::LinkEpoch link_epoch(std::uint64_t hello_nonce, std::uint64_t welcome_nonce) {
  core::Bytes both;
  for (const std::uint64_t nonce : {hello_nonce, welcome_nonce})
    for (unsigned shift = 0; shift < 64; shift += 8) both.push_back(static_cast<char>((nonce >> shift) & 0xFF));
  return static_cast<core::LinkEpoch>(core::hash64(both) & 0xFFFF'FFFF);
}

core::Bytes encode_handshake(const Handshake& message) {
  return encode<wire::Handshake>([&](wire::Handshake::Builder to) { fill(to, message); });
}

core::Bytes encode_ack(const Ack& ack) {
  return encode<wire::Ack>([&](wire::Ack::Builder to) {
    to.setLane(ack.lane);
    to.setLargest(ack.largest);
    to.setBits0(ack.received[0]);
    to.setBits1(ack.received[1]);
    to.setBits2(ack.received[2]);
    to.setBits3(ack.received[3]);
    to.setDelayUs(ack.delay_us);
  });
}

core::Bytes encode_fragment(const Fragment& fragment) {
  CHECK(fragment.data.size() <= kFragmentBytes, fragment.data.size());
  return encode<wire::Fragment>([&](wire::Fragment::Builder to) {
    to.setMessage(fragment.message);
    to.setIndex(fragment.index);
    to.setCount(fragment.count);
    to.setData(kj::arrayPtr(reinterpret_cast<const kj::byte*>(fragment.data.data()), fragment.data.size()));
  });
}

core::Result<Handshake> decode_handshake(core::BytesView body) {
  return decode<wire::Handshake, Handshake>(
      body, [](wire::Handshake::Reader from, const capnp::word*) { return read(from); });
}

core::Result<Ack> decode_ack(core::BytesView body) {
  return decode<wire::Ack, Ack>(body, [](wire::Ack::Reader from, const capnp::word*) { return read(from); });
}

core::Result<Fragment> decode_fragment(core::BytesView body) {
  return decode<wire::Fragment, Fragment>(
      body, [body](wire::Fragment::Reader from, const capnp::word* copy) -> core::Result<Fragment> {
        const auto data = from.getData();
        const bool last = from.getIndex() + 1 == from.getCount();
        if (from.getMessage() == 0 || from.getCount() < 2 || from.getCount() > kFragmentsMax ||
            from.getIndex() >= from.getCount())
          return core::fail(core::Errc::kMalformed, "piece with an impossible place");
        if (data.size() == 0 || data.size() > kFragmentBytes || data.size() % 8 != 0 ||
            (!last && data.size() != kFragmentBytes))
          return core::fail(core::Errc::kMalformed, "piece of a wrong size");
        const auto offset = static_cast<std::size_t>(data.begin() - reinterpret_cast<const kj::byte*>(copy));
        return Fragment{from.getMessage(), from.getIndex(), from.getCount(), body.substr(offset, data.size())};
      });
}

}  // namespace anabranch::net

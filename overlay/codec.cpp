#include "overlay/codec.hpp"

#include <capnp/message.h>
#include <capnp/serialize.h>

#include <cstring>

#include "core/check.hpp"
#include "core/limits.hpp"
#include "overlay/overlay.capnp.h"

namespace anabranch::overlay {
namespace {

constexpr std::size_t kWords = kControlBytesMax / sizeof(capnp::word);
constexpr int kNesting = 8;  // the deepest message has four levels

core::Result<MemberSpec> read(wire::MemberSpec::Reader from) {
  const auto label = from.getName();
  if (label.size() > kNameBytesMax) return core::fail(core::Errc::kTooLarge, "member name longer than 256 bytes");
  if (from.getNode() == 0) return core::fail(core::Errc::kMalformed, "member without node id");
  return MemberSpec{.node = from.getNode(),
                    .incarnation = from.getIncarnation(),
                    .address = {from.getIp(), from.getPort()},
                    .name = std::string(label.begin(), label.size()),
                    .left = from.getLeft()};
}

core::Result<ControlMessage> read(wire::MemberList::Reader from) {
  const auto members = from.getMembers();
  if (members.size() > core::kListMax) return core::fail(core::Errc::kTooLarge, "member list over its bound");
  core::Result<ControlMessage> message(tl::in_place, std::in_place_type<MemberList>);
  MemberList& list = std::get<MemberList>(*message);
  for (const auto member : members) {
    auto spec = read(member);
    if (!spec) return tl::unexpected(std::move(spec.error()));
    if (!list.members.empty() && spec->node <= list.members.back().node)
      return core::fail(core::Errc::kMalformed, "member list is not ascending");
    list.members.push_back(std::move(*spec));
  }
  return message;
}

core::Result<ControlMessage> read(wire::Control::Reader from) {
  switch (from.which()) {
    case wire::Control::KEEPALIVE: {
      const auto keepalive = from.getKeepalive();
      return core::Result<ControlMessage>(tl::in_place, Keepalive{keepalive.getDigest(), keepalive.getMembers()});
    }
    case wire::Control::MEMBERS: return read(from.getMembers());
  }
  return core::fail(core::Errc::kMalformed, "control message of an unknown kind");
}

void fill(wire::Control::Builder to, const MemberList& from) {
  CHECK(from.members.size() <= core::kListMax, from.members.size());
  auto out = to.initMembers().initMembers(static_cast<unsigned>(from.members.size()));
  unsigned index = 0;
  for (const MemberSpec& spec : from.members) {
    CHECK(spec.name.size() <= kNameBytesMax, spec.name.size());
    auto entry = out[index++];
    entry.setNode(spec.node);
    entry.setIncarnation(spec.incarnation);
    entry.setIp(spec.address.ip);
    entry.setPort(spec.address.port);
    entry.setLeft(spec.left);
    entry.setName(spec.name);
  }
}

}  // namespace

std::size_t encoded_bytes(const MemberSpec& spec) {
  constexpr std::size_t kStruct = 32;  // three words of data and a pointer
  return kStruct + (spec.name.size() + sizeof(capnp::word)) / sizeof(capnp::word) * sizeof(capnp::word);
}

core::Bytes encode_control(const ControlMessage& message) {
  capnp::word scratch[kWords] = {};
  capnp::MallocMessageBuilder builder(kj::arrayPtr(scratch, kWords));
  auto root = builder.initRoot<wire::Control>();
  if (const auto* keepalive = std::get_if<Keepalive>(&message)) {
    auto out = root.initKeepalive();
    out.setDigest(keepalive->digest);
    out.setMembers(keepalive->members);
  } else {
    fill(root, std::get<MemberList>(message));
  }
  const auto segments = builder.getSegmentsForOutput();
  CHECK(segments.size() == 1, "control message over kControlBytesMax");
  const auto bytes = segments[0].asBytes();
  return core::Bytes(reinterpret_cast<const char*>(bytes.begin()), bytes.size());
}

core::Result<ControlMessage> decode_control(core::BytesView body) {
  if (body.empty() || body.size() > kControlBytesMax || body.size() % sizeof(capnp::word) != 0)
    return core::fail(core::Errc::kMalformed, "control message of a wrong size");
  capnp::word copy[kWords];  // aligned
  std::memcpy(copy, body.data(), body.size());
  const kj::ArrayPtr<const capnp::word> segment(copy, body.size() / sizeof(capnp::word));
  capnp::ReaderOptions options;
  options.traversalLimitInWords = 2 * segment.size();
  options.nestingLimit = kNesting;
  try {
    capnp::SegmentArrayMessageReader reader(kj::arrayPtr(&segment, 1), options);
    return read(reader.getRoot<wire::Control>());
  } catch (const kj::Exception&) {
    return core::fail(core::Errc::kMalformed, "control message does not parse");
  }
}

}  // namespace anabranch::overlay

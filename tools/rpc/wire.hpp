// Between the control protocol's structs and our values. Internal to tools/rpc: the only headers with Cap'n Proto or KJ types
// are this one, mailbox.hpp and their like in tools/http, and only .cpp files of the doors include them.
#pragma once

#include <capnp/message.h>

#include <vector>

#include "core/result.hpp"
#include "tools/node/command.hpp"
#include "tools/rpc/anabranch.capnp.h"
#include "tools/rpc/client.hpp"

namespace anabranch::rpc {

inline capnp::Data::Reader data_of(core::BytesView bytes) {
  return {reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()};
}
inline core::Bytes bytes_of(capnp::Data::Reader data) {
  return {reinterpret_cast<const char*>(data.begin()), data.size()};
}
inline std::string string_of(capnp::Text::Reader text) { return {text.begin(), text.size()}; }
/// For a Text field: `text` up to its first NUL.
inline std::string text_field(std::string_view text) { return std::string(text.substr(0, text.find('\0'))); }

/// Limits of what either side reads: 64 MiB a message, nesting 16 (a value is 4 deep).
inline constexpr std::uint64_t kMessageWordsMax = (64U << 20) / 8;
inline constexpr int kNestingMax = 16;
capnp::ReaderOptions reader_options();
/// An answer's items stop here, so that it stays well inside the limit above.
inline constexpr std::size_t kAnswerBytesMax = 32U << 20;

void write(wire::Error::Builder out, const core::Error& error);
core::Error read(wire::Error::Reader in);

void write(wire::Ack::Builder out, const Ack& ack);
core::Result<Ack> read(wire::Ack::Reader in);

void write(wire::Update::Builder out, const node::Update& update);
/// Errors: kUnknown (type, verb), kTooLarge (key, list), kMalformed (empty key).
core::Result<node::Update> read(wire::Update::Reader in);

/// kTooLarge beyond core::kKeyBytesMax, kMalformed if empty.
core::Result<core::Bytes> read_key(capnp::Data::Reader in);
core::Result<lattice::TypeId> read_type(std::uint8_t number);

void write(wire::Item::Builder out, const node::Item& item);
core::Result<Item> read(wire::Item::Reader in);
/// What an item takes in a message, roughly and not less. A value that alone passes kAnswerBytesMax is not written and takes
/// nothing; the item says `tooLarge` instead.
std::size_t wire_bytes(const node::Item& item);

void write(wire::Member::Builder out, const node::Member& member);
node::Member read(wire::Member::Reader in);

void write(wire::Status::Builder out, const Status& status);
Status read(wire::Status::Reader in);

}  // namespace anabranch::rpc

#include "tools/rpc/wire.hpp"

#include <algorithm>

#include "core/limits.hpp"

namespace anabranch::rpc {
namespace {

using core::Errc;

constexpr auto kErrcLast = static_cast<std::uint16_t>(Errc::kClosed);
constexpr auto kVerbLast = static_cast<std::uint16_t>(lattice::Verb::kTotal);

static_assert(static_cast<std::uint16_t>(wire::ErrorCode::CLOSED) == kErrcLast);
static_assert(static_cast<std::uint16_t>(wire::Verb::TOTAL) == kVerbLast);

template <class Map, class List>
void write_counts(const Map& map, List out) {
  unsigned i = 0;
  for (const auto& [name, value] : map) {
    out[i].setName(name.c_str());
    out[i++].setValue(value);
  }
}

void write(wire::Value::Builder out, const lattice::Reading& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return out.setFlag(*flag);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return out.setInteger(*integer);
  if (const auto* bytes = std::get_if<core::Bytes>(&value)) return out.setBytes(data_of(*bytes));
  const auto* elements = std::get_if<std::vector<core::Bytes>>(&value);
  if (elements == nullptr) return out.setNone();
  auto list = out.initElements(static_cast<unsigned>(elements->size()));
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, data_of((*elements)[i]));
}

std::size_t value_bytes(const lattice::Reading& value) {
  if (const auto* text = std::get_if<core::Bytes>(&value)) return text->size() + 16;
  std::size_t bytes = 0;
  if (const auto* elements = std::get_if<std::vector<core::Bytes>>(&value)) {
    for (const core::Bytes& element : *elements) bytes += element.size() + 16;
  }
  return bytes;
}

lattice::Reading read(wire::Value::Reader in) {
  switch (in.which()) {
    case wire::Value::FLAG: return in.getFlag();
    case wire::Value::INTEGER: return in.getInteger();
    case wire::Value::BYTES: return bytes_of(in.getBytes());
    case wire::Value::ELEMENTS: {
      std::vector<core::Bytes> elements;
      for (const auto element : in.getElements()) elements.push_back(bytes_of(element));
      return elements;
    }
    case wire::Value::NONE: break;
  }
  return std::monostate{};
}

}  // namespace

capnp::ReaderOptions reader_options() {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = kMessageWordsMax;
  options.nestingLimit = kNestingMax;
  return options;
}

void write(wire::Error::Builder out, const core::Error& error) {
  out.setCode(static_cast<wire::ErrorCode>(error.code));
  out.setMessage(text_field(error.message()).c_str());
}

core::Error read(wire::Error::Reader in) {
  const auto code = static_cast<std::uint16_t>(in.getCode());
  // A code that this version does not know is a refusal: the message still says why.
  return {code <= kErrcLast ? static_cast<Errc>(code) : Errc::kRefused, "", string_of(in.getMessage())};
}

void write(wire::Ack::Builder out, const Ack& ack) {
  out.setLevel(static_cast<wire::Ack::Level>(ack.level));
  out.setCopies(ack.copies);
}

core::Result<Ack> read(wire::Ack::Reader in) {
  const auto level = static_cast<std::uint16_t>(in.getLevel());
  if (level > static_cast<std::uint16_t>(Ack::Level::kCopies))
    return core::fail(Errc::kUnknown, "level of acknowledgement", std::to_string(level));
  return Ack{static_cast<Ack::Level>(level), in.getCopies()};
}

void write(wire::Update::Builder out, const node::Update& update) {
  const lattice::Operation& operation = update.operation;
  out.setKey(data_of(update.key));
  out.setType(static_cast<std::uint8_t>(update.type));
  out.setVerb(static_cast<wire::Verb>(operation.verb));
  out.setAmount(operation.amount);
  out.setActorHigh(operation.actor.high);
  out.setActorLow(operation.actor.low);
  if (operation.elements.empty()) return;
  auto elements = out.initElements(static_cast<unsigned>(operation.elements.size()));
  for (unsigned i = 0; i < elements.size(); ++i) elements.set(i, data_of(operation.elements[i]));
}

core::Result<core::Bytes> read_key(capnp::Data::Reader in) {
  if (in.size() == 0) return core::fail(Errc::kMalformed, "the key is empty");
  if (in.size() > core::kKeyBytesMax)
    return core::fail(Errc::kTooLarge, "the key is longer than 1,024 bytes", std::to_string(in.size()));
  return bytes_of(in);
}

core::Result<lattice::TypeId> read_type(std::uint8_t number) {
  for (const lattice::TypeId type : lattice::catalog()) {
    if (static_cast<std::uint8_t>(type) == number) return type;
  }
  return core::fail(Errc::kUnknown, "type number", std::to_string(number));
}

core::Result<node::Update> read(wire::Update::Reader in) {
  node::Update update;
  auto key = read_key(in.getKey());
  if (!key) return tl::unexpected(key.error());
  update.key = std::move(*key);
  const auto type = read_type(in.getType());
  if (!type) return tl::unexpected(type.error());
  update.type = *type;
  const auto verb = static_cast<std::uint16_t>(in.getVerb());
  if (verb > kVerbLast) return core::fail(Errc::kUnknown, "operation number", std::to_string(verb));
  lattice::Operation& operation = update.operation;
  operation.verb = static_cast<lattice::Verb>(verb);
  operation.amount = in.getAmount();
  operation.actor = {in.getActorHigh(), in.getActorLow()};
  const auto elements = in.getElements();
  if (elements.size() > core::kListMax)
    return core::fail(Errc::kTooLarge, "more than 4,096 elements in one update", std::to_string(elements.size()));
  operation.elements.reserve(elements.size());
  for (const auto element : elements) {
    if (element.size() > core::kValueBytesMax)
      return core::fail(Errc::kTooLarge, "an element is longer than 1 MiB", std::to_string(element.size()));
    operation.elements.push_back(bytes_of(element));
  }
  return update;
}

void write(wire::Item::Builder out, const node::Item& item) {
  out.setKey(data_of(item.key));
  out.setType(static_cast<std::uint8_t>(item.type));
  if (value_bytes(item.value) > kAnswerBytesMax) return out.setTooLarge(true);
  write(out.initValue(), item.value);
}

core::Result<Item> read(wire::Item::Reader in) {
  const auto type = read_type(in.getType());
  if (!type) return tl::unexpected(type.error());
  return Item{{bytes_of(in.getKey()), *type, read(in.getValue())}, in.getTooLarge()};
}

std::size_t wire_bytes(const node::Item& item) {
  const std::size_t value = value_bytes(item.value);
  return 64 + item.key.size() + (value > kAnswerBytesMax ? 0 : value);
}

void write(wire::Member::Builder out, const node::Member& member) {
  out.setId(member.node);
  out.setIncarnation(member.incarnation);
  out.setName(text_field(member.name).c_str());
  out.setAddress(core::to_string(member.address).c_str());
  out.setState(text_field(member.state).c_str());
  out.setSilentMs(member.silent_ms);
}

node::Member read(wire::Member::Reader in) {
  node::Member member;
  member.node = in.getId();
  member.incarnation = in.getIncarnation();
  member.name = string_of(in.getName());
  if (const auto address = core::parse_address(string_of(in.getAddress()))) member.address = *address;
  member.state = string_of(in.getState());
  member.silent_ms = in.getSilentMs();
  return member;
}

void write(wire::Status::Builder out, const Status& status) {
  out.setName(text_field(status.name).c_str());
  out.setId(status.id);
  out.setCluster(text_field(status.cluster).c_str());
  out.setVersion(status.version.c_str());
  out.setListen(status.listen.c_str());
  out.setControl(status.control.c_str());
  out.setHttp(status.http.c_str());
  out.setReady(status.ready);
  out.setDurable(status.durable);
  out.setUptimeMs(status.uptime_ms);
  out.setShards(status.shards);
  out.setPartitions(status.partitions);
  out.setKeys(status.keys);
  write_counts(status.members, out.initMembers(static_cast<unsigned>(status.members.size())));
  write_counts(status.counters, out.initCounters(static_cast<unsigned>(status.counters.size())));
}

Status read(wire::Status::Reader in) {
  Status status;
  status.name = string_of(in.getName());
  status.id = in.getId();
  status.cluster = string_of(in.getCluster());
  status.version = string_of(in.getVersion());
  status.listen = string_of(in.getListen());
  status.control = string_of(in.getControl());
  status.http = string_of(in.getHttp());
  status.ready = in.getReady();
  status.durable = in.getDurable();
  status.uptime_ms = in.getUptimeMs();
  status.shards = in.getShards();
  status.partitions = in.getPartitions();
  status.keys = in.getKeys();
  for (const auto count : in.getMembers())
    status.members[string_of(count.getName())] = static_cast<std::uint32_t>(count.getValue());
  for (const auto count : in.getCounters()) status.counters[string_of(count.getName())] = count.getValue();
  return status;
}

}  // namespace anabranch::rpc

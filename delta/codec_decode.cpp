// The reading half of the codec: bytes of strangers. Cap'n Proto and the checks below throw, and `decode` turns both into
// an Error: half-read packets are never seen outside.
#include <capnp/message.h>
#include <kj/exception.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "delta/codec.hpp"
#include "delta/delta.capnp.h"

namespace anabranch::delta {
namespace {

using core::Errc;

struct Refusal {
  core::Error error;
};

[[noreturn]] void refuse(Errc code, const char* what) { throw Refusal{{code, what, {}}}; }
void require(bool condition, const char* what) {
  if (!condition) refuse(Errc::kMalformed, what);
}
template <class T>
T require(core::Result<T> result) {
  if (!result) throw Refusal{std::move(result.error())};
  return std::move(*result);
}
void require_count(std::uint64_t count) {
  if (count > core::kCountMax) refuse(Errc::kOverflow, "a count is beyond 2^62");
}

/// A list's length, before anything is allocated for it.
template <class List>
unsigned size_of(const List& list) {
  if (list.size() > core::kListMax) refuse(Errc::kTooLarge, "a list is too long");
  return list.size();
}

Bytes bytes_of(const capnp::Data::Reader& data, std::size_t bytes_max) {
  if (data.size() > bytes_max) refuse(Errc::kTooLarge, "a key or value is too long");
  return {reinterpret_cast<const char*>(data.begin()), data.size()};
}

class MessageReader {
 public:
  explicit MessageReader(const wire::Message::Reader& in) : in_(in) {
    const auto names = in.getOrigins();
    const unsigned count = size_of(names);
    for (unsigned i = 0; i < count; ++i) {
      const Origin origin{names[i].getNode(), names[i].getIncarnation()};
      require(origins_.empty() || origins_.back() < origin, "the dictionary of origins is unsorted");
      origins_.push_back(origin);
    }
  }

  Body read() const {
    switch (in_.which()) {
      case wire::Message::INTERVAL: return interval();
      case wire::Message::DIGEST: return digest();
      case wire::Message::DIGEST_SEEN: return DigestSeen{in_.getDigestSeen().getNumber()};
      case wire::Message::HELD: return Held{origin(in_.getHeld().getOrigin()), flush(in_.getHeld().getFlush())};
      case wire::Message::MISSING:
        return Missing{origin(in_.getMissing().getOrigin()), flush(in_.getMissing().getHeld())};
      case wire::Message::DUPLICATE:
        return Duplicate{origin(in_.getDuplicate().getOrigin()), flush(in_.getDuplicate().getHeld())};
      case wire::Message::TRANSFER_OFFER:
        return TransferOffer{in_.getTransferOffer().getBusy(), in_.getTransferOffer().getId()};
      case wire::Message::TRANSFER_REQUEST: {
        const auto body = in_.getTransferRequest();
        return TransferRequest{body.getId(), body.getFirst(), body.getCount()};
      }
      case wire::Message::TRANSFER_CHUNK: return chunk();
    }
    refuse(Errc::kUnknown, "a message of an unknown kind");
  }

 private:
  using Run = lattice::Run;

  const Origin& origin(std::uint16_t index) const {
    require(index < origins_.size(), "an origin is not in the dictionary");
    return origins_[index];
  }
  static FlushNumber flush(std::uint64_t number) {
    if (number > core::kCountMax) refuse(Errc::kOverflow, "a flush number is beyond 2^62");
    return number;
  }

  Interval interval() const {
    const auto body = in_.getInterval();
    Interval interval;
    interval.origin = origin(body.getOrigin());
    interval.base = flush(body.getBase());
    interval.top = flush(body.getTop());
    interval.dots_low = body.getDotsLow();
    interval.dots_high = body.getDotsHigh();
    interval.ack_wanted = body.getAckWanted();
    require(interval.base < interval.top, "an interval is empty");
    require(interval.dots_low >= 1 && interval.dots_low <= lattice::kSequenceMax + 1 &&
                interval.dots_high <= lattice::kSequenceMax,
            "an interval's dots are out of range");
    interval.entries = entries(body.getEntries(), &interval);
    return interval;
  }
  Digest digest() const {
    const auto body = in_.getDigest();
    return {body.getNumber(), body.getGreeting(), vector(body.getEntries()), body.getVectorHash(),
            body.getFingerprint()};
  }
  TransferChunk chunk() const {
    const auto body = in_.getTransferChunk();
    TransferChunk chunk;
    chunk.id = body.getId();
    chunk.index = body.getIndex();
    chunk.count = body.getCount();
    require(chunk.index < chunk.count, "a chunk beyond the last");
    chunk.vector = vector(body.getVector());
    chunk.context = context(body.getContext());
    chunk.entries = entries(body.getEntries(), nullptr);
    return chunk;
  }

  std::vector<VectorEntry> vector(const capnp::List<wire::VectorEntry>::Reader& list) const {
    std::vector<VectorEntry> entries;
    const unsigned count = size_of(list);
    for (unsigned i = 0; i < count; ++i) {
      const VectorEntry entry{origin(list[i].getOrigin()), flush(list[i].getFlush())};
      require(entries.empty() || entries.back().origin < entry.origin, "a vector is unsorted");
      entries.push_back(entry);
    }
    return entries;
  }
  lattice::CausalContext context(const capnp::List<wire::Run>::Reader& list) const {
    std::vector<Run> runs;
    const unsigned count = size_of(list);
    for (unsigned i = 0; i < count; ++i) {
      const Run run{origin(list[i].getOrigin()), list[i].getLo(), list[i].getLo() + list[i].getMore()};
      require(run.lo >= 1 && run.lo <= run.hi, "a run of dots is out of range");
      // A long run comes in pieces; only the last is shorter than the field allows.
      const bool goes_on = !runs.empty() && runs.back().origin == run.origin && runs.back().hi + 1 == run.lo &&
                           ((runs.back().hi - runs.back().lo) & UINT32_MAX) == UINT32_MAX;
      if (goes_on)
        runs.back().hi = run.hi;
      else
        runs.push_back(run);
    }
    return require(lattice::CausalContext::from_runs(std::move(runs)));
  }

  std::vector<Entry> entries(const capnp::List<wire::Entry>::Reader& list, const Interval* interval) const {
    std::vector<Entry> entries;
    const unsigned count = size_of(list);
    entries.reserve(count);
    for (unsigned i = 0; i < count; ++i) {
      const auto in = list[i];
      Entry entry{bytes_of(in.getKey(), core::kKeyBytesMax), {object(in), context(in.getContext())}};
      require(!entry.key.empty(), "a key is empty");
      if (!entries.empty()) {
        const int order = entries.back().key.compare(entry.key);
        require(order < 0 || (order == 0 && lattice::type_of(entries.back().fragment.object) <
                                                lattice::type_of(entry.fragment.object)),
                "entries are unsorted");
      }
      if (interval != nullptr)
        check_claims(entry.fragment, *interval);
      else
        require(entry.fragment.context.empty(), "a chunk's entry has a context of its own");
      entries.push_back(std::move(entry));
    }
    return entries;
  }
  /// Live dots are born in the interval; no dot of its origin lies beyond it; plain types have none.
  static void check_claims(const lattice::Fragment& fragment, const Interval& interval) {
    require(lattice::well_formed(fragment), "dots are outside their context");
    fragment.context.for_each_run([&](const Origin& origin, std::uint64_t, std::uint64_t hi) {
      require(origin != interval.origin || hi <= interval.dots_high, "dots are beyond the interval");
    });
    std::visit(
        [&]<class T>(const T& typed) {
          if constexpr (lattice::CausalType<T>) {
            typed.store.for_each_dot([&](const lattice::Dot& dot) {
              require(dot.origin == interval.origin && dot.sequence >= interval.dots_low &&
                          dot.sequence <= interval.dots_high,
                      "a live dot is outside the interval");
            });
          }
        },
        fragment.object);
  }

  lattice::Object object(const wire::Entry::Reader& in) const {
    switch (in.which()) {
      case wire::Entry::UNSET: break;
      case wire::Entry::GCOUNTER: return gcounter(in.getGcounter().getTotals());
      case wire::Entry::PNCOUNTER: return pncounter(in.getPncounter().getBalances());
      case wire::Entry::MAXINT: return extremum<lattice::MaxInt>(in.getMaxint());
      case wire::Entry::MININT: return extremum<lattice::MinInt>(in.getMinint());
      case wire::Entry::GSET: return gset(in.getGset().getElements());
      case wire::Entry::AWSET: return awset(in.getAwset().getLive());
      case wire::Entry::LWWREGISTER: return lwwregister(in.getLwwregister());
      case wire::Entry::MVREGISTER: return mvregister(in.getMvregister().getLive());
      case wire::Entry::EWFLAG: return lattice::EwFlag{dot_set(in.getEwflag().getEnables())};
      case wire::Entry::DWFLAG: return dwflag(in.getDwflag());
    }
    refuse(Errc::kUnknown, "an entry of an unknown type");
  }

  static lattice::GCounter gcounter(const capnp::List<wire::Total>::Reader& list) {
    std::vector<lattice::GCounter::Entry> entries;
    const unsigned count = size_of(list);
    for (unsigned i = 0; i < count; ++i) {
      require_count(list[i].getCount());
      entries.push_back({{list[i].getHigh(), list[i].getLow()}, list[i].getCount()});
    }
    return require(lattice::GCounter::from_entries(entries));
  }
  static lattice::PnCounter pncounter(const capnp::List<wire::Balance>::Reader& list) {
    std::vector<lattice::PnCounter::Entry> entries;
    const unsigned count = size_of(list);
    for (unsigned i = 0; i < count; ++i) {
      require_count(list[i].getPlus());
      require_count(list[i].getMinus());
      entries.push_back({{list[i].getHigh(), list[i].getLow()}, list[i].getPlus(), list[i].getMinus()});
    }
    return require(lattice::PnCounter::from_entries(std::move(entries)));
  }
  template <class T, class In>
  static T extremum(const In& in) {
    if (!in.getPresent()) return T();
    constexpr auto kLimit = static_cast<std::int64_t>(core::kCountMax);
    if (in.getNumber() > kLimit || in.getNumber() < -kLimit) refuse(Errc::kOverflow, "a number is beyond 2^62");
    return T(in.getNumber());
  }
  static lattice::GSet gset(const capnp::List<capnp::Data>::Reader& list) {
    std::vector<Bytes> elements;
    const unsigned count = size_of(list);
    for (unsigned i = 0; i < count; ++i) elements.push_back(bytes_of(list[i], core::kValueBytesMax));
    return require(lattice::GSet::from_elements(std::move(elements)));
  }
  lattice::AwSet awset(const capnp::List<wire::Live>::Reader& list) const {
    std::vector<std::pair<Bytes, std::vector<lattice::Dot>>> elements;
    const unsigned count = size_of(list);
    for (unsigned i = 0; i < count; ++i) {
      if (!list[i].getAgain()) elements.emplace_back(bytes_of(list[i].getValue(), core::kValueBytesMax), 0);
      require(!elements.empty(), "the first element repeats one");
      elements.back().second.push_back({origin(list[i].getOrigin()), list[i].getSequence()});
    }
    std::vector<std::pair<Bytes, lattice::DotSet>> entries;
    for (auto& [element, dots] : elements)
      entries.emplace_back(std::move(element), require(lattice::DotSet::from_dots(std::move(dots))));
    return {require(lattice::AwSet::Store::from_entries(std::move(entries)))};
  }
  lattice::LwwRegister lwwregister(const wire::Entry::Lwwregister::Reader& in) const {
    if (!in.getPresent()) return {};
    return require(lattice::LwwRegister::from_parts(in.getStamp(), origin(in.getOrigin()),
                                                    bytes_of(in.getValue(), core::kValueBytesMax)));
  }
  lattice::MvRegister mvregister(const capnp::List<wire::Live>::Reader& list) const {
    std::vector<lattice::MvRegister::Store::Entry> entries;
    const unsigned count = size_of(list);
    for (unsigned i = 0; i < count; ++i) {
      const lattice::Dot dot{origin(list[i].getOrigin()), list[i].getSequence()};
      entries.emplace_back(dot, bytes_of(list[i].getValue(), core::kValueBytesMax));
    }
    return {require(lattice::MvRegister::Store::from_entries(std::move(entries)))};
  }
  lattice::DotSet dot_set(const capnp::List<wire::Dot>::Reader& list) const {
    std::vector<lattice::Dot> dots;
    const unsigned count = size_of(list);
    for (unsigned i = 0; i < count; ++i) dots.push_back({origin(list[i].getOrigin()), list[i].getSequence()});
    return require(lattice::DotSet::from_dots(std::move(dots)));
  }
  lattice::DwFlag dwflag(const wire::Entry::Dwflag::Reader& in) const {
    std::vector<std::pair<bool, lattice::DotSet>> sides;
    auto off = dot_set(in.getDisables());
    auto on = dot_set(in.getEnables());
    if (!off.empty()) sides.emplace_back(false, std::move(off));
    if (!on.empty()) sides.emplace_back(true, std::move(on));
    return {require(lattice::DwFlag::Store::from_entries(std::move(sides)))};
  }

  wire::Message::Reader in_;
  std::vector<Origin> origins_;
};

Packet read_packet(kj::ArrayPtr<const capnp::word> words, std::uint32_t partitions) {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = 4 * words.size() + 64;  // each word is read once; small messages need some slack
  options.nestingLimit = 16;                              // a packet nests 8 deep
  capnp::SegmentArrayMessageReader reader(kj::arrayPtr(&words, 1), options);
  const auto list = reader.getRoot<wire::Packet>().getMessages();
  Packet packet;
  const unsigned count = size_of(list);
  for (unsigned i = 0; i < count; ++i) {
    require(list[i].getPartition() < partitions, "a message of an unknown partition");
    packet.messages.push_back({list[i].getPartition(), MessageReader(list[i]).read()});
  }
  return packet;
}

}  // namespace

core::Result<Packet> decode(core::BytesView bytes, std::uint32_t partitions) {
  if (bytes.empty() || bytes.size() % sizeof(capnp::word) != 0)
    return core::fail(Errc::kMalformed, "a packet is not a whole number of words");
  if (bytes.size() > core::kMessageBytesMax) return core::fail(Errc::kTooLarge, "a packet is too long");
  const std::size_t words = bytes.size() / sizeof(capnp::word);
  std::vector<std::uint64_t> copy;
  const auto* start = reinterpret_cast<const capnp::word*>(bytes.data());
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(capnp::word) != 0) {
    copy.resize(words);
    std::memcpy(copy.data(), bytes.data(), bytes.size());
    start = reinterpret_cast<const capnp::word*>(copy.data());
  }
  try {
    return read_packet({start, words}, partitions);
  } catch (Refusal& refusal) {
    return tl::unexpected(std::move(refusal.error));
  } catch (const kj::Exception&) {
    return core::fail(Errc::kMalformed, "a packet is not what its schema says");
  }
}

}  // namespace anabranch::delta

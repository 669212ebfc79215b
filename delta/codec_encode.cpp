// The writing half of the codec: values that the replica built, so that a list that is too long is a bug.
#include "delta/codec.hpp"

#include <capnp/message.h>

#include <algorithm>
#include <span>

#include "core/check.hpp"
#include "delta/delta.capnp.h"
#include "delta/sizes.hpp"

namespace anabranch::delta {
namespace {

capnp::Data::Reader to_data(BytesView bytes) {
  return {reinterpret_cast<const capnp::byte*>(bytes.data()), bytes.size()};
}

unsigned count_of(std::size_t size) {
  CHECK(size <= core::kListMax, size);
  return static_cast<unsigned>(size);
}

/// Writes one message; its dictionary is known when the writer is made.
class MessageWriter {
 public:
  MessageWriter(wire::Message::Builder out, const OriginSet& origins) : out_(out), origins_(origins.all()) {
    if (origins_.empty()) return;
    auto names = out_.initOrigins(count_of(origins_.size()));
    for (unsigned i = 0; i < names.size(); ++i) {
      names[i].setNode(origins_[i].node);
      names[i].setIncarnation(origins_[i].incarnation);
    }
  }

  void operator()(const Interval& interval) {
    auto body = out_.initInterval();
    body.setOrigin(index(interval.origin));
    body.setAckWanted(interval.ack_wanted);
    body.setBase(interval.base);
    body.setTop(interval.top);
    body.setDotsLow(interval.dots_low);
    body.setDotsHigh(interval.dots_high);
    if (!interval.entries.empty()) write(body.initEntries(count_of(interval.entries.size())), interval.entries);
  }
  void operator()(const Digest& digest) {
    auto body = out_.initDigest();
    body.setGreeting(digest.greeting);
    body.setNumber(digest.number);
    body.setVectorHash(digest.vector_hash);
    body.setFingerprint(digest.fingerprint);
    if (!digest.entries.empty()) write(body.initEntries(count_of(digest.entries.size())), digest.entries);
  }
  void operator()(const DigestSeen& seen) { out_.initDigestSeen().setNumber(seen.number); }
  void operator()(const Held& held) {
    auto body = out_.initHeld();
    body.setOrigin(index(held.origin));
    body.setFlush(held.flush);
  }
  void operator()(const Missing& missing) {
    auto body = out_.initMissing();
    body.setOrigin(index(missing.origin));
    body.setHeld(missing.held);
  }
  void operator()(const Duplicate& duplicate) {
    auto body = out_.initDuplicate();
    body.setOrigin(index(duplicate.origin));
    body.setHeld(duplicate.held);
  }
  void operator()(const TransferOffer& offer) {
    auto body = out_.initTransferOffer();
    body.setBusy(offer.busy);
    body.setId(offer.id);
  }
  void operator()(const TransferRequest& request) {
    auto body = out_.initTransferRequest();
    body.setId(request.id);
    body.setFirst(request.first);
    body.setCount(request.count);
  }
  void operator()(const TransferChunk& chunk) {
    auto body = out_.initTransferChunk();
    body.setId(chunk.id);
    body.setIndex(chunk.index);
    body.setCount(chunk.count);
    if (!chunk.vector.empty()) write(body.initVector(count_of(chunk.vector.size())), chunk.vector);
    if (!chunk.context.empty())
      write(body.initContext(count_of(context_bytes(chunk.context) / kRunBytes)), chunk.context);
    if (!chunk.entries.empty()) write(body.initEntries(count_of(chunk.entries.size())), chunk.entries);
  }

 private:
  using Totals = capnp::List<wire::Total>::Builder;
  using Lives = capnp::List<wire::Live>::Builder;
  using Dots = capnp::List<wire::Dot>::Builder;

  std::uint16_t index(const Origin& origin) const {
    const auto at = std::lower_bound(origins_.begin(), origins_.end(), origin);
    CHECK(at != origins_.end() && *at == origin, origin.node);
    return static_cast<std::uint16_t>(at - origins_.begin());
  }
  void write(capnp::List<wire::VectorEntry>::Builder list, const std::vector<VectorEntry>& entries) {
    for (unsigned i = 0; i < list.size(); ++i) {
      list[i].setOrigin(index(entries[i].origin));
      list[i].setFlush(entries[i].flush);
    }
  }
  void write(capnp::List<wire::Run>::Builder list, const lattice::CausalContext& context) {
    unsigned i = 0;
    context.for_each_run([&](const Origin& origin, std::uint64_t lo, std::uint64_t hi) {
      for (;; lo += std::uint64_t{1} << 32) {
        const std::uint64_t more = std::min<std::uint64_t>(hi - lo, UINT32_MAX);
        list[i].setLo(lo);
        list[i].setMore(static_cast<std::uint32_t>(more));
        list[i].setOrigin(index(origin));
        ++i;
        if (lo + more == hi) return;
      }
    });
  }
  void write(capnp::List<wire::Entry>::Builder list, const std::vector<Entry>& entries) {
    for (unsigned i = 0; i < list.size(); ++i) {
      auto out = list[i];
      out.setKey(to_data(entries[i].key));
      const lattice::Fragment& fragment = entries[i].fragment;
      if (!fragment.context.empty())
        write(out.initContext(count_of(context_bytes(fragment.context) / kRunBytes)), fragment.context);
      std::visit([&](const auto& typed) { write(out, typed); }, fragment.object);
    }
  }
  void write(Dots list, std::span<const lattice::Dot> dots) {
    for (unsigned i = 0; i < list.size(); ++i) {
      list[i].setSequence(dots[i].sequence);
      list[i].setOrigin(index(dots[i].origin));
    }
  }
  void write(wire::Live::Builder out, const lattice::Dot& dot) {
    out.setSequence(dot.sequence);
    out.setOrigin(index(dot.origin));
  }

  void write(wire::Entry::Builder out, const lattice::GCounter& counter) {
    auto body = out.initGcounter();
    if (counter.size() == 0) return;
    auto totals = body.initTotals(count_of(counter.size()));
    unsigned i = 0;
    counter.for_each([&](const core::Actor& actor, std::uint64_t count) {
      totals[i].setHigh(actor.high);
      totals[i].setLow(actor.low);
      totals[i++].setCount(count);
    });
  }
  void write(wire::Entry::Builder out, const lattice::PnCounter& counter) {
    auto body = out.initPncounter();
    if (counter.entries().empty()) return;
    auto balances = body.initBalances(count_of(counter.entries().size()));
    unsigned i = 0;
    for (const auto& entry : counter.entries()) {
      auto balance = balances[i++];
      balance.setHigh(entry.actor.high);
      balance.setLow(entry.actor.low);
      balance.setPlus(entry.added);
      balance.setMinus(entry.taken);
    }
  }
  void write(wire::Entry::Builder out, const lattice::MaxInt& extremum) {
    auto body = out.initMaxint();
    body.setPresent(extremum.value().has_value());
    body.setNumber(extremum.value().value_or(0));
  }
  void write(wire::Entry::Builder out, const lattice::MinInt& extremum) {
    auto body = out.initMinint();
    body.setPresent(extremum.value().has_value());
    body.setNumber(extremum.value().value_or(0));
  }
  void write(wire::Entry::Builder out, const lattice::GSet& set) {
    auto body = out.initGset();
    if (set.elements().empty()) return;
    auto elements = body.initElements(count_of(set.elements().size()));
    unsigned i = 0;
    for (const Bytes& element : set.elements()) elements.set(i++, to_data(element));
  }
  void write(wire::Entry::Builder out, const lattice::AwSet& set) {
    auto body = out.initAwset();
    std::size_t dots = 0;
    set.store.for_each_dot([&](const lattice::Dot&) { ++dots; });
    if (dots == 0) return;
    auto live = body.initLive(count_of(dots));
    unsigned i = 0;
    for (const auto& [element, store] : set.store.entries()) {
      bool again = false;
      for (const lattice::Dot& dot : store.dots()) {
        write(live[i], dot);
        if (again)
          live[i].setAgain(true);
        else
          live[i].setValue(to_data(element));
        again = true;
        ++i;
      }
    }
  }
  void write(wire::Entry::Builder out, const lattice::LwwRegister& written) {
    auto body = out.initLwwregister();
    body.setPresent(written.is_set());
    if (!written.is_set()) return;
    body.setStamp(written.stamp());
    body.setOrigin(index(written.origin()));
    body.setValue(to_data(written.value()));
  }
  void write(wire::Entry::Builder out, const lattice::MvRegister& written) {
    auto body = out.initMvregister();
    if (written.store.empty()) return;
    auto live = body.initLive(count_of(written.store.entries().size()));
    unsigned i = 0;
    for (const auto& [dot, value] : written.store.entries()) {
      write(live[i], dot);
      live[i++].setValue(to_data(value));
    }
  }
  void write(wire::Entry::Builder out, const lattice::EwFlag& flag) {
    auto body = out.initEwflag();
    const auto dots = flag.store.dots();
    if (!dots.empty()) write(body.initEnables(count_of(dots.size())), dots);
  }
  void write(wire::Entry::Builder out, const lattice::DwFlag& flag) {
    auto body = out.initDwflag();
    if (const auto* on = flag.store.find(true)) write(body.initEnables(count_of(on->dots().size())), on->dots());
    if (const auto* off = flag.store.find(false)) write(body.initDisables(count_of(off->dots().size())), off->dots());
  }

  wire::Message::Builder out_;
  std::span<const Origin> origins_;
};

}  // namespace

core::Bytes encode(const Packet& packet) {
  std::size_t bytes = kPacketOverhead;
  for (const Message& message : packet.messages) bytes += weight(message);
  // One segment that is large enough: nothing is ever moved, and there is no second one.
  capnp::MallocMessageBuilder builder(static_cast<unsigned>(bytes / sizeof(capnp::word)));
  auto list = builder.initRoot<wire::Packet>().initMessages(count_of(packet.messages.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    const Message& message = packet.messages[i];
    auto out = list[i];
    out.setPartition(message.partition);
    std::visit(MessageWriter(out, origins_of(message)), message.body);
  }
  const auto segments = builder.getSegmentsForOutput();
  CHECK(segments.size() == 1, segments.size());
  const auto flat = segments[0].asChars();
  return {flat.begin(), flat.size()};
}

}  // namespace anabranch::delta

#include "delta/sizes.hpp"

#include <variant>

#include "delta/codec.hpp"

namespace anabranch::delta {
namespace {

std::size_t padded(std::size_t bytes) { return (bytes + 7) & ~std::size_t{7}; }

std::size_t object_bytes(const lattice::GCounter& counter) { return kListBytes + counter.size() * 24; }
std::size_t object_bytes(const lattice::PnCounter& counter) { return kListBytes + counter.entries().size() * 32; }
std::size_t object_bytes(const lattice::MaxInt&) { return 0; }
std::size_t object_bytes(const lattice::MinInt&) { return 0; }
std::size_t object_bytes(const lattice::GSet& set) {
  std::size_t bytes = 0;
  for (const Bytes& element : set.elements()) bytes += 8 + padded(element.size());
  return bytes;
}
std::size_t object_bytes(const lattice::AwSet& set) {
  std::size_t bytes = kListBytes;
  for (const auto& [element, dots] : set.store.entries()) bytes += padded(element.size()) + dots.dots().size() * 24;
  return bytes;
}
std::size_t object_bytes(const lattice::LwwRegister& written) { return padded(written.value().size()); }
std::size_t object_bytes(const lattice::MvRegister& written) {
  std::size_t bytes = kListBytes;
  for (const auto& [dot, value] : written.store.entries()) bytes += 24 + padded(value.size());
  return bytes;
}
std::size_t object_bytes(const lattice::EwFlag& flag) { return kListBytes + flag.store.dots().size() * 16; }
std::size_t object_bytes(const lattice::DwFlag& flag) {
  std::size_t bytes = 2 * kListBytes;
  flag.store.for_each_dot([&](const lattice::Dot&) { bytes += 16; });
  return bytes;
}

struct BodySize {
  OriginSet& origins;

  std::size_t operator()(const Interval& interval) const {
    origins.insert(interval.origin);
    return entries(interval.entries);
  }
  std::size_t operator()(const Digest& digest) const { return vector(digest.entries); }
  std::size_t operator()(const Held& held) const { return one(held.origin); }
  std::size_t operator()(const Missing& missing) const { return one(missing.origin); }
  std::size_t operator()(const Duplicate& duplicate) const { return one(duplicate.origin); }
  std::size_t operator()(const TransferChunk& chunk) const {
    collect_origins(chunk.context, origins);
    return vector(chunk.vector) + context_bytes(chunk.context) + entries(chunk.entries);
  }
  std::size_t operator()(const auto& /*numbers only*/) const { return 0; }

 private:
  std::size_t one(const Origin& origin) const {
    origins.insert(origin);
    return 0;
  }
  std::size_t vector(const std::vector<VectorEntry>& all) const {
    for (const VectorEntry& entry : all) origins.insert(entry.origin);
    return all.size() * kVectorEntryBytes;
  }
  std::size_t entries(const std::vector<Entry>& all) const {
    std::size_t bytes = 0;
    for (const Entry& entry : all) {
      bytes += entry_bytes(entry.key, entry.fragment);
      collect_origins(entry.fragment, origins);
    }
    return bytes;
  }
};

}  // namespace

std::size_t context_bytes(const lattice::CausalContext& context) {
  std::size_t bytes = 0;
  context.for_each_run(
      [&](const Origin&, std::uint64_t lo, std::uint64_t hi) { bytes += kRunBytes * (1 + ((hi - lo) >> 32)); });
  return bytes;
}

std::size_t entry_bytes(BytesView key, const lattice::Fragment& fragment) {
  const std::size_t object = std::visit([](const auto& typed) { return object_bytes(typed); }, fragment.object);
  const std::size_t context = fragment.context.empty() ? 0 : kListBytes + context_bytes(fragment.context);
  return kEntryBytes + padded(key.size()) + context + object;
}

void collect_origins(const lattice::CausalContext& context, OriginSet& origins) {
  context.for_each_run([&](const Origin& origin, std::uint64_t, std::uint64_t) { origins.insert(origin); });
}

void collect_origins(const lattice::Fragment& fragment, OriginSet& origins) {
  collect_origins(fragment.context, origins);
  std::visit(
      [&]<class T>(const T& typed) {
        if constexpr (lattice::CausalType<T>) {
          typed.store.for_each_dot([&](const lattice::Dot& dot) { origins.insert(dot.origin); });
        } else if constexpr (std::is_same_v<T, lattice::LwwRegister>) {
          if (typed.is_set()) origins.insert(typed.origin());
        }
      },
      fragment.object);
}

OriginSet origins_of(const Message& message) {
  OriginSet origins;
  std::visit(BodySize{origins}, message.body);
  return origins;
}

std::size_t weight(const Message& message) {
  OriginSet origins;
  const std::size_t body = std::visit(BodySize{origins}, message.body);
  return kMessageFrameBytes + body + origins.size() * kOriginBytes;
}

}  // namespace anabranch::delta

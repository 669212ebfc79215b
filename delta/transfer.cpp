#include "delta/transfer.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "core/limits.hpp"
#include "delta/interval_builder.hpp"
#include "delta/sizes.hpp"

namespace anabranch::delta {
namespace {

/// Hands out parts of `object` that are small and join to it.
template <class Sink>
void decompose(const lattice::Object& object, Sink&& sink) {
  std::visit(
      [&]<class T>(const T& typed) {
        if constexpr (lattice::CausalType<T>) {
          typed.store.for_each_dot([&](const lattice::Dot& dot) {
            T part;
            part.store = typed.store.only(dot);
            sink(lattice::Fragment{std::move(part), {}});
          });
        } else {
          typed.decompose([&](T part) { sink(lattice::Fragment{std::move(part), {}}); });
        }
      },
      object);
}

/// Fills chunks one after the other.
class Cutter {
 public:
  Cutter(std::vector<TransferChunk>& chunks, std::size_t limit) : chunks_(chunks), limit_(limit), builder_({}, limit) {}

  void cut(const Vector& vector) {
    for (const auto& [origin, flush] : vector) {
      if (rows() >= rows_max()) close();
      next_.vector.push_back({origin, flush});
    }
    close();
  }
  void cut(const lattice::CausalContext& context) {
    std::size_t runs = 0;
    context.for_each_run([&](const Origin& origin, std::uint64_t lo, std::uint64_t hi) {
      if (runs++ >= rows_max()) {
        close();
        runs = 1;
      }
      next_.context.insert(origin, lo, hi);
    });
    close();
  }
  void cut(BytesView key, const lattice::Object& object) {
    const lattice::Fragment whole{object, {}};
    OriginSet origins;
    collect_origins(whole, origins);
    const std::size_t bytes = entry_bytes(key, whole) + origins.size() * kOriginBytes;
    if (kMessageFrameBytes + kOriginBytes + bytes <= limit_) return put(key, whole);
    decompose(object, [&](const lattice::Fragment& part) { put(key, part); });
  }
  void close() {
    next_.entries = builder_.take();
    if (!next_.entries.empty() || !next_.vector.empty() || !next_.context.empty()) chunks_.push_back(std::move(next_));
    next_ = TransferChunk();
  }

 private:
  void put(BytesView key, const lattice::Fragment& fragment) {
    if (builder_.add(key, fragment)) return;
    close();
    builder_.add(key, fragment);
  }
  [[nodiscard]] std::size_t rows() const { return next_.vector.size(); }
  /// How many vector entries or runs fit, each with an origin of its own.
  [[nodiscard]] std::size_t rows_max() const {
    const std::size_t room = limit_ > kMessageFrameBytes ? limit_ - kMessageFrameBytes : 0;
    return std::clamp<std::size_t>(room / (kRunBytes + kOriginBytes), 1, core::kListMax);
  }

  std::vector<TransferChunk>& chunks_;
  std::size_t limit_;
  IntervalBuilder builder_;
  TransferChunk next_;
};

bool dots_inside(const lattice::Object& object, const lattice::CausalContext& context) {
  return std::visit(
      [&]<class T>(const T& typed) {
        bool inside = true;
        if constexpr (lattice::CausalType<T>)
          typed.store.for_each_dot([&](const lattice::Dot& dot) { inside = inside && context.contains(dot); });
        return inside;
      },
      object);
}

}  // namespace

Capture::Capture(const Store& store, const Vector& vector, std::uint64_t id, NodeId peer, std::size_t limit,
                 core::Instant now)
    : id_(id), peer_(peer), last_asked_(now) {
  std::vector<std::tuple<BytesView, lattice::TypeId, const lattice::Object*>> variables;
  variables.reserve(store.variables());
  store.for_each([&](BytesView key, const lattice::Object& object) {
    variables.emplace_back(key, lattice::type_of(object), &object);
  });
  std::sort(variables.begin(), variables.end());

  Cutter cutter(chunks_, limit);
  cutter.cut(vector);
  cutter.cut(store.context());
  for (const auto& [key, type, object] : variables) cutter.cut(key, *object);
  cutter.close();
  if (chunks_.empty()) chunks_.emplace_back();
  for (std::size_t i = 0; i < chunks_.size(); ++i) {
    chunks_[i].id = id;
    chunks_[i].index = static_cast<std::uint32_t>(i);
    chunks_[i].count = static_cast<std::uint32_t>(chunks_.size());
  }
}

std::vector<TransferChunk> Capture::chunks(std::uint32_t first, std::uint32_t count, core::Instant now) {
  last_asked_ = now;
  const std::size_t begin = std::min<std::size_t>(first, chunks_.size());
  const std::size_t end = std::min<std::size_t>(begin + std::min(count, kTransferWindow), chunks_.size());
  served_ = served_ || end == chunks_.size();
  return {chunks_.begin() + static_cast<std::ptrdiff_t>(begin), chunks_.begin() + static_cast<std::ptrdiff_t>(end)};
}

Staging::Staging(NodeId peer, core::Instant now, core::Duration again) : peer_(peer), again_(again), last_heard_(now) {}

TransferRequest Staging::request(core::Instant now) {
  deadline_ = now + again_;
  if (id_ == 0) return {0, 0, kTransferWindow};
  if (missing_ >= window_) window_ = std::min(missing_ + kTransferWindow, count_);
  std::uint32_t last = window_;
  while (last > missing_ + 1 && chunks_.contains(last - 1)) --last;
  return {id_, missing_, last - missing_};
}

void Staging::postpone(core::Instant now, core::Instant until) {
  last_heard_ = now;
  deadline_ = until;
}

bool Staging::add(TransferChunk chunk, core::Instant now) {
  if (chunk.id == 0 || chunk.count == 0 || chunk.count > kTransferChunksMax || chunk.index >= chunk.count) return false;
  if (id_ == 0) {
    id_ = chunk.id;
    count_ = chunk.count;
    window_ = std::min(kTransferWindow, count_);
  }
  if (chunk.id != id_ || chunk.count != count_) return false;
  last_heard_ = now;
  deadline_ = now + again_;
  const std::uint32_t index = chunk.index;
  const bool fresh = chunks_.emplace(index, std::move(chunk)).second;
  while (chunks_.contains(missing_)) ++missing_;
  return fresh;
}

core::Result<Staging::Whole> Staging::assemble() {
  Whole whole;
  std::map<std::pair<Bytes, lattice::TypeId>, lattice::Fragment> parts;
  for (auto& [index, chunk] : chunks_) {
    for (const VectorEntry& entry : chunk.vector) whole.vector[entry.origin] = entry.flush;
    whole.context.join(chunk.context);
    for (Entry& entry : chunk.entries) {
      const lattice::TypeId type = lattice::type_of(entry.fragment.object);
      auto [at, fresh] = parts.try_emplace({std::move(entry.key), type}, lattice::Fragment{lattice::bottom(type), {}});
      lattice::join(at->second, entry.fragment);
    }
    chunk.entries.clear();
  }
  chunks_.clear();
  whole.entries.reserve(parts.size());
  while (!parts.empty()) {
    auto node = parts.extract(parts.begin());
    if (!dots_inside(node.mapped().object, whole.context))
      return core::fail(core::Errc::kMalformed, "a transfer has a live dot outside its context");
    whole.entries.push_back({std::move(node.key().first), std::move(node.mapped())});
  }
  return whole;
}

}  // namespace anabranch::delta

#include "delta/writer.hpp"

#include <algorithm>
#include <utility>

#include "core/limits.hpp"
#include "delta/sizes.hpp"

namespace anabranch::delta {
namespace {

core::Status check_variable(const Store& store, BytesView key, lattice::TypeId type) {
  if (key.empty()) return core::fail(core::Errc::kMalformed, "the key is empty");
  if (key.size() > core::kKeyBytesMax)
    return core::fail(core::Errc::kTooLarge, "the key is too long",
                      std::to_string(key.size()) + " bytes; the limit is " + std::to_string(core::kKeyBytesMax));
  const lattice::Object* object = store.find(key);
  if (object == nullptr || lattice::type_of(*object) == type) return {};
  const std::string has(lattice::name(lattice::type_of(*object)));
  return core::fail(core::Errc::kTypeMismatch, "the key has another type",
                    "it is a " + has + ", not a " + std::string(lattice::name(type)) + "; update it as " + has +
                        " or choose another key");
}

/// What an operation without effect says, as a delta: the state may be here by another origin's flush that nobody else
/// holds, and whoever waits for copies of the operation must wait for a flush that has it. Empty where an operation
/// without effect says nothing of its own (a remove of what is not there).
lattice::Fragment restate(lattice::TypeId type, const lattice::Operation& operation) {
  lattice::Fragment fragment{lattice::bottom(type), {}};
  if (type == lattice::TypeId::kGCounter) {
    const lattice::GCounter::Entry entry{operation.actor, static_cast<std::uint64_t>(operation.amount)};
    if (auto part = lattice::GCounter::from_entries({&entry, 1})) fragment.object = std::move(*part);
  }
  if (type == lattice::TypeId::kGSet) fragment.object = lattice::GSet().add(operation.elements);
  if (type == lattice::TypeId::kMaxInt) fragment.object = lattice::MaxInt(operation.amount);
  if (type == lattice::TypeId::kMinInt) fragment.object = lattice::MinInt(operation.amount);
  return fragment;
}

bool can_split(const lattice::Operation& operation) {
  const bool listed = operation.verb == lattice::Verb::kAdd || operation.verb == lattice::Verb::kRemove;
  return operation.verb == lattice::Verb::kClear || (listed && operation.elements.size() > 1);
}

}  // namespace

core::Result<bool> Writer::update(Store& store, BytesView key, lattice::TypeId type,
                                  const lattice::Operation& operation, std::uint64_t wall_ms,
                                  std::vector<Interval>& sealed) {
  if (auto valid = check_variable(store, key, type); !valid) return tl::unexpected(std::move(valid.error()));
  return apply(Target{store, key, type, wall_ms, sealed}, operation);
}

core::Result<bool> Writer::declare(Store& store, BytesView key, lattice::TypeId type, std::vector<Interval>& sealed) {
  if (auto valid = check_variable(store, key, type); !valid) return tl::unexpected(std::move(valid.error()));
  if (store.find(key) != nullptr) return false;
  return take(Target{store, key, type, 0, sealed}, {lattice::bottom(type), {}}, last_dot_);
}

core::Result<bool> Writer::apply(const Target& target, const lattice::Operation& operation) {
  const lattice::Object* found = target.store.find(target.key);
  const lattice::Object fresh = found == nullptr ? lattice::bottom(target.type) : lattice::Object();
  const lattice::Object& object = found != nullptr ? *found : fresh;

  // Dots and stamps are taken for good only when the fragment is.
  std::uint64_t dot = last_dot_;
  lattice::Hlc clock = clock_;
  lattice::Mutator mutator{self_, &dot, &clock, target.wall_ms};
  auto fragment = lattice::mutate(object, operation, mutator);
  if (!fragment) return tl::unexpected(std::move(fragment.error()));
  if (fragment->empty()) *fragment = restate(target.type, operation);
  if (fragment->empty()) return false;

  const std::size_t alone = kMessageFrameBytes + entry_bytes(target.key, *fragment);
  OriginSet origins;
  origins.insert(self_);
  collect_origins(*fragment, origins);
  if (alone + origins.size() * kOriginBytes > limit_ && can_split(operation)) return apply_halves(target, operation);

  const std::uint64_t dots_before = std::exchange(last_dot_, dot);
  clock_ = clock;
  return take(target, *fragment, dots_before);
}

core::Result<bool> Writer::apply_halves(const Target& target, lattice::Operation operation) {
  if (operation.verb == lattice::Verb::kClear) {
    operation.verb = lattice::Verb::kRemove;
    operation.elements = std::get<std::vector<Bytes>>(lattice::read(*target.store.find(target.key)));
    if (operation.elements.size() == 1) return apply(target, operation);
  }
  bool grew = false;
  // The whole has been found valid, so its parts are; a clear may have more elements than one operation takes.
  const std::size_t part = std::min((operation.elements.size() + 1) / 2, core::kListMax);
  for (std::size_t at = 0; at < operation.elements.size(); at += part) {
    lattice::Operation half{operation.verb, 0, {}, {}};
    const auto first = operation.elements.begin() + static_cast<std::ptrdiff_t>(at);
    const auto last = first + static_cast<std::ptrdiff_t>(std::min(part, operation.elements.size() - at));
    half.elements.assign(std::make_move_iterator(first), std::make_move_iterator(last));
    auto result = apply(target, half);
    if (!result) return result;
    grew |= *result;
  }
  return grew;
}

bool Writer::take(const Target& target, const lattice::Fragment& fragment, std::uint64_t dots_before) {
  const bool grew = target.store.join(target.key, fragment);
  if (!builder_.add(target.key, fragment)) {
    const std::uint64_t dots_after = std::exchange(last_dot_, dots_before);
    target.sealed.push_back(*seal());
    last_dot_ = dots_after;
    builder_.add(target.key, fragment);
  }
  if (builder_.bytes() > limit_) target.sealed.push_back(*seal());  // a large value travels alone
  return grew;
}

std::optional<Interval> Writer::seal() {
  if (builder_.empty()) return std::nullopt;
  Interval flush;
  flush.origin = self_;
  flush.base = last_;
  flush.top = ++last_;
  flush.dots_low = flushed_dots_ + 1;
  flush.dots_high = flushed_dots_ = last_dot_;
  flush.entries = builder_.take();
  return flush;
}

}  // namespace anabranch::delta

// Last-writer-wins register. The order of writes is total (stamp, origin, bytes), so that no tie is left to chance.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string_view>
#include <utility>

#include "core/result.hpp"
#include "lattice/concepts.hpp"
#include "lattice/hashing.hpp"
#include "lattice/operation.hpp"
#include "lattice/type_id.hpp"

namespace anabranch::lattice {

/// A chain under (stamp, origin, value). Bottom, with stamp 0, is "never set". Plain value.
class LwwRegister {
 public:
  static constexpr TypeId kId = TypeId::kLwwRegister;
  static constexpr std::string_view kName = "lwwregister";
  static constexpr std::array kVerbs = {Verb::kSet};

  LwwRegister() = default;
  /// The register after the write of `value` at `stamp` (an Hlc stamp). kMalformed if the stamp is 0 or 2^64 - 1.
  static core::Result<LwwRegister> from_parts(std::uint64_t stamp, core::Origin origin, core::Bytes value) {
    if (stamp == 0 || stamp == UINT64_MAX) return core::fail(core::Errc::kMalformed, "a register without a stamp");
    LwwRegister written;
    written.stamp_ = stamp;
    written.origin_ = origin;
    written.value_ = std::move(value);
    return written;
  }

  [[nodiscard]] bool is_set() const { return stamp_ != 0; }
  [[nodiscard]] std::uint64_t stamp() const { return stamp_; }
  [[nodiscard]] const core::Origin& origin() const { return origin_; }
  [[nodiscard]] const core::Bytes& value() const { return value_; }

  bool join(const LwwRegister& other) {
    if (other.leq(*this)) return false;
    *this = other;
    return true;
  }
  [[nodiscard]] bool leq(const LwwRegister& other) const { return *this <= other; }
  [[nodiscard]] LwwRegister delta(const LwwRegister& other) const { return leq(other) ? LwwRegister() : *this; }
  template <class Sink>
  void decompose(Sink&& sink) const {
    if (is_set()) sink(LwwRegister(*this));
  }
  [[nodiscard]] std::uint64_t irreducibles() const { return is_set() ? 1 : 0; }
  friend auto operator<=>(const LwwRegister&, const LwwRegister&) = default;

  /// A write is stamped above what it overwrites, even if the local clock has not observed that stamp.
  [[nodiscard]] core::Result<LwwRegister> apply(const Operation& operation, Mutator& mutator) const {
    if (auto valid = check_elements(operation, 1, 1); !valid) return tl::unexpected(std::move(valid.error()));
    if (stamp_ >= UINT64_MAX - 1 || mutator.clock->last() >= UINT64_MAX - 1)
      return core::fail(core::Errc::kOverflow, "the register's stamp cannot grow");
    return from_parts(mutator.clock->tick(mutator.wall_ms, stamp_), mutator.origin, operation.elements.front());
  }
  [[nodiscard]] Reading read() const { return is_set() ? Reading(value_) : Reading(); }
  /// 1 if it was ever set.
  [[nodiscard]] std::int64_t measure() const { return is_set() ? 1 : 0; }
  [[nodiscard]] std::uint64_t fingerprint(std::uint64_t seed) const {
    return is_set() ? hash_words(seed_under(seed, value_), stamp_, origin_.node, origin_.incarnation) : 0;
  }
  [[nodiscard]] std::size_t weight_bytes() const { return 40 + value_.size(); }

 private:
  // Compared in this order. std::string compares bytes as unsigned.
  std::uint64_t stamp_ = 0;
  core::Origin origin_;
  core::Bytes value_;
};

static_assert(Lattice<LwwRegister> && Catalogued<LwwRegister>);

}  // namespace anabranch::lattice

// foreach_target.h includes this file once for each instruction set; the part under HWY_ONCE is compiled once.
#include "lattice/kernels/max_join.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lattice/kernels/max_join.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace anabranch::lattice::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Counts = hn::ScalableTag<std::uint64_t>;

constexpr std::size_t kBlock = 4;  // vectors between two looks at what changed

/// Joins `kVectors` vectors. Writes nothing, and dirties no cache line, where nothing grew: the common case of a
/// state that was seen before. True iff something grew.
template <std::size_t kVectors>
HWY_INLINE bool join_block(std::uint64_t* into, const std::uint64_t* from) {
  const Counts d;
  const std::size_t lanes = hn::Lanes(d);
  auto changed = hn::Zero(d);
  for (std::size_t v = 0; v < kVectors; ++v) {
    const auto mine = hn::LoadU(d, into + v * lanes);
    changed = hn::Or(changed, hn::Xor(mine, hn::Max(mine, hn::LoadU(d, from + v * lanes))));
  }
  if (hn::AllTrue(d, hn::Eq(changed, hn::Zero(d)))) return false;
  for (std::size_t v = 0; v < kVectors; ++v) {
    const auto mine = hn::LoadU(d, into + v * lanes);
    hn::StoreU(hn::Max(mine, hn::LoadU(d, from + v * lanes)), d, into + v * lanes);
  }
  return true;
}

bool max_join(std::uint64_t* into, const std::uint64_t* from, std::size_t entries) {
  const std::size_t lanes = hn::Lanes(Counts());
  bool grew = false;
  if (entries < lanes) {
    for (std::size_t i = 0; i < entries; ++i) {
      grew |= from[i] > into[i];
      into[i] = from[i] > into[i] ? from[i] : into[i];
    }
    return grew;
  }
  std::size_t i = 0;
  for (; i + kBlock * lanes <= entries; i += kBlock * lanes) grew |= join_block<kBlock>(into + i, from + i);
  for (; i + lanes <= entries; i += lanes) grew |= join_block<1>(into + i, from + i);
  // The tail is one vector that ends at the last entry: joining an entry twice does no harm.
  if (i < entries) grew |= join_block<1>(into + entries - lanes, from + entries - lanes);
  return grew;
}

}  // namespace anabranch::lattice::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/check.hpp"

namespace anabranch::lattice::kernels {
namespace {

HWY_EXPORT(max_join);

bool scalar_max_join(std::uint64_t* into, const std::uint64_t* from, std::size_t entries) {
  bool grew = false;
  for (std::size_t i = 0; i < entries; ++i) {
    if (from[i] <= into[i]) continue;
    into[i] = from[i];
    grew = true;
  }
  return grew;
}

std::string lower(std::string_view word) {
  std::string low(word);
  std::transform(low.begin(), low.end(), low.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  return low;
}

struct Kernels {
  std::vector<std::string> names;
  std::vector<MaxJoin> all;

  Kernels() {
    const auto targets = hwy::SupportedAndGeneratedTargets();  // best first
    names.reserve(targets.size());
    for (const std::int64_t target : targets) {
      if (target == HWY_SCALAR) continue;  // ours is faster: it writes only what grew
      names.push_back(lower(hwy::TargetName(target)));
      hwy::ChosenTarget chosen;
      chosen.Update(target);
      all.push_back({names.back(), HWY_DISPATCH_TABLE(max_join)[chosen.GetIndex()]});
    }
    all.push_back({"scalar", scalar_max_join});
  }
};

}  // namespace

std::span<const MaxJoin> max_join_kernels() {
  static const Kernels kernels;
  return kernels.all;
}

core::Result<MaxJoin> chosen_max_join() {
  const char* forced = std::getenv("ANABRANCH_ISA");
  if (forced == nullptr || *forced == '\0') return max_join_kernels().front();
  std::string known;
  for (const MaxJoin& kernel : max_join_kernels()) {
    if (kernel.target == lower(forced)) return kernel;
    known.append(known.empty() ? "" : ", ").append(kernel.target);
  }
  return core::fail(core::Errc::kUnknown, "ANABRANCH_ISA names no instruction set of this CPU",
                    std::string(forced) + "; it has " + known);
}

bool max_join(std::span<std::uint64_t> into, std::span<const std::uint64_t> from) {
  static const core::Result<MaxJoin> chosen = chosen_max_join();
  CHECK(chosen.has_value(), chosen.error().message());
  CHECK(into.size() == from.size(), into.size(), from.size());
  return chosen->run(into.data(), from.data(), into.size());
}

}  // namespace anabranch::lattice::kernels

#endif  // HWY_ONCE

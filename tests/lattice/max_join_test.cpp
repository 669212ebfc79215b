#include "lattice/kernels/max_join.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <string>
#include <vector>

#include "core/rng.hpp"

namespace anabranch::lattice::kernels {
namespace {

std::vector<std::uint64_t> random_counts(core::Rng& rng, std::size_t entries) {
  std::vector<std::uint64_t> counts(entries);
  for (auto& count : counts) {
    const std::uint64_t kind = rng.below(8);
    count = kind == 0 ? 0 : kind == 1 ? UINT64_MAX : kind == 2 ? std::uint64_t{1} << 63 : rng() >> rng.below(64);
  }
  return counts;
}

/// The kernel on a window into larger memory, so that every alignment and any write outside shows.
void expect_same_as_max(const MaxJoin& kernel, const std::vector<std::uint64_t>& left,
                        const std::vector<std::uint64_t>& right, std::size_t offset) {
  const std::size_t entries = left.size();
  std::vector<std::uint64_t> into(entries + 16, 77);
  std::vector<std::uint64_t> from(entries + 16, 99);
  std::copy(left.begin(), left.end(), into.begin() + static_cast<std::ptrdiff_t>(offset));
  std::copy(right.begin(), right.end(), from.begin() + static_cast<std::ptrdiff_t>(offset));
  std::vector<std::uint64_t> expected = into;
  bool grows = false;
  for (std::size_t i = 0; i < entries; ++i) {
    grows = grows || right[i] > left[i];
    expected[offset + i] = std::max(left[i], right[i]);
  }
  EXPECT_EQ(kernel.run(into.data() + offset, from.data() + offset, entries), grows)
      << kernel.target << ", " << entries << " entries at " << offset;
  EXPECT_EQ(into, expected) << kernel.target << ", " << entries << " entries at " << offset;
}

TEST(MaxJoin, EqualsTheScalarLoopOnEveryTailLength) {
  core::Rng rng(5);
  for (const MaxJoin& kernel : max_join_kernels()) {
    SCOPED_TRACE(kernel.target);
    for (std::size_t entries = 0; entries <= 130; ++entries) {
      for (int round = 0; round < 4; ++round)
        expect_same_as_max(kernel, random_counts(rng, entries), random_counts(rng, entries), rng.below(9));
    }
    expect_same_as_max(kernel, random_counts(rng, 4'099), random_counts(rng, 4'099), 1);
  }
}

TEST(MaxJoin, SeesASingleEntryGrowWhereverItIs) {
  for (const MaxJoin& kernel : max_join_kernels()) {
    for (const std::size_t entries : {1U, 7U, 33U, 70U}) {
      std::vector<std::uint64_t> left(entries);
      std::iota(left.begin(), left.end(), 5U);
      expect_same_as_max(kernel, left, left, 3);
      for (std::size_t at = 0; at < entries; ++at) {
        std::vector<std::uint64_t> right(entries, 0);
        right[at] = left[at] + 1;
        expect_same_as_max(kernel, left, right, at % 8);
        right[at] = UINT64_MAX;  // greater, if compared without a sign
        expect_same_as_max(kernel, left, right, at % 8);
      }
    }
  }
}

TEST(MaxJoin, MayJoinMemoryWithItself) {
  core::Rng rng(6);
  for (const MaxJoin& kernel : max_join_kernels()) {
    std::vector<std::uint64_t> counts = random_counts(rng, 67);
    const std::vector<std::uint64_t> before = counts;
    EXPECT_FALSE(kernel.run(counts.data(), counts.data(), counts.size())) << kernel.target;
    EXPECT_EQ(counts, before) << kernel.target;
  }
}

TEST(MaxJoin, ListsTheScalarKernelLast) {
  ASSERT_FALSE(max_join_kernels().empty());
  EXPECT_EQ(max_join_kernels().back().target, "scalar");
}

/// Sets ANABRANCH_ISA for a test, and sets it back.
class IsaVariable {
 public:
  explicit IsaVariable(const char* value) {
    if (const char* before = std::getenv("ANABRANCH_ISA")) before_ = before;
    setenv("ANABRANCH_ISA", value, 1);
  }
  ~IsaVariable() { before_.empty() ? unsetenv("ANABRANCH_ISA") : setenv("ANABRANCH_ISA", before_.c_str(), 1); }
  IsaVariable(const IsaVariable&) = delete;
  IsaVariable& operator=(const IsaVariable&) = delete;

 private:
  std::string before_;
};

TEST(MaxJoin, TakesTheInstructionSetThatTheEnvironmentNames) {
  for (const MaxJoin& kernel : max_join_kernels()) {
    const IsaVariable isa(std::string(kernel.target).c_str());
    ASSERT_TRUE(chosen_max_join().has_value());
    EXPECT_EQ(chosen_max_join()->target, kernel.target);
  }
  const IsaVariable upper("SCALAR");
  EXPECT_EQ(chosen_max_join()->target, "scalar");
}

TEST(MaxJoin, NamesTheChoiceWhenTheEnvironmentIsWrong) {
  const IsaVariable isa("mmx");
  const auto chosen = chosen_max_join();
  ASSERT_FALSE(chosen.has_value());
  EXPECT_EQ(chosen.error().code, core::Errc::kUnknown);
  EXPECT_NE(chosen.error().message().find("scalar"), std::string::npos);
}

}  // namespace
}  // namespace anabranch::lattice::kernels

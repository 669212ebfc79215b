#include "core/result.hpp"

#include <gtest/gtest.h>

#include <set>

namespace anabranch::core {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return fail(Errc::kRefused, "odd number", std::to_string(number));
  return number / 2;
}

TEST(Result, HoldsTheValueOfASuccess) {
  const auto result = half(8);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(*result, 4);
}

TEST(Result, HoldsTheErrorOfAFailure) {
  const auto result = half(7);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Errc::kRefused);
  EXPECT_EQ(result.error().message(), "odd number: 7");
}

TEST(Result, MessageWithoutDetailIsTheLiteralAlone) {
  const Status status = fail(Errc::kFull, "ring is full");
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().message(), "ring is full");
  EXPECT_TRUE(status.error().detail.empty());
}

TEST(Errc, EveryCodeHasItsOwnName) {
  std::set<std::string_view> names;
  const int last = static_cast<int>(Errc::kClosed);
  for (int code = 0; code <= last; ++code) names.insert(name(static_cast<Errc>(code)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(last) + 1);
  EXPECT_EQ(name(Errc::kWrongCluster), "wrong_cluster");
}

}  // namespace
}  // namespace anabranch::core

#include "core/check.hpp"

#include <gtest/gtest.h>

namespace anabranch::core {
namespace {

TEST(Check, PassesWhenItsConditionHolds) {
  int evaluated = 0;
  CHECK(++evaluated == 1, evaluated);
  EXPECT_EQ(evaluated, 1);
}

TEST(CheckDeathTest, EndsTheProcessWithFileConditionAndValues) {
  const int left = 3;
  EXPECT_DEATH(CHECK(left == 4, "left", left), "check_test.cpp:[0-9]+: CHECK\\(left == 4\\) left 3");
}

}  // namespace
}  // namespace anabranch::core

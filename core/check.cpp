#include "core/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace anabranch::core {

void check_failed(const char* file, int line, const char* condition, const std::string& values) {
  std::fprintf(stderr, "%s:%d: CHECK(%s)%s\n", file, line, condition, values.c_str());
  std::fflush(stderr);
  std::abort();
}

}  // namespace anabranch::core

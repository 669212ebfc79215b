// CHECK ends the process on a bug, in release too, with file, line and values. DCHECK only inside kernels and rings.
#pragma once

#include <sstream>
#include <string>

namespace anabranch::core {

/// Prints `file:line: CHECK(condition) values` to stderr and aborts.
[[noreturn]] void check_failed(const char* file, int line, const char* condition, const std::string& values);

template <class... Values>
std::string describe(const Values&... values) {
  std::ostringstream out;
  ((out << ' ' << values), ...);
  return out.str();
}

}  // namespace anabranch::core

/// CHECK(condition) or CHECK(condition, value, …): the values are printed.
#define CHECK(condition, ...)                                                                                    \
  do {                                                                                                           \
    if (!(condition)) [[unlikely]]                                                                               \
      ::anabranch::core::check_failed(__FILE__, __LINE__, #condition, ::anabranch::core::describe(__VA_ARGS__)); \
  } while (false)

#ifdef NDEBUG
#define DCHECK(condition, ...) \
  do {                         \
  } while (false)
#else
#define DCHECK(condition, ...) CHECK(condition __VA_OPT__(, ) __VA_ARGS__)
#endif

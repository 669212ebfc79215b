// Force-included by clang only (fuzz build, clang-tidy). Cap'n Proto 0.9.2 compares `const char*` with its strings by
// functions that call themselves under C++20's rewritten operators, so its headers leave them out for newer compilers.
#pragma once

#ifdef __clang__
#include <kj/string.h>

namespace kj {
inline bool operator==(const char* a, const StringPtr& b) { return b.operator==(StringPtr(a)); }
inline bool operator!=(const char* a, const StringPtr& b) { return !b.operator==(StringPtr(a)); }
inline bool operator==(const char* a, const String& b) { return StringPtr(b).operator==(StringPtr(a)); }
inline bool operator!=(const char* a, const String& b) { return !StringPtr(b).operator==(StringPtr(a)); }
}  // namespace kj
#endif

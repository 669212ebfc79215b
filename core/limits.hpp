// The bounds of design section 9 that a user can meet, in one place. Each refusal names the limit it hit.
#pragma once

#include <cstddef>
#include <cstdint>

namespace anabranch::core {

inline constexpr std::uint64_t kCountMax = std::uint64_t{1} << 62;  // an update beyond it is refused
inline constexpr std::size_t kKeyBytesMax = 1'024;
inline constexpr std::size_t kValueBytesMax = 1 << 20;   // one element or register value
inline constexpr std::uint32_t kPartitionsDefault = 64;  // a power of two, chosen once per cluster
inline constexpr std::uint32_t kPartitionsMax = 4'096;
inline constexpr std::size_t kListMax = 4'096;        // entries of any list in a frame
inline constexpr std::size_t kDatagramBytes = 1'472;  // Ethernet MTU 1,500 less IPv4 and UDP headers
inline constexpr std::size_t kMessageBytesMax =
    (1 << 20) + (64 << 10);  // a fragmented message: one value and its frame

}  // namespace anabranch::core

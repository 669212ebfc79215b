// How many bytes things take when encoded: what flushes are cut by, intervals filled by and logs bounded by. Kept in step
// with delta/delta.capnp by a test that compares it with the encoder. Called by the owning shard.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "delta/message.hpp"

namespace anabranch::delta {

/// A few origins, sorted: the dictionary of a message.
class OriginSet {
 public:
  /// True iff it was not there.
  bool insert(const Origin& origin) {
    const auto at = std::lower_bound(origins_.begin(), origins_.end(), origin);
    if (at != origins_.end() && *at == origin) return false;
    origins_.insert(at, origin);
    return true;
  }
  [[nodiscard]] bool contains(const Origin& origin) const {
    return std::binary_search(origins_.begin(), origins_.end(), origin);
  }
  [[nodiscard]] std::size_t size() const { return origins_.size(); }
  [[nodiscard]] std::span<const Origin> all() const { return origins_; }

 private:
  std::vector<Origin> origins_;
};

inline constexpr std::size_t kMessageBytes = 72;      // struct Message: 5 words of data, 4 pointers
inline constexpr std::size_t kEntryBytes = 48;        // struct Entry: 2 words of data, 4 pointers
inline constexpr std::size_t kListBytes = 8;          // the tag of a list of structs
inline constexpr std::size_t kOriginBytes = 16;       // struct OriginName
inline constexpr std::size_t kVectorEntryBytes = 16;  // struct VectorEntry
inline constexpr std::size_t kRunBytes = 16;          // struct Run
/// A message's struct and the tags of the dictionary and of three lists.
inline constexpr std::size_t kMessageFrameBytes = kMessageBytes + 4 * kListBytes;

/// The entry's bytes, the dictionary not included.
///   cost  O(entry)
std::size_t entry_bytes(BytesView key, const lattice::Fragment& fragment);
/// The runs' bytes; a run of more than 2^32 dots is sent as several.
std::size_t context_bytes(const lattice::CausalContext& context);
/// Adds the origins that the entry's dots and stamps name.
void collect_origins(const lattice::Fragment& fragment, OriginSet& origins);
void collect_origins(const lattice::CausalContext& context, OriginSet& origins);
/// The dictionary of a message.
OriginSet origins_of(const Message& message);

}  // namespace anabranch::delta

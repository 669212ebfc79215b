// Joins fragments of one origin as long as the result fits a message: the pending flush of this node, and what `ship`
// makes of the log. Owned by the replica's shard.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <vector>

#include "delta/message.hpp"
#include "delta/sizes.hpp"

namespace anabranch::delta {

class IntervalBuilder {
 public:
  /// `limit` bounds the weight of the message that the content becomes.
  IntervalBuilder(const Origin& origin, std::size_t limit);

  /// Joins `fragment` into the entry of (key, its type). False, and nothing changes, if the content would pass the limit;
  /// an empty builder takes anything.
  ///   cost  O(fragment), and O(entry) close to the limit
  bool add(BytesView key, const lattice::Fragment& fragment);
  /// As `add`, for all of a flush or none of it.
  bool add(std::span<const Entry> entries);

  [[nodiscard]] bool empty() const { return items_.empty(); }
  /// The weight that the message has now.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// Moves the entries out, sorted by (key, type); the builder is empty afterwards.
  std::vector<Entry> take();

 private:
  struct Name {
    Bytes key;
    lattice::TypeId type;
  };
  struct Borrowed {
    BytesView key;
    lattice::TypeId type;
  };
  struct Before {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const {
      const int order = BytesView(a.key).compare(BytesView(b.key));
      return order != 0 ? order < 0 : a.type < b.type;
    }
  };
  struct Item {
    lattice::Fragment fragment;
    std::size_t bytes = 0;
  };

  void join(BytesView key, const lattice::Fragment& fragment);
  [[nodiscard]] bool fits_joined(std::span<const Entry> entries) const;
  void reset();

  Origin origin_;
  std::size_t limit_;
  std::size_t bytes_ = 0;
  OriginSet origins_;
  std::map<Name, Item, Before> items_;
};

}  // namespace anabranch::delta

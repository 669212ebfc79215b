// An oracle outside the protocol: it records every operation with the flush that carries it, and says what a replica that
// holds a given vector must look like. The rule for causal types is the declarative one: a dot lives iff the flush that
// bore it is held and no held flush killed it.
#pragma once

#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "delta/replica.hpp"

namespace anabranch::delta::model {

struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline void require(bool condition, const std::string& invariant) {
  if (!condition) throw Broken(invariant);
}

using Label = std::string;  // what a live dot carries: element, value or side
using Lives = std::map<lattice::Dot, Label>;

/// The live dots of a causal object and what they carry.
inline Lives lives_of(const lattice::Object* object) {
  Lives lives;
  if (object == nullptr) return lives;
  std::visit(
      [&]<class T>(const T& typed) {
        if constexpr (std::is_same_v<T, lattice::AwSet>) {
          for (const auto& [element, dots] : typed.store.entries())
            for (const lattice::Dot& dot : dots.dots()) lives[dot] = element;
        } else if constexpr (std::is_same_v<T, lattice::DwFlag>) {
          for (const auto& [side, dots] : typed.store.entries())
            for (const lattice::Dot& dot : dots.dots()) lives[dot] = side ? "on" : "off";
        } else if constexpr (std::is_same_v<T, lattice::MvRegister>) {
          for (const auto& [dot, value] : typed.store.entries()) lives[dot] = value;
        } else if constexpr (std::is_same_v<T, lattice::EwFlag>) {
          for (const lattice::Dot& dot : typed.store.dots()) lives[dot] = "on";
        }
      },
      *object);
  return lives;
}

class Oracle {
 public:
  /// An update made `before` into `after`; the flushes `first` to `flush` of `origin` carry it. They are one, except for
  /// a clear that was cut: then it is not known here which of its parts is in which.
  void causal(const Bytes& key, Origin origin, FlushNumber first, FlushNumber flush, const Lives& before,
              const Lives& after) {
    Event event{key, origin, first, flush, {}, {}};
    require(first == flush || before.size() >= after.size(), "an update was cut that need not be");
    for (const auto& [dot, label] : after) {
      if (before.contains(dot)) continue;
      require(minted_.insert(dot).second, "a dot was minted twice");
      event.born[dot] = label;
    }
    for (const auto& [dot, label] : before) {
      if (!after.contains(dot)) event.killed.insert(dot);
    }
    events_.push_back(std::move(event));
  }
  void count(Origin origin, FlushNumber flush, std::int64_t amount) { counts_.push_back({origin, flush, amount}); }
  void total(Origin origin, FlushNumber flush, core::Actor client, std::int64_t total) {
    totals_.push_back({origin, flush, client, total});
  }
  void written(Origin origin, FlushNumber flush, lattice::LwwRegister value) {
    writes_.push_back({origin, flush, std::move(value)});
  }
  void added(Origin origin, FlushNumber flush, Bytes element) { added_.push_back({origin, flush, std::move(element)}); }

  /// Throws Broken unless `replica`, which has nothing pending, is exactly what its vector says.
  void check(const Replica& replica) const {
    const Vector vector = replica.vector();
    const auto holds = [&](const auto& event) {
      const auto at = vector.find(event.origin);
      return at != vector.end() && at->second >= event.flush;
    };
    check_causal(replica, holds);
    check_plain(replica, holds);
  }

 private:
  struct Event {
    Bytes key;
    Origin origin;
    FlushNumber first = 0;
    FlushNumber flush = 0;
    Lives born;
    std::set<lattice::Dot> killed;
  };
  struct Count {
    Origin origin;
    FlushNumber flush = 0;
    std::int64_t amount = 0;
  };
  struct Total {
    Origin origin;
    FlushNumber flush = 0;
    core::Actor client;
    std::int64_t total = 0;
  };
  struct Write {
    Origin origin;
    FlushNumber flush = 0;
    lattice::LwwRegister value;
  };
  struct Added {
    Origin origin;
    FlushNumber flush = 0;
    Bytes element;
  };

  template <class Holds>
  void check_causal(const Replica& replica, Holds holds) const {
    std::map<Bytes, Lives> expected;
    for (const Event& event : events_) {
      if (holds(event)) expected[event.key].insert(event.born.begin(), event.born.end());
    }
    std::map<Bytes, std::set<lattice::Dot>> perhaps;
    for (const Event& event : events_) {
      Event begun = event;
      begun.flush = event.first;
      const bool whole = holds(event);
      if (!whole && !holds(begun)) continue;
      for (const lattice::Dot& dot : event.killed) {
        if (whole)
          expected[event.key].erase(dot);
        else
          perhaps[event.key].insert(dot);
      }
    }
    for (auto& [key, lives] : expected) {
      Lives found = lives_of(replica.find(key));
      for (const lattice::Dot& dot : perhaps[key]) {
        found.erase(dot);
        lives.erase(dot);
      }
      if (found == lives) continue;
      std::ostringstream text;
      text << key << " has " << found.size() << " live dots, the vector says " << lives.size();
      throw Broken(text.str());
    }
  }
  template <class Holds>
  void check_plain(const Replica& replica, Holds holds) const {
    std::int64_t sum = 0;
    for (const Count& count : counts_) sum += holds(count) ? count.amount : 0;
    const lattice::Object* counter = replica.find("pn");
    require((counter != nullptr ? lattice::measure(*counter) : 0) == sum, "the counter is not the sum of increments");

    std::map<core::Actor, std::int64_t> by_client;
    for (const Total& total : totals_) {
      if (holds(total)) by_client[total.client] = std::max(by_client[total.client], total.total);
    }
    std::int64_t all = 0;
    for (const auto& [client, total] : by_client) all += total;
    const lattice::Object* hits = replica.find("hits");
    require((hits != nullptr ? lattice::measure(*hits) : 0) == all, "the totals are not those that were reported");

    lattice::LwwRegister last;
    for (const Write& write : writes_) {
      if (holds(write)) last.join(write.value);
    }
    const lattice::Object* written = replica.find("lww");
    require(written == nullptr ? !last.is_set() : std::get<lattice::LwwRegister>(*written) == last,
            "the register is not the last write");

    std::set<Bytes> elements;
    for (const Added& added : added_) {
      if (holds(added)) elements.insert(added.element);
    }
    const lattice::Object* set = replica.find("gset");
    const std::vector<Bytes> sorted(elements.begin(), elements.end());
    require(set == nullptr ? sorted.empty() : std::get<std::vector<Bytes>>(lattice::read(*set)) == sorted,
            "the grow-only set is not what was added");
  }

  std::vector<Event> events_;
  std::vector<Count> counts_;
  std::vector<Total> totals_;
  std::vector<Write> writes_;
  std::vector<Added> added_;
  std::set<lattice::Dot> minted_;
};

}  // namespace anabranch::delta::model

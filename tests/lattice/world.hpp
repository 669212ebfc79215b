// A few replicas of one variable that mutate, exchange states and exchange deltas, as a script of small numbers says.
// The source of every state that the law suite looks at: what it makes is reachable, and its dots are unique.
#pragma once

#include <array>
#include <cstdint>
#include <iosfwd>
#include <vector>

#include "core/rng.hpp"
#include "lattice/catalog.hpp"

namespace anabranch::lattice {

/// One step, read modulo what there is to choose from, so that any numbers are a script and every prefix is one.
struct Step {
  std::uint8_t kind = 0;     // 0, 1, 2: mutate; 3: take over a state; 4: take over a delta
  std::uint8_t replica = 0;  // who acts
  std::uint8_t choice = 0;   // the verb, the other replica, or the delta
  std::uint8_t value = 0;    // the arguments of the operation
};
std::ostream& operator<<(std::ostream& out, const Step& step);
using Script = std::vector<Step>;

/// A script of `steps` random steps.
Script random_script(core::Rng& rng, std::size_t steps);

struct Replica {
  core::Origin origin;
  std::uint64_t last_dot = 0;
  Hlc clock;
  Fragment state;  // all that it knows of the variable: object and context

  /// Applies `operation` here. Returns its delta; an empty one if nothing changed.
  core::Result<Fragment> mutate(const Operation& operation, std::uint64_t wall_ms = 1'000);
};

/// A mutation as it happened: what was there, what was asked, what came of it.
struct Mutation {
  Fragment before;
  Operation operation;
  Fragment delta;
  Fragment after;
};

class World {
 public:
  World(TypeId type, const Script& script);

  [[nodiscard]] const std::array<Replica, 3>& replicas() const { return replicas_; }
  [[nodiscard]] const std::vector<Mutation>& mutations() const { return mutations_; }
  /// The join of everything that happened anywhere.
  [[nodiscard]] Fragment everything() const;
  /// States and deltas of this world: reachable samples of the lattice, at most `samples_max`, bottom among them.
  [[nodiscard]] std::vector<Fragment> samples(std::size_t samples_max) const;

 private:
  void run(const Step& step);
  [[nodiscard]] Operation operation(Verb verb, std::uint8_t value) const;

  TypeId type_;
  std::array<Replica, 3> replicas_;
  std::vector<Mutation> mutations_;
  std::uint64_t wall_ms_ = 1'000;
};

/// The verbs of `type`, kTotal too.
std::vector<Verb> verbs_of(TypeId type);

/// What `operation` makes of a value when nothing else happens: the sequential meaning of every type.
Reading sequential(TypeId type, const Reading& before, const Operation& operation);

/// Joins `deltas` into bottom in a random order, some twice, some as groups, under a seen context that grows with them.
Fragment deliver_at_random(TypeId type, std::vector<Fragment> deltas, core::Rng& rng);

}  // namespace anabranch::lattice

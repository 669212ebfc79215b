// What a threshold read means for each type: an answer that every node gives, or what one node saw at one moment.
#pragma once

#include <cstdint>

#include "lattice/type_id.hpp"

namespace anabranch::dataflow {

enum class Threshold : std::uint8_t {
  /// lattice::measure only grows as states are joined. Once the threshold holds at a node it holds there for ever, and
  /// at every node that has the same updates: whether the watch fires does not depend on timing.
  ///   source  Kuper, Newton 2013 (LVars: threshold reads); Meiklejohn, Van Roy 2015 (Lasp)
  kDeterministic,
  /// lattice::measure may fall again: a decrement, a remove, a later write. The watch says that the value was seen at
  /// this node at that moment. Another node may pass over it (two updates arrive in one join), and it may not hold now.
  /// A last-writer register measures 1 from its first write on; but which value is read then is of that moment too.
  kObservation,
};

/// The meaning of `measure(x) >= threshold` for variables of `type`. Total; any thread.
///   kDeterministic  gcounter (value), maxint (value), gset (cardinality)
///   kObservation    pncounter, minint (it only falls), awset, both registers, both flags
constexpr Threshold threshold_of(lattice::TypeId type) {
  switch (type) {
    case lattice::TypeId::kGCounter:
    case lattice::TypeId::kMaxInt:
    case lattice::TypeId::kGSet: return Threshold::kDeterministic;
    case lattice::TypeId::kPnCounter:
    case lattice::TypeId::kMinInt:
    case lattice::TypeId::kAwSet:
    case lattice::TypeId::kLwwRegister:
    case lattice::TypeId::kMvRegister:
    case lattice::TypeId::kEwFlag:
    case lattice::TypeId::kDwFlag: return Threshold::kObservation;
  }
  return Threshold::kObservation;
}

}  // namespace anabranch::dataflow

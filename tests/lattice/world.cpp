#include "tests/lattice/world.hpp"

#include <algorithm>
#include <ostream>
#include <set>

#include "core/check.hpp"

namespace anabranch::lattice {
namespace {

// Bytes that a text-minded comparison would get wrong, and an empty one.
const std::array<core::Bytes, 4> kElements = {core::Bytes("a"), core::Bytes("\xff", 1), core::Bytes("a\0b", 3),
                                              core::Bytes()};

std::set<core::Bytes> elements_in(const Reading& reading) {
  const auto& elements = std::get<std::vector<core::Bytes>>(reading);
  return {elements.begin(), elements.end()};
}

Reading reading_of(const std::set<core::Bytes>& elements) {
  return std::vector<core::Bytes>(elements.begin(), elements.end());
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << '{' << int{step.kind} << ',' << int{step.replica} << ',' << int{step.choice} << ',' << int{step.value}
             << '}';
}

Script random_script(core::Rng& rng, std::size_t steps) {
  Script script(steps);
  const auto byte = [&] { return static_cast<std::uint8_t>(rng.below(256)); };
  for (Step& step : script) step = {byte(), byte(), byte(), byte()};
  return script;
}

core::Result<Fragment> Replica::mutate(const Operation& operation, std::uint64_t wall_ms) {
  Mutator mutator{origin, &last_dot, &clock, wall_ms};
  auto delta = lattice::mutate(state.object, operation, mutator);
  if (delta) join(state, *delta);
  return delta;
}

World::World(TypeId type, const Script& script) : type_(type) {
  std::uint32_t incarnation = 1;
  for (Replica& replica : replicas_) {
    replica.origin = {7, incarnation++};
    replica.state.object = bottom(type);
  }
  for (const Step& step : script) run(step);
}

void World::run(const Step& step) {
  Replica& replica = replicas_[step.replica % replicas_.size()];
  switch (step.kind % 5) {
    case 3: join(replica.state, replicas_[step.choice % replicas_.size()].state); return;
    case 4:
      if (!mutations_.empty()) join(replica.state, mutations_[step.choice % mutations_.size()].delta);
      return;
    default: break;
  }
  if (step.value % 4 == 0) ++wall_ms_;  // else the clocks of replicas collide
  const std::vector<Verb> verbs = verbs_of(type_);
  Mutation mutation{replica.state, operation(verbs[step.choice % verbs.size()], step.value), {}, {}};
  auto delta = replica.mutate(mutation.operation, wall_ms_);
  CHECK(delta.has_value(), delta.error().message());
  mutation.delta = *delta;
  mutation.after = replica.state;
  mutations_.push_back(std::move(mutation));
}

Operation World::operation(Verb verb, std::uint8_t value) const {
  Operation operation{verb, 0, {}, {}};
  switch (verb) {
    case Verb::kIncrement:
    case Verb::kDecrement: operation.amount = 1 + value % 5; break;
    case Verb::kTotal:
      operation.amount = 1 + value / 2 % 9;
      operation.actor = core::Actor::edge(3, value % 2);
      break;
    case Verb::kSet:
      if (type_ == TypeId::kMaxInt || type_ == TypeId::kMinInt) {
        operation.amount = value % 7 - 3;
        break;
      }
      [[fallthrough]];
    case Verb::kAdd:
    case Verb::kRemove:
      operation.elements.push_back(kElements[value % kElements.size()]);
      if (verb != Verb::kSet && value % 3 == 0)
        operation.elements.push_back(kElements[(value / 3U) % kElements.size()]);
      break;
    case Verb::kEnable:
    case Verb::kDisable:
    case Verb::kClear: break;
  }
  return operation;
}

Fragment World::everything() const {
  Fragment all{bottom(type_), {}};
  for (const Replica& replica : replicas_) join(all, replica.state);
  return all;
}

std::vector<Fragment> World::samples(std::size_t samples_max) const {
  std::vector<Fragment> samples{{bottom(type_), {}}};
  const auto add = [&](const Fragment& sample) {
    if (samples.size() < samples_max && std::find(samples.begin(), samples.end(), sample) == samples.end())
      samples.push_back(sample);
  };
  for (const Replica& replica : replicas_) add(replica.state);
  for (const Mutation& mutation : mutations_) {
    add(mutation.delta);
    add(mutation.after);
  }
  return samples;
}

std::vector<Verb> verbs_of(TypeId type) {
  std::vector<Verb> verbs;
  for (std::uint8_t verb = 0; verb <= static_cast<std::uint8_t>(Verb::kTotal); ++verb) {
    if (accepts(type, static_cast<Verb>(verb))) verbs.push_back(static_cast<Verb>(verb));
  }
  return verbs;
}

Reading sequential(TypeId type, const Reading& before, const Operation& operation) {
  switch (operation.verb) {
    case Verb::kIncrement: return std::get<std::int64_t>(before) + operation.amount;
    case Verb::kDecrement: return std::get<std::int64_t>(before) - operation.amount;
    case Verb::kEnable: return true;
    case Verb::kDisable: return false;
    case Verb::kClear: return reading_of({});
    case Verb::kTotal: break;  // its meaning is in an entry that a reading does not show
    case Verb::kSet:
      if (type == TypeId::kLwwRegister) return operation.elements.front();
      if (type == TypeId::kMvRegister) return reading_of({operation.elements.front()});
      if (std::holds_alternative<std::monostate>(before)) return operation.amount;
      return type == TypeId::kMaxInt ? std::max(std::get<std::int64_t>(before), operation.amount)
                                     : std::min(std::get<std::int64_t>(before), operation.amount);
    case Verb::kAdd: {
      std::set<core::Bytes> elements = elements_in(before);
      elements.insert(operation.elements.begin(), operation.elements.end());
      return reading_of(elements);
    }
    case Verb::kRemove: {
      std::set<core::Bytes> elements = elements_in(before);
      for (const core::Bytes& element : operation.elements) elements.erase(element);
      return reading_of(elements);
    }
  }
  return before;
}

Fragment deliver_at_random(TypeId type, std::vector<Fragment> deltas, core::Rng& rng) {
  const std::size_t once = deltas.size();
  for (std::size_t i = 0; i < once; ++i) {
    if (rng.chance(0.3)) deltas.push_back(deltas[i]);
  }
  for (std::size_t i = deltas.size(); i > 1; --i) std::swap(deltas[i - 1], deltas[rng.below(i)]);
  Fragment replica{bottom(type), {}};
  for (std::size_t i = 0; i < deltas.size();) {
    Fragment group = deltas[i++];
    while (i < deltas.size() && rng.chance(0.3)) join(group, deltas[i++]);
    join(replica.object, replica.context, group);
    replica.context.join(group.context);
  }
  return replica;
}

}  // namespace anabranch::lattice

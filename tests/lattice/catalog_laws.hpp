// The part of the law suite that speaks of tagged values: what the catalog's functions promise for every type, and what
// holds along a history of mutations and deliveries.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "tests/lattice/laws.hpp"
#include "tests/lattice/world.hpp"

namespace anabranch::lattice::laws {

inline constexpr std::uint64_t kFingerprintSeed = 99;

template <class T>
std::uint64_t fingerprint_of(const typename Tagged<T>::L& state) {
  return fingerprint(Tagged<T>::tag(state).object, kFingerprintSeed);
}

/// `context` and the dots of other variables of its partition: holes of the same origins, and an origin of its own.
inline CausalContext widened(CausalContext context) {
  std::vector<core::Origin> origins;
  context.for_each_run([&](const core::Origin& origin, std::uint64_t, std::uint64_t) { origins.push_back(origin); });
  for (const core::Origin& origin : origins) context.insert(origin, 1'000'000, 1'000'500);
  context.insert(core::Origin{1, 1}, 1, 40);
  return context;
}

/// What the catalog says of states.
template <class T>
std::vector<Law<typename Tagged<T>::L>> catalog_laws() {
  using Tag = Tagged<T>;
  using X = const typename Tag::L&;
  return {
      {"the catalog's join is the lattice's", 2,
       [](X a, X b, X) {
         auto typed = a;
         const bool grew = typed.join(b);
         Fragment object = Tag::tag(a);
         const bool object_grew = join(object.object, object.context, Tag::tag(b));
         Fragment fragment = Tag::tag(a);
         const bool fragment_grew = join(fragment, Tag::tag(b));
         return object.object == Tag::tag(typed).object && object.context == Tag::tag(a).context &&
                fragment == Tag::tag(typed) && object_grew == grew && fragment_grew == grew;
       }},
      {"a partition's wider context changes no join", 2,
       [](X a, X b, X) {
         auto typed = a;
         const bool grew = typed.join(b);
         Fragment tagged = Tag::tag(a);
         return join(tagged.object, widened(tagged.context), Tag::tag(b)) == grew &&
                tagged.object == Tag::tag(typed).object;
       }},
      {"a fragment is empty iff it is bottom", 1,
       [](X a, X, X) { return Tag::tag(a).empty() == (a == typename Tag::L{}) && well_formed(Tag::tag(a)); }},
      {"fingerprints tell states apart, however they came about", 2,
       [](X a, X b, X) {
         const bool same = Tag::tag(a).object == Tag::tag(b).object;
         return (fingerprint_of<T>(a) == fingerprint_of<T>(b)) == same &&
                fingerprint_of<T>(joined(a, b)) == fingerprint_of<T>(joined(b, a));
       }},
      {"a fingerprint is the XOR of those of the parts", 1,
       [](X a, X, X) {
         std::uint64_t sum = 0;
         for (const auto& part : parts_of(a)) sum ^= fingerprint_of<T>(part);
         return fingerprint_of<T>(a) == sum;
       }},
      {"equal states read alike", 2,
       [](X a, X b, X) {
         const Object left = Tag::tag(joined(a, b)).object;
         const Object right = Tag::tag(joined(b, a)).object;
         return read(left) == read(right) && measure(left) == measure(right) &&
                weight_bytes(left) == weight_bytes(right);
       }},
  };
}

struct HistoryLaw {
  std::string_view name;
  bool (*holds)(TypeId type, const World& world, core::Rng& rng);
};

template <class Holds>
bool each_mutation(const World& world, Holds&& holds) {
  return std::all_of(world.mutations().begin(), world.mutations().end(), holds);
}

inline std::vector<Fragment> deltas_of(const World& world) {
  std::vector<Fragment> deltas;
  for (const Mutation& mutation : world.mutations()) deltas.push_back(mutation.delta);
  return deltas;
}

/// What holds along a history.
template <class T>
std::vector<HistoryLaw> history_laws() {
  using Tag = Tagged<T>;
  return {
      {"an operation means here what it means alone",
       [](TypeId type, const World& world, core::Rng&) {
         return each_mutation(world, [&](const Mutation& m) {
           return m.operation.verb == Verb::kTotal ||
                  read(m.after.object) == sequential(type, read(m.before.object), m.operation);
         });
       }},
      {"m(X) == X join m_d(X), here and at a remote that got the prefix as parts",
       [](TypeId type, const World& world, core::Rng& rng) {
         return each_mutation(world, [&](const Mutation& m) {
           std::vector<Fragment> prefix;
           for (const auto& part : parts_of(Tag::untag(m.before))) prefix.push_back(Tag::tag(part));
           Fragment remote = deliver_at_random(type, std::move(prefix), rng);
           join(remote, m.delta);
           return remote == m.after && Tag::tag(joined(Tag::untag(m.before), Tag::untag(m.delta))) == m.after;
         });
       }},
      {"a mutation carries only news, and is empty iff nothing changed",
       [](TypeId, const World& world, core::Rng&) {
         return each_mutation(world, [&](const Mutation& m) {
           const auto parts = parts_of(Tag::untag(m.delta));
           const auto before = Tag::untag(m.before);
           return std::none_of(parts.begin(), parts.end(), [&](const auto& part) { return part.leq(before); }) &&
                  m.delta.empty() == (m.before == m.after);
         });
       }},
      {"a delta is well formed",
       [](TypeId, const World& world, core::Rng&) {
         return each_mutation(world, [](const Mutation& m) { return well_formed(m.delta) && well_formed(m.after); });
       }},
      {"a replica fed only deltas equals one fed states",
       [](TypeId type, const World& world, core::Rng& rng) {
         return deliver_at_random(type, deltas_of(world), rng) == world.everything();
       }},
      {"any order, grouping and duplication of deltas converges",
       [](TypeId type, const World& world, core::Rng& rng) {
         const auto deltas = deltas_of(world);
         const Fragment one = deliver_at_random(type, deltas, rng);
         const Fragment other = deliver_at_random(type, deltas, rng);
         return one == other && read(one.object) == read(other.object) &&
                fingerprint(one.object, kFingerprintSeed) == fingerprint(other.object, kFingerprintSeed);
       }},
      {"what a replica lacks is what delta says",
       [](TypeId, const World& world, core::Rng&) {
         const auto all = Tag::untag(world.everything());
         return std::all_of(world.replicas().begin(), world.replicas().end(), [&](const Replica& replica) {
           const auto state = Tag::untag(replica.state);
           return joined(state, all.delta(state)) == all;
         });
       }},
  };
}

}  // namespace anabranch::lattice::laws

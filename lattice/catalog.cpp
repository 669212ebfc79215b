#include "lattice/catalog.hpp"

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include "core/check.hpp"

namespace anabranch::lattice {
namespace {

constexpr std::size_t kTypes = std::variant_size_v<Object>;

template <std::size_t kIndex>
using TypeAt = std::variant_alternative_t<kIndex, Object>;

/// One row a type, made from the type list alone.
struct Row {
  TypeId type;
  std::string_view name;
  std::span<const Verb> verbs;
  bool causal;
  Object (*bottom)();
};

template <class T>
constexpr Row row_of() {
  static_assert(Catalogued<T> && (Lattice<T> || CausalType<T>));
  return {T::kId, T::kName, T::kVerbs, CausalType<T>, [] { return Object(T()); }};
}

template <std::size_t... kIndices>
constexpr std::array<Row, kTypes> make_rows(std::index_sequence<kIndices...>) {
  return {row_of<TypeAt<kIndices>>()...};
}

constexpr std::array<Row, kTypes> kRows = make_rows(std::make_index_sequence<kTypes>());

template <std::size_t... kIndices>
constexpr std::array<TypeId, kTypes> make_ids(std::index_sequence<kIndices...>) {
  return {TypeAt<kIndices>::kId...};
}

constexpr std::array<TypeId, kTypes> kIds = make_ids(std::make_index_sequence<kTypes>());
static_assert(std::adjacent_find(kIds.begin(), kIds.end(), std::greater_equal<>()) == kIds.end(),
              "types are listed by number, each once");

const Row* find_row(TypeId type) {
  const auto row =
      std::find_if(kRows.begin(), kRows.end(), [&](const Row& candidate) { return candidate.type == type; });
  return row != kRows.end() ? &*row : nullptr;
}

const Row& row_of(TypeId type) {
  const Row* row = find_row(type);
  CHECK(row != nullptr, static_cast<int>(type));
  return *row;
}

/// Calls f(left, right) with both as their common type.
template <class Left, class Right, class F>
auto visit_same(Left& left, Right& right, F&& f) {
  CHECK(left.index() == right.index(), left.index(), right.index());
  return std::visit([&](auto& typed) { return f(typed, std::get<std::remove_cvref_t<decltype(typed)>>(right)); }, left);
}

}  // namespace

std::span<const TypeId> catalog() { return kIds; }

std::string_view name(TypeId type) { return row_of(type).name; }

std::optional<TypeId> type_named(std::string_view word) {
  if (word == "orset") return TypeId::kAwSet;  // the same type under the name that the field used first
  for (const Row& row : kRows) {
    if (row.name == word) return row.type;
  }
  return std::nullopt;
}

std::optional<TypeId> type_numbered(std::uint64_t number) {
  for (const TypeId type : kIds) {
    if (static_cast<std::uint64_t>(type) == number) return type;
  }
  return std::nullopt;
}

bool is_causal(TypeId type) { return row_of(type).causal; }

TypeId type_of(const Object& object) { return kIds[object.index()]; }

Object bottom(TypeId type) { return row_of(type).bottom(); }

bool Fragment::empty() const { return context.empty() && object == bottom(type_of(object)); }

bool well_formed(const Fragment& fragment) {
  return std::visit(
      [&]<class T>(const T& typed) {
        if constexpr (CausalType<T>) {
          bool inside = true;
          typed.store.for_each_dot([&](const Dot& dot) { inside = inside && fragment.context.contains(dot); });
          return inside;
        } else {
          return fragment.context.empty();
        }
      },
      fragment.object);
}

bool join(Object& object, const CausalContext& seen, const Fragment& delta) {
  return visit_same(object, delta.object, [&]<class T>(T& mine, const T& theirs) {
    if constexpr (CausalType<T>) {
      const bool changed = mine.store.join(seen, theirs.store, delta.context, IgnoreDots{});
      return changed || !delta.context.leq(seen);
    } else {
      return mine.join(theirs);
    }
  });
}

bool join(Fragment& into, const Fragment& delta) {
  const bool grew = join(into.object, into.context, delta);
  into.context.join(delta.context);
  return grew;
}

bool accepts(TypeId type, Verb verb) {
  const auto verbs = row_of(type).verbs;
  return std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
}

std::vector<std::string_view> words(TypeId type) {
  std::vector<std::string_view> said;
  for (const Verb verb : row_of(type).verbs) {
    if (verb != Verb::kTotal) said.push_back(name(verb));
  }
  return said;
}

core::Result<Fragment> mutate(const Object& object, const Operation& operation, Mutator& mutator) {
  const TypeId type = type_of(object);
  if (!accepts(type, operation.verb)) {
    std::string detail = std::string(name(type)) + " has";
    for (const std::string_view word : words(type)) detail.append(" ").append(word);
    return core::fail(core::Errc::kRefused, "the type has no such operation", std::move(detail));
  }
  return std::visit(
      [&]<class T>(const T& typed) -> core::Result<Fragment> {
        auto change = typed.apply(operation, mutator);
        if (!change) return tl::unexpected(std::move(change.error()));
        if constexpr (CausalType<T>) {
          return Fragment{std::move(change->object), std::move(change->context)};
        } else {
          return Fragment{std::move(*change), {}};
        }
      },
      object);
}

Reading read(const Object& object) {
  return std::visit([](const auto& typed) { return typed.read(); }, object);
}

std::int64_t measure(const Object& object) {
  return std::visit([](const auto& typed) { return typed.measure(); }, object);
}

std::size_t weight_bytes(const Object& object) {
  return std::visit([](const auto& typed) { return typed.weight_bytes(); }, object);
}

std::size_t weight_bytes(const Fragment& fragment) {
  return weight_bytes(fragment.object) + fragment.context.weight_bytes();
}

std::uint64_t fingerprint(const Object& object, std::uint64_t seed) {
  const std::uint64_t typed_seed = seed ^ (static_cast<std::uint64_t>(type_of(object)) * 0x9E3779B97F4A7C15ULL);
  return std::visit([&](const auto& typed) { return typed.fingerprint(typed_seed); }, object);
}

std::uint64_t stamp_of(const Object& object) {
  const auto* written = std::get_if<LwwRegister>(&object);
  return written != nullptr ? written->stamp() : 0;
}

}  // namespace anabranch::lattice

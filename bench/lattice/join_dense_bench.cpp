// The join of two dense counters, in ns an entry, beside memcpy of the same bytes in the same run. A join that grows
// reads both sides and writes one, memcpy reads one and writes one: where memory is the limit, 1.5 is the ratio to expect.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "core/rng.hpp"
#include "lattice/gcounter.hpp"
#include "lattice/kernels/max_join.hpp"

namespace anabranch::lattice {
namespace {

constexpr std::uint64_t kSeed = 42;

std::vector<std::uint64_t> random_counts(std::size_t entries, std::uint64_t index) {
  core::Rng rng = core::Rng::stream(kSeed, "counts", index);
  std::vector<std::uint64_t> counts(entries);
  for (auto& count : counts) count = 1 + rng.below(1'000'000'000);
  return counts;
}

/// The processor time of this thread: another process on the same core does not count.
double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// Seconds that `turns` calls of `body` take.
template <class Body>
double timed(std::size_t turns, Body&& body) {
  const double start = thread_seconds();
  for (std::size_t i = 0; i < turns; ++i) {
    body();
    benchmark::ClobberMemory();
  }
  return thread_seconds() - start;
}

/// Times `join` in turns with memcpy of the counts, so that both see the same machine. `reset` brings the left side back
/// before each join; it is timed alone as well and taken off. The iteration's time is that of its joins.
/// The counters: ns_per_entry, memcpy_ns_per_entry, ratio (join / memcpy).
template <class Reset, class Join>
void beside_memcpy(benchmark::State& state, const std::vector<std::uint64_t>& counts, Reset&& reset, Join&& join) {
  const std::size_t entries = counts.size();
  std::vector<std::uint64_t> copy(entries);
  const std::size_t turns = 1 + 262'144 / entries;  // long enough for the clock
  double join_s = 0;
  double copy_s = 0;
  double joined = 0;
  for (auto _ : state) {
    const double both_s = timed(turns, [&] {
      reset();
      join();
    });
    const double once_s = std::max(0.0, both_s - timed(turns, reset));
    state.SetIterationTime(once_s);
    join_s += once_s;
    copy_s += timed(turns, [&] { std::memcpy(copy.data(), counts.data(), entries * sizeof(std::uint64_t)); });
    joined += static_cast<double>(turns) * static_cast<double>(entries);
  }
  state.counters["ns_per_entry"] = join_s * 1e9 / joined;
  state.counters["memcpy_ns_per_entry"] = copy_s * 1e9 / joined;
  state.counters["ratio"] = join_s / copy_s;
}

enum class News { kHalf, kNone };  // how many entries of the right side are greater

std::vector<std::uint64_t> right_side(const std::vector<std::uint64_t>& left, News news) {
  std::vector<std::uint64_t> right = random_counts(left.size(), 2);
  for (std::size_t i = 0; news == News::kNone && i < left.size(); ++i) right[i] = std::min(left[i], right[i]);
  return right;
}

/// The kernel alone, for one instruction set.
void kernel_join(benchmark::State& state, const kernels::MaxJoin& kernel, News news) {
  const auto entries = static_cast<std::size_t>(state.range(0));
  const std::vector<std::uint64_t> left = random_counts(entries, 1);
  const std::vector<std::uint64_t> right = right_side(left, news);
  std::vector<std::uint64_t> into = left;
  state.SetLabel(std::string(kernel.target));
  const auto reset = [&] {
    if (news == News::kHalf) std::memcpy(into.data(), left.data(), entries * sizeof(std::uint64_t));
  };
  beside_memcpy(state, right, reset, [&] { benchmark::DoNotOptimize(kernel.run(into.data(), right.data(), entries)); });
}

GCounter counter_of(const std::vector<std::uint64_t>& counts) {
  std::vector<GCounter::Entry> entries;
  for (std::size_t i = 0; i < counts.size(); ++i) entries.push_back({core::Actor::edge(i, 0), counts[i]});
  return GCounter::from_entries(entries).value();
}

/// GCounter::join of two counters with the same actors: compares the actors (16 bytes an entry a side), joins the counts
/// and, if they grew, sums them up.
void counter_join(benchmark::State& state, News news) {
  const std::vector<std::uint64_t> counts = random_counts(static_cast<std::size_t>(state.range(0)), 1);
  const GCounter left = counter_of(counts);
  const GCounter right = counter_of(right_side(counts, news));
  GCounter into = left;
  state.SetLabel(std::string(kernels::chosen_max_join().value().target));
  const auto reset = [&] {
    if (news == News::kHalf) into = left;
  };
  beside_memcpy(state, counts, reset, [&] { benchmark::DoNotOptimize(into.join(right)); });
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("entries")->RangeMultiplier(8)->Range(1 << 10, 1 << 20)->UseManualTime();
}

}  // namespace
}  // namespace anabranch::lattice

int main(int argc, char** argv) {
  using namespace anabranch::lattice;
  if (const auto chosen = kernels::chosen_max_join(); !chosen) {
    std::fprintf(stderr, "%s\n", chosen.error().message().c_str());
    return 1;
  }
  for (const kernels::MaxJoin& kernel : kernels::max_join_kernels()) {
    const std::string name = "max_join/" + std::string(kernel.target);
    benchmark::RegisterBenchmark((name + "/half_grow").c_str(), kernel_join, kernel, News::kHalf)->Apply(sizes);
    benchmark::RegisterBenchmark((name + "/none_grow").c_str(), kernel_join, kernel, News::kNone)->Apply(sizes);
  }
  benchmark::RegisterBenchmark("gcounter_join/half_grow", counter_join, News::kHalf)->Apply(sizes);
  benchmark::RegisterBenchmark("gcounter_join/none_grow", counter_join, News::kNone)->Apply(sizes);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

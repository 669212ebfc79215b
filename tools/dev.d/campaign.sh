# shellcheck shell=bash
# What runs long: fuzz, ci, soak.

fuzz_targets() {
  local program
  for program in build/fuzz/tests/fuzz/*_fuzz; do
    [[ -x $program ]] && basename "$program" _fuzz
  done
}

build_fuzzers() {
  ensure_packages base fuzz
  CC=clang-19 CXX=clang++-19 configure fuzz binary -Dfuzz=true -Djemalloc=disabled -Dwerror=false \
    -Dbuildtype=debugoptimized -Db_lundef=false -Db_sanitize=address,undefined
  compile fuzz fuzzers
}

# fuzz_one TARGET SECONDS: the corpus grows in build/fuzz/corpus; what crashes it is left in build/fuzz/crashes.
fuzz_one() {
  local target=$1 seconds=$2 corpus=build/fuzz/corpus/$1 seeds=()
  mkdir -p "$corpus" "build/fuzz/crashes"
  [[ -d tests/fuzz/corpus/$target ]] && seeds=("tests/fuzz/corpus/$target")
  say "fuzzing $target for $seconds s"
  UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 "build/fuzz/tests/fuzz/${target}_fuzz" \
    -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/crashes/$target-" "$corpus" "${seeds[@]}" >"build/fuzz/$target.log" 2>&1 || {
    tail -n 40 "build/fuzz/$target.log" >&2
    say "fuzzing $target found something; it is kept in build/fuzz/crashes"
    return 1
  }
  grep -E '^stat::(number_of_executed_units|new_units_added)' "build/fuzz/$target.log" >&2 || true
}

cmd_fuzz() {
  local seconds=${1:-60} targets=() target code=0
  number_or_die "$seconds" fuzz
  build_fuzzers
  mapfile -t targets < <(fuzz_targets)
  if (($# > 1)); then targets=("$2"); fi
  ((${#targets[@]} > 0)) || die 'no fuzz targets were built'
  for target in "${targets[@]}"; do
    [[ -x build/fuzz/tests/fuzz/${target}_fuzz ]] || usage_error "unknown fuzz target \"$target\": $(fuzz_targets | xargs)"
    fuzz_one "$target" $((seconds / ${#targets[@]} > 0 ? seconds / ${#targets[@]} : 1)) || code=1
  done
  return "$code"
}

# demo_holds SEED: runs the demo with SEED and checks what must hold for every seed; prints its report as one line.
demo_holds() {
  local report
  report=$(timeout 300 build/release/anabranch demo --json --seed "$1") || {
    say "demo --seed $1 failed"
    return 1
  }
  /usr/bin/python3 -c '
import json, sys
report = json.loads(sys.argv[1])
counted = report["counted"]
counted = list(counted.values()) if isinstance(counted, dict) else counted
good = (report["lost"] == 0 and report["double_counted"] == 0 and report["converged"] is True
        and len(counted) == report["nodes"] and all(int(n) == int(report["offered"]) for n in counted))
print(json.dumps({"seed": int(sys.argv[2]), "held": good, **report}))
sys.exit(0 if good else 1)' "$report" "$1"
}

# The stages of ci, in order, with their budgets in minutes on two cores. A budget is reported; only a stage that takes
# two and a half times as long, and so must be hanging, is ended.
ci_stages=(build:10 tests:10 sanitizers:15 simulator:12 fuzzing:5 processes:5)

ci_stage_build() {
  ensure_packages base test lint fuzz
  configure_release tests
  compile release
}
# The simulator's stage runs all its seeds; here a tenth of them shows that the test still works.
ci_stage_tests() { ANABRANCH_SIM_SEEDS=20 "$root/tools/dev" test; }
# Everything runs under ASan and UBSan; TSan where there are threads: the others are one thread by construction.
ci_stage_sanitizers() { "$root/tools/dev" san address && "$root/tools/dev" san thread core net node processes; }
ci_stage_simulator() { "$root/tools/dev" sim --seeds 200; }
ci_stage_fuzzing() { "$root/tools/dev" fuzz 300; }
ci_stage_processes() {
  local seed code=0
  build_binary || return 1
  for seed in 1 2; do demo_holds "$seed" || code=1; done
  tools/dev.d/interrupted_ingest build/release/anabranch 1 || code=1
  return "$code"
}

# run_stage NAME BUDGET: one row for the table at the end.
run_stage() {
  local name=$1 budget=$2 started=$SECONDS result=passed
  say "== $name"
  timeout --kill-after=30 $((budget * 150)) "$root/tools/dev" ci --stage "$name" 2>&1 | tee "build/ci/$name.log" || result=FAILED
  ci_rows+=("$(awk -v n="$name" -v s=$((SECONDS - started)) -v b="$budget" -v r="$result" \
    'BEGIN { printf "  %-12s %6.1f of %2d minutes  %s%s", n, s / 60, b, r, (s > b * 60 ? ", over its budget" : "") }')")
  [[ $result == passed ]]
}

cmd_ci() {
  local entry code=0
  if [[ ${1:-} == --stage ]]; then
    [[ " ${ci_stages[*]}" == *" ${2:-none}:"* ]] || usage_error "--stage takes one of: ${ci_stages[*]%%:*}"
    "ci_stage_$2"
    return
  fi
  (($# == 0)) || usage_error "ci: unknown argument \"$1\""
  ci_rows=()
  mkdir -p build/ci
  rm -f build/ci/*.log
  for entry in "${ci_stages[@]}"; do run_stage "${entry%:*}" "${entry#*:}" || code=1; done
  printf '\n'
  printf '%s\n' "${ci_rows[@]}"
  grep -E '^[0-9]+ passed, [0-9]+ failed$' build/ci/tests.log | tail -n 1 || {
    echo '0 passed, 1 failed'
    code=1
  }
  return "$code"
}

# Each part of the soak remembers how far it came in build/soak and goes on from there.
progress() { cat "build/soak/$1" 2>/dev/null || echo 0; }

soak_sim() {
  local seed
  ensure_packages base test
  configure_release tests
  compile release tests/sim/sim_test
  for ((seed = $(progress sim); seed < 10000; seed += 200)); do
    ANABRANCH_SIM_SEEDS=200 ANABRANCH_SIM_FIRST_SEED=$seed build/release/tests/sim/sim_test \
      >"build/soak/sim.log" 2>&1 || { tail -n 60 build/soak/sim.log; die "simulator failed within seeds $seed..$((seed + 199))"; }
    echo $((seed + 200)) >build/soak/sim
    say "simulator: $((seed + 200)) of 10000 seeds"
  done
}

soak_fuzz() {
  local target done_seconds
  build_fuzzers
  for target in $(fuzz_targets); do
    for ((done_seconds = $(progress "fuzz-$target"); done_seconds < 3600; done_seconds += 300)); do
      fuzz_one "$target" 300 || die "fuzzing $target failed"
      echo $((done_seconds + 300)) >"build/soak/fuzz-$target"
    done
  done
}

soak_demo() {
  local seed
  build_binary
  for ((seed = $(progress demo) + 1; seed <= 20; seed++)); do
    demo_holds "$seed" >>build/soak/demo.jsonl || die "demo does not hold with seed $seed (build/soak/demo.jsonl)"
    echo "$seed" >build/soak/demo
    say "demo: $seed of 20 seeds"
  done
}

soak_ingest() {
  local seed
  ensure_packages base test
  build_binary
  for ((seed = $(progress ingest) + 1; seed <= 10; seed++)); do
    tools/dev.d/interrupted_ingest build/release/anabranch "$seed" || die "interrupted ingest failed with seed $seed"
    echo "$seed" >build/soak/ingest
  done
}

soak_status() {
  local part
  for part in sim demo ingest; do printf '%-16s %s\n' "$part" "$(progress $part)"; done
  for part in build/soak/fuzz-*; do
    [[ -f $part ]] && printf '%-16s %s s\n' "$(basename "$part")" "$(<"$part")"
  done
  return 0
}

cmd_soak() {
  local parts=(sim fuzz demo ingest) part
  case ${1:-} in
    --status)
      soak_status
      return
      ;;
    --part)
      [[ " ${parts[*]} " == *" ${2:-} "* ]] || usage_error "--part takes one of: ${parts[*]}"
      parts=("$2")
      ;;
    '') ;;
    *) usage_error "soak: unknown argument \"$1\"" ;;
  esac
  mkdir -p build/soak
  for part in "${parts[@]}"; do "soak_$part"; done
  say "soak of ${parts[*]}: complete at commit $(git describe --always --dirty 2>/dev/null || echo unknown)"
  say 'remove build/soak to start again'
}

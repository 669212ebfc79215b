# shellcheck shell=bash
# Build directories and what runs from them: build, demo, test, sim, bench, san.

# configure NAME tests|binary [OPTION]…: sets build/NAME up once; tests are switched on when first asked for, so that
# a first `tools/dev demo` installs and configures the least.
configure() {
  local name=$1 scope=$2 dir=build/$1 features=(-Dtests=disabled -Dbenchmarks=disabled)
  shift 2
  [[ $scope == tests ]] && features=(-Dtests=enabled -Dbenchmarks=enabled)
  if [[ ! -f $dir/build.ninja ]]; then
    attend "configuring $dir" "build/setup/configure-$name.log" meson setup "$dir" "${features[@]}" "$@"
    [[ $scope == tests ]] && touch "$dir/.with_tests"
  elif [[ $scope == tests && ! -f $dir/.with_tests ]]; then
    attend "configuring $dir for tests" "build/setup/configure-$name.log" meson configure "$dir" "${features[@]}"
    touch "$dir/.with_tests"
  elif [[ $(folders_that_build) != "$(cat "$dir/.folders" 2>/dev/null)" ]]; then
    attend "configuring $dir" "build/setup/configure-$name.log" meson setup --reconfigure "$dir"
  fi
  folders_that_build >"$dir/.folders"
}

# The root's meson.build takes each folder that is there; Meson itself does not notice a new one.
folders_that_build() { printf '%s\n' ./*/meson.build ./*/*/meson.build tests/fuzz/*.cpp; }

configure_release() { configure release "$1" -Dbuildtype=release -Dcpp_args=-g1; }

# compile NAME [TARGET]…: builds targets of build/NAME, or everything.
compile() {
  local name=$1
  shift
  attend "building ${*:-everything} in build/$name" "build/setup/build-$name.log" \
    ninja -C "build/$name" -j "$jobs" "$@"
}

build_binary() {
  ensure_packages base
  configure_release binary
  compile release anabranch anabranchd
}

cmd_build() {
  build_binary
  say 'build/release/anabranch'
}

cmd_demo() {
  build_binary
  exec build/release/anabranch demo "$@"
}

# run_tests NAME MULTIPLIER [FOLDER]…: the tests of build/NAME with readable output, the closing line last.
#   fails when a test fails or when none ran
run_tests() {
  local name=$1 multiplier=$2 dir=build/$1 suites=() targets=() folder code=0 runner=()
  shift 2
  for folder in "$@"; do
    folder=${folder%/}
    suites+=("${folder#tests/}")
  done
  [[ $name == tsan && $(</proc/sys/vm/mmap_rnd_bits) -gt 28 ]] && runner=(setarch -R)
  compile "$name" build.ninja || return 1
  mapfile -t targets < <(/usr/bin/python3 tools/dev.d/tests.py targets "$dir" "${suites[@]}")
  if ((${#targets[@]} > 0)); then compile "$name" "${targets[@]}" || return 1; fi
  rm -rf "$dir/gtest" "$dir/meson-logs/testlog.json"
  mkdir -p "$dir/gtest"
  GTEST_OUTPUT="json:$root/$dir/gtest/" GTEST_COLOR=no \
    "${runner[@]}" meson test -C "$dir" --no-rebuild --print-errorlogs --num-processes "$jobs" \
    --timeout-multiplier "$multiplier" "${suites[@]/#/--suite=}" | sed '/^Ok: /,/^Full log/d' || code=$?
  /usr/bin/python3 tools/dev.d/tests.py summary "$dir" && ((code == 0))
}

cmd_test() {
  local folders=()
  while (($# > 0)); do
    case $1 in
      --filter)
        (($# > 1)) || usage_error '--filter takes a GoogleTest pattern'
        export GTEST_FILTER=$2
        shift
        ;;
      -*) usage_error "test: unknown option \"$1\"" ;;
      *) folders+=("$1") ;;
    esac
    shift
  done
  ensure_packages base test
  configure_release tests
  run_tests release 2 "${folders[@]}"
}

cmd_sim() {
  while (($# > 0)); do
    case $1 in
      --seeds | --first-seed)
        (($# > 1)) || usage_error "$1 takes a number"
        number_or_die "$2" "$1"
        if [[ $1 == --seeds ]]; then export ANABRANCH_SIM_SEEDS=$2; else export ANABRANCH_SIM_FIRST_SEED=$2; fi
        shift
        ;;
      *) usage_error "sim: unknown argument \"$1\"" ;;
    esac
    shift
  done
  export ANABRANCH_SIM_SEEDS=${ANABRANCH_SIM_SEEDS:-200}
  ensure_packages base test
  configure_release tests
  compile release tests/sim/sim_test
  build/release/tests/sim/sim_test
}

cmd_bench() {
  local folder='' program found=0
  if (($# > 0)) && [[ $1 != -* ]]; then
    folder=${1#bench/}
    shift
  fi
  ensure_packages base test
  configure_release tests
  say "commit $(git describe --always --dirty 2>/dev/null || echo unknown), $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2- | xargs), load $(cut -d' ' -f1-3 /proc/loadavg)"
  for program in bench/*/; do
    program=$(basename "$program")
    [[ -z $folder || $folder == "$program" ]] || continue
    [[ -f bench/$program/meson.build ]] || continue
    compile release "bench/$program/${program}_bench"
    "build/release/bench/$program/${program}_bench" "$@"
    found=1
  done
  ((found == 1)) || die "no benchmarks in bench/$folder"
}

# Sanitizers do without jemalloc, and without warnings as errors: they make g++ warn about code it would accept.
cmd_san() {
  local kind=${1:-}
  (($# > 0)) && shift
  ensure_packages base test
  export ANABRANCH_SIM_SEEDS=${ANABRANCH_SIM_SEEDS:-10}
  export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
  # Not detect_stack_use_after_return: KJ checks that some of its objects lie on the real stack.
  export ASAN_OPTIONS=detect_stack_use_after_return=0:strict_string_checks=1
  export TSAN_OPTIONS=halt_on_error=1:suppressions=$root/tools/dev.d/tsan.supp
  local common=(-Ddebug=false -Doptimization=1 -Dcpp_args=-g1 -Djemalloc=disabled -Dwerror=false -Db_lundef=false)
  case $kind in
    address) kind=asan && configure asan tests "${common[@]}" -Db_sanitize=address,undefined ;;
    thread) kind=tsan && configure tsan tests "${common[@]}" -Db_sanitize=thread ;;
    *) usage_error 'san takes address or thread' ;;
  esac
  (($# > 0)) || mapfile -t folders_of_san < <(/usr/bin/python3 tools/dev.d/tests.py suites "build/$kind" --without tidy bench)
  (($# > 0)) || set -- "${folders_of_san[@]}"
  run_tests "$kind" 10 "$@"
}

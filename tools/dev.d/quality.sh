# shellcheck shell=bash
# What the sources look like: format, lint, check.

cmd_format() {
  local mode=(-i) files=()
  while (($# > 0)); do
    case $1 in
      --check) mode=(--dry-run -Werror) ;;
      -*) usage_error "format: unknown option \"$1\"" ;;
      *) files+=("$1") ;;
    esac
    shift
  done
  ensure_packages base lint
  ((${#files[@]} > 0)) || mapfile -t files < <(source_files '*.cpp' '*.hpp')
  ((${#files[@]} > 0)) || return 0
  clang-format-19 "${mode[@]}" "${files[@]}"
  if [[ ${mode[0]} == --dry-run ]]; then say "format: ${#files[@]} files as they should be"; fi
}

# Files that differ from the main branch's last common commit, or from ten commits ago.
changed_files() {
  local base
  base=$(git merge-base HEAD origin/main 2>/dev/null || true)
  if [[ -z $base || $base == "$(git rev-parse HEAD)" ]]; then
    base=$(git rev-list -n 10 HEAD | tail -n 1)
  fi
  { git diff --name-only "$base"; git ls-files --others --exclude-standard; } | sort -u
}

# One file under clang-tidy. A stamp named by the file, every header and the rules spares what has not changed.
tidy_one() {
  local file=$1 state stamp
  state=$(cat "$file" build/lint/headers | sha256sum | cut -c1-32)
  stamp=build/lint/$state
  [[ -f $stamp ]] && return
  if clang-tidy-19 -p build/release --quiet --warnings-as-errors='*' --extra-arg=-Wno-unknown-warning-option \
    --extra-arg=-include --extra-arg="$root/tests/fuzz/kj_clang.hpp" "$file" >"$stamp.log" 2>/dev/null; then
    mv "$stamp.log" "$stamp"
  else
    cat "$stamp.log"
    return 1
  fi
}

cmd_lint() {
  local all=0 files=() code=0
  while (($# > 0)); do
    case $1 in
      --all) all=1 ;;
      -*) usage_error "lint: unknown option \"$1\"" ;;
      *) files+=("$1") ;;
    esac
    shift
  done
  ensure_packages base test lint
  shellcheck -x tools/dev tools/dev.d/interrupted_ingest .ci/run || code=1
  if ((${#files[@]} == 0)); then
    if ((all)); then
      mapfile -t files < <(source_files '*.cpp')
    else
      mapfile -t files < <(changed_files | grep '\.cpp$' || true)
    fi
  fi
  configure_release tests
  compile release
  mkdir -p build/lint
  source_files '*.hpp' .clang-tidy | xargs sha256sum >build/lint/headers
  local known=()
  for file in "${files[@]}"; do
    if [[ -f $file ]] && grep -qF "$file\"" build/release/compile_commands.json; then known+=("$file"); fi
  done
  export -f tidy_one
  export root
  if ((${#known[@]} > 0)); then
    # shellcheck disable=SC2016  # expanded by the inner shell
    printf '%s\0' "${known[@]}" |
      timeout 1800 xargs -0 -n 1 -P "$jobs" bash -c 'tidy_one "$1"' tidy_one || code=1
  fi
  if ((code == 0)); then say "lint: ${#known[@]} files, nothing found"; fi
  return "$code"
}

cmd_check() {
  local code=0
  "$root/tools/dev" format --check || code=1
  "$root/tools/dev" lint || code=1
  "$root/tools/dev" test tidy || code=1
  return "$code"
}

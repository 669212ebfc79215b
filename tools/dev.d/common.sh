# shellcheck shell=bash
# Shared by the commands of tools/dev: messages, and running something long with one line of progress.

jobs=$(nproc)
export CCACHE_NOHASHDIR=1  # a fresh clone elsewhere finds what was compiled here; only debug paths may name this folder

say() { printf '%s\n' "$*" >&2; }

die() {
  printf 'tools/dev: %s\n' "$*" >&2
  exit 1
}

# usage_error TEXT: wrong arguments, exit 2.
usage_error() {
  printf 'tools/dev: %s (tools/dev help)\n' "$*" >&2
  exit 2
}

# number_or_die VALUE NAME: VALUE is a decimal number of at most nine digits.
number_or_die() {
  [[ $1 =~ ^[0-9]{1,9}$ ]] || usage_error "$2 takes a number, not \"$1\""
}

# ticker TITLE LOG: after two seconds says what is going on; on a terminal keeps one line up to date.
ticker() {
  local title=$1 log=$2 started=$SECONDS step
  sleep 2 >/dev/null 2>&1
  if [[ ! -t 2 ]]; then
    say "$title …"
    return
  fi
  while kill -0 $$ 2>/dev/null; do
    step=$(tail -c 300 "$log" 2>/dev/null | tr '\r' '\n' | grep -o '^\[[0-9]*/[0-9]*\]' | tail -n 1 || true)
    printf '\r\033[K%s … %d s %s' "$title" $((SECONDS - started)) "$step" >&2
    sleep 1 >/dev/null 2>&1
  done
}

# attend TITLE LOG COMMAND…: runs COMMAND with its output in LOG, shows progress, and the end of LOG if it fails.
attend() {
  local title=$1 log=$2 code=0 started=$SECONDS pid
  shift 2
  mkdir -p "$(dirname "$log")"
  ticker "$title" "$log" &
  pid=$!
  # shellcheck disable=SC2064  # the process id of now
  trap "kill $pid 2>/dev/null || true" EXIT
  "$@" >"$log" 2>&1 || code=$?
  kill "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  trap - EXIT
  if ((SECONDS - started >= 2)); then
    [[ -t 2 ]] && printf '\r\033[K' >&2
    say "$title: $((SECONDS - started)) s"
  fi
  if ((code != 0)); then
    tail -n 60 "$log" >&2
    say "tools/dev: failed: $title (whole output: $log)"
  fi
  return "$code"
}

# source_files PATTERN…: tracked and new files of the tree, without generated ones.
source_files() { git ls-files --cached --others --exclude-standard -- "$@" | sort -u | while read -r file; do
  [[ -f $file ]] && printf '%s\n' "$file"
done; }

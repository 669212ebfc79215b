# shellcheck shell=bash
# Packages from Debian, in sets: each command installs only the sets that it needs.

packages_of() {
  case $1 in
    base)
      echo meson ninja-build ccache g++ pkg-config git python3 capnproto libcapnp-dev libjemalloc-dev \
        libexpected-dev libhwy-dev libxxhash-dev libboost1.81-dev libboost-json1.81-dev libcli11-dev \
        libtomlplusplus-dev libspdlog-dev libfmt-dev prometheus-cpp-dev zlib1g-dev
      ;;
    test) echo libgtest-dev libbenchmark-dev librapidcheck-dev gawk gzip ;;
    lint) echo clang-format-19 clang-tidy-19 shellcheck ;;
    fuzz) echo clang-19 libclang-rt-19-dev libfuzzer-19-dev ;;
    *) usage_error "unknown package set \"$1\": base, test, lint or fuzz" ;;
  esac
}

# as_root COMMAND…: directly, or by sudo.
as_root() {
  if [[ $(id -u) -eq 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "neither root nor sudo; as root, run: $*"
  fi
}

missing_packages() {
  local wanted=("$@") package
  declare -A present=()
  while read -r package; do present[$package]=1; done < <(
    # shellcheck disable=SC2016  # the format is dpkg-query's
    dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "${wanted[@]}" 2>/dev/null | awk '$1 == "ii" { print $2 }'
  )
  for package in "${wanted[@]}"; do
    [[ -n ${present[$package]:-} ]] || printf '%s\n' "$package"
  done
}

update_package_lists() {
  attend 'reading the package lists' build/setup/update.log as_root apt-get -q update
}

install_packages() {
  update_package_lists
  attend "installing $# Debian packages" build/setup/install.log \
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "$@"
}

# promtool checks /metrics. Its package would also start a Prometheus server, so only the program is taken out of it.
fetch_promtool() {
  command -v promtool >/dev/null && return
  local place=build/setup/prometheus
  rm -rf "$place" && mkdir -p "$place" build/tools/bin
  (cd "$place" && attend 'fetching promtool' fetch.log apt-get -q download prometheus) || {
    update_package_lists
    (cd "$place" && attend 'fetching promtool' fetch.log apt-get -q download prometheus)
  }
  dpkg-deb -x "$place"/prometheus_*.deb "$place/root"
  mv "$place/root/usr/bin/promtool" build/tools/bin/promtool
  rm -rf "$place"
}

# ensure_packages SET…: a stamp makes it free while neither the sets nor dpkg's state have changed.
ensure_packages() {
  local wanted=() missing=() set stamp
  if ! command -v dpkg-query >/dev/null; then
    say 'tools/dev: this is not Debian; the packages of tools/dev.d/setup.sh are taken to be installed'
    return
  fi
  for set in "$@"; do
    read -ra missing < <(packages_of "$set")
    wanted+=("${missing[@]}")
  done
  stamp="build/setup/$(IFS=-; echo "$*").stamp"
  if [[ $stamp -nt /var/lib/dpkg/status && $(<"$stamp") == "${wanted[*]}" ]]; then return; fi
  mapfile -t missing < <(missing_packages "${wanted[@]}")
  ((${#missing[@]} == 0)) || install_packages "${missing[@]}"
  [[ " $* " != *' test '* ]] || fetch_promtool
  mkdir -p build/setup
  echo "${wanted[*]}" >"$stamp"
}

cmd_setup() {
  rm -f build/setup/*.stamp
  if (($# == 0)); then set -- base test lint fuzz; fi
  ensure_packages "$@"
  say "installed: $*"
}

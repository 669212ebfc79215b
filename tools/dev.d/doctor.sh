# shellcheck shell=bash
# What this machine has and lacks, for bug reports and before benchmarks. Changes nothing.

row() { printf '%-18s %s\n' "$1" "$2"; }

cmd_doctor() {
  local set missing
  row system "$(. /etc/os-release 2>/dev/null && echo "${PRETTY_NAME:-unknown}"), kernel $(uname -r), $(uname -m)"
  row processor "$jobs cores,$(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2-)"
  row simd "$(grep -m1 '^flags' /proc/cpuinfo | tr ' ' '\n' | grep -xE 'sse4_2|avx2|avx512f|avx512bw|avx512dq|avx512vl' | xargs)"
  row memory "$(awk '/MemTotal|MemAvailable/ { printf "%s %.1f GiB  ", $1, $2 / 1048576 }' /proc/meminfo)"
  row load "$(cut -d' ' -f1-3 /proc/loadavg)"
  row 'huge pages' "$(awk '/HugePages_(Total|Free)/ { printf "%s %s  ", $1, $2 }' /proc/meminfo)"
  row limits "open files $(ulimit -n), locked memory $(ulimit -l) KiB, core size $(ulimit -c)"
  row 'address space' "vm.mmap_rnd_bits $(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo unknown) (ThreadSanitizer wants 28 or less; tools/dev san works around more)"
  row sockets "rmem_max $(cat /proc/sys/net/core/rmem_max 2>/dev/null || echo unknown), wmem_max $(cat /proc/sys/net/core/wmem_max 2>/dev/null || echo unknown)"
  row disk "$(df -h --output=avail,target . | tail -n 1 | xargs)"
  row user "$(id -un)$(command -v sudo >/dev/null && echo ', sudo is there')"
  for set in base test lint fuzz; do
    missing=''
    # shellcheck disable=SC2046  # a list of package names
    if command -v dpkg-query >/dev/null; then missing=$(missing_packages $(packages_of "$set") | xargs); fi
    row "packages $set" "${missing:+missing: }${missing:-all present}"
  done
  row compiler "$(g++ --version 2>/dev/null | head -n 1 || echo none)"
  row meson "$(meson --version 2>/dev/null || echo none)"
  row ccache "$(ccache --version 2>/dev/null | head -n 1 || echo none)"
  row promtool "$(command -v promtool || echo 'none (tools/dev setup test)')"
  for set in release asan tsan fuzz; do
    row "build/$set" "$([[ -f build/$set/build.ninja ]] && echo configured || echo 'not configured')"
  done
}

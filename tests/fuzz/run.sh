#!/usr/bin/env bash
# Fuzzes what comes from outside: libFuzzer guides, AddressSanitizer, LeakSanitizer and UBSan watch (README.md here).
#
#   bash tests/fuzz/run.sh [TARGET|all] [EXECUTIONS]      default: all 1000000
#
# Ends with a table, and with exit code 1 if there was a finding: its input is then in $KAON_BUILD/findings. Settings, from the
# environment: KAON_BUILD (default: build/fuzz), KAON_JOBS, KAON_CACHE (see cmake/dependencies.sh), KAON_FUZZ_SEED (1), KAON_FUZZ_OUT (a file that
# gets a JSON line for each target).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${KAON_BUILD:-$root/build/fuzz}
which=${1:-all}
executions=${2:-1000000}
seed=${KAON_FUZZ_SEED:-1}

prefix=$(KAON_EXTRA_PACKAGES="clang libclang-rt-14-dev libomp-dev ${KAON_EXTRA_PACKAGES:-}" "$root/cmake/dependencies.sh")
sanitizers='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined'
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ \
  -DCMAKE_CXX_FLAGS="$sanitizers -fno-omit-frame-pointer -g1" -DKAON_TESTS=ON -DKAON_FUZZ_ENGINE=ON -DKAON_BENCHMARKS=OFF \
  -DCMAKE_PREFIX_PATH="$prefix;${CMAKE_PREFIX_PATH:-}" >&2
cmake --build "$build" -j "${KAON_JOBS:-$(nproc)}" --target kaon_fuzz kaon_fuzz_loop >&2

export OMP_NUM_THREADS=1 OMP_PROC_BIND=false OPENBLAS_NUM_THREADS=1
export UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1
export LSAN_OPTIONS=suppressions=$root/tests/fuzz/leaks.txt:print_suppressions=0
# What a crash leaves behind in memory goes with this script.
shm=/dev/shm
[ -d "$shm" ] || shm=${TMPDIR:-/tmp}
KAON_FUZZ_SCRATCH=$(mktemp -d "$shm/kaon-fuzz-run-XXXXXX")
export KAON_FUZZ_SCRATCH
trap 'rm -rf "$KAON_FUZZ_SCRATCH"' EXIT

targets=(deck command-line data message payload problem foreign-problem forged-problem checkpoint forged-checkpoint weights)
[ "$which" = all ] || targets=("$which")
findings=$build/findings
mkdir -p "$findings"
rows=()
failed=0

for target in "${targets[@]}"; do
  work=$build/corpus/$target
  rm -rf "$work"
  mkdir -p "$work/seeds" "$work/new"
  "$build/tests/fuzz/kaon_fuzz_loop" "$target" --write-seeds "$work/seeds" >&2
  "$build/tests/fuzz/kaon_fuzz_loop" "$target" --write-words "$work/words" >&2
  words=()
  [ ! -s "$work/words" ] || words=(-dict="$work/words")  # libFuzzer refuses an empty dictionary
  begin=$SECONDS
  state='no finding'
  log=$work/log
  KAON_FUZZ_TARGET=$target "$build/tests/fuzz/kaon_fuzz" "$work/new" "$work/seeds" -runs="$executions" -seed="$seed" \
    ${words[@]+"${words[@]}"} -max_len=8192 -timeout=60 -rss_limit_mb=2048 -malloc_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix="$work/" >"$log" 2>&1 || state="FINDING: $log"
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
  if [ "$state" != 'no finding' ]; then
    failed=1
    cp "$log" "$findings/$target.log"
    find "$work" -maxdepth 1 -name '*-*[0-9a-f]' -type f -exec cp {} "$findings/" \;
  fi
  rows+=("| $target | ${runs:-0} | $((SECONDS - begin)) | $(find "$work/new" -type f | wc -l) | $state |")
  printf '%s\n' "${rows[-1]}" >&2
  if [ -n "${KAON_FUZZ_OUT:-}" ]; then  # a line for tests/reliability/report.py
    held=true
    case $state in FINDING*) held=false ;; esac
    printf '{"part": "fuzz_%s", "property": "nothing from outside makes the program crash, hang, leak or overrun", "form": "long", "seed": %d, "holds": %s, "counts": {"executions": %d, "inputs that reached new code": %d}, "seconds": %d}\n' \
      "$target" "$seed" "$held" "${runs:-0}" "$(find "$work/new" -type f | wc -l)" $((SECONDS - begin)) >>"$KAON_FUZZ_OUT"
  fi
done

echo '| target | executions | seconds | inputs that reached new code | result |'
echo '|---|---|---|---|---|'
printf '%s\n' "${rows[@]}"
exit "$failed"

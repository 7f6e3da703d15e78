#!/usr/bin/env bash
# compile.sh SOURCE BUILD PREFIX: compiles every room that holds device code with hipcc against the Kokkos in PREFIX.
#
# Left out: the rooms deck and run and the programs. They hold no kernel, and clang 15 (Debian 12's) crashes in HIP mode on a
# std::map of move-only values, which Boost.Program_options has.
set -euo pipefail
source=$1 build=$2 prefix=$3
if [ -z "$prefix" ]; then echo "skipped: no KAON_HIP_PREFIX"; exit 77; fi
cmake -S "$source" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER=hipcc -DCMAKE_PREFIX_PATH="$prefix" \
  -DKAON_TESTS=OFF -DKAON_BENCHMARKS=OFF -DKAON_UNITY=ON -DKAON_WARNINGS_AS_ERRORS=ON >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
cmake --build "$build" -j "${KAON_JOBS:-$(nproc)}" --target kaon_optimizer kaon_objective kaon_checkpoint
count=$(find "$build" -name '*.cpp.o' | wc -l)
echo "$count files compiled by $(hipcc --version | sed -n 's/^HIP version: /HIP /p')"
[ "$count" -gt 40 ]

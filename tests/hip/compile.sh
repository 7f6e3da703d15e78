#!/usr/bin/env bash
# compile.sh SOURCE BUILD PREFIX: compiles every room that holds device code with hipcc against the Kokkos in PREFIX.
#
# Left out: the rooms deck and run and the programs. They hold no kernel, and clang 15 (Debian 12's) crashes in HIP mode on a
# std::map of move-only values, which Boost.Program_options has. The device's code is optimized as in a build for use, the host's,
# which nobody runs, is not: that is half the time.
set -euo pipefail
source=$1 build=$2 prefix=$3
if [ -z "$prefix" ]; then echo "skipped: no KAON_HIP_PREFIX"; exit 77; fi
cmake -S "$source" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER=hipcc -DCMAKE_PREFIX_PATH="$prefix" \
  -DCMAKE_CXX_FLAGS_RELEASE="-O3 -DNDEBUG -Xarch_host -O0" \
  -DKAON_TESTS=OFF -DKAON_BENCHMARKS=OFF -DKAON_UNITY=ON -DKAON_WARNINGS_AS_ERRORS=ON >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
cmake --build "$build" -j "${KAON_JOBS:-$(nproc)}" --target kaon_step kaon_cost kaon_objective kaon_checkpoint
# A file may hold several sources: what counts is that every room is there.
for room in "$source"/kernels/*/ "$source"/src/{mpi,files,plan,clock,exchange,method,cost,step,data,objective,checkpoint}/; do
  compgen -G "$room*.cpp" >/dev/null || continue
  [ -n "$(find "$build" -name "libkaon_$(basename "$room").a")" ] || { echo "the room $(basename "$room") was not compiled"; exit 1; }
done
units=$(ninja -C "$build" -t deps | grep -c '/Kokkos_Core.hpp$')
echo "$units files with Kokkos and $(($(find "$build" -name '*.cpp.o' -o -name '*.cxx.o' | wc -l) - units)) others compiled by $(hipcc --version | sed -n 's/^HIP version: /HIP /p')"
[ "$units" -gt 0 ]

#!/usr/bin/env bash
# Sets up a bare Debian or Ubuntu machine (root or sudo), builds Kaon with its tests, and runs them all through ctest.
#
#   bash tests/run.sh [ctest options]     e.g. -L unit, -R mpi
#
# Settings, from the environment: KAON_BUILD (default: build/tests), KAON_JOBS, KAON_CACHE (see cmake/dependencies.sh).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${KAON_BUILD:-$root/build/tests}
jobs=${KAON_JOBS:-$(nproc)}

# A Slurm and shellcheck for tests/slurm: who can install them may not skip those tests. bindfs for tests/reliability.
if [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; then
  export KAON_EXTRA_PACKAGES="slurm-wlm munge shellcheck bindfs" KAON_SLURM_REQUIRED=1
fi
prefix=$("$root/cmake/dependencies.sh")
# AMD GPUs: compiled, not run. Where this system has no hipcc the test hip.compile reports that it was skipped.
hip_prefix=$("$root/cmake/dependencies.sh" --hip) || { echo "no hipcc here: the test hip.compile will be skipped" >&2; hip_prefix=; }
# Shared libraries, since each of some fifty test programs would hold most of Kaon. Kaon's objects are the same either way.
mkdir -p "$(dirname "$build")"
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DKAON_ARCH_FLAGS=-march=native -DKAON_UNITY=ON -DKAON_TESTS=ON \
  -DBUILD_SHARED_LIBS=ON -DKAON_WARNINGS_AS_ERRORS=ON -DKAON_HIP_PREFIX="$hip_prefix" -DCMAKE_PREFIX_PATH="$prefix;${CMAKE_PREFIX_PATH:-}"
cmake --build "$build" -j "$jobs"
KAON_TRAIN=$build/apps/kaon-train
. "$root/apps/environment.sh"
# Tests say to ctest how many half cores they take (PROCESSORS).
cd "$build"
ctest --output-on-failure -j "$((2 * jobs))" "$@"

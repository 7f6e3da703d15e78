#!/usr/bin/env bash
# compile.sh SOURCE BUILD PREFIX: compiles and links programs, tests and kaon-bench with nvcc against the Kokkos in PREFIX, then starts
# what starts without a device. Calls of host functions from device code are errors. Where that Kokkos is shared, so is Kaon:
# apps/gpu/bundle.sh takes the build folder.
set -euo pipefail
source=$1 build=$2 prefix=$3
if [ -z "$prefix" ]; then echo "skipped: no KAON_CUDA_PREFIX"; exit 77; fi
shared=OFF
if compgen -G "$prefix/lib*/libkokkoscore.so" >/dev/null; then shared=ON; fi
cmake -S "$source" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER="$prefix/bin/nvcc_wrapper" \
  -DCMAKE_PREFIX_PATH="$prefix" -DBUILD_SHARED_LIBS=$shared -DKAON_ARCH_FLAGS=-march=x86-64-v3 -DKAON_TESTS=ON \
  -DKAON_WARNINGS_AS_ERRORS=ON >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
# Whatever fails, so that one build shows it all.
cmake --build "$build" -j "${KAON_JOBS:-$(nproc)}" -- -k 0
times >"$build.times"
echo "built in $SECONDS s; compilers' user and system time: $(tail -n 1 "$build.times")"
# A machine without a driver has the toolkit's stand-in for it.
stubs=$(mktemp -d)
trap 'rm -rf "$stubs"' EXIT
if ! ldconfig -p | grep -q 'libcuda\.so\.1 '; then
  ln -s "$(dirname "$(dirname "$(readlink -f "$(command -v nvcc)")")")"/lib64/stubs/libcuda.so "$stubs/libcuda.so.1"
fi
export LD_LIBRARY_PATH=$stubs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
for program in kaon-train kaon-ckpt kaon-bench; do "$build/apps/$program" --help >/dev/null; done
"$build/apps/kaon-train" -n -i "$source/input/gpt-dictionary.deck" >/dev/null
units=$(ninja -C "$build" -t deps | grep -c '/Kokkos_Core.hpp$')
echo "$units files with Kokkos compiled by $(nvcc --version | sed -n 's/^Cuda compilation tools, //p')"
[ "$units" -gt 0 ]
[ "$units" -le 70 ]

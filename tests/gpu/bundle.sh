#!/usr/bin/env bash
# bundle.sh SOURCE BUILD: makes the bundle of BUILD and starts all of it where nothing else is: in an empty environment and, where this
# system lets the test change its root, below a root that holds a shell's tools and libc alone. No program may load a library from
# anywhere but the bundle, besides libc's own; without one of them the test fails, which it shows. Nothing here minds how busy the
# machine is.
set -euo pipefail
source=$1 build=$2
out=$build/gpu-bundle
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
KAON_BUNDLE_XZ=1 bash "$source/apps/gpu/bundle.sh" "$build" "$out"

# A root of its own: tools by their names, with what they load at the same paths.
bare=$work/bare
mkdir -p "$bare"/{proc,sys,dev,tmp,usr}
for folder in bin sbin lib lib64; do
  if [ -L /$folder ]; then ln -s "usr/$folder" "$bare/$folder" && mkdir "$bare/usr/$folder"; fi
done
add() {
  mkdir -p "$bare$(dirname "$1")"
  cp -L "$1" "$bare$1"
}
for tool in bash sh env timeout date tee cat cut grep sed awk sort uniq head tail mktemp rm cp mv mkdir chmod find xargs ln ls uname nproc \
  basename dirname wc stat sleep id ldd; do
  file=$(command -v $tool)
  add "$file"
  for library in $(ldd "$file" 2>/dev/null | grep -o '/[^ ]*'); do [ -e "$bare$library" ] || add "$library"; done
done
libc=$(ldd "$(command -v bash)" | sed -n 's/.*=> \(.*\)\/libc\.so.*/\1/p')
for library in m dl pthread rt resolv util; do
  for file in "$libc/lib$library".so.[0-9]; do [ ! -e "$file" ] || add "$file"; done
done
cp -r "$out" "$bare/bundle"
mkdir "$bare/unpacked"
cp -r "$out"/bin "$out"/lib "$out"/tests "$out"/decks "$bare/unpacked/"

# Inside.
cat >"$bare/start.sh" <<'INSIDE'
cd "$1/unpacked" || exit 1
lib=$PWD/lib
chmod +x bin/xz
find . -name '*.xz' -print0 | LD_LIBRARY_PATH=$lib xargs -0 -r -n 1 bin/xz -d || exit 1
chmod +x bin/* tests/*
ln -sf mpiexec.hydra bin/mpiexec
# What is loaded from outside, or from nowhere.
strangers() {
  local file
  for file in bin/* tests/*; do LD_LIBRARY_PATH=$lib ldd "$file" 2>&1; done |
    sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p; /not found/p' | sort -u | grep -v "^$lib/" |
    grep -vE '^/[^ ]*/(libc|libm|libdl|libpthread|librt|libresolv|libutil)\.so|/libcu[a-z]*\.so|/libnv'
}
if strangers; then echo "libraries from outside the bundle"; exit 1; fi
# Kaon's own are found beside the programs, wherever the folder lies.
for file in bin/kaon-* tests/*; do
  if LD_LIBRARY_PATH= ldd "$file" | grep -q 'libkaon_.*not found'; then echo "$file does not find Kaon's libraries by its RUNPATH"; exit 1; fi
done
start() { # WHAT COMMAND...
  local what=$1
  shift
  if LD_LIBRARY_PATH=$lib "$@" >out 2>&1; then echo "started: $what"; else echo "did not start: $what"; tail -n 5 out; return 1; fi
}
bad=0
for program in bin/kaon-{train,ckpt,bench}; do start "$program" "$program" --help || bad=1; done
start bin/kaon-link bin/mpiexec.hydra -launcher fork -n 2 bin/kaon-link || bad=1
for suite in tests/*; do
  start "$suite" "$suite" --gtest_list_tests || bad=1
  grep -q '^  ' out || { echo "$suite lists no test"; bad=1; }
done
start "a test on the back ends" tests/kaon_portability --gtest_filter='*Updates' || bad=1
start "2 ranks" bin/mpiexec.hydra -launcher fork -n 2 tests/kaon_mpi_ranks --gtest_filter='*Compressor*/bits_4' || bad=1
cd decks || exit 1
start "a training of 2 steps on 2 ranks" ../bin/mpiexec.hydra -launcher fork -n 2 ../bin/kaon-train -i gpu-bits.deck -d ../trained run.steps=2 || bad=1
start "a look into its checkpoint" ../bin/kaon-ckpt show ../trained/checkpoints/latest || bad=1
start "a benchmark" ../bin/kaon-bench -f '^select/' -n 1 -s 0.01 || bad=1
cd ..
[ $bad = 0 ] || exit 1
# Without one library this test fails.
taken=$(ls lib/libhdf5.so* lib/libhdf5_*.so* 2>/dev/null | head -n 1)
[ -n "$taken" ] || { echo "no HDF5 in the bundle?"; exit 1; }
mv "$taken" kept
if ! strangers >/dev/null; then echo "nobody noticed that $taken is missing"; exit 1; fi
if [ "$2" = hidden ] && start "without $taken" bin/kaon-train --version >/dev/null; then echo "kaon-train starts without $taken: this root is not bare"; exit 1; fi
mv kept "$taken"
INSIDE

clean=(env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/nonexistent TMPDIR=/tmp OMP_NUM_THREADS=2 OMP_PROC_BIND=false
  OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=1 UCX_TLS=self,sm UCX_LOG_LEVEL=error HYDRA_IFACE=lo)
namespace=(unshare --mount)
[ "$(id -u)" = 0 ] || namespace+=(--map-root-user)
below() { # SCRIPT...: below the bare root
  "${namespace[@]}" bash -c 'for f in proc sys dev; do mount --rbind /$f "$0/$f" || exit 1; done && exec chroot "$0" "$@"' "$bare" "${clean[@]}" "$@"
}
if below bash -c true 2>/dev/null; then
  echo "other libraries are hidden: a root of its own"
  below bash /start.sh / hidden
  below bash /bundle/run.sh 60 device bits | tee "$build/gpu-bundle.txt"
else
  echo "this system does not let the test change its root: libraries outside the bundle are looked for by ldd alone"
  cd /
  "${clean[@]}" bash "$bare/start.sh" "$bare" visible
  "${clean[@]}" bash "$bare/bundle/run.sh" 60 device bits | tee "$build/gpu-bundle.txt"
fi

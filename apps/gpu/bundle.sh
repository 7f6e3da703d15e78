#!/usr/bin/env bash
# Makes one folder that shows on a bare machine with a GPU what this build does there: programs, tests, decks, a text, mpiexec and
# every shared library that they need, besides the CUDA toolkit's and libc's. run.sh in it is the one command.
#
#   bash apps/gpu/bundle.sh BUILD OUT [REFERENCE]
#
# BUILD: a build folder (what is not built in it is left out, and said); small where Kaon is shared (BUILD_SHARED_LIBS). OUT: the
# folder to make, emptied first. REFERENCE: a build folder for this machine's CPU, whose losses of the same deck are printed beside
# the GPU's (minutes), or an earlier bundle, whose losses are taken over and the text with them. At most KAON_BUNDLE_MIB (default 60)
# MiB: large files are compressed, at xz's level KAON_BUNDLE_XZ (default 4).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
[ $# -ge 2 ] || { sed -n '2,9p' "$0" | sed 's/^# \?//' >&2; exit 64; }
build=$(cd "$1" && pwd) out=$2 reference=${3:-}
rm -rf "$out"
mkdir -p "$out"/{bin,lib,tests,decks,reference}
out=$(cd "$out" && pwd)

put() { # FOLDER FILE...: copies what is there, stripped
  local folder=$1 file
  shift
  for file; do
    if [ -e "$file" ]; then
      cp -L "$file" "$out/$folder/"
      strip --strip-all "$out/$folder/$(basename "$file")" 2>/dev/null || true
    else
      echo "bundle: left out, not built: ${file#"$build"/}" >&2
    fi
  done
}

put bin "$build"/apps/kaon-{train,ckpt,link,bench}
for tool in mpiexec.hydra hydra_pmi_proxy xz; do
  file=$(command -v $tool) || { echo "bundle: needs $tool (Debian: mpich, xz-utils)" >&2; exit 1; }
  put bin "$file"
done
for room in "$root"/tests/unit/*/; do put tests "$build/tests/kaon_unit_$(basename "$room")"; done
put tests "$build/tests/portability/kaon_portability" "$build"/tests/kaon_mpi_{ranks,device_messages,checkpoint}
cp "$root"/apps/bench/peers.py "$root"/apps/gpu/run.sh "$out/"
cp "$root"/apps/gpu/decks/*.deck "$root/input/gpt-dictionary.deck" "$out/decks/"

# The project's own sources and documents: a text that is always at hand. Losses are of one text and one deck.
if [ -e "$reference/reference/demo.csv" ]; then
  cmp "$reference/decks/gpu-demo.deck" "$out/decks/gpu-demo.deck" || { echo "bundle: the losses in $reference are of another deck" >&2; exit 1; }
  cp "$reference/decks/text.txt" "$out/decks/"
  cp "$reference/reference/demo.csv" "$out/reference/"
else
  (cd "$root" && git ls-files '*.md' '*.hpp' '*.cpp' | LC_ALL=C sort | xargs cat) >"$out/text.all"
  head -c 1000000 "$out/text.all" >"$out/decks/text.txt"
  rm "$out/text.all"
fi
git -C "$root" describe --always --dirty >"$out/version"

# Shared libraries, from the programs on. The toolkit's are the machine's own, as are the driver's and libc's.
ours() {
  case $(basename "$1") in
    ld-linux* | libc.so* | libm.so* | libdl.so* | libpthread.so* | librt.so* | libresolv.so* | libutil.so*) return 1 ;;
    libcuda.so* | libcudart.so* | libcublas*.so* | libcusolver*.so* | libcusparse*.so* | libnv*.so*) return 1 ;;
  esac
}
loaded=$(for file in "$out"/bin/* "$out"/tests/*; do ldd "$file" 2>/dev/null || true; done | sort -u)
while read -r library; do
  if [ -n "$library" ] && ours "$library"; then put lib "$library"; fi
done <<<"$(sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' <<<"$loaded" | sort -u)"
sed -n 's/^[[:space:]]*\(.*\) => not found.*/bundle: not found here: \1/p' <<<"$loaded" | sort -u >&2

# Where the build found them is no place to look on another machine, nor on this one, where it would hide that one is missing.
for file in "$out"/bin/* "$out"/tests/* "$out"/lib/*; do
  case $file in
    "$out"/lib/*) place='$ORIGIN' ;;
    *) place='$ORIGIN/../lib' ;;
  esac
  if readelf -d "$file" 2>/dev/null | grep -q 'R\(UN\)\?PATH'; then
    printf 'file(RPATH_SET FILE [[%s]] NEW_RPATH [[%s]])\n' "$file" "$place"
  fi
done >"$out/runpath.cmake"
cmake -P "$out/runpath.cmake" >/dev/null
rm "$out/runpath.cmake"

# The CPU's losses of the same deck.
if [ -n "$reference" ] && [ ! -e "$out/reference/demo.csv" ]; then
  folder=$(mktemp -d)
  (cd "$out/decks" && OMP_PROC_BIND=false OMP_WAIT_POLICY=passive "$reference/apps/kaon-train" -i gpu-demo.deck -d "$folder/run" >"$folder/log" 2>&1) ||
    { tail -n 20 "$folder/log" >&2; exit 1; }
  cp "$folder/run/metrics.csv" "$out/reference/demo.csv"
  rm -rf "$folder"
fi

# What unpacks the rest stays as it is. A file a core: xz divides none of them by itself.
find "$out/bin" "$out/lib" "$out/tests" -type f -size +200k ! -name 'xz' ! -name 'liblzma*' -print0 |
  xargs -0 -r -n 1 -P "$(nproc)" xz -T 1 -"${KAON_BUNDLE_XZ:-4}"
chmod +x "$out/run.sh"
size=$(du -sm --apparent-size "$out" | cut -f1)
echo "bundle: $out, $size MiB, version $(cat "$out/version")"
[ "$size" -le "${KAON_BUNDLE_MIB:-60}" ] || { echo "bundle: larger than ${KAON_BUNDLE_MIB:-60} MiB" >&2; exit 1; }

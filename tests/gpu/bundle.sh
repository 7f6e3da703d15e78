#!/usr/bin/env bash
# bundle.sh SOURCE BUILD: makes the bundle of BUILD and runs its first parts in an empty environment. No program may load a library
# from anywhere but the bundle, besides libc's own.
set -euo pipefail
source=$1 build=$2
out=$build/gpu-bundle
bash "$source/apps/gpu/bundle.sh" "$build" "$out"
unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
cp -r "$out"/bin "$out"/lib "$out"/tests "$unpacked/"
find "$unpacked" -name '*.xz' -exec xz -d {} +
chmod +x "$unpacked"/bin/* "$unpacked"/tests/*
for file in "$unpacked"/bin/* "$unpacked"/tests/*; do LD_LIBRARY_PATH=$unpacked/lib ldd "$file"; done |
  sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p; s/.*=> not found/& /p' | sort -u | grep -v "^$unpacked/lib/" |
  grep -vE '/(libc|libm|libdl|libpthread|librt|libresolv|libutil)\.so|/libcu[a-z]*\.so|/libnv' >"$unpacked/strangers" || true
if [ -s "$unpacked/strangers" ]; then
  echo "libraries from outside the bundle:"
  cat "$unpacked/strangers"
  exit 1
fi
rm -rf "$unpacked"
cd /
# That programs start there is what is asked here: how many steps fit into a minute depends on what else the machine does.
env -i PATH=/usr/bin:/bin HOME=/nonexistent bash "$out/run.sh" 60 device | tee "$build/gpu-bundle.txt"
grep -q 'ok       kaon-train --version' "$build/gpu-bundle.txt"

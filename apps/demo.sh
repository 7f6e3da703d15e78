#!/usr/bin/env bash
# Sets up a bare Debian or Ubuntu machine (root or sudo), builds Kaon, and trains a small GPT on real English with EF21-Muon:
# 4 workers on 2 MPI ranks, compressed in both directions, stopped half way by a signal and restarted; then the same deck
# uncompressed, and a table of loss against bytes.
#
#   bash apps/demo.sh            8 to 13 minutes on 2 shared cores, the training about 4 of them
#
# Settings, from the environment: KAON_DEMO_STEPS (default: the deck's), KAON_DEMO_DIR (default: build/demo), KAON_BUILD.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${KAON_BUILD:-$root/build/openmp}
work=${KAON_DEMO_DIR:-$root/build/demo}
deck=$root/input/gpt-dictionary.deck
began=$(date +%s)
say() { printf '\n== %s\n' "$*"; }

say "1. Dependencies"
prefix=$(KAON_EXTRA_PACKAGES=dict-gcide "$root/cmake/dependencies.sh")

say "2. Build"
build_began=$(date +%s)
mkdir -p "$(dirname "$build")"
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DKAON_ARCH_FLAGS=-march=native -DKAON_UNITY=ON -DKAON_TESTS=OFF \
  -DCMAKE_PREFIX_PATH="$prefix;${CMAKE_PREFIX_PATH:-}" >"$build.configure.log" 2>&1 || { cat "$build.configure.log" >&2; exit 1; }
cmake --build "$build" -j "${KAON_JOBS:-$(nproc)}" --target kaon_train kaon_ckpt
build_seconds=$(($(date +%s) - build_began))
KAON_TRAIN=$build/apps/kaon-train
. "$root/apps/environment.sh"
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}

say "3. Text: the GNU Collaborative International Dictionary of English (Debian's dict-gcide)"
mkdir -p "$work"
cd "$work"
[ -s gcide.txt ] || { zcat /usr/share/dictd/gcide.dict.dz >gcide.txt.part && mv gcide.txt.part gcide.txt; }
ls -l gcide.txt

overrides=()
[ -z "${KAON_DEMO_STEPS:-}" ] || overrides+=("run.steps=$KAON_DEMO_STEPS")
steps=$("$KAON_TRAIN" -n -i "$deck" "${overrides[@]}" 2>/dev/null | sed -n 's/^steps *= *//p' | head -n 1)
half=$((steps / 2))
rm -rf compressed uncompressed

say "4. Compressed both ways; stopped by a signal after $half of $steps steps"
# The signal goes to one rank, the newest process with this command line; it tells the others.
mpiexec -n 2 "$KAON_TRAIN" -i "$deck" -d compressed "${overrides[@]}" &
job=$!
while kill -0 $job 2>/dev/null; do
  done_steps=$( (tail -n 1 compressed/metrics.csv 2>/dev/null || true) | cut -d, -f1)
  case $done_steps in '' | *[!0-9]*) ;; *) [ "$done_steps" -lt "$half" ] || break ;; esac
  sleep 0.2
done
pkill -USR1 -n -f -- "^$KAON_TRAIN -i $deck -d compressed" || true
code=0
wait $job || code=$?
[ $code = 75 ] || { echo "demo: expected exit code 75 (stopped with a committed checkpoint), got $code" >&2; exit 1; }

say "5. Restarted with -r latest"
mpiexec -n 2 "$KAON_TRAIN" -r latest -d compressed
"$build/apps/kaon-ckpt" verify compressed/checkpoints/latest

say "6. The same deck uncompressed"
dense=()
for group in hidden table; do dense+=("group.$group.uplink=identity" "group.$group.downlink=identity"); done
mpiexec -n 2 "$KAON_TRAIN" -i "$deck" -d uncompressed "${overrides[@]}" "${dense[@]}"

say "7. Loss against bytes (whole run, headers counted)"
python3 - compressed uncompressed <<'PY'
import json, sys
rows = [(n, json.load(open(n + "/summary.json"))) for n in sys.argv[1:]]
mb = lambda b: "%10.1f" % (b / 1e6)
print("%-14s %10s %10s %10s %10s %10s %10s" % ("run", "val. loss", "up MB", "down MB", "total MB", "wire up", "wire down"))
for name, s in rows:
    print("%-14s %10.4f %s %s %s %s %s" % (name, s["validation_loss"], mb(s["bytes_up"]), mb(s["bytes_down"]),
                                           mb(s["bytes_up"] + s["bytes_down"]), mb(s["wire_up"]), mb(s["wire_down"])))
c, u = rows[0][1], rows[1][1]
total = lambda s: s["bytes_up"] + s["bytes_down"]
print("compressed against uncompressed: %.2f x fewer bytes in total, validation loss %+.2f %%" %
      (total(u) / total(c), 100 * (c["validation_loss"] / u["validation_loss"] - 1)))
PY
printf '\ncheckpoint  %s\nmetrics     %s\nlayers      %s\n' "$work/$(readlink -f compressed/checkpoints/latest | sed "s|^$work/||")" \
  "$work/compressed/metrics.csv" "$work/compressed/layers.csv"
printf 'build %d s, everything %d s\n' "$build_seconds" "$(($(date +%s) - began))"

#!/usr/bin/env bash
# The campaign of docs/reliability.md: kills, signals, cuts, damaged files, failing disks, fuzzing; then the page's table is made
# anew from what was counted. Hours on 2 cores; needs a build with tests (tests/run.sh makes it), Linux, python3 with h5py.
#
#   bash tests/reliability/run.sh [--fuzz EXECUTIONS] [RESULTS.jsonl]      default: no fuzzing, docs/reliability.jsonl
#
# Lines are appended, and the last of each part counts: parts can be repeated by hand. Setting, from the environment: KAON_BUILD
# (default: build/tests). Exit code 1 when a property did not hold.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${KAON_BUILD:-$root/build/tests}
fuzz=0
if [ "${1:-}" = --fuzz ]; then
  fuzz=$2
  shift 2
fi
out=$(realpath -m "${1:-$root/docs/reliability.jsonl}")
KAON_TRAIN=$build/apps/kaon-train
. "$root/apps/environment.sh"
export OMP_NUM_THREADS=1

# The one that has h5py: Debian's, where another comes first in the path.
python=python3
"$python" -c 'import h5py' 2>/dev/null || python=/usr/bin/python3

bad=0
"$python" -B "$root/tests/reliability/campaign.py" --long --build "$build" --out "$out" || bad=1
"$build/tests/reliability/kaon_damage" --long --out "$out" || bad=1
"$python" -B "$root/tests/reliability/files_disk.py" --long --build "$build" --out "$out" || bad=1
if [ "$fuzz" -gt 0 ]; then
  KAON_FUZZ_OUT=$out bash "$root/tests/fuzz/run.sh" all "$fuzz" || bad=1
fi
"$python" -B "$root/tests/reliability/report.py" "$out" --into "$root/docs/reliability.md"
exit $bad

#!/usr/bin/env bash
# namespaces.sh SOURCE BUILD WORK MPIEXEC: a short job between two network namespaces. Its bytes cross the link, its bits are those of
# a job without the network, and nothing stays behind, also when it is interrupted.
set -euo pipefail
source=$1 build=$2 work=$3 mpiexec=$4
script=$source/apps/network/slow_network.sh
fail() { echo "FAILED: $*"; exit 1; }
code=0
reason=$("$script" --check --build "$build" 2>&1) || code=$?
if [ $code = 69 ]; then echo "skipped: $reason"; exit 77; fi
[ $code = 0 ] || fail "--check ended with $code: $reason"

rm -rf "$work"
mkdir -p "$work"
cd "$work"
awk 'BEGIN { for (i = 0; i < 4000; ++i) print "line", i, "has the square", i * i }' >text.txt
keys=(data.train=text.txt gpt.layers=1 gpt.width=32 gpt.heads=2 gpt.context=16 data.validation_batches=1)
deck=$source/input/gpt-network.deck
left() { ip netns list | grep "^kaon-$1-" || true; }

# 1. A job between two namespaces.
"$script" --build "$build" --rates 1gbit --ranks 2 --steps 30 --window 5 --directory slow -- "${keys[@]}" &
pid=$!
wait $pid || fail "the script ended with $?"
[ -z "$(left $pid)" ] || fail "these namespaces were left: $(left $pid)"
[ "$(grep -c '^| 1gbit |' slow/table.md)" = 2 ] || fail "the table has not its two rows"

# 2. What was given to MPI crossed the link, and little else: protocol, start-up, validation and the checkpoint.
while IFS=$'\t' read -r _ _ _ _ _ messages folder through; do
  given=$(sed -n '1p;$p' "slow/$folder/metrics.csv" | awk -F, 'NR == 1 { for (i = 1; i <= NF; ++i) at[$i] = i } NR == 2 { printf "%.0f", $at["wire_up"] + $at["wire_down"] }')
  echo "$messages: $given bytes given to MPI, $through through the link"
  [ "$through" -ge "$given" ] || fail "fewer bytes crossed the link than were sent"
  [ "$through" -le $((given + given / 10 + 400000)) ] || fail "more bytes crossed the link than the messages explain"
done <slow/runs.tsv

# 3. The same bits as without the network.
KAON_TRAIN=$build/apps/kaon-train
. "$source/apps/environment.sh"
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
"$mpiexec" -n 2 "$KAON_TRAIN" -i "$deck" -d near run.steps=30 "${keys[@]}" >near.log 2>&1 || { cat near.log; fail "the job without the network"; }
"$build/apps/kaon-ckpt" diff near/checkpoints/latest slow/1gbit-2-compressed/checkpoints/latest || fail "other bits over the network"

# 4. Interrupted in the middle: the code says so and nothing is left.
"$script" --build "$build" --rates 100mbit --ranks 3 --steps 100000 --directory cut -- "${keys[@]}" 2>cut.err &
pid=$!
rows=0
for ((try = 0; try < 600; ++try)); do
  rows=$({ wc -l <cut/100mbit-3-compressed/metrics.csv; } 2>/dev/null || true)
  [ "${rows:-0}" -lt 5 ] || break
  kill -0 $pid 2>/dev/null || { cat cut.err; fail "the script ended before it was interrupted"; }
  sleep 0.1
done
kill -TERM $pid
code=0
wait $pid || code=$?
[ $code = 143 ] || { cat cut.err; fail "an interrupted run ended with $code, not 143"; }
[ -z "$(left $pid)" ] || fail "these namespaces were left: $(left $pid)"
"$build/apps/kaon-ckpt" verify cut/100mbit-3-compressed/checkpoints/latest || fail "the interrupted job did not save"
echo "passed"

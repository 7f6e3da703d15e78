#!/usr/bin/env bash
# life.sh SOURCE BUILD WORK MPIEXEC: the life of batch jobs under a real Slurm, with docs/machines/slurm.sh as it stands. Every run is
# cut at least once and must end with the bits of a run that never was; no step stands twice in its metrics.
#
#   limit   srun; Slurm's signal before the time limit, requeue, completion
#   array   mpiexec; stops by -t, an array of starts whose later ones are not wanted any more
#   chain   signalled by its user under mpiexec and cancelled while it waits; cancelled while it runs; all ranks killed; one rank killed;
#           each time submitted again
#   bad     an error of the deck's: not put back
#
# Ranks are paused while Slurm's clock has to go on: the runs stay short and the machine idle.
set -uo pipefail
source=$1 build=$2 work=$3 mpiexec=$4
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/cluster.sh"

began=$SECONDS
say() { printf '%3d s: %s\n' $((SECONDS - began)) "$*"; }
fail() {
  say "FAILED: $*"
  tail -n 30 ./*.log "$cluster"/slurmctld.log "$cluster"/slurmd.log
  exit 1
}
reason=$(cluster_reason)
if [ -n "$reason" ]; then
  echo "skipped: $reason"
  [ -z "${KAON_SLURM_REQUIRED:-}" ] || { echo "FAILED: KAON_SLURM_REQUIRED is set, so that this is no excuse"; exit 1; }
  exit 77
fi
PATH=$PATH:/usr/sbin:/sbin
trap cluster_stop EXIT
trap 'exit 130' INT TERM

unset "${!SLURM_@}" "${!SBATCH_@}" "${!SRUN_@}"  # a job of another Slurm may run this test
rm -rf "$work"
mkdir -p "$work"
cd "$work" || exit 1
export KAON_TRAIN=$build/apps/kaon-train
. "$source/apps/environment.sh"
export OMP_NUM_THREADS=1
cluster_start || fail "no cluster"
say "the cluster is up"

awk 'BEGIN { for (i = 0; i < 4000; ++i) print "line", i, "has the square", i * i }' >text.txt
endless=1000000
deck() { # STEPS NAME [EVERY]: a run whose number of steps may still change, as its schedule is constant
  cat >"$2.deck" <<END
[run]
steps = $1
log_every = 10
[objective]
kind = gpt
[gpt]
layers = 1
heads = 2
width = 16
context = 32
batch = 32
vocab = 256
[data]
train = text.txt
validation_batches = 2
[optimizer]
workers = 2
[checkpoint]
every = ${3:-0}
keep = 50
[group.hidden]
layers = h[0-9]*
radius = 0.02
uplink = top:0.2
[group.table]
layers = embed head
norm = max-abs
radius = 0.005
END
}
submit() { # NAME OPTIONS...: prints the job's number
  local name=$1
  shift
  KAON_DECK=$name.deck KAON_RUN=$name sbatch --parsable --ntasks-per-node=2 --cpus-per-task=1 --signal=B:USR1@15 \
    --output="$name-%j.log" "$@" "$source/docs/machines/slurm.sh"
}
ranks_of() { # NAME: the pids of its ranks
  local pid
  grep -lzxF "$1.deck" /proc/[0-9]*/cmdline 2>/dev/null | tr -dc '0-9\n' | while read -r pid; do
    [ "$(readlink "/proc/$pid/exe") $(readlink "/proc/$pid/cwd")" != "$KAON_TRAIN $work" ] || echo "$pid"
  done 2>/dev/null
}
signal_ranks() { # NAME SIGNAL [HOW MANY]
  local pids
  pids=$(ranks_of "$1" | head -n "${3:-2}")
  [ "$(wc -w <<<"$pids")" = "${3:-2}" ] || fail "$1 has not ${3:-2} ranks, but: $pids"
  # shellcheck disable=SC2086
  kill "-$2" $pids || fail "$1 lost a rank before $2"
}
steps_of() { local n; n=$({ wc -l <"$1/metrics.csv"; } 2>/dev/null) && echo $((n - 1)) || echo 0; }
await() { # SECONDS WHAT COMMAND...: until the command succeeds
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@"; do
    [ $SECONDS -lt $end ] || fail "waited in vain for $what"
    sleep 0.1
  done
}
has_steps() { [ "$(steps_of "$1")" -ge "$2" ]; }
has_state() { [[ " $2 " == *" $(job JobState "$1") "* ]]; }
gone() { [ -z "$(squeue -h -j "$1" 2>/dev/null)" ]; }
logged() { grep -q -- "$2" "$1"; }
usr1_pends() { # NAME: all its ranks are paused and have been sent USR1
  local pid mask
  for pid in $(ranks_of "$1"); do
    mask=$(sed -n 's/^ShdPnd:\s*//p' "/proc/$pid/status" 2>/dev/null)
    (((16#${mask:-0} >> 9) & 1)) || return 1
  done
}
ended() { # NAME ID STATE CODE RESTARTS
  await 60 "the end of $1" gone "$2"
  local got
  got="$(job JobState "$2") $(job ExitCode "$2") $(job Restarts "$2")"
  [ "$got" = "$3 $4 $5" ] || fail "$1 ended as '$got', not '$3 $4 $5'"
  say "$1: job $2 ended: $got"
}

last_step() { # NAMES...: a step of the reference's checkpoints that none of them has reached
  local name most=0
  for name in "$@"; do [ "$(steps_of "$name")" -le "$most" ] || most=$(steps_of "$name"); done
  echo $(((most + 20 + every - 1) / every * every))
}
every=50
goes_on_from() { # LOG NAME STEP
  logged "$1" "restarted from $2/checkpoints/step-$(printf %08d "$3").h5" || fail "$2 did not go on from step $3"
}

# --- all begin ---
deck $endless limit
deck $endless array
deck $endless chain 10
deck 10 bad
sed -i 's/^train = .*/train = missing.txt/' bad.deck
limit=$(submit limit --time=1) || fail "sbatch limit"
array=$(KAON_LAUNCH="$mpiexec -n 2" submit array --time=1 --signal=B:CONT@1 --array=1-4%1) || fail "sbatch array"
bad=$(submit bad --time=1) || fail "sbatch bad"
await 40 "20 steps of limit" has_steps limit 20
signal_ranks limit STOP
await 40 "20 steps of array" has_steps array 20
signal_ranks array STOP
paused=$SECONDS
tr '\0' '\n' <"/proc/$(ranks_of limit | head -n 1)/environ" | grep -qx SRUN_CPUS_PER_TASK=1 || fail "srun was not told the CPUs of a rank"
say "limit and array are paused at steps $(steps_of limit) and $(steps_of array)"

chain() {
  local id cut
  # The user signals it, under mpiexec, which sometimes loses the exit code: requeued. Cancelled while it waits.
  id=$(KAON_LAUNCH="$mpiexec -n 2" submit chain --time=2) || fail "sbatch chain"
  await 40 "20 steps of chain" has_steps chain 20
  scancel --signal=USR1 --batch "$id"
  await 30 "the requeue of chain" has_state "$id" PENDING
  scancel "$id"
  ended chain "$id" CANCELLED 0:0 1
  grep "the launcher's exit code" "chain-$id.log"
  cut=$(steps_of chain)
  # Cancelled by its user: the checkpoint is committed and the job stays away.
  id=$(submit chain --time=2) || fail "sbatch chain"
  await 40 "20 more steps of chain" has_steps chain $((cut + 20))
  scancel "$id"
  ended chain "$id" CANCELLED 75:0 0
  goes_on_from "chain-$id.log" chain "$cut"
  logged "chain-$id.log" "not requeued, the job is COMPLETING" || fail "the script does not say why it did not requeue"
  cut=$(steps_of chain)
  "$build/apps/kaon-ckpt" verify "chain/checkpoints/step-$(printf %08d "$cut").h5" || fail "no checkpoint of step $cut"
  # All ranks die, as if the node had.
  id=$(KAON_CRASHES=0 submit chain --time=2) || fail "sbatch chain"
  await 40 "20 more steps of chain" has_steps chain $((cut + 20))
  signal_ranks chain KILL
  ended chain "$id" FAILED 137:0 0
  goes_on_from "chain-$id.log" chain "$cut"
  # One rank dies: srun does not let the other one wait for the time limit.
  cut=$(readlink chain/checkpoints/latest | sed 's/step-0*\([0-9]*\).h5/\1/')
  id=$(KAON_CRASHES=0 SLURM_WAIT=3 submit chain --time=2) || fail "sbatch chain"
  await 40 "20 more steps of chain" has_steps chain $((cut + 20))
  signal_ranks chain KILL 1
  ended chain "$id" FAILED 137:0 0
  goes_on_from "chain-$id.log" chain "$cut"
  # And to the end.
  last_step chain >chain.last
  deck "$(cat chain.last)" chain 10
  id=$(submit chain --time=2) || fail "sbatch chain"
  ended chain "$id" COMPLETED 0:0 0
}
chain &
chain=$!

# --- bad: its own exit code, and no second start ---
ended bad "$bad" FAILED 65:0 0
logged "bad-$bad.log" "missing.txt" || fail "bad does not name the file that is missing"

# --- limit: Slurm's own signal, waiting for the paused ranks; the user has set an end meanwhile ---
last=$(last_step limit array)
deck "$last" limit
deck "$last" array
await 60 "Slurm's signal" usr1_pends limit
say "limit: Slurm has sent its signal"
signal_ranks limit CONT
await 30 "the requeue of limit" has_state "$limit" PENDING
say "limit: requeued"
logged "limit-$limit.log" "signal USR1 at step" || fail "limit did not stop by the signal"
cut=$(steps_of limit)

# --- array: a step that took longer than what is left of the time ---
until [ $((SECONDS - paused)) -ge 33 ]; do sleep 0.2; done
signal_ranks array CONT
await 30 "the end of the array's first start" has_state "${array}_1" "FAILED COMPLETED"
[ "$(job ExitCode "${array}_1")" = 75:0 ] || fail "the array's first start ended with $(job ExitCode "${array}_1")"
grep -q "wall clock at step" array-*.log || fail "the array's first start did not stop by -t"
say "array: the first start has ended by -t"
await 60 "the end of array" gone "$array"
got="$(job JobState "${array}_1") $(job JobState "${array}_2") $(job JobState "$array"), $(find . -name 'array-*.log' | wc -l) started"
[ "$got" = "FAILED COMPLETED CANCELLED, 2 started" ] || fail "the array's starts (the last is what was left) ended as '$got'"
say "array: the second start has finished, the others are cancelled"

ended limit "$limit" COMPLETED 0:0 1
goes_on_from "limit-$limit.log" limit "$cut"
wait $chain || fail "chain"

# --- every run has each step once, and the bits of a run that was never cut ---
longest=$(printf '%s\n' "$last" "$(cat chain.last)" | sort -n | tail -n 1)
deck "$longest" straight
"$mpiexec" -n 2 "$KAON_TRAIN" -i straight.deck -d straight checkpoint.every=$every >straight.log 2>&1 || fail "the reference"
compare() { # NAME STEP
  [ "$(tail -n +2 "$1/metrics.csv" | cut -d, -f1)" = "$(seq "$2")" ] || fail "the rows of $1 are not the steps 1 to $2, once each"
  [ "$(tail -n +2 "$1/metrics.csv" | cut -d, -f1-9)" = "$(tail -n +2 straight/metrics.csv | cut -d, -f1-9 | head -n "$2")" ] ||
    fail "the numbers in $1/metrics.csv are not those of the reference"
  "$build/apps/kaon-ckpt" diff "$1/checkpoints/latest" "straight/checkpoints/step-$(printf %08d "$2").h5" >diff.log ||
    { cat diff.log; fail "$1 has other bits than the reference"; }
}
compare limit "$last"
compare array "$last"
compare chain "$(cat chain.last)"
say "limit and array have the bits of the reference at step $last, chain at step $(cat chain.last)"

cluster_stop
left=$(cluster_processes)
[ -z "$left" ] || fail "processes were left: $left"
say "passed"

#!/bin/bash
# Runs Kaon under Flux until it has finished, over as many jobs as that takes: each submits the next one. Adapt the directives and
# the settings below; docs/machines/README.md explains each of them.
# flux: --job-name=kaon
# flux: --nslots=4
# flux: --cores-per-slot=8
# flux: --time-limit=4h
# flux: --signal=USR1@120s
# flux: --output=kaon-{{id}}.log

deck=${KAON_DECK:-my.deck}
run=${KAON_RUN:-kaon-run}
train=${KAON_TRAIN:-kaon-train}
launch=${KAON_LAUNCH:-flux run --ntasks=4 --cores-per-task=8}
again=${KAON_AGAIN:-flux --parent batch}   # the script is given to it; "none" leaves it to a chain of jobs

export OMP_NUM_THREADS=${OMP_NUM_THREADS:-8}
export KAON_START=$((${KAON_START:--1} + 1))
echo "kaon: start $KAON_START"

time_left() { # whole seconds; ten digits mean that there is no limit
  local seconds
  seconds=$(flux job timeleft) && [ ${#seconds} -le 9 ] && echo "$seconds"
}

# --- one start: these lines are the same in every script of this folder that starts Kaon ---
child=''
signalled=''
terminated=''
trap 'signalled=1; kill -USR1 $child 2>/dev/null' USR1
trap 'signalled=1; terminated=1; kill -TERM $child 2>/dev/null' TERM
summary() { cat "$run/summary.json" 2>/dev/null; }
earlier=$(summary)

# -r auto: goes on from the newest sound checkpoint; the run begins while nothing is committed.
arguments=(-i "$deck" -d "$run" -r auto)
left=$(time_left)
case $left in
  *[!0-9:-]* | '') ;;
  *) arguments+=(-t "$left") ;;
esac
echo "kaon: time left ${left:-unknown}: ${arguments[*]}"

# In the background, so that this shell can act on a signal at once; the launcher passes it on to the ranks.
$launch "$train" "${arguments[@]}" &
child=$!
while :; do
  signalled=''
  wait "$child"
  code=$?
  if [ -z "$signalled" ]; then break; fi  # a trapped signal ends wait early: wait again, for the launcher's own code
done
# Some launchers lose the ranks' exit code when a signal comes. The summary is the last thing that an orderly end writes.
if [ "$code" = 0 ] || [ "$code" -gt 128 ]; then
  case $(summary) in
    "$earlier") said=$code ;;
    *'"finished": false'*) said=75 ;;
    *) said=0 ;;
  esac
  if [ "$said" != "$code" ]; then echo "kaon: the launcher's exit code $code, by $run/summary.json $said"; fi
  code=$said
fi
echo "kaon: exit code $code${terminated:+, after TERM}"
# --- end of the start ---

if [ "$code" = 75 ]; then
  # Flux sends TERM when it ends the job itself (flux cancel, the time limit): then nothing is submitted.
  if [ -z "$terminated" ] && [ "$again" != none ] && $again "$0"; then
    echo "kaon: the next start is submitted"
    exit 0
  fi
  echo "kaon: submit again to go on"
fi
exit "$code"  # 0 finished or handed on, 75 stopped with a committed checkpoint; anything else needs a person

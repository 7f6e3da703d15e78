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
KAON_START_ID=$(date +%s)-$$-$RANDOM  # the program writes it into summary.json: this script knows its own
export KAON_START_ID
summary() { cat "$run/summary.json" 2>/dev/null; }
newest() { local all=("$run"/checkpoints/step-*.h5); basename "${all[-1]}"; }
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

# What counts is the exit_code in summary.json, which an orderly end of this start writes last. Where there is none the launcher's
# code does, but 0 and 75 need that proof: some launchers return them for ranks that were killed.
after=$(summary)
said=''
mine=''
case $after in
  *"\"start\": \"$KAON_START_ID\""*) mine=1 ;;
  *'"start": ""'*) if [ "$after" != "$earlier" ]; then mine=1; fi ;;  # the launcher does not pass the environment on
esac
if [ -n "$mine" ]; then said=$(sed -n 's/^ *"exit_code": \([0-9]*\),*$/\1/p' <<<"$after"); fi
crashed=''
case $mine$said:$code in
  1?*:*)
    if [ "$said" != "$code" ]; then echo "kaon: the launcher's exit code $code, by $run/summary.json $said"; fi
    code=$said ;;
  *:64 | *:65 | *:70 | *:74) ;;
  1:* | *:0 | *:9) crashed=1 ;;
  *) if [ "$code" -gt 128 ]; then crashed=1; fi ;;
esac

# What is put back: a start that has stopped in order; one that has crashed, unless so many in a row came no further.
put_back=''
if [ -n "$crashed" ]; then
  case $code in 0 | 75) code=70 ;; esac
  count=0
  at=''
  read -r count at 2>/dev/null <"$run/crashes"
  if [ "$at" != "$(newest)" ]; then count=0; fi
  count=$((count + 1))
  echo "kaon: crashed, the ${count}. time without a new checkpoint; put back ${KAON_CRASHES:-3} times"
  if [ -z "$terminated" ] && [ "$count" -le "${KAON_CRASHES:-3}" ] && [ -d "$run" ] && echo "$count $(newest)" >"$run/crashes"; then
    put_back=1
  fi
else
  rm -f "$run/crashes"
  if [ "$code" = 75 ]; then put_back=1; fi
fi
echo "kaon: exit code $code${crashed:+, a crash}${terminated:+, after TERM}"
# --- end of the start ---

if [ -n "$put_back" ]; then
  # Flux sends TERM when it ends the job itself (flux cancel, the time limit): then nothing is submitted.
  if [ -z "$terminated" ] && [ "$again" != none ] && $again "$0"; then
    echo "kaon: the next start is submitted"
    exit 0
  fi
  echo "kaon: submit again to go on"
fi
exit "$code"  # 0 finished or handed on, 75 stopped with a committed checkpoint; anything else needs a person

#!/bin/bash
# Runs Kaon under PBS Pro or OpenPBS until it has finished, over as many jobs as that takes: each submits the next one. Adapt the
# #PBS lines and the settings below; docs/machines/README.md explains each of them.
#PBS -N kaon
#PBS -l select=1:ncpus=32:mpiprocs=4:ompthreads=8
#PBS -l walltime=04:00:00
#PBS -j oe
#PBS -r y

cd "$PBS_O_WORKDIR" || exit 74
deck=${KAON_DECK:-my.deck}
run=${KAON_RUN:-kaon-run}
train=${KAON_TRAIN:-kaon-train}
launch=${KAON_LAUNCH:-mpiexec -n $(wc -l <"$PBS_NODEFILE")}
script=${KAON_SCRIPT:-pbs.sh}     # this file: what runs is a copy of it
again=${KAON_AGAIN:-qsub}         # qsub, qrerun (it needs the privilege of an operator) or none
reserve=${KAON_RESERVE:-60}       # seconds of the limit that are left for the start and the end of the job

export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
export KAON_START=$((${KAON_START:--1} + 1))
echo "kaon: job $PBS_JOBID, start $KAON_START"

time_left() { # whole seconds: PBS does not warn a job, and what it has used is known with a delay only
  qstat -f "$PBS_JOBID" | awk -v gone="$SECONDS" -v reserve="$reserve" '
    $1 == "Resource_List.walltime" { n = split($3, part, ":"); for (i = 1; i <= n; ++i) limit = limit * 60 + part[i] }
    END { if (limit) { left = limit - gone - reserve; print (left > 1 ? left : 1) } }'
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
  # PBS sends TERM when it ends the job itself (qdel, the time limit): then nothing is submitted.
  done=
  if [ -z "$terminated" ]; then
    case $again in
      qsub)
        variables=
        for name in KAON_DECK KAON_RUN KAON_TRAIN KAON_LAUNCH KAON_SCRIPT KAON_AGAIN KAON_RESERVE KAON_START OMP_NUM_THREADS; do
          if [ -n "${!name}" ]; then variables+=${variables:+,}$name=${!name}; fi
        done
        qsub -v "$variables" "$script" && done=1 ;;
      qrerun) qrerun "$PBS_JOBID" && done=1 ;;
    esac
  fi
  if [ -n "$done" ]; then
    echo "kaon: the next start is submitted"
    exit 0
  fi
  echo "kaon: submit again to go on"
fi
exit "$code"  # 0 finished or handed on, 75 stopped with a committed checkpoint; anything else needs a person

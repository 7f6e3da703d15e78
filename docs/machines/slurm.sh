#!/bin/bash
# Runs Kaon under Slurm until it has finished, over as many job starts as that takes. Adapt the #SBATCH lines and the settings
# below; docs/machines/README.md explains each of them.
#SBATCH --job-name=kaon
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=4
#SBATCH --cpus-per-task=8
#SBATCH --time=04:00:00
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=kaon-%j.log

deck=${KAON_DECK:-my.deck}
run=${KAON_RUN:-kaon-run}
train=${KAON_TRAIN:-kaon-train}
launch=${KAON_LAUNCH:-srun}   # or: mpiexec -n $SLURM_NTASKS

export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
case $launch in
  srun*)
    export SRUN_CPUS_PER_TASK=$OMP_NUM_THREADS  # since Slurm 22.05 srun does not inherit --cpus-per-task
    export SLURM_WAIT=${SLURM_WAIT:-120} ;;     # when a rank has died, srun ends those that wait for it after so many seconds
esac
echo "kaon: job $SLURM_JOB_ID, start ${SLURM_RESTART_COUNT:-0}"

time_left() { squeue -h -j "$SLURM_JOB_ID" -o %L; }  # in a form that -t takes; anything else is no limit

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

if [ -n "$SLURM_ARRAY_JOB_ID" ]; then
  # An array of starts: the next one goes on, or is not wanted any more.
  if [ "$code" != 75 ]; then scancel --state=PENDING "$SLURM_ARRAY_JOB_ID"; fi
elif [ "$code" = 75 ]; then
  # Not RUNNING any more: Slurm is ending this job itself (scancel, the time limit), and a requeue would bring it back to life.
  state=$(squeue -h -j "$SLURM_JOB_ID" -o %T)
  if [ "${state:-RUNNING}" = RUNNING ] && scontrol requeue "$SLURM_JOB_ID"; then exit 0; fi
  echo "kaon: not requeued, the job is ${state:-RUNNING}: submit again to go on"
fi
exit "$code"  # 0 finished, 75 stopped with a committed checkpoint; anything else needs a person

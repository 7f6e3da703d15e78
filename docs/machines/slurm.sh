#!/bin/bash
# Runs Kaon under Slurm until it has finished, over as many job starts as that takes. Adapt the #SBATCH lines and the three
# settings below; docs/machines/README.md explains each of them.
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

arguments=(-i "$deck" -d "$run")
# A checkpoint makes it a restart; without one the run starts from the beginning.
if [ -e "$run/checkpoints/latest" ]; then arguments+=(-r latest); fi
# What is left of the job's time limit, in the form that -t takes; nothing when there is no limit.
left=$(squeue -h -j "$SLURM_JOB_ID" -o %L)
case $left in
  *[!0-9:-]* | '') ;;
  *) arguments+=(-t "$left") ;;
esac

echo "kaon: job $SLURM_JOB_ID, start ${SLURM_RESTART_COUNT:-0}, time left ${left:-unknown}: ${arguments[*]}"
$launch "$train" "${arguments[@]}" &
child=$!
# In the background, so that this shell can act on a signal at once; the launcher passes it on to the ranks.
trap 'kill -USR1 $child 2>/dev/null' USR1
trap 'kill -TERM $child 2>/dev/null' TERM

code=0
while :; do
  wait $child
  code=$?
  # A trapped signal ends wait early with a code above 128 while the child still runs.
  if [ $code -le 128 ] || ! kill -0 $child 2>/dev/null; then break; fi
done

# Some launchers lose the ranks' exit code when they get a signal themselves (seen with MPICH 4.0.2's mpiexec).
if [ $code = 0 ] && grep -q '"finished": false' "$run/summary.json"; then code=75; fi

echo "kaon: exit code $code"
case $code in
  75) scontrol requeue "$SLURM_JOB_ID" ;;  # stopped early with a committed checkpoint: go on in the next start
  *) exit $code ;;                         # 0 finished; anything else needs a person
esac

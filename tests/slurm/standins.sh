#!/usr/bin/env bash
# standins.sh SOURCE WORK: slurm.sh, flux.sh and pbs.sh of docs/machines with stand-ins for the schedulers' commands and for
# kaon-train, which record how they were called: what is put back and what is not, the time that is passed on, signals, restarts, lost
# exit codes.
# shellcheck disable=SC2016,SC2317
set -uo pipefail
source=$1 work=$2
unset KAON_TRAIN  # the job scripts would take it for the program
rm -rf "$work"
mkdir -p "$work/bin"
cd "$work" || exit 1
PATH=$work/bin:$PATH
bad=0
checks=0

standin() { # NAME: its body is read from standard input
  { printf '#!/bin/bash\necho "%s $*" >>"$CALLS"\n' "$1"; cat; } >"bin/$1"
  chmod +x "bin/$1"
}
# FAKE is what kaon-train does: a code that it exits with at once; "wait", until a signal stops it in order; "mute", the same, but the
# launcher returns MUTE instead of 75; "dies CODE [HOW]", in the middle of a run, whose summary is then as HOW says. It writes a summary
# when it starts, and an orderly end another one.
standin kaon-train <<'END'
says() { # STATE [CODE]
  mkdir -p run1/checkpoints
  touch run1/checkpoints/step-00000000.h5
  printf '{\n  "state": "%s",\n%s  "start": "%s",\n  "steps": 3\n}\n' "$1" "${2:+  \"exit_code\": $2,
}" "${HIDDEN-$KAON_START_ID}" >run1/summary.json
}
ends() { says "$([ "$1" = 0 ] && echo finished || echo stopped)" "$1"; }
case $FAKE in
  dies*)
    says running
    read -r _ code how <<<"$FAKE"
    case $how in
      empty) : >run1/summary.json ;;
      torn) head -c 60 run1/summary.json >t && mv t run1/summary.json ;;
      none) rm run1/summary.json ;;
      further) touch "run1/checkpoints/step-0$(date +%s).h5"; sleep 1 ;;
    esac
    exit "$code" ;;
  wait | mute)
    trap 'echo "signal USR1" >>"$CALLS"; got=1' USR1
    trap 'echo "signal TERM" >>"$CALLS"; got=1' TERM
    got=
    touch started
    for ((k = 0; k < 600; ++k)); do [ -z "$got" ] || break; sleep 0.05; done
    [ -n "$got" ] || exit 99
    ends 75
    if [ $FAKE = mute ]; then exit "$MUTE"; fi
    exit 75 ;;
  0 | 75) ends "$FAKE"; exit "$FAKE" ;;
  killed-after) ends 0; exit 138 ;;
  failed) says failed 70; exit 1 ;;
  *) exit "$FAKE" ;;
esac
END
standin srun <<'END'
while [ "$1" != kaon-train ]; do shift; done
echo "gpu-aware $MPICH_GPU_SUPPORT_ENABLED" >>"$CALLS"
echo "environment SRUN_CPUS_PER_TASK=$SRUN_CPUS_PER_TASK SLURM_WAIT=$SLURM_WAIT OMP_NUM_THREADS=$OMP_NUM_THREADS" >>"$CALLS"
exec "$@"
END
standin squeue <<'END'
case "$*" in *%L*) echo "$LEFT" ;; *%T*) echo "${STATE-RUNNING}" ;; esac
END
standin scontrol <<<'exit ${REFUSED:-0}'
standin scancel <<<''
standin cmake <<<''
standin mpiexec <<'END'
[ "$1" = -n ] || exit 98
shift 2
exec "$@"
END
standin flux <<'END'
case "$1 $2" in
  "run --ntasks=4") shift 3; exec "$@" ;;
  "job timeleft") echo "$LEFT" ;;
  "--parent batch") exit ${REFUSED:-0} ;;
  *) exit 98 ;;
esac
END
standin qstat <<'END'
printf 'Job Id: 7.host\n    Job_Name = kaon\n    resources_used.walltime = 00:00:00\n    Resource_List.ncpus = 32\n'
[ -z "$LEFT" ] || printf '    Resource_List.walltime = %s\n' "$LEFT"
END
standin qsub <<<'exit ${REFUSED:-0}'
standin qrerun <<<''
printf 'a\na\na\na\n' >nodes

export CALLS=$work/calls FAKE=0 LEFT='' STATE=RUNNING MUTE=0
begin() { # SCHEDULER ASSIGNMENTS...: starts its script in the background
  local name=$1
  shift
  rm -f calls started
  : >calls
  local settings=(KAON_RUN=run1 KAON_DECK=a.deck)
  case $name in
    slurm) settings+=(SLURM_JOB_ID=7 SLURM_CPUS_PER_TASK=3) ;;
    perlmutter | frontier) settings+=(SLURM_JOB_ID=7 SLURM_CPUS_PER_TASK=7 SLURM_NNODES=2 KAON_SOURCE="$source" KAON_TRAIN=kaon-train) ;;
    pbs) settings+=(PBS_JOBID=7.host PBS_O_WORKDIR="$work" PBS_NODEFILE="$work/nodes" KAON_SCRIPT=mine.sh) ;;
  esac
  env "${settings[@]}" "$@" bash "$source/docs/machines/$name.sh" >log 2>&1 &
  script=$!
}
start() { begin "$@"; wait $script; code=$?; }
fresh() { rm -rf run1; }
started() {
  local k
  for ((k = 0; k < 600; ++k)); do [ ! -e started ] || return 0; sleep 0.05; done
  echo "kaon-train did not start"
}
check() { # WHAT COMMAND...
  local what=$1
  shift
  checks=$((checks + 1))
  if ! "$@"; then
    echo "FAILED: $what"
    sed 's/^/    /' calls log
    bad=1
  fi
}
is() { [ "$1" = "$2" ]; }
called() { grep -qE -- "$1" calls; }
not() { ! "$@"; }

declare -A again=([slurm]='^scontrol requeue 7$' [flux]='^flux --parent batch .*/docs/machines/flux.sh$' [pbs]='^qsub -v .* mine.sh$')
for name in slurm flux pbs; do
  stays() { not called "${again[$name]}"; }

  fresh
  start $name FAKE=0
  check "$name: finished is the end" is $code 0
  check "$name: finished is not put back" stays
  check "$name: the first start may begin" called '^kaon-train -i a.deck -d run1 -r auto$'

  for c in 64 65 70 74 2 127; do
    start $name FAKE=$c
    check "$name: $c is passed on, not $code" is $code $c
    check "$name: $c is not put back" stays
  done
  check "$name: a later one says the same" called '^kaon-train -i a.deck -d run1 -r auto$'

  fresh
  start $name FAKE=75
  check "$name: 75 ends the job in order" is $code 0
  check "$name: 75 is put back" called "${again[$name]}"
  check "$name: once" is "$(grep -cE -- "${again[$name]}" calls)" 1

  start $name FAKE=75 REFUSED=1
  check "$name: 75 that cannot be put back stays 75" is $code 75
  check "$name: and the log says so" grep -q 'submit again to go on' log

  begin $name FAKE=wait
  started
  kill -USR1 $script
  wait $script
  code=$?
  check "$name: USR1 reaches the program" called '^signal USR1$'
  check "$name: and 75 is put back" called "${again[$name]}"
  check "$name: in order" is $code 0

  begin $name FAKE=wait STATE=COMPLETING
  started
  kill -TERM $script
  wait $script
  code=$?
  check "$name: TERM reaches the program" called '^signal TERM$'
  check "$name: a job that the scheduler ends is not put back" stays
  check "$name: it stays 75" is $code 75

  # Lost exit codes.
  for lost in 0 138; do
    begin $name FAKE=mute MUTE=$lost
    started
    kill -USR1 $script
    wait $script
    code=$?
    check "$name: 75 is found in the summary when the launcher says $lost" called "${again[$name]}"
  done
  start $name FAKE=killed-after
  check "$name: so is 0" is $code 0
  start $name FAKE=failed
  check "$name: so is an error" is $code 70
  check "$name: which is not put back" stays
  start $name FAKE=0 HIDDEN=
  check "$name: a launcher that hides the environment changes nothing" is $code 0
  start $name FAKE=75
  start $name FAKE=137 KAON_CRASHES=0
  check "$name: an older summary is not believed" is $code 137
  check "$name: nor put back" stays

  # Crashes: no end of this start in the summary, whatever the launcher says.
  for how in '137' '137 empty' '137 torn' '137 none' '9' '0' '0 empty' '0 torn' '0 none' '75'; do
    fresh
    start $name FAKE="dies $how"
    check "$name: dies $how: put back" called "${again[$name]}"
    check "$name: dies $how: and said" grep -q 'kaon: exit code [1-9][0-9]*, a crash' log
    start $name FAKE="dies $how" KAON_CRASHES=0
    check "$name: dies $how: not put back without leave" stays
    check "$name: dies $how: no success" not is $code 0
    check "$name: dies $how: nor a stop" not is $code 75
  done
  fresh
  for k in 1 2 3; do
    start $name FAKE='dies 137'
    check "$name: crash $k is put back" called "${again[$name]}"
  done
  start $name FAKE='dies 137'
  check "$name: the fourth without progress is not" stays
  check "$name: it is the end" is $code 137
  for k in 1 2 3 4; do
    start $name FAKE='dies 137 further'
    check "$name: a crash after a new checkpoint is put back, $k" called "${again[$name]}"
  done
  start $name FAKE='dies 137' KAON_CRASHES=2
  check "$name: the limit can be set" called "${again[$name]}"
  start $name FAKE=75
  start $name FAKE='dies 137' KAON_CRASHES=1
  check "$name: an orderly stop forgives" called "${again[$name]}"
  start $name FAKE='dies 137' KAON_CRASHES=1
  check "$name: and is needed" stays
  fresh
  start $name FAKE=137
  check "$name: a crash before there is a run folder is not put back" stays
done

# The time that is left.
start slurm LEFT=1-02:03:04
check "slurm: squeue's time is passed on" called ' -t 1-02:03:04$'
start slurm LEFT=UNLIMITED
check "slurm: no limit, no -t" not called ' -t '
start flux LEFT=7200
check "flux: timeleft is passed on" called ' -t 7200$'
start flux LEFT=4294967295
check "flux: no limit, no -t" not called ' -t '
start pbs LEFT=100:00:00
seconds=$(sed -n 's/^kaon-train .* -t //p' calls)
check "pbs: the limit less the reserve, not $seconds" test "${seconds:-0}" -le 359940 -a "${seconds:-0}" -ge 359800
start pbs LEFT=00:00:30
check "pbs: less than the reserve is still a time" called ' -t 1$'
start pbs LEFT=
check "pbs: no limit, no -t" not called ' -t '

# What only one of them has.
start slurm FAKE=0
check "slurm: srun is told the CPUs and how long to wait for the others" \
  called '^environment SRUN_CPUS_PER_TASK=3 SLURM_WAIT=120 OMP_NUM_THREADS=3$'
start slurm FAKE=75 SLURM_ARRAY_JOB_ID=6
check "slurm: in an array 75 stays 75" is $code 75
check "slurm: the next start of the array goes on" not called '^(scontrol|scancel)'
start slurm FAKE='dies 137' SLURM_ARRAY_JOB_ID=6
check "slurm: after a crash too" not called '^(scontrol|scancel)'
check "slurm: with the code" is $code 137
for c in 0 65; do
  start slurm FAKE=$c SLURM_ARRAY_JOB_ID=6
  check "slurm: $c ends the array" called '^scancel --state=PENDING 6$'
  check "slurm: with $c" is $code $c
done
start slurm FAKE=75 STATE=
check "slurm: a squeue without an answer does not stop a run" called '^scontrol requeue 7$'
start pbs FAKE=75 KAON_AGAIN=qrerun
check "pbs: qrerun" called '^qrerun 7.host$'
start pbs FAKE=75 KAON_START=4
check "pbs: the next start has the settings" called '^qsub -v .*KAON_DECK=a.deck,KAON_RUN=run1,.*KAON_START=5'
for name in flux pbs; do
  start $name FAKE=75 KAON_AGAIN=none
  check "$name: none leaves it to a chain of jobs" not called "${again[$name]}"
  check "$name: with 75" is $code 75
done

# The sites: their own lines, and slurm.sh.
module() { echo "module $*" >>"$CALLS"; }
export -f module
declare -A launched=([perlmutter]='^srun --ntasks=8 --gpus-per-node=4 --gpu-bind=none kaon-train '
  [frontier]='^srun --ntasks=16 --gpus-per-task=1 --gpu-bind=closest kaon-train ')
declare -A preset=([perlmutter]=cuda [frontier]=hip)
for name in perlmutter frontier; do
  fresh
  start $name FAKE=75 LEFT=1:00:00
  check "$name: modules" called '^module load .*craype-accel-'
  check "$name: devices of a rank" called "${launched[$name]}"
  check "$name: the time is passed on" called '^kaon-train .* -t 1:00:00$'
  check "$name: messages from the devices" called '^gpu-aware 1$'
  check "$name: 75 is put back" called '^scontrol requeue 7$'
  start $name FAKE=65
  check "$name: 65 is not" not called '^scontrol'
  check "$name: but passed on" is $code 65

  : >calls
  KAON_SOURCE=$source KAON_PREFIX=/a\;/b "$source/docs/machines/$name.sh" build >log 2>&1
  check "$name: build configures the preset" called "^cmake --preset ${preset[$name]} .*-DCMAKE_PREFIX_PATH=/a;/b"
  check "$name: and builds it" called "^cmake --build --preset ${preset[$name]} "
  check "$name: and starts nothing" not called '^(srun|kaon-train)'
  : >calls
  KAON_SOURCE=$source "$source/docs/machines/$name.sh" build >log 2>&1
  check "$name: without a prefix nothing is built" not called '^cmake'
done

# One start is the same everywhere.
one_start() { sed -n '/^# --- one start/,/^# --- end of the start/p' "$source/docs/machines/$1.sh"; }
check "slurm.sh has the lines of a start" test "$(one_start slurm | wc -l)" -gt 30
for name in flux pbs; do check "$name.sh has the lines of slurm.sh" is "$(one_start $name)" "$(one_start slurm)"; done

echo "$checks checks"
exit $bad

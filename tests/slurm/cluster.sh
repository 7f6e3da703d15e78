# shellcheck shell=bash
# Sourced by tests: a Slurm of one node that belongs to one test alone. Its munge key and socket, its ports and its state are its
# own, so nothing of the system is touched and several can run side by side. It needs no root. Its daemons are children of the shell
# that starts them and die with it, whatever ends that; guard.sh sees to their jobs.
cluster=
daemons=()

# Why there can be no cluster here; nothing when there can be one.
cluster_reason() {
  local program
  PATH=$PATH:/usr/sbin:/sbin
  for program in munged mungekey slurmctld slurmd sbatch srun scontrol setpriv; do
    command -v $program >/dev/null || { echo "there is no $program (Debian: slurm-wlm munge)"; return; }
  done
}

daemon() { # NAME ARGUMENTS...
  setpriv --pdeathsig KILL "$@" </dev/null >"$cluster/$1.log" 2>&1 &
  daemons+=($!)
}
alive() {
  local pid
  for pid in "${daemons[@]}"; do kill -0 "$pid" 2>/dev/null || return 1; done
}

# Waits until the node is idle; false, with the logs, when it never is. Exports SLURM_CONF.
cluster_start() {
  local host port try
  host=$(hostname -s)
  cluster=$(mktemp -d /tmp/kaon-slurm.XXXXXX) || return 1  # short: the path of a socket has 107 letters at most
  mkdir "$cluster/ctld" "$cluster/d"
  chmod 755 "$cluster"
  mungekey -c -f -k "$cluster/key"
  # Forked twice, so that ctest, which kills a test with its children at the time limit, does not find it.
  (setsid "$(dirname "${BASH_SOURCE[0]}")/guard.sh" $$ "$cluster" </dev/null >/dev/null 2>&1 &)
  export SLURM_CONF=$cluster/slurm.conf
  for ((try = 0; try < 20; ++try)); do
    port=$((20000 + (BASHPID * 7 + try * 131) % 10000))
    if ! (: >"/dev/tcp/127.0.0.1/$port" || : >"/dev/tcp/127.0.0.1/$((port + 1))") 2>/dev/null; then break; fi
  done
  # cred_expire is also how long a requeued job waits (the default is 120 s); the node has more CPUs than the machine may have, so
  # that jobs do not wait for each other.
  cat >"$SLURM_CONF" <<END
ClusterName=kaon
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$cluster/munge.socket,cred_expire=10
MpiDefault=pmi2
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
StateSaveLocation=$cluster/ctld
SlurmdSpoolDir=$cluster/d
SlurmctldPidFile=$cluster/slurmctld.pid
SlurmdPidFile=$cluster/slurmd.pid
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2
SlurmdParameters=config_overrides
KillWait=10
NodeName=$host NodeAddr=127.0.0.1 CPUs=16 RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP
END
  daemon munged -F --key-file="$cluster/key" --socket="$cluster/munge.socket" --pid-file="$cluster/munged.pid" \
    --log-file="$cluster/munge.log" --seed-file="$cluster/munge.seed" --num-threads=1
  until [ -S "$cluster/munge.socket" ] || ! alive; do sleep 0.1; done
  daemon slurmctld -D -c
  daemon slurmd -D -c
  for ((try = 0; try < 600; ++try)); do
    if [ "$(sinfo -h -o %T 2>/dev/null)" = idle ]; then return 0; fi
    alive || break
    sleep 0.1
  done
  echo "the cluster did not come up:"
  tail -n 20 "$cluster"/*.log
  return 1
}

# Cancels what still runs, ends the daemons, and what they may have left.
cluster_stop() {
  local try pid
  [ -n "$cluster" ] || return 0
  scancel --quiet --user="$(id -un)" 2>/dev/null
  for ((try = 0; try < 200; ++try)); do
    [ -n "$(squeue -h 2>/dev/null)" ] || break
    sleep 0.1
  done
  kill "${daemons[@]}" 2>/dev/null
  wait "${daemons[@]}" 2>/dev/null
  for pid in $(cluster_processes); do kill -KILL "$pid" 2>/dev/null; done
  rm -rf "$cluster"
  cluster=
}

# What the cluster started, and what that started: all of it knows the cluster by SLURM_CONF. (The caller does not: it exports that
# after its own start.)
cluster_processes() (
  conf=$SLURM_CONF
  unset SLURM_CONF
  grep -lzxF "SLURM_CONF=$conf" /proc/[0-9]*/environ 2>/dev/null | tr -dc '0-9\n'
)

# job FIELD ID: a field of `scontrol show job`, e.g. JobState, Restarts, ExitCode.
job() { scontrol show job -o "$2" 2>/dev/null | grep -o -m 1 "\b$1=[^ ]*" | head -n 1 | cut -d= -f2-; }

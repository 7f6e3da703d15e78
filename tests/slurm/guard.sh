#!/usr/bin/env bash
# guard.sh PID FOLDER: waits until the test with that pid has gone, whatever ended it, and clears away what its cluster left.
. "$(dirname "${BASH_SOURCE[0]}")/cluster.sh"
while kill -0 "$1" 2>/dev/null; do sleep 1; done
SLURM_CONF=$2/slurm.conf
for _ in 1 2 3; do  # what is killed may have been starting something
  for pid in $(cluster_processes); do kill -KILL "$pid" 2>/dev/null; done
done
rm -rf "$2"

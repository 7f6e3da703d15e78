#!/usr/bin/env bash
# launch.sh [SSH OPTIONS] HOST COMMAND...: what mpiexec takes for ssh. Runs the command in the network namespace that has the address
# HOST, where ssh would have gone to another machine. $KAON_NETWORK is the namespaces' common name.
while [[ ${1:-} == -* ]]; do shift; done
host=${1:?launch.sh: no host}
shift
space=$KAON_NETWORK-${host##*.}
if [ ! -e "/run/netns/$space" ]; then
  echo "launch.sh: error: there is no network namespace '$space' for the host $host" >&2
  kill -TERM "$PPID" # mpiexec, which would wait for this host for ever
  exit 69
fi
exec ip netns exec "$space" sh -c "$*" # like ssh: one string for the shell, which mpiexec has quoted for it

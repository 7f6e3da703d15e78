#!/usr/bin/env bash
# usage.sh SOURCE: slow_network.sh refuses what it cannot do with 64 before it makes anything, and names the cure.
set -uo pipefail
script=$1/apps/network/slow_network.sh
bad=0
refuses() { # EXPECTED TEXT, ARGUMENTS...
  local expected=$1 said code
  shift
  said=$("$script" "$@" 2>&1)
  code=$?
  if [ $code != 64 ] || [[ $said != *"$expected"* ]]; then
    echo "slow_network.sh $*: expected 64 and '$expected', got $code and: $said"
    bad=1
  fi
}
refuses "unknown argument '--rate'" --rate 1gbit
refuses "--rates needs a value" --rates
refuses "not '10'" --rates 1gbit,10
refuses "not '1gbit;x'" --rates '1gbit;x'
refuses "--ranks takes 2, 3 and 4, not '5'" --ranks 2,5
refuses "not 'dense'" --messages dense
refuses "takes a whole number, not '-3'" --steps -3
refuses "--window takes at least 1" --window 0
refuses "not 'low'" --target low
[[ $("$script" --help) == *--topologies* ]] || { echo "--help does not list the options"; bad=1; }
exit $bad

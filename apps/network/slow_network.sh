#!/usr/bin/env bash
# Trains over a slow network that this script makes: 2 to 4 network namespaces of this machine, joined by rate-limited links, and an MPI
# job over TCP between them. Prints what the link gives, then a Markdown table. Everything it makes is removed when it ends.
#
#   sudo bash apps/network/slow_network.sh --help
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

usage() {
  cat <<'HELP'
usage: slow_network.sh [options] [-- section.key=value ...]

  --rates LIST        of each link and direction, as tc writes them (default: 100mbit; e.g. 10gbit,1gbit,100mbit)
  --ranks LIST        numbers of ranks, one namespace each: 2, 3, 4 (default: 4)
  --topologies LIST   values of the key exchange.topology; without this option the deck's own
  --messages LIST     compressed, uncompressed (default: both); uncompressed is the same deck with every compressor identity
  --deck FILE         (default: input/gpt-network.deck)
  --steps N           of every run (default: the deck's)
  --target LOSS       training loss whose time is told (default: the lowest smoothed loss that all runs reached)
  --window N          steps that the loss is smoothed over (default: 20)
  --skip N            first steps left out of the seconds per step (default: 5)
  --directory DIR     results (default: kaon-network); must not exist
  --build DIR         where apps/kaon-train and apps/kaon-link were built (default: $KAON_BUILD, else build/openmp)
  --check             only tells whether this machine permits such a network
  --help

What follows -- goes to kaon-train. Data files of the deck are relative to the working folder; the default
deck reads gcide.txt: zcat /usr/share/dictd/gcide.dict.dz >gcide.txt (apt-get install dict-gcide).
Exit codes: 0 done; 64 command line; 69 namespaces, programs or tools are missing (the message says which); 70 the traffic does not cross
the slow link; 130, 143 interrupted; else the exit code of the job that failed.
HELP
}
say() { printf 'network: %s\n' "$*" >&2; }
die() { local code=$1; shift; printf 'slow_network.sh: error: %s\n' "$*" >&2; exit "$code"; }
number() { case $2 in '' | *[!0-9]* | 0?*) die 64 "$1 takes a whole number, not '$2'" ;; esac; }

rates=100mbit ranks=4 topologies='' messages=compressed,uncompressed deck=$root/input/gpt-network.deck steps='' target='' window=20 skip=5
directory=kaon-network build=${KAON_BUILD:-$root/build/openmp} check=''
while [ $# -gt 0 ]; do
  case $1 in
    --rates | --ranks | --topologies | --messages | --deck | --steps | --target | --window | --skip | --directory | --build)
      [ $# -ge 2 ] || die 64 "$1 needs a value; --help lists the options"
      printf -v "${1#--}" %s "$2"
      shift 2 ;;
    --check) check=1; shift ;;
    --help | -h) usage; exit 0 ;;
    --) shift; break ;;
    *) die 64 "unknown argument '$1'; --help lists the options, and keys of the deck come after --" ;;
  esac
done
overrides=("$@")
export KAON_NETWORK=kaon-$$
# shellcheck source=apps/network/namespaces.sh
. "$here/namespaces.sh"
IFS=, read -r -a rates <<<"$rates"
IFS=, read -r -a ranks <<<"$ranks"
IFS=, read -r -a messages <<<"$messages"
IFS=, read -r -a topologies <<<"${topologies:--}"
for r in "${rates[@]}"; do
  [[ $r =~ ^[1-9][0-9]{0,5}(kbit|mbit|gbit)$ ]] || die 64 "a rate is a whole number and kbit, mbit or gbit, as 100mbit; not '$r'"
done
for r in "${ranks[@]}"; do case $r in 2 | 3 | 4) ;; *) die 64 "--ranks takes 2, 3 and 4, not '$r'" ;; esac; done
for m in "${messages[@]}"; do
  case $m in compressed | uncompressed) ;; *) die 64 "--messages takes compressed and uncompressed, not '$m'" ;; esac
done
[ -z "$steps" ] || number --steps "$steps"
number --window "$window"
[ "$window" -gt 0 ] || die 64 "--window takes at least 1"
number --skip "$skip"
[ -z "$target" ] || [[ $target =~ ^[0-9]+(\.[0-9]+)?$ ]] || die 64 "--target takes a loss, as 1.75; not '$target'"

missing=$(network_missing) || die 69 "$missing"
command -v mpiexec >/dev/null || die 69 "there is no mpiexec; cure: apt-get install mpich"
[[ $(mpiexec --version 2>/dev/null) == *HYDRA* ]] || die 69 "mpiexec is not MPICH's, whose options this script needs; cure: apt-get install mpich"
command -v python3 >/dev/null || die 69 "there is no python3, which prints the table; cure: apt-get install python3"
train=$build/apps/kaon-train link=$build/apps/kaon-link
for p in "$train" "$link"; do
  [ -x "$p" ] || die 69 "$p is not built; cure: cmake --build $build --target kaon_train kaon_link, or --build DIR"
done
[ -z "$check" ] || { say "this machine permits it"; exit 0; }
[ ! -e "$directory" ] || die 64 "$directory exists; cure: --directory with another name, or remove it"
[ -z "$steps" ] || overrides+=("run.steps=$steps")
resolved=$("$train" -n -i "$deck" "${overrides[@]}") || exit
dense=()
while read -r group; do dense+=("group.$group.uplink=identity" "group.$group.downlink=identity"); done \
  < <(sed -n 's/^\[group\.\(.*\)\]$/\1/p' <<<"$resolved")

export KAON_TRAIN=$train # environment.sh asks it for its BLAS
# shellcheck source=/dev/null
. "$root/apps/environment.sh"
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
# TCP over the namespaces' interface and nothing else: no shared memory between ranks that share this machine.
export UCX_TLS=tcp,self UCX_NET_DEVICES=kaon0 MPIR_CVAR_NOLOCAL=1
# A rendezvous's reply would wait behind the data of the other direction in the same TCP stream: half the rate when both send. That
# would flatter compression, whose messages are too small for a rendezvous.
export UCX_RNDV_THRESH=${UCX_RNDV_THRESH:-inf}
mkdir -p "$directory"

leave() {
  trap '' INT TERM HUP
  network_remove
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

job() { # RANKS COMMAND...: one rank per namespace; mpiexec itself is in the first
  local n=$1 pid code=0
  shift
  ip netns exec "$KAON_NETWORK-1" mpiexec -launcher ssh -launcher-exec "$here/launch.sh" -iface kaon0 \
    -hosts "$(seq -s , -f 10.77.0.%g 1 "$n")" -n "$n" -ppn 1 "$@" </dev/null &
  pid=$!
  wait $pid || code=$? # in the background, so that a signal is acted upon at once
  return $code
}

prove() { # RANKS RATE: measures the link; sets mbit and latency
  local nominal m
  job "$1" "$link" >"$directory/link.txt" || die $? "kaon-link failed"
  said() { sed -n "s/^$1 //p" "$directory/link.txt"; }
  mbit=$(said one_way_mbit) latency=$(said latency_us)
  nominal=$(($(network_bits "$2") / 1000)) # in kbit/s
  say "$2 between $1 ranks: $mbit Mbit/s one way, $(said both_ways_mbit) in both at once, latency $latency us"
  for m in "$(said one_way_mbit_fastest)" "$(said both_ways_mbit_fastest)"; do
    awk -v m="$m" -v n="$nominal" 'BEGIN { exit !(m * 1000 < n * 1.25) }' ||
      die 70 "$m Mbit/s were measured on a link of $2: the messages do not cross it"
  done
}

run() { # RANKS RATE TOPOLOGY MESSAGES
  local name=$2-$1-$4 extra=() before after code=0 wire
  [ "$3" = - ] || { name=$2-$1-$3-$4; extra+=("exchange.topology=$3"); }
  [ "$4" = compressed ] || extra+=("${dense[@]}")
  say "$name: training"
  before=$(network_bytes "$1")
  job "$1" "$train" -i "$deck" -d "$directory/$name" "${overrides[@]}" "${extra[@]}" >"$directory/$name.log" 2>&1 || code=$?
  [ $code = 0 ] || { tail -n 5 "$directory/$name.log" >&2; die $code "$name: kaon-train ended with $code; all it said is in $directory/$name.log"; }
  after=$(network_bytes "$1")
  wire=$(sed -n '1p;$p' "$directory/$name/metrics.csv" | awk -F, 'NR == 1 { for (i = 1; i <= NF; ++i) at[$i] = i } NR == 2 { printf "%.0f", $at["wire_up"] + $at["wire_down"] }')
  [ $((after - before)) -ge "$wire" ] || die 70 "$name: $wire bytes were given to MPI, but only $((after - before)) crossed the links"
  say "$name: $(tail -n 1 "$directory/$name/metrics.csv" | cut -d, -f1) steps, $wire bytes given to MPI, $((after - before)) through the links"
  printf '%s\t' "$2" "$mbit" "$latency" "$1" "$3" "$4" "$name" >>"$directory/runs.tsv"
  printf '%s\n' $((after - before)) >>"$directory/runs.tsv"
}

for r in "${ranks[@]}"; do
  for rate in "${rates[@]}"; do
    network_make "$r" "$rate"
    prove "$r" "$rate"
    for topology in "${topologies[@]}"; do
      for m in "${messages[@]}"; do run "$r" "$rate" "$topology" "$m"; done
    done
    network_remove
  done
done
arguments=(--skip "$skip" --window "$window")
[ -z "$target" ] || arguments+=(--target "$target")
python3 -B "$here/table.py" "$directory" "${arguments[@]}" | tee "$directory/table.md"

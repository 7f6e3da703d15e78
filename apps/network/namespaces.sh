# Sourced: network namespaces of this process, joined by rate-limited links. Every name begins with $KAON_NETWORK.
#
#   2 nodes:  node 1 --- node 2            a veth pair, limited at both ends
#   3, 4:     node k --- switch            a veth pair per node, limited at both ends; a bridge in a namespace of its own
#
# Addresses 10.77.0.k exist inside the namespaces alone; the interface is kaon0 in each node.

# Prints why namespaces cannot be made here and returns 1; makes nothing that stays.
network_missing() {
  { command -v ip && command -v tc; } >/dev/null || { echo "there is no 'ip' or 'tc'; cure: apt-get install iproute2"; return 1; }
  [ "$(id -u)" = 0 ] || { echo "network namespaces need root; cure: sudo, or a container with CAP_NET_ADMIN and CAP_SYS_ADMIN"; return 1; }
  local probe=$KAON_NETWORK-probe said
  said=$(ip netns add "$probe" 2>&1) ||
    { echo "network namespaces are not permitted here ($said); cure: a machine, or a container with CAP_SYS_ADMIN"; return 1; }
  said=$({ ip -n "$probe" link add kaon0 type veth peer name kaon1 && ip -n "$probe" link add kaon2 type bridge &&
    tc -n "$probe" qdisc add dev kaon0 root tbf rate 1gbit burst 64kb latency 50ms && ip netns exec "$probe" true; } 2>&1) ||
    { ip netns del "$probe"
      echo "this kernel lacks veth, bridge or tbf ($said); cure: modprobe veth bridge sch_tbf"; return 1; }
  ip netns del "$probe"
}

network_bits() { # RATE: bits a second
  case $1 in
    *gbit) echo $((${1%gbit} * 1000000000)) ;;
    *mbit) echo $((${1%mbit} * 1000000)) ;;
    *kbit) echo $((${1%kbit} * 1000)) ;;
    *) return 1 ;;
  esac
}

# Bytes that the limiter lets through at once: what the rate sends in a millisecond, and at least one 64 KiB segment.
network_burst() { # RATE
  local bytes=$(($(network_bits "$1") / 8000))
  echo $((bytes > 65536 ? bytes : 65536))
}

network_limit() { # NAMESPACE DEVICE RATE
  tc -n "$1" qdisc replace dev "$2" root tbf rate "$3" burst "$(network_burst "$3")" latency 50ms
}

network_make() { # NODES RATE
  local nodes=$1 rate=$2 k space far=$KAON_NETWORK-switch
  for ((k = 1; k <= nodes; k++)); do ip netns add "$KAON_NETWORK-$k"; done
  if ((nodes == 2)); then
    ip link add kaon0 netns "$KAON_NETWORK-1" type veth peer name kaon0 netns "$KAON_NETWORK-2"
  else
    ip netns add "$far"
    ip -n "$far" link add bridge type bridge
    ip -n "$far" link set bridge up
  fi
  for ((k = 1; k <= nodes; k++)); do
    space=$KAON_NETWORK-$k
    if ((nodes > 2)); then
      ip link add kaon0 netns "$space" type veth peer name "port$k" netns "$far"
      network_limit "$far" "port$k" "$rate"
      ip -n "$far" link set "port$k" master bridge up
    fi
    network_limit "$space" kaon0 "$rate"
    ip -n "$space" link set lo up
    ip -n "$space" addr add "10.77.0.$k/24" dev kaon0
    ip -n "$space" link set kaon0 up
    # Most systems' congestion control. By the route, because a namespace may not choose it as its default.
    ip -n "$space" route replace 10.77.0.0/24 dev kaon0 scope link src "10.77.0.$k" congctl cubic 2>/dev/null ||
      echo "network: no TCP cubic here; the system's default stays" >&2
  done
}

# Bytes that all nodes have sent through their interfaces.
network_bytes() { # NODES
  local k sum=0
  for ((k = 1; k <= $1; k++)); do
    sum=$((sum + $(ip netns exec "$KAON_NETWORK-$k" cat /sys/class/net/kaon0/statistics/tx_bytes)))
  done
  echo $sum
}

# Ends what still runs in the namespaces (kaon-train saves on TERM, so it gets time) and removes them.
network_remove() {
  local space spaces try
  spaces=$(ip netns list 2>/dev/null | awk -v p="$KAON_NETWORK-" 'index($1, p) == 1 { print $1 }')
  for try in TERM $(seq 20) KILL; do
    # shellcheck disable=SC2046
    set -- $(for space in $spaces; do ip netns pids "$space" 2>/dev/null; done)
    [ $# -gt 0 ] || break
    case $try in TERM | KILL) kill "-$try" "$@" 2>/dev/null || true ;; *) sleep 0.5 ;; esac
  done
  for space in $spaces; do ip netns del "$space" || true; done
}

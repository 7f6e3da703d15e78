#!/usr/bin/env bash
# What this build of Kaon does on this machine. Needs nothing but bash and coreutils (and a driver and the CUDA
# libraries, for a GPU).
#
#   bash run.sh [LIMIT_SECONDS] [PART...]       default: 540 s, all parts
#
# Parts, in this order: device suites ranks bits demo figures network sanitizer. Each has a share of the time, and what those before
# it left of theirs; what does not fit is named and left out. The last lines count what passed, failed and was left out; everything
# that was printed by programs is in LOG (KAON_BUNDLE_LOG, default: bundle.log beside this file). Exit code 0 if nothing failed, 1
# otherwise.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
limit=${1:-540}
[ $# -gt 0 ] && shift
parts=${*:-device suites ranks bits demo figures network sanitizer}
# Of 540 s; unpacking comes first and has 15.
share() {
  case $1 in
    device) echo 10 ;;
    suites) echo 150 ;;
    ranks) echo 60 ;;
    bits) echo 60 ;;
    demo) echo 15 ;;
    figures) echo 90 ;;
    network) echo 50 ;;
    sanitizer) echo 90 ;;
    *) return 1 ;;
  esac
}
granted=15 whole=15
for part in $parts; do
  seconds=$(share "$part") || { echo "no part '$part'; there are device suites ranks bits demo figures network sanitizer" >&2; exit 64; }
  whole=$((whole + seconds))
done
began=$(date +%s)
until=$limit
work=$(mktemp -d)
log=${KAON_BUNDLE_LOG:-$here/bundle.log}
: >"$log"
passed=0 failed=0 skipped=0
trap 'rm -rf "$work"' EXIT
trap 'echo "stopped by a signal after $(spent) s"; finish; exit 1' INT TERM

spent() { echo $(($(date +%s) - began)); }
left() { echo $((until - 3 - $(spent))); }
say() { printf '%s\n' "$*" | tee -a "$log"; }
pass() { passed=$((passed + 1)); say "[$(spent) s] ok       $*"; }
fail() { failed=$((failed + 1)); say "[$(spent) s] FAILED   $*"; }
skip() { skipped=$((skipped + 1)); say "[$(spent) s] left out $*"; }
finish() { say "bundle $(cat "$here/version"): $passed passed, $failed failed, $skipped left out, $(spent) s"; }

# attempt SECONDS COMMAND...: runs it for so long, or for what is left of its part's share; its output is in $work/out and the log. 124:
# not done in so many seconds; 125: the end of the share came first.
attempt() {
  local share=$1 rest cut=
  shift
  rest=$(left)
  [ "$share" -le "$rest" ] || { share=$rest cut=1; }
  if [ "$share" -lt 2 ]; then
    : >"$work/out"
    return 125
  fi
  { printf '\n$ %s\n' "$*"; } >>"$log"
  timeout -k 5 "$share" "$@" >"$work/out" 2>&1 </dev/null
  local code=$?
  if [ -n "$cut" ] && { [ $code = 124 ] || [ $code = 137 ]; }; then code=125; fi
  cat "$work/out" >>"$log"
  return $code
}

# check SECONDS NAME COMMAND...: one line of the report.
check() {
  local share=$1 name=$2 start code
  shift 2
  start=$(date +%s)
  attempt "$share" "$@"
  code=$?
  case $code in
    0) pass "$name ($(($(date +%s) - start)) s) $(grep -c '^\[       OK' "$work/out" | sed 's/^0$//;s/$/ tests/;s/^ tests$//')" ;;
    124 | 137) fail "$name: not done in $share s" ;;
    125) skip "$name: no time left" ;;
    *)
      fail "$name: exit code $code"
      { grep -a '^\[  FAILED  \]' "$work/out" | sort -u | head -n 30
        grep -a -B1 -A6 ': Failure$' "$work/out" | head -n 40
        tail -n 6 "$work/out"; } | cut -c1-220 | awk '!seen[$0]++' | sed 's/^/    /' ;;
  esac
  return $code
}

# suite SECONDS FILTER NAME COMMAND...: check for a GoogleTest program. A test that kills it, or after which the device answers nothing but
# errors, is named, and the tests behind it get a process of their own.
suite() {
  local share=$1 filter=$2 name=$3 start code tests=0 bad='' again=0 culprit
  shift 3
  start=$(date +%s)
  while :; do
    attempt "$share" "$@" --gtest_color=no --gtest_filter="$filter"
    code=$?
    [ $code = 125 ] && [ -z "$bad" ] && { skip "$name: no time left"; return; }
    tests=$((tests + $(grep -ac '^\[       OK' "$work/out")))
    if [ $code = 0 ] || [ $code = 124 ] || [ $code = 125 ] || [ $code = 137 ]; then break; fi
    if [ $code = 1 ] && ! grep -aq 'cudaError' "$work/out"; then break; fi
    culprit=$(awk '/^\[ RUN      \]/ {t = $4} /cudaError/ {exit} END {print t}' "$work/out")
    say "    $name: exit code $code in ${culprit:-nothing}"
    { grep -a -m 3 'cudaError\|terminate\|what()\|rror:' "$work/out" || tail -n 4 "$work/out"; } | cut -c1-260 | sed 's/^/      /' | tee -a "$log"
    bad="$bad $culprit"
    again=$((again + 1))
    [ -n "$culprit" ] && [ $again -lt 8 ] || break
    # Neither the culprit nor what ran before it.
    if [ "$filter" = '*' ]; then filter='-'; else filter=$filter:; fi
    filter=$filter$(awk -v last="$culprit" '/^\[ RUN      \]/ {printf "%s%s", n++ ? ":" : "", $4; if ($4 == last) exit}' "$work/out")
  done
  if [ $code = 0 ] && [ -z "$bad" ]; then
    pass "$name: $tests tests ($(($(date +%s) - start)) s)"
    return
  fi
  if [ $code = 124 ] || [ $code = 137 ]; then
    fail "$name: $tests tests pass;$bad not done in $share s, in $(awk '/^\[ RUN      \]/ {t = $4} END {print t}' "$work/out")"
  else
    fail "$name: $tests tests pass; fail:$bad"
  fi
  { grep -a '^\[  FAILED  \].*(' "$work/out" | head -n 30
    grep -a -A7 ': Failure$' "$work/out" | head -n 60; } | cut -c1-200 | sed 's/^/    /'
}

# The bundle's own copies, unpacked where they were compressed.
mkdir -p "$work/run"
cp -r "$here"/bin "$here"/lib "$here"/tests "$here"/decks "$work/run/"
chmod +x "$work/run/bin/xz"
find "$work/run" -name '*.xz' -print0 | LD_LIBRARY_PATH=$work/run/lib xargs -0 -r -n 1 -P 4 "$work/run/bin/xz" -d ||
  { echo "unpacking failed"; exit 1; }
chmod +x "$work"/run/bin/* "$work"/run/tests/* 2>/dev/null
ln -s mpiexec.hydra "$work/run/bin/mpiexec" 2>/dev/null
toolkit=
for folder in /usr/local/cuda/lib64 /usr/local/cuda/targets/x86_64-linux/lib /usr/local/cuda-*/lib64 /usr/local/nvidia/lib64 /usr/lib/x86_64-linux-gnu; do
  if compgen -G "$folder/libcudart.so*" >/dev/null; then toolkit=$toolkit:$folder; fi
done
libraries=$work/run/lib$toolkit
PATH=$work/run/bin:$PATH
cores=$(env -u OMP_NUM_THREADS nproc)
export OMP_PROC_BIND=false OMP_WAIT_POLICY=passive OMP_NUM_THREADS=${OMP_NUM_THREADS:-$((cores < 4 ? cores : 4))} OPENBLAS_NUM_THREADS=1
export UCX_TLS=${UCX_TLS:-self,sm} UCX_LOG_LEVEL=${UCX_LOG_LEVEL:-error} HYDRA_IFACE=${HYDRA_IFACE:-lo}
# Programs see the bundle's libraries; the machine's own tools do not.
with() { LD_LIBRARY_PATH=$libraries "$@"; }
kaon() { # PROGRAM ARGUMENTS...
  local program=$1
  shift
  env LD_LIBRARY_PATH="$libraries" "$work/run/$program" "$@"
}
ranks() { # N PROGRAM ARGUMENTS...
  local n=$1 program=$2
  shift 2
  env LD_LIBRARY_PATH="$libraries" "$work/run/bin/mpiexec.hydra" -launcher fork -n "$n" "$work/run/$program" "$@"
}
export work libraries
export -f kaon ranks
have() { [ -x "$work/run/$1" ]; }
wanted() { # PART: whether it was asked for; what follows has until the end of its share
  case " $parts " in *" $1 "*) ;; *) return 1 ;; esac
  granted=$((granted + $(share "$1")))
  until=$((limit * granted / whole))
}

# Where programs cannot start, or find no device, nothing else can be shown.
refused() {
  skip "everything else: $1"
  finish
  exit 1
}

if wanted device; then
  say "== device and versions (bundle $(cat "$here/version"), limit $limit s)"
  if command -v nvidia-smi >/dev/null; then
    nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.sm,clocks.mem --format=csv,noheader 2>&1 | tee -a "$log"
  else
    say "no nvidia-smi"
  fi
  say "$(uname -sr); $cores cores; $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
  for library in libcudart libcublas libcusolver; do
    say "$library: $(ls ${toolkit//:/ } 2>/dev/null | grep "^$library\.so\.[0-9.]*$" | sort -u | tail -n 1)"
  done
fi

missing=$(for f in "$work"/run/bin/kaon-* "$work"/run/tests/* "$work"/run/bin/*hydra*; do with ldd "$f" 2>&1 | grep 'not found\|version .* not'; done | sort -u)
if [ -n "$missing" ]; then
  fail "shared libraries: $missing"
  case $missing in
    *libcuda.so*) refused "no NVIDIA driver on this machine" ;;
    *) refused "programs do not start here" ;;
  esac
fi
pass "every shared library is found"
check 60 "Kokkos starts" env LD_LIBRARY_PATH="$libraries" "$work/run/tests/kaon_unit_core" --gtest_list_tests
case $? in
  0 | 125) ;;
  *) refused "no device that Kokkos can use" ;;
esac
if check 60 "kaon-train --version" bash -c 'kaon bin/kaon-train --version'; then sed 's/^/    /' "$work/out"; fi

if wanted suites; then
  say "== suites"
  cd "$work" || exit 1
  # Host back ends are tested where the build is made: here the device's, in unit.compress without six tests that launch most of its
  # kernels.
  # Documents are compared with sources, which are not here.
  everything='-Docs.*:AddACompressor.TheDocument*'
  device=$everything
  if with ldd "$work/run/tests/kaon_unit_compress" 2>/dev/null | grep -q libcudart; then
    device=$everything:*Serial.*:*OpenMP.*
  fi
  for file in "$work"/run/tests/kaon_portability "$work"/run/tests/kaon_unit_*; do
    [ -x "$file" ] || continue
    name=$(basename "$file" | sed 's/^kaon_//')
    case $name in
      unit_compress) filter=$device:*ContractsAtLeast*:*HasAFixedLength*:*DecodesArbitraryBytes*:*WithItsProbability*:*WithoutBias*:*EquallyOften* ;;
      portability | unit_run) filter=$everything ;;
      *) filter=$device ;;
    esac
    suite 60 "$filter" "$name" env LD_LIBRARY_PATH="$libraries" "$file"
    if [ $name = portability ] && [ -s portability.md ]; then grep -i 'cuda' portability.md >>"$log"; fi
  done
  suite 60 '*' "mpi_checkpoint" env LD_LIBRARY_PATH="$libraries" "$work/run/tests/kaon_mpi_checkpoint"
fi

if wanted ranks; then
  say "== ranks on one card"
  # Processes share a card by turns: two need four times as long as one, so that several ranks do a part each.
  for n in 1 2 4; do
    case $n in
      1) filter='*EveryCompressor*:*Invariants*:*EveryNormAndStart*' ;;
      2) filter='*EveryCompressor*/top_0_2:*EveryCompressor*/rank_0_5_bits_4:*Invariants*' ;;
      *) filter='*EveryCompressor*/bits_4:*EveryCompressor*/natural_coded' ;;
    esac
    for suite in ranks device_messages; do
      if ! have tests/kaon_mpi_$suite; then skip "mpi.$suite: not in this bundle"; continue; fi
      if [ $suite = device_messages ]; then filter='*'; fi
      check 30 "mpi.$suite on $n" env LD_LIBRARY_PATH="$libraries" OMP_NUM_THREADS=$((4 / n)) "$work/run/bin/mpiexec.hydra" \
        -launcher fork -n "$n" "$work/run/tests/kaon_mpi_$suite" --gtest_color=no --gtest_filter="$filter"
    done
  done
fi

train() { # NAME DECK OVERRIDES...: one run in $work/NAME
  local name=$1 deck=$2
  shift 2
  cd "$work/run/decks" && kaon bin/kaon-train -i "$deck" -d "$work/$name" "$@"
}
export -f train

same() { # CLAIM FOLDER: the last checkpoint there is that of the first run
  attempt 60 bash -c "kaon bin/kaon-ckpt diff '$work/bits1/checkpoints/latest' '$2/checkpoints/latest'"
  case $? in
    0) pass "$1" ;;
    125) skip "$1: no time left" ;;
    *) fail "NOT TRUE: $1"; head -n 8 "$work/out" | cut -c1-220 | sed 's/^/    /' ;;
  esac
}

if wanted bits; then
  say "== bits: the same 20 steps ten times"
  differing=0 runs=0
  for k in 1 2 3 4 5 6 7 8 9 10; do
    attempt 60 bash -c "train bits$k gpu-bits.deck"
    code=$?
    if [ $code = 125 ]; then break; fi
    if [ $code -ne 0 ]; then
      fail "run $k: exit code $code"
      tail -n 5 "$work/out" | cut -c1-220 | sed 's/^/    /'
      break
    fi
    runs=$((runs + 1))
    [ $k = 1 ] && continue
    attempt 60 bash -c 'kaon bin/kaon-ckpt diff "$work"/bits1/checkpoints/latest "$work"/bits'$k'/checkpoints/latest'
    code=$?
    if [ $code = 125 ]; then runs=$((runs - 1)); break; fi
    if [ $code -ne 0 ]; then
      differing=$((differing + 1))
      head -n 8 "$work/out" | cut -c1-220 | sed 's/^/    /'
    fi
    rm -rf "$work/bits$k"
  done
  if [ $differing -gt 0 ]; then fail "bits: $differing of $runs runs differ from the first"
  elif [ $runs -ge 2 ]; then pass "bits: 0 of $((runs - 1)) repeated runs differ"
  fi
  [ $runs = 10 ] || [ $code -ne 125 ] || skip "bits: $((10 - runs)) of 10 runs: no time left"
  if [ $runs -ge 1 ] && have bin/mpiexec.hydra; then
    for n in 2 4; do
      attempt 60 bash -c "cd '$work/run/decks' && ranks $n bin/kaon-train -i gpu-bits.deck -d '$work/ranks$n'"
      code=$?
      if [ $code = 125 ]; then skip "bits on $n ranks: no time left"
      elif [ $code -ne 0 ]; then fail "bits on $n ranks: exit code $code"; tail -n 5 "$work/out" | cut -c1-220 | sed 's/^/    /'
      else same "bits: $n ranks give those of 1" "$work/ranks$n"; fi
    done
    attempt 60 bash -c "train half gpu-bits.deck checkpoint.every=10 && cd '$work/half/checkpoints' && rm -f latest step-00000020.h5 && cd '$work/run/decks' && kaon bin/kaon-train -r '$work/half/checkpoints/step-00000010.h5' -d '$work/half'"
    code=$?
    if [ $code = 125 ]; then skip "bits: a restart half way: no time left"
    elif [ $code -ne 0 ]; then fail "bits: a restart half way: exit code $code"; tail -n 4 "$work/out" | cut -c1-220 | sed 's/^/    /'
    else same "bits: a restart half way gives those of an unbroken run" "$work/half"; fi
  fi
fi

if wanted demo; then
  say "== the demo's deck, 100 steps"
  start=$(date +%s%N)
  attempt 60 bash -c "train demo gpu-demo.deck"
  code=$?
  if [ $code = 125 ]; then
    skip "demo: no time left"
  elif [ $code = 0 ]; then
    pass "demo ($((($(date +%s%N) - start) / 1000000)) ms)"
    grep -a 'step  *[0-9]*0\b\|validation' "$work/out" | tail -n 8 | cut -c1-160 | sed 's/^/    /'
    say "    step   loss here   loss of the CPU"
    for s in 1 2 5 10 20 50 100; do
      a=$(grep "^$s," "$work/demo/metrics.csv" | cut -d, -f2)
      b=$([ -s "$here/reference/demo.csv" ] && grep "^$s," "$here/reference/demo.csv" | cut -d, -f2)
      say "$(printf '    %4s   %-18s  %s' "$s" "$a" "${b:--}")"
      # Before any step nothing but the order of sums may differ.
      if [ $s = 1 ] && [ -n "$b" ]; then
        if awk -v a="$a" -v b="$b" 'BEGIN { d = (a - b) / b; exit !(a != "" && d < 1e-5 && d > -1e-5) }'; then pass "demo: the loss before the first step is the CPU's"
        else fail "demo: the loss before the first step is not the CPU's: another starting point or text, or a wrong forward pass"; fi
      fi
    done
  else
    fail "demo: exit code $code"
    tail -n 8 "$work/out" | cut -c1-220 | sed 's/^/    /'
  fi
fi

if wanted figures && have bin/kaon-bench; then
  say "== figures (kaon-bench; ratios to a floor in the same process)"
  for family in polar select quantize lowrank exact; do
    if attempt 45 bash -c "kaon bin/kaon-bench -f '^$family/' -n 5 -s 0.02"; then
      pass "$family"
      grep -a '^|' "$work/out" | cut -c1-200 | sed 's/^/    /'
    else
      fail "$family: exit code $?"
      tail -n 4 "$work/out" | cut -c1-200 | sed 's/^/    /'
    fi
  done
  python=$(command -v python3 || true)
  if [ -n "$python" ] && "$python" -c 'import torch; assert torch.cuda.is_available()' >/dev/null 2>&1; then
    for shape in "polar 768 768 5" "polar 768 3072 5" "network 4 4 128 128 256 8 0" "network 12 12 768 256 50304 8 1"; do
      # shellcheck disable=SC2086
      if attempt 40 env KAON_PEERS_DEVICE=cuda "$python" "$here/peers.py" $shape; then say "    $shape: $(tail -n 1 "$work/out") s"
      else say "    $shape: torch: $(tail -n 1 "$work/out" | cut -c1-160)"; fi
    done
  else
    say "    no torch that sees a GPU: no peers"
  fi
fi

if wanted network; then
  say "== GPT-2 124M, 8 sequences of 256 tokens"
  if attempt 60 bash -c "train 124m gpu-124m.deck"; then
    pass "124m"
    tail -n 30 "$work/out" | cut -c1-160 | sed 's/^/    /'
    tail -n 2 "$work/124m/metrics.csv" | cut -c1-200 | sed 's/^/    /'
  else
    fail "124m: exit code $?"
    tail -n 8 "$work/out" | cut -c1-220 | sed 's/^/    /'
  fi
fi

if wanted sanitizer; then
  say "== compute-sanitizer on the portability suite"
  sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null | head -n 1 || true)
  if [ -z "$sanitizer" ]; then
    skip "no compute-sanitizer on this machine"
  else
    # racecheck slows every access to shared memory: kernels with teams and scratch of Kaon's own, the smallest shapes, in float. They
    # come first: memcheck of the whole suite takes what is left.
    for tool in racecheck memcheck; do
      case $tool in
        racecheck) seconds=45 filter='PortableNetwork/float_Cuda.*:PortableLinalg/float_Cuda.Sums:PortableLinalg/float_Cuda.Updates' ;;
        memcheck) seconds=90 filter='*_Cuda.*' ;;
      esac
      attempt $seconds env LD_LIBRARY_PATH="$libraries" "$sanitizer" --tool $tool --error-exitcode 99 "$work/run/tests/kaon_portability" \
        --gtest_color=no --gtest_filter="$filter"
      code=$?
      summary=$(grep -a 'ERROR SUMMARY\|RACECHECK SUMMARY' "$work/out" | tail -n 1)
      case $code in
        0) pass "$tool: $summary" ;;
        124 | 137) skip "$tool: cut at its share; $(grep -ac '^\[       OK' "$work/out") tests done; $(grep -ac '^========= [A-Z].*at\|Invalid' "$work/out") reports" ;;
        125) skip "$tool: no time left; $(grep -ac '^\[       OK' "$work/out") tests done" ;;
        *) fail "$tool: exit code $code; $summary"; grep -a '^=========' "$work/out" | grep -v ' by \| in \|Host Frame' | sort | uniq -c | sort -rn | head -n 12 | cut -c1-200 | sed 's/^/    /' ;;
      esac
    done
  fi
fi
finish
[ $failed = 0 ]

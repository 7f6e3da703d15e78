# Sourced by scripts that run Kaon: settings that a user may override from outside, each with its reason.
export OMP_PROC_BIND=${OMP_PROC_BIND:-false}         # with a plain mpiexec every bound rank would land on CPU 0
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}   # idle OpenMP threads must not spin against other ranks
# OpenBLAS 0.3.21 takes CPUs newer than itself for a Prescott (SSE3): sgemm at a third of its speed. Kaon's programs put that right
# by themselves; this is for what runs beside them (numpy, tests of kernels).
if [ -z "${OPENBLAS_CORETYPE:-}" ] && [ -r /proc/cpuinfo ]; then
  kaon_cpu=$(grep -m 1 '^flags' /proc/cpuinfo || true)
  case "$("${KAON_TRAIN:-kaon-train}" --version 2>/dev/null)" in
    *Prescott*)
      case "$kaon_cpu" in
        *avx512vl*) export OPENBLAS_CORETYPE=SKYLAKEX ;;
        *avx2*) export OPENBLAS_CORETYPE=HASWELL ;;
      esac ;;
  esac
  unset kaon_cpu
fi

#!/bin/bash
# Frontier (OLCF): nodes with 4 AMD MI250X each, which are 8 devices. docs/machines/README.md says what each value is for and where it
# stands.
#
#   KAON_PREFIX=… bash docs/machines/frontier.sh build                       on a login node, once
#   KAON_DECK=my.deck KAON_RUN=run1 sbatch -A PROJECT docs/machines/frontier.sh
#SBATCH --job-name=kaon
#SBATCH --partition=batch
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=8
#SBATCH --cpus-per-task=7
#SBATCH --time=02:00:00
#SBATCH --signal=B:USR1@300
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=kaon-%j.log

kaon=${KAON_SOURCE:-$HOME/kaon}   # a clone of Kaon
module load PrgEnv-amd rocm craype-accel-amd-gfx90a cray-hdf5-parallel cmake ninja

if [ "$1" = build ]; then
  cd "$kaon" && cmake --preset hip -DKAON_TESTS=OFF -DKAON_BENCHMARKS=OFF \
    -DCMAKE_PREFIX_PATH="${KAON_PREFIX:?names the prefixes of Kokkos with HIP, Kokkos Kernels and the rest}" \
    -DMPI_HOME="$MPICH_DIR" -DCMAKE_CXX_FLAGS="--offload-arch=gfx90a -I$MPICH_DIR/include" \
    -DCMAKE_EXE_LINKER_FLAGS="-L$MPICH_DIR/lib -lmpi $CRAY_XPMEM_POST_LINK_OPTS -lxpmem ${PE_MPICH_GTL_DIR_amd_gfx90a:-} \
${PE_MPICH_GTL_LIBS_amd_gfx90a:-}" &&
    cmake --build --preset hip -j 8
  exit
fi

export MPICH_GPU_SUPPORT_ENABLED=${MPICH_GPU_SUPPORT_ENABLED:-1}
export OMP_PROC_BIND=spread OMP_PLACES=cores
export KAON_TRAIN=${KAON_TRAIN:-$kaon/build/hip/apps/kaon-train}
# Each rank sees one device: the one that hangs on the cores of the rank.
export KAON_LAUNCH=${KAON_LAUNCH:-srun --ntasks=$((SLURM_NNODES * 8)) --gpus-per-task=1 --gpu-bind=closest}
# shellcheck source=slurm.sh
. "$kaon/docs/machines/slurm.sh"

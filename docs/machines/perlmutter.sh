#!/bin/bash
# Perlmutter (NERSC): GPU nodes with 4 NVIDIA A100 each. docs/machines/README.md says what each value is for and where it stands.
#
#   KAON_PREFIX=… bash docs/machines/perlmutter.sh build                     on a login node, once
#   KAON_DECK=my.deck KAON_RUN=run1 sbatch -A PROJECT docs/machines/perlmutter.sh
#SBATCH --job-name=kaon
#SBATCH --constraint=gpu
#SBATCH --qos=regular
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=4
#SBATCH --cpus-per-task=32
#SBATCH --gpus-per-node=4
#SBATCH --time=04:00:00
#SBATCH --signal=B:USR1@300
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=kaon-%j.log

kaon=${KAON_SOURCE:-$HOME/kaon}   # a clone of Kaon
module load PrgEnv-gnu cudatoolkit craype-accel-nvidia80 cray-hdf5-parallel cmake

if [ "$1" = build ]; then
  # Kokkos' nvcc_wrapper compiles; the Cray wrapper CC is its host compiler and links MPI with its GPU transport layer.
  export NVCC_WRAPPER_DEFAULT_COMPILER=CC
  cd "$kaon" && cmake --preset cuda -DKAON_TESTS=OFF -DKAON_BENCHMARKS=OFF \
    -DCMAKE_PREFIX_PATH="${KAON_PREFIX:?names the prefixes of Kokkos with CUDA, Kokkos Kernels and the rest}" &&
    cmake --build --preset cuda -j 8
  exit
fi

export MPICH_GPU_SUPPORT_ENABLED=${MPICH_GPU_SUPPORT_ENABLED:-1}
export SLURM_CPU_BIND=cores
export OMP_PROC_BIND=spread OMP_PLACES=cores
export KAON_TRAIN=${KAON_TRAIN:-$kaon/build/cuda/apps/kaon-train}
# All four GPUs are visible to every rank; Kokkos gives a rank the one of its number in the node.
export KAON_LAUNCH=${KAON_LAUNCH:-srun --ntasks=$((SLURM_NNODES * 4)) --gpus-per-node=4 --gpu-bind=none}
# shellcheck source=slurm.sh
. "$kaon/docs/machines/slurm.sh"

#!/usr/bin/env python3
"""Makes a problem file for objective.kind = least-squares: f_j(X) = |A_j X - B_j|_F^2 / (2r) on n workers.

The rows of A_j have covariances with a chosen condition number, and every worker's B_j comes from a solution of its own, so that
the workers pull apart at the optimum. The same options give the same file.
"""
import argparse

import h5py
import numpy as np


def make(workers, samples, rows, cols, condition, difference, seed):
    rng = np.random.default_rng(seed)
    scales = np.geomspace(1, condition**-0.5, rows)
    common = rng.standard_normal((rows, cols))
    A = rng.standard_normal((workers, samples, rows)) * scales
    own = common + difference * rng.standard_normal((workers, rows, cols))
    return A, A @ own, np.zeros((rows, cols))


def optimum(A, B):
    """f*, the value that the run's loss can be held against."""
    flat_A, flat_B = A.reshape(-1, A.shape[2]), B.reshape(-1, B.shape[2])
    X = np.linalg.lstsq(flat_A, flat_B, rcond=None)[0]
    return ((flat_A @ X - flat_B) ** 2).sum() / (2 * flat_A.shape[0])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("file", help="the HDF5 file to write")
    p.add_argument("--workers", type=int, default=4)
    p.add_argument("--samples", type=int, default=200, help="rows of each A_j")
    p.add_argument("--rows", type=int, default=64, help="rows of X")
    p.add_argument("--cols", type=int, default=32, help="columns of X")
    p.add_argument("--condition", type=float, default=10.0, help="condition number of the covariance of A's rows")
    p.add_argument("--difference", type=float, default=0.3, help="how far the workers' solutions lie apart")
    p.add_argument("--seed", type=int, default=1)
    o = p.parse_args()
    A, B, X0 = make(o.workers, o.samples, o.rows, o.cols, o.condition, o.difference, o.seed)
    least = optimum(A, B)
    # The 1.10 format guards its own metadata by checksums; a damaged file of an older one can crash HDF5.
    with h5py.File(o.file, "w", libver=("v110", "v110")) as f:
        f["A"], f["B"], f["X0"] = A, B, X0
        f.attrs["f_star"] = least
        f.attrs["seed"] = o.seed
    print(f"{o.file}: {o.workers} workers, {o.samples} samples each, X {o.rows}x{o.cols}; f(X0) = {(B**2).sum() / (2 * o.workers * o.samples):.6g}, "
          f"least f = {least:.6g}")


if __name__ == "__main__":
    main()

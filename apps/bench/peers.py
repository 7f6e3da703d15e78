#!/usr/bin/env python3
"""Times what kaon-bench times, in numpy and torch where they are installed.

    peers.py polar ROWS COLS STEPS     polar factor by Newton-Schulz steps in float32

Prints one line per library: name, version, threads, median CPU seconds of a call. OMP_NUM_THREADS sets the threads.
"""
import sys
import time

TRIPLE = (3.4445, -4.7750, 2.0315)


def median_cpu(call, repetitions=9):
    call()
    times = []
    for _ in range(repetitions):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return sorted(times)[len(times) // 2]


def polar(x, norm, steps):
    """The usual loop: transposed when tall, A = X X^T, X <- aX + (bA + cA^2) X."""
    a, b, c = TRIPLE
    tall = x.shape[0] > x.shape[1]
    x = (x.T if tall else x) / (norm(x) + 1e-7)
    for _ in range(steps):
        s = x @ x.T
        x = a * x + (b * s + c * (s @ s)) @ x
    return x.T if tall else x


def in_numpy(rows, cols, steps):
    import numpy
    x = numpy.random.default_rng(7).standard_normal((rows, cols), dtype=numpy.float32)
    return numpy.__version__, "-", median_cpu(lambda: polar(x, numpy.linalg.norm, steps))


def in_torch(rows, cols, steps):
    import torch
    torch.manual_seed(7)
    x = torch.randn(rows, cols)
    with torch.no_grad():
        return torch.__version__, str(torch.get_num_threads()), median_cpu(lambda: polar(x, torch.linalg.norm, steps))


def main():
    if len(sys.argv) != 5 or sys.argv[1] != "polar":
        sys.exit(__doc__)
    shape = [int(v) for v in sys.argv[2:]]
    for name, time_it in (("numpy", in_numpy), ("torch", in_torch)):
        try:
            version, threads, seconds = time_it(*shape)
        except ImportError:
            continue
        print(name, version.split()[0], threads, seconds)


if __name__ == "__main__":
    main()

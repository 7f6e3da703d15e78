#!/usr/bin/env python3
"""Times what kaon-bench times, in numpy and torch where they are installed.

    peers.py polar ROWS COLS STEPS     polar factor by Newton-Schulz steps in float32
    peers.py network LAYERS HEADS WIDTH CONTEXT VOCAB BATCH TIED
                                       forward and backward pass of Kaon's transformer in float32, in torch alone

Prints one line per library: name, version, threads, median seconds of a call; CPU seconds with one thread, else wall-clock
seconds. OMP_NUM_THREADS sets the threads. With KAON_PEERS_DEVICE=cuda torch runs on the GPU, timed by its events, in full float32
(no TF32), and numpy not at all.
"""
import os
import sys
import time

TRIPLE = (3.4445, -4.7750, 2.0315)


THREADS = int(os.environ.get("OMP_NUM_THREADS", "0")) or os.cpu_count()


DEVICE = os.environ.get("KAON_PEERS_DEVICE", "cpu")


def device_seconds(call, repetitions, warm):
    import torch
    times = []
    for k in range(warm + repetitions):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        call()
        end.record()
        end.synchronize()
        if k >= warm:
            times.append(1e-3 * start.elapsed_time(end))
    return sorted(times)[len(times) // 2]


def median_seconds(call, repetitions=9, warm=1):
    if DEVICE != "cpu":
        return device_seconds(call, repetitions, max(warm, 3))
    clock = time.process_time if THREADS == 1 else time.perf_counter
    for _ in range(warm):
        call()
    times = []
    for _ in range(repetitions):
        start = clock()
        call()
        times.append(clock() - start)
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
    if DEVICE != "cpu":
        raise ImportError("numpy has no GPU")
    import numpy
    x = numpy.random.default_rng(7).standard_normal((rows, cols), dtype=numpy.float32)
    return numpy.__version__, "-", median_seconds(lambda: polar(x, numpy.linalg.norm, steps))


def torch_of_these_threads():
    import torch
    torch.set_num_threads(THREADS)
    torch.manual_seed(7)
    torch.set_default_device(DEVICE)
    return torch


def in_torch(rows, cols, steps):
    torch = torch_of_these_threads()
    x = torch.randn(rows, cols)
    with torch.no_grad():
        return torch.__version__, str(torch.get_num_threads()), median_seconds(lambda: polar(x, torch.linalg.norm, steps))


def network_in_torch(layers, heads, width, context, vocab, batch, tied):
    """Eager mode, torch's fused causal attention, its own RMS norm where it is the faster one. Gradients are either dropped
    before a pass, so that autograd hands its buffers over, or zeroed in place: the faster of the two counts."""
    torch = torch_of_these_threads()
    f = torch.nn.functional
    head_width = width // heads
    half = head_width // 2

    def parameter(rows, cols, deviation):
        return (torch.randn(rows, cols) * deviation).requires_grad_()

    spread, wide = 0.5 / width ** 0.5, 0.5 / (4 * width) ** 0.5
    embed = parameter(vocab, width, 0.02)
    head = embed if tied else parameter(vocab, width, spread)
    blocks = [[parameter(width, width, spread) for _ in range(4)] +
              [parameter(4 * width, width, spread), parameter(width, 4 * width, wide)] for _ in range(layers)]
    everything = [embed] + [w for b in blocks for w in b] + ([] if tied else [head])
    angle = torch.outer(torch.arange(context), 10000.0 ** (-torch.arange(half) / half))
    cos, sin = angle.cos()[:, None, :], angle.sin()[:, None, :]  # beside (batch, context, heads, half)
    inputs, targets = torch.randint(vocab, (batch, context)), torch.randint(vocab, (batch, context))

    def composed(x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6)

    def native(x):
        return f.rms_norm(x, (x.size(-1),), eps=1e-6)

    def rotate(x):
        a, b = x.chunk(2, dim=-1)
        return torch.cat((a * cos + b * sin, b * cos - a * sin), dim=-1)

    def loss(norm):
        x = norm(f.embedding(inputs, embed))
        for q, k, v, o, up, down in blocks:
            y = norm(x)
            split = [f.linear(y, w).view(batch, context, heads, head_width) for w in (q, k, v)]
            split = [rotate(norm(split[0])), rotate(norm(split[1])), split[2]]
            y = f.scaled_dot_product_attention(*(s.transpose(1, 2) for s in split), is_causal=True)
            x = x + f.linear(y.transpose(1, 2).reshape(batch, context, width), o)
            x = x + f.linear(f.relu(f.linear(norm(x), up)).square(), down)
        logits = f.linear(norm(x), head)
        return f.cross_entropy(logits.view(-1, vocab), targets.view(-1))

    def step(norm, drop):
        for w in everything:
            if drop:
                w.grad = None
            elif w.grad is not None:
                w.grad.zero_()
        loss(norm).backward()

    repetitions = 15 if len(everything) * width < 10000 else 5
    ways = [(n, d) for n in (composed, native) if n is composed or hasattr(f, "rms_norm") for d in (True, False)]
    seconds = min(median_seconds(lambda way=way: step(*way), repetitions, warm=2) for way in ways)
    return torch.__version__, str(torch.get_num_threads()), seconds


KINDS = {"polar": (3, (("numpy", in_numpy), ("torch", in_torch))), "network": (7, (("torch", network_in_torch),))}


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in KINDS or len(sys.argv) != 2 + KINDS[sys.argv[1]][0]:
        sys.exit(__doc__)
    shape = [int(v) for v in sys.argv[2:]]
    for name, time_it in KINDS[sys.argv[1]][1]:
        try:
            version, threads, seconds = time_it(*shape)
        except ImportError:
            continue
        print(name, version.split()[0], threads, seconds)


if __name__ == "__main__":
    main()

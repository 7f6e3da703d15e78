"""Situations that users get into: programs run on small inputs in folders of their own, and what must come out.

A file NAME_test.py here is the ctest entry situations.NAME: python3 NAME_test.py runs it alone. KAON_BUILD names the build folder
(default: build/tests), KAON_MPIEXEC the launcher."""
import os
import pathlib
import random
import shlex
import shutil
import signal
import subprocess
import tempfile
import unittest

BUILD = pathlib.Path(os.environ.get("KAON_BUILD", "build/tests")).resolve()
TRAIN, CKPT = str(BUILD / "apps/kaon-train"), str(BUILD / "apps/kaon-ckpt")
MPIEXEC = shlex.split(os.environ.get("KAON_MPIEXEC", "mpiexec"))
LIMIT = float(os.environ.get("KAON_LIMIT", 90))  # seconds after which a program counts as hanging
CALM = {"OMP_NUM_THREADS": "1", "OMP_PROC_BIND": "false", "OMP_WAIT_POLICY": "passive"}

GPT = """[run]
steps = 6
directory = run
log_every = 2
[objective]
kind = gpt
[gpt]
layers = 1
heads = 2
width = 32
context = 16
vocab = 256
batch = 2
[data]
train = text.txt
validation_batches = 2
[optimizer]
workers = 2
beta = 0.1
start = zero
[checkpoint]
every = 2
[group.hidden]
layers = h[0-9]*
norm = spectral
scale = muon
radius = 0.02
uplink = bits:4:block=128
downlink = bits:2:block=128
[group.table]
layers = embed head
norm = max-abs
radius = 0.0025
uplink = bits:4:block=128
downlink = bits:2:block=128
"""

SQUARES = """[run]
steps = 6
precision = double
directory = run
log_every = 2
[objective]
kind = least-squares
[least-squares]
problem = problem.h5
[optimizer]
workers = 2
beta = 1
start = dense
[group.all]
layers = *
norm = frobenius
radius = 0.1
uplink = top:0.5
downlink = top:0.5
"""


def some_text(size, seed=5):
    """English-looking bytes, the same for the same seed."""
    draw = random.Random(seed)
    words = ["".join(draw.choice("etaoinshrdlucmfwyp") for _ in range(draw.randint(2, 9))) for _ in range(700)]
    return " ".join(draw.choice(words) for _ in range(size // 4))[:size]


def write_problem(path, seed=1):
    """A least-squares problem for two workers, X 6x4."""
    import h5py
    import numpy as np
    g = np.random.default_rng(seed)
    with h5py.File(path, "w") as f:
        f["A"], f["B"], f["X0"] = g.standard_normal((2, 20, 6)), g.standard_normal((2, 20, 4)), np.zeros((6, 4))


class Ended:
    """How a program ended: code (negative: the signal that killed it; None: it hung and was killed), out, err."""

    def __init__(self, command, code, out, err):
        self.command, self.code, self.out, self.err = command, code, out, err

    def __str__(self):
        return "%s\nexit code %s\n--- out\n%s\n--- err\n%s" % (self.command, self.code, self.out[-3000:], self.err[-3000:])

    def errors(self):
        return [l for l in self.err.splitlines() if "error" in l]

    def warnings(self):
        return [l for l in self.err.splitlines() if "warning" in l]


class Situation(unittest.TestCase):
    """A test with a folder of its own (self.folder) that holds text.txt, gpt.deck and, where squares is True, squares.deck and problem.h5."""
    squares = False
    longMessage = True

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kaon-situation-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.put("text.txt", some_text(400000))
        self.put("gpt.deck", GPT)
        if self.squares:
            self.put("squares.deck", SQUARES)
            write_problem(self.folder / "problem.h5")

    def put(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def read(self, name):
        return (self.folder / name).read_text()

    def begin(self, words, env=None, unset=(), **options):
        """A process under way, in the folder, its output on pipes; killed at the end of the test."""
        e = {k: v for k, v in {**os.environ, **CALM, **(env or {})}.items() if k not in unset}
        e.update(TRAIN=TRAIN, CKPT=CKPT)
        shell = isinstance(words, str)
        p = subprocess.Popen(["bash", "-c", words] if shell else [str(w) for w in words], cwd=self.folder, env=e, start_new_session=True,
                             **dict(dict(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE), **options))
        p.line = words if shell else " ".join(str(w) for w in words)
        self.addCleanup(self.finish, p, 0)
        return p

    def finish(self, p, limit=None):
        """Waits for it; what takes longer than the limit is killed and has the code None."""
        if p.returncode is not None and not hasattr(p, "ended"):
            p.ended = Ended(p.line, p.returncode, "", "")
        if not hasattr(p, "ended"):
            code = 0
            try:
                out, err = p.communicate(timeout=LIMIT if limit is None else limit)
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, signal.SIGKILL)
                out, err = p.communicate()
                code = None
            text = [(b or b"").decode(errors="replace") for b in (out, err)]
            p.ended = Ended(p.line, p.returncode if code == 0 else None, *text)
        return p.ended

    def run_line(self, words, limit=None, **options):
        """Runs words (a list, or a line for bash with $TRAIN and $CKPT) to the end."""
        return self.finish(self.begin(words, **options), limit)

    def train(self, *arguments, ranks=1, **options):
        words = ([] if ranks == 1 else MPIEXEC + ["-n", str(ranks)]) + [TRAIN, *arguments]
        return self.run_line(words, **options)

    def ckpt(self, *arguments, **options):
        return self.run_line([CKPT, *arguments], **options)

    def ended(self, result, code, *parts):
        """It must have ended with the code, and each part must stand in what it said."""
        self.assertEqual(result.code, code, str(result))
        for part in parts:
            self.assertIn(part, result.out + result.err, str(result))
        return result

    def steps(self, run="run"):
        """The steps that metrics.csv has."""
        return [int(l.split(",")[0]) for l in self.read(run + "/metrics.csv").splitlines()[1:]]

    def checkpoints(self, run="run"):
        return sorted(p.name for p in (self.folder / run / "checkpoints").glob("step-*.h5"))

    def same_state(self, a, b):
        """Two checkpoints hold the same bits."""
        self.ended(self.ckpt("diff", a, b), 0)


def main():
    unittest.main(verbosity=2)

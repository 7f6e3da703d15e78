"""A run folder to spoil: made once, copied for each case; kaon-train below a library that lets file calls fail."""
import errno
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

DECK = """[run]
steps = 3
directory = run
log_every = 1
[objective]
kind = gpt
[gpt]
layers = 1
heads = 2
width = 16
context = 16
batch = 2
[data]
train = text.txt
validation_batches = 2
[optimizer]
workers = 2
[group.hidden]
layers = h[0-9]*
radius = 0.02
uplink = top:0.2
[group.table]
layers = embed head
norm = max-abs
radius = 0.005
"""
PATIENCE = 60  # seconds until a job counts as hung
QUIET = {"OMP_NUM_THREADS": "1", "OMP_PROC_BIND": "false", "OMP_WAIT_POLICY": "passive", "OPENBLAS_NUM_THREADS": "1"}
ON = ["run.steps=4", "checkpoint.every=1", "checkpoint.keep=3"]  # what a case runs: steps 3 and 4, a save after each


class Ended:
    """How a program ended: exit code (None: it was killed for taking too long) and what it wrote."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __str__(self):
        return f"exit code {self.code}\n" + "\n".join((self.out + self.err).splitlines()[-12:])


class Lab:
    def __init__(self, options):
        self.o = options
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="kaon-disk-", dir=options.scratch)).resolve()
        (self.root / "gpt.deck").write_text(DECK)
        (self.root / "text.txt").write_text("meson kaon decays into pions and the rate is small because of it. " * 160)
        done = self.train(["run.steps=2", "checkpoint.every=1"])  # steps 1 and 2
        assert done.code == 0, done
        self.run.rename(self.root / "base")
        self.fresh()
        done = self.train(["-r", *ON])
        assert done.code == 0, done
        self.run.rename(self.root / "reference")

    def close(self):
        shutil.rmtree(self.root, ignore_errors=True)

    @property
    def run(self):
        return self.root / "run"

    @property
    def checkpoints(self):
        return self.run / "checkpoints"

    def fresh(self):
        """The run folder as it was after two steps."""
        shutil.rmtree(self.run, ignore_errors=True)
        shutil.copytree(self.root / "base", self.run, symlinks=True)

    def launch(self, words, environment=()):
        env = {**os.environ, **QUIET}
        env.update(environment)
        with open(self.root / "out", "w+", errors="replace") as out, open(self.root / "err", "w+", errors="replace") as err:
            p = subprocess.Popen(
                words, cwd=self.root, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
            )
            try:
                code = p.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, signal.SIGKILL)
                p.wait()
                code = None
            out.seek(0), err.seek(0)
            return Ended(code, out.read(), err.read())

    def train(self, arguments, ranks=1, disk=None):
        """kaon-train; `disk`: settings for the library below it, without their prefix."""
        words = [str(self.o.train), "-i", "gpt.deck", *arguments]
        if disk is not None:
            for old in self.root.glob("log.*"):
                old.unlink()
            given = {"UNDER": self.run, "LOG": self.root / "log", **disk}
            # A build with AddressSanitizer wants to be loaded before everything else, and works all the same.
            asan = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
            settings = [f"KAON_DISK_{k}={v}" for k, v in given.items()]
            words = ["env", f"LD_PRELOAD={self.o.disk}", f"ASAN_OPTIONS={asan}", *settings, *words]
        if ranks > 1:
            words = [*self.o.mpiexec, "-n", str(ranks), *words]
        return self.launch(words)

    def counted(self, column):
        """By rank: calls (0) or faults (1) that the library saw."""
        return {int(f.suffix[1:]): int(f.read_text().split()[column]) for f in self.root.glob("log.*") if f.read_text()}

    def sound(self, said):
        """None, or what is wrong with the committed state after a fault: every file must verify, latest must lead to one, and no
        file of before may have changed, unless the restart said that it passes it over and did its step once more."""
        files = sorted(self.checkpoints.glob("step-*.h5"))
        if not (self.checkpoints / "latest").exists():
            return "latest leads nowhere"
        seen = self.launch([str(self.o.ckpt), "verify", *map(str, files)])
        if seen.code != 0:
            return f"a committed file is damaged: {seen}"
        newer = [f for f in files if f.name > "step-00000002.h5"]
        for old in sorted((self.root / "base/checkpoints").glob("step-*.h5")):
            new = self.checkpoints / old.name
            if old.name == "step-00000001.h5" and len(newer) == 2 and not new.exists():
                continue  # retired: three newer ones are there
            if new.exists() and new.read_bytes() == old.read_bytes():
                continue
            anew = f"{old.name} is passed over" in said and new.exists()
            if not anew or self.launch([str(self.o.ckpt), "diff", str(old), str(new)]).code != 0:
                return f"{old.name} is not what it was"
        return None

    def as_undisturbed(self):
        """None, or how the finished run differs from one that nothing happened to."""
        a, b = (self.root / d / "checkpoints/step-00000004.h5" for d in ("run", "reference"))
        same = self.launch([str(self.o.ckpt), "diff", str(a), str(b)])
        if same.code != 0:
            return f"the state is another: {same}"
        texts = [(self.root / d / "metrics.csv").read_text() for d in ("run", "reference")]
        rows = [[line.split(",")[:5] for line in text.splitlines()] for text in texts]  # up to what the ranks have no part in
        return None if rows[0] == rows[1] else f"metrics.csv has other rows: {rows[0]}"

    def cured(self, ranks=1):
        """None, or why a restart after the cure does not end as the undisturbed run."""
        again = self.train(["-r", *ON], ranks)
        if again.code != 0:
            return f"the restart after the cure failed: {again}"
        return self.as_undisturbed()


def number(name):
    return getattr(errno, name)

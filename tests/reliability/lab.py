"""Jobs of kaon-train in folders of their own: started, killed, signalled, restarted, compared."""
import os
import pathlib
import random
import shlex
import shutil
import signal
import subprocess
import tempfile
import time

LIMIT = float(os.environ.get("KAON_LIMIT", 300))  # seconds after which a job counts as hanging; more for a host that is very busy

TEXT_WORDS = "meson kaon decays into pions and the rate is small because of".split()

GPT = """[run]
steps = {steps}
directory = run
log_every = 0
[objective]
kind = gpt
[gpt]
layers = 1
heads = 2
width = 16
context = 16
batch = 4
micro_batches = 4
[data]
train = text.txt
validation_batches = 2
[optimizer]
workers = 2
[checkpoint]
every = {every}
[group.hidden]
layers = h[0-9]*
radius = 0.02
uplink = rank:0.3
downlink = bits:4
[group.table]
layers = embed head
norm = max-abs
radius = 0.005
uplink = top:0.2
"""

SQUARES = """[run]
steps = {steps}
directory = run
log_every = 0
[objective]
kind = least-squares
[least-squares]
problem = problem.h5
noise = 0.1
[optimizer]
workers = 4
[checkpoint]
every = {every}
[group.all]
layers = *
norm = frobenius
radius = 0.1
uplink = rank:0.3
downlink = top:0.2
"""


class Broken(Exception):
    """A property that did not hold."""


def expect(holds, what):
    if not holds:
        raise Broken(what)


class Job:
    """One start of kaon-train; `run` is the run folder of whatever folder it stands in."""

    def __init__(self, words, folder, environment):
        self.log = tempfile.TemporaryFile()
        self.words, self.folder = words, folder
        self.begin = time.monotonic()
        self.process = subprocess.Popen(words, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=subprocess.STDOUT, start_new_session=True)

    def running(self):
        return self.process.poll() is None

    def wait(self):
        """The exit code; a job that hangs is killed and is a failure."""
        try:
            self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            raise Broken(f"hangs: {self}") from None
        self.seconds = time.monotonic() - self.begin
        return self.process.returncode

    def text(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def __str__(self):
        return f"{' '.join(self.words)}\n  in {self.folder}: exit code {self.process.returncode}\n{self.text()[-3000:]}"


class Lab:
    """Programs, a scratch folder, and one random stream: the same seed makes the same jobs and faults."""

    def __init__(self, options, part):
        self.train, self.ckpt = str(options.train.resolve()), str(options.ckpt.resolve())
        self.killer, self.clock = str(options.killer.resolve()), str(options.clock.resolve())
        self.mpiexec = shlex.split(options.mpiexec or "mpiexec")
        self.long, self.seed = options.long, options.seed
        self.random = random.Random(f"{part} {options.seed}")
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix=f"kaon_{part}_")).resolve()
        self.straight = {}

    def close(self):
        shutil.rmtree(self.scratch, ignore_errors=True)

    # Folders.

    def put(self, name, deck, **sizes):
        """A fresh folder with job.deck and the data that it needs."""
        folder = self.scratch / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "job.deck").write_text(deck.format(**sizes))
        if "kind = gpt" in deck:
            words = random.Random(1)
            text = "".join(words.choice(TEXT_WORDS) + words.choice("         \n") for _ in range(12000))
            (folder / "text.txt").write_text(text)
        else:
            self.problem(folder / "problem.h5")
        return folder

    @staticmethod
    def problem(path, workers=4, samples=24, rows=16, cols=8):
        import h5py  # of all the parts only those with this problem need it

        numbers = random.Random(1)
        with h5py.File(path, "w") as f:
            for name, shape in (("A", (workers, samples, rows)), ("B", (workers, samples, cols)), ("X0", (rows, cols))):
                size = 1
                for n in shape:
                    size *= n
                data = f.create_dataset(name, shape, "f8")
                import numpy

                data[...] = numpy.reshape([numbers.gauss(0, 1) for _ in range(size)], shape)

    # Jobs.

    def start(self, folder, ranks, words, preload=None, threads=1):
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads), OMP_PROC_BIND="false", OMP_WAIT_POLICY="passive",
                           OPENBLAS_NUM_THREADS="1")
        command = [self.train] if ranks == 1 else [*self.mpiexec, "-n", str(ranks), self.train]
        if preload:
            environment.update({name: str(value) for name, value in preload.items()}, LD_PRELOAD=self.killer)
        return Job(command + words, folder, environment)

    def run(self, folder, ranks, words, code=0, **more):
        job = self.start(folder, ranks, words, **more)
        got = job.wait()
        expect(got == code, f"exit code {got}, not {code}: {job}")
        return job

    def ranks_in(self, folder):
        """Pids of the ranks of the job in `folder`."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{pid}/exe") == self.train and os.readlink(f"/proc/{pid}/cwd") == str(folder):
                    found.append(int(pid))
            except OSError:
                continue
        return sorted(found)

    def until(self, holds, what):
        """Waits for an event; that it never comes is a failure."""
        end = time.monotonic() + LIMIT
        while not holds():
            expect(time.monotonic() < end, f"waited {LIMIT} s for: {what}")
            time.sleep(0.001)

    def gone(self, folder):
        """Waits until no rank of the job is left, as a batch system does before it starts the next one."""
        self.until(lambda: not self.ranks_in(folder), f"the end of the ranks in {folder}")

    # What stands in a run folder.

    @staticmethod
    def committed(folder):
        return sorted(int(f.name[5:-3]) for f in folder.glob("run/checkpoints/step-*.h5"))

    @staticmethod
    def rows(folder):
        """Lines of metrics.csv, without the columns that ranks and time may change."""
        try:
            lines = (folder / "run/metrics.csv").read_text().split("\n")
        except FileNotFoundError:
            return []
        names = lines[0].split(",")
        keep = [i for i, n in enumerate(names) if not n.startswith("wire") and n != "seconds"]
        return [[cells[i] for i in keep] for cells in (line.split(",") for line in lines[1:-1])]

    def reference(self, deck, ranks=1, words=(), **sizes):
        """The folder of the run that nobody disturbed; made once."""
        key = f"straight{abs(hash((deck, ranks, tuple(words), tuple(sorted(sizes.items())))))}"
        if key not in self.straight:
            folder = self.put(key, deck, **sizes)
            self.run(folder, ranks, ["-i", "job.deck", *words])
            self.straight[key] = folder
        return self.straight[key]

    def same(self, folder, reference, steps):
        """No byte of the final state differs, and metrics.csv has each step once, with the same numbers."""
        name = f"run/checkpoints/step-{steps:08}.h5"
        diff = subprocess.run([self.ckpt, "diff", str(folder / name), str(reference / name)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        expect(diff.returncode == 0, f"the states differ: {diff.stdout}")
        mine, theirs = self.rows(folder), self.rows(reference)
        expect([row[0] for row in mine] == [str(k) for k in range(1, steps + 1)],
               f"steps in {folder}/run/metrics.csv: {[row[0] for row in mine]}")
        expect(mine == theirs, f"metrics.csv of {folder} and of {reference} differ")

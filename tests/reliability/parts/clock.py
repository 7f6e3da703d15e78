"""-t: simulated jobs of any lengths of step and save, and real short ones."""
import json
import signal
import subprocess
import time

from lab import GPT, expect
from parts.signals import handled

PROPERTY = "-t: no job outlives its limit; jobs of 30 min and more use at least 95 % of it"

PACE = {"KAON_KILL_UNDER": "metrics.csv", "KAON_KILL_DELAY": 20000}


def simulated(lab, counts):
    done = subprocess.run([lab.clock, str(lab.seed), "200"], capture_output=True, text=True, check=False)
    expect(done.stdout.startswith("{"), f"no result: {done.stdout}{done.stderr}")
    counts.update(json.loads(done.stdout))
    expect(done.returncode == 0, f"{done.stdout}{done.stderr}")


def real(lab, counts):
    """Whether a real job keeps a limit of seconds is the machine's affair too: asserted in the long form alone, and from 20 s on, where
    the clock's reserve is whole."""
    folder = lab.put("job", GPT, steps=100000, every=0)
    limit, ranks = lab.random.randint(20, 24) if lab.long else 3, lab.random.choice((1, 2, 3))
    words = ["-i", "job.deck", "-r", "auto", "-t", str(limit)]
    for _ in range(2):  # from the start, and from the checkpoint of the first
        job = lab.start(folder, ranks, words, preload=PACE)
        lab.until(lambda: any(handled(pid, signal.SIGUSR1) for pid in lab.ranks_in(folder)) or not job.running(), f"{job}")
        begin = time.monotonic()  # the program is there; what the launcher took before, it cannot know
        code = job.wait()
        seconds = time.monotonic() - begin
        expect(code == 75, f"exit code {code}: {job}")
        expect("wall clock at step" in job.text(), f"stopped otherwise: {job}")
        last = lab.committed(folder)[-1]
        expect([row[0] for row in lab.rows(folder)] == [str(k) for k in range(1, last + 1)], f"metrics.csv: {job}")
        if lab.long:
            expect(seconds <= limit, f"{seconds:.2f} s of {limit} s: {job}")
        counts["real_jobs"] = counts.get("real_jobs", 0) + 1
        counts["real_least_left_seconds"] = round(min(counts.get("real_least_left_seconds", limit), limit - seconds), 2)


def run(lab, counts):
    simulated(lab, counts)
    for _ in range(10 if lab.long else 1):
        real(lab, counts)

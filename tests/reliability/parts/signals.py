"""USR1, USR2, TERM and INT to any single rank at random moments, from the start-up to the end."""
import os
import re
import signal
import statistics
import time

from lab import GPT, expect

PROPERTY = "USR1, USR2, TERM, INT to any one rank at a random moment: committed and out (75), or saved and gone on (0); then the same bytes"

STEPS = 30
SIZES = {"steps": STEPS, "every": 6}
WORDS = ["gpt.batch=48", "gpt.context=32", "run.validate_every=5"]
NAMES = {signal.SIGUSR1: "USR1", signal.SIGUSR2: "USR2", signal.SIGTERM: "TERM", signal.SIGINT: "INT"}
SLOW = {"KAON_KILL_UNDER": "/run/", "KAON_KILL_DELAY": 1000}  # so that saves take their share of the time


def handled(pid, number):
    """True when the process has a handler for the signal."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            caught = next(line for line in f if line.startswith("SigCgt"))
    except (OSError, StopIteration):
        return False
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def victim_of(lab, job, folder, ranks):
    lab.until(lambda: len(lab.ranks_in(folder)) == ranks or not job.running(), f"{ranks} ranks: {job}")
    pids = lab.ranks_in(folder)
    expect(pids, f"the job ended by itself: {job}")
    return lab.random.choice(pids)


def send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def end(lab, folder, words):
    lab.gone(folder)
    lab.run(folder, lab.random.choice((1, 2, 3)), words)
    lab.same(folder, lab.reference(GPT, 1, WORDS, **SIZES), STEPS)


def moment(lab, job, folder, ranks, start_up):
    """Waits: a third of the signals come in the start-up, the others within or after a random step, the last one included."""
    if lab.random.random() < 0.33:
        time.sleep(lab.random.uniform(0, start_up[ranks]))
        return
    step, more = lab.random.randint(0, STEPS), lab.random.uniform(0, 0.05)
    lab.until(lambda: len(lab.rows(folder)) >= step or not job.running(), f"step {step}: {job}")
    time.sleep(more)


def one(lab, counts, waits, start_up):
    ranks, number = lab.random.choice((1, 2, 3)), lab.random.choice(list(NAMES))
    name = NAMES[number]
    folder = lab.put("job", GPT, **SIZES)
    job = lab.start(folder, ranks, ["-i", "job.deck", *WORDS], preload=SLOW)
    pid = victim_of(lab, job, folder, ranks)
    lab.until(lambda: handled(pid, number) or not job.running(), f"a handler of {name}: {job}")
    moment(lab, job, folder, ranks, start_up)
    before = len(lab.rows(folder))
    sent, begin = send(pid, number), time.monotonic()
    after = len(lab.rows(folder))
    code = job.wait()
    said = re.search(rf"signal {name} (?:at|during the save of) step (\d+): ", job.text())
    if said:
        step = int(said.group(1))
        # Row k is written when step k + 2 is agreed, and this rank may have voted on one more.
        expect(step <= after + 4, f"{name} after step {after} was served at step {step}: {job}")
        expect(f"saved run/checkpoints/step-{step:08}.h5" in job.text(), f"nothing was saved: {job}")
        where = "in_the_start_up" if before == 0 else "in_the_steps"
    else:  # one that came when the last step had been decided
        expect(not sent or before >= STEPS - 3, f"{name} after step {before} was not served: {job}")
        where = "after_the_last_step"
    early = said and number != signal.SIGUSR2 and step < STEPS
    expect(code == (75 if early else 0), f"exit code {code}: {job}")
    expect((step if early else STEPS) in lab.committed(folder), f"{lab.committed(folder)} are committed: {job}")
    if early:
        wait = time.monotonic() - begin
        expect(wait < 60, f"{wait:.1f} s from the signal to the end: {job}")
        waits.append(wait)
        end(lab, folder, ["-r", "latest", "-d", "run"])
    else:
        lab.same(folder, lab.reference(GPT, 1, WORDS, **SIZES), STEPS)
    for key in ("signals", where, name):
        counts[key] = counts.get(key, 0) + 1


def before_main(lab, counts):
    """As soon as the program is there: the linker still works, and a signal may kill. Nothing is lost then: nothing was done."""
    folder = lab.put("job", GPT, **SIZES)
    ranks, number = lab.random.choice((1, 2, 3)), lab.random.choice(list(NAMES))
    job = lab.start(folder, ranks, ["-i", "job.deck", *WORDS])
    send(victim_of(lab, job, folder, ranks), number)
    code = job.wait()
    if code not in (0, 75):
        expect(not lab.committed(folder), f"killed after a commit: {job}")
        counts["killed_before_main"] = counts.get("killed_before_main", 0) + 1
    counts["sent_before_main"] = counts.get("sent_before_main", 0) + 1
    end(lab, folder, ["-i", "job.deck", "-r", "auto", *WORDS])


def run(lab, counts):
    lab.reference(GPT, 1, WORDS, **SIZES)
    start_up = {}
    for ranks in (1, 2, 3):
        folder = lab.put("dry", GPT, **SIZES)
        start_up[ranks] = lab.run(folder, ranks, ["-i", "job.deck", *WORDS, "-c"]).seconds
    waits = []
    for _ in range(200 if lab.long else 8):
        one(lab, counts, waits, start_up)
    for _ in range(20 if lab.long else 2):
        before_main(lab, counts)
    counts["longest_wait_seconds"] = round(max(waits, default=0), 2)
    counts["median_wait_seconds"] = round(statistics.median(waits), 2) if waits else None

"""A chain of killed and requeued jobs against the job that nobody killed."""
import os
import signal

from lab import GPT, expect

PROPERTY = "a chain of killed and requeued jobs, other ranks each time, against one long job: the same bytes, each step once"

WORDS = ["group.hidden.downlink=rank:0.3"]
PACE = {"KAON_KILL_UNDER": "metrics.csv", "KAON_KILL_DELAY": 20000}  # a step takes at least that long: time to aim


def cut(lab, folder, ranks, steps, counts):
    """One start that is cut after a few steps; false when it came to the end before."""
    begun = max(lab.committed(folder), default=0)
    aim = max(begun, len(lab.rows(folder))) + lab.random.randint(1, 8)  # rows that the last job left do not count
    job = lab.start(folder, ranks, ["-i", "job.deck", "-r", "auto", *WORDS], preload=PACE)
    lab.until(lambda: len(lab.rows(folder)) >= aim or not job.running(), f"step {aim}: {job}")
    how = lab.random.choice(("kill_one", "kill_all", "kill_launcher", "usr1"))
    pids = lab.ranks_in(folder)
    if how == "kill_launcher" and ranks > 1:
        victims = [job.process.pid]
    else:
        victims = pids if how == "kill_all" else pids and [lab.random.choice(pids)]
    for pid in victims:
        try:
            os.kill(pid, signal.SIGUSR1 if how == "usr1" else signal.SIGKILL)
        except ProcessLookupError:
            pass
    code = job.wait()
    lab.gone(folder)
    if code == 0:
        return False
    expect(code == 75 if how == "usr1" else code != 75, f"exit code {code} after {how}: {job}")
    kept = max(lab.committed(folder), default=0)
    expect(kept >= begun, f"step {begun} was committed, then {kept}: {job}")
    counts[how] = counts.get(how, 0) + 1
    counts["cuts"] = counts.get("cuts", 0) + 1
    return True


def run(lab, counts):
    cuts = 20 if lab.long else 4
    counts["steps"] = steps = 12 * cuts
    sizes = {"steps": steps, "every": 3}
    folder = lab.put("chain", GPT, **sizes)
    ranks = 0
    while counts.get("cuts", 0) < cuts:
        ranks = lab.random.choice([r for r in (1, 2, 3, 4) if r != ranks])
        expect(cut(lab, folder, ranks, steps, counts), f"the run ended after {counts.get('cuts', 0)} cuts")
    lab.run(folder, 2, ["-r", "latest", "-d", "run"])
    lab.same(folder, lab.reference(GPT, 1, WORDS, **sizes), steps)

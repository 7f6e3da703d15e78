"""SIGKILL inside a save: at every call by which a rank changes a file, and at random moments of slowed saves."""
import os
import signal
import time

from lab import SQUARES, expect

PROPERTY = "SIGKILL of one rank or of all, most inside a save: the next job starts, loses at most one interval, ends with the same bytes"
STEPS, EVERY = 4, 2
SIZES = {"steps": STEPS, "every": EVERY}


def sure(counts, name, by=1):
    counts[name] = counts.get(name, 0) + by


def go_on(lab, folder, ranks, counts, latest, most=EVERY):
    """The next job after a kill, which may have lost so many steps. Nothing is mended by hand."""
    lab.gone(folder)
    committed, rows = lab.committed(folder), len(lab.rows(folder))
    words = ["-r", "latest", "-d", "run"] if committed and latest else ["-i", "job.deck", "-r", "auto", "-d", "run"]
    job = lab.run(folder, ranks, words)
    if committed:
        from_step = int(job.text().split("restarted from ")[1].split(": step ")[1].split()[0])
        expect(from_step in committed, f"restarted from step {from_step}, committed were {committed}: {job}")
        expect(rows - from_step <= most, f"{rows} steps were done, and the next job began at {from_step}: {job}")
        sure(counts, "from_a_committed_file")
        sure(counts, "steps_lost", max(0, rows - from_step))
    else:
        expect("nothing is committed in run yet: the run begins" in job.text(), f"no word of a fresh start: {job}")
        expect(rows == 0, f"{rows} steps were done and nothing was committed")
        sure(counts, "begun_before_the_first_commit")
    lab.same(folder, lab.reference(SQUARES, **SIZES), STEPS)
    sure(counts, "same_in_the_end")


def plan_of(lab, ranks):
    """Numbered calls of each rank of an undisturbed job."""
    folder = lab.put("dry", SQUARES, **SIZES)
    lab.run(folder, ranks, ["-i", "job.deck"], preload={"KAON_KILL_UNDER": f"{folder}/run", "KAON_KILL_LOG": folder / "calls"})
    return [[line.split(maxsplit=2)[1:] for line in (folder / f"calls.{r}").read_text().splitlines()] for r in range(ranks)]


def at_call(lab, folder, ranks, rank, number, how, counts):
    job = lab.start(folder, ranks, ["-i", "job.deck"],
                    preload={"KAON_KILL_UNDER": f"{folder}/run", "KAON_KILL_RANK": rank, "KAON_KILL_AT": number,
                             "KAON_KILL_HOW": how})
    code = job.wait()
    if code == 0:  # another interleaving of ranks and files had fewer calls
        sure(counts, "not_reached")
        return
    sure(counts, "kills")
    sure(counts, f"kills_{how}")


def every_call(lab, ranks, hows, counts, stride):
    """A kill at each call, or at one in `stride` of those inside a save and one in 2·`stride` of the others."""
    met = {True: 0, False: 0}
    for rank, calls in enumerate(plan_of(lab, ranks)):
        for number, (call, path) in enumerate(calls, 1):
            for how in hows:
                if how == "torn" and "write" not in call or how == "after" and "write" in call:
                    continue
                inside = "/checkpoints/" in path
                met[inside] += 1
                if met[inside] % (stride if inside or stride == 1 else 2 * stride):
                    continue
                before = counts.get("kills", 0)
                folder = lab.put("job", SQUARES, **SIZES)
                at_call(lab, folder, ranks, rank, number, how, counts)
                if counts.get("kills", 0) > before and inside:
                    sure(counts, "kills_inside_a_save")
                go_on(lab, folder, lab.random.choice((1, 2, 3)), counts, latest=number % 2 == 0)


def at_random(lab, counts, words=(), most=EVERY):
    """At a random moment, while a delay before every call of a save makes the job spend its time there. Half lose one rank, half all."""
    ranks = lab.random.choice((1, 2, 2, 3))
    folder = lab.put("job", SQUARES, **SIZES)
    job = lab.start(folder, ranks, ["-i", "job.deck", *words],
                    preload={"KAON_KILL_UNDER": f"{folder}/run/checkpoints", "KAON_KILL_DELAY": 5000})
    lab.until(lambda: lab.committed(folder) or not job.running(), f"the first checkpoint of {job}")
    time.sleep(lab.random.uniform(0, 0.6))
    pids = lab.ranks_in(folder)
    part = bool(list(folder.glob("run/checkpoints/*.part")))
    victims = pids if lab.random.random() < 0.5 else [lab.random.choice(pids)] if pids else []
    for pid in victims:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    if job.wait() == 0:
        sure(counts, "not_reached")
    else:
        sure(counts, "kills")
        sure(counts, "kills_at_random")
        sure(counts, "kills_inside_a_save", part)
    go_on(lab, folder, lab.random.choice((1, 2, 3)), counts, lab.random.random() < 0.5, most)


def run(lab, counts):
    if lab.long:
        every_call(lab, 1, ("before", "torn", "after"), counts, 1)
        every_call(lab, 2, ("before", "torn", "all"), counts, 1)
    else:
        every_call(lab, 1, ("before", "torn", "after"), counts, 15)
        every_call(lab, 2, ("before", "torn", "all"), counts, 31)
    counts["calls_aimed_at"] = counts["kills"]
    for _ in range(100 if lab.long else 5):
        at_random(lab, counts)
    while lab.long and counts["from_a_committed_file"] < 500:
        at_random(lab, counts)
    expect(2 * counts["kills_inside_a_save"] > counts["kills"], f"most kills were to fall inside a save: {counts}")

"""Written on some ranks, read on others: the result does not know."""
import shutil

from lab import GPT

PROPERTY = "written on 1, 2, 4, 8 ranks, read on 1, 2, 3, 4, 5, 8 (short: 1, 4 and 2, 3): the same bytes after further steps"

CUT = 20


def run(lab, counts):
    counts["further_steps"] = further = 100 if lab.long else 20
    steps = CUT + further
    straight = lab.reference(GPT, 1, steps=steps, every=0)
    for written in (1, 2, 4, 8) if lab.long else (1, 4):
        source = lab.put(f"on{written}", GPT, steps=steps, every=0)
        lab.run(source, written, ["-i", "job.deck", f"run.steps={CUT}"])
        for read in (1, 2, 3, 4, 5, 8) if lab.long else (2, 3):
            folder = lab.scratch / "read"
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(source, folder, symlinks=True)
            lab.run(folder, read, ["-i", "job.deck", "-r", "latest"])
            lab.same(folder, straight, steps)
            counts["combinations"] = counts.get("combinations", 0) + 1

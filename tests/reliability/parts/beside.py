"""SIGKILL of jobs that write their checkpoints beside the training."""
from lab import expect
from parts.kill import EVERY, at_random

PROPERTY = "the same kills with checkpoint.asynchronous = yes: two intervals lost at most, and the same bytes in the end"


def run(lab, counts):
    while counts.get("kills", 0) < (60 if lab.long else 4):
        at_random(lab, counts, ["checkpoint.asynchronous=yes"], 2 * EVERY)
    expect(counts["same_in_the_end"] >= counts["kills"], f"a kill without a restart: {counts}")

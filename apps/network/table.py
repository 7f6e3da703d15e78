"""table.py FOLDER [--skip N] [--window N] [--target LOSS]: the Markdown table of slow_network.sh from FOLDER/runs.tsv.

Columns of runs.tsv: rate, measured Mbit/s, latency in us, ranks, topology, messages, run folder, bytes through the interfaces.
"""
import argparse
import csv
import pathlib
import statistics


class Run:
    def __init__(self, row, base, skip, window):
        self.rate, self.mbit, self.latency, self.ranks, self.topology, self.messages, folder, self.link = row
        with open(base / folder / "metrics.csv", newline="") as f:
            rows = list(csv.DictReader(f))
        self.steps = len(rows)
        self.seconds = [float(r["seconds"]) for r in rows]
        self.per_step = statistics.median(self.seconds[skip:] or self.seconds)
        self.bytes = (int(rows[-1]["wire_up"]) + int(rows[-1]["wire_down"])) / self.steps
        losses = [float(r["loss"]) for r in rows]
        # The mean over the last `window` steps; before there are so many there is no smoothed loss.
        self.smooth = [None] * (window - 1) + [statistics.fmean(losses[i - window : i]) for i in range(window, self.steps + 1)]

    def lowest(self):
        return min((v for v in self.smooth if v is not None), default=None)

    def reach(self, target):
        """(steps, seconds) up to the first step whose smoothed loss is at most the target; None if there is none."""
        for i, v in enumerate(self.smooth):
            if v is not None and target is not None and v <= target:
                return i + 1, sum(self.seconds[: i + 1])
        return None


def main():
    p = argparse.ArgumentParser()
    p.add_argument("folder", type=pathlib.Path)
    p.add_argument("--skip", type=int, default=5)
    p.add_argument("--window", type=int, default=20)
    p.add_argument("--target", type=float)
    a = p.parse_args()
    with open(a.folder / "runs.tsv", newline="") as f:
        runs = [Run(row, a.folder, a.skip, a.window) for row in csv.reader(f, delimiter="\t")]
    lowest = [r.lowest() for r in runs]
    # Without a target: the lowest that all have reached.
    target = a.target if a.target is not None else None if not lowest or None in lowest else max(lowest)
    print("| rate | link, Mbit/s | latency, µs | ranks | topology | messages | s/step | wire, MB/step | steps to loss | s to loss | faster a step "
          "| faster to loss |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    dense = {(r.rate, r.ranks, r.topology): r for r in runs if r.messages == "uncompressed"}
    for r in runs:
        reached, other = r.reach(target), dense.get((r.rate, r.ranks, r.topology))
        steps, seconds = (str(reached[0]), "%.1f" % reached[1]) if reached else ("not reached",) * 2
        faster = faster_to_loss = ""
        if other and other is not r:
            faster = "%.2f×" % (other.per_step / r.per_step)
            both = other.reach(target)
            faster_to_loss = "%.2f×" % (both[1] / reached[1]) if both and reached else "–"
        print("| " + " | ".join([r.rate, r.mbit, r.latency, r.ranks, r.topology, r.messages, "%.4f" % r.per_step, "%.3f" % (r.bytes / 1e6), steps,
                                 seconds, faster, faster_to_loss]) + " |")
    what = "no run has %d steps" % a.window if target is None else "%.4f%s" % (target, "" if a.target is not None else ", the lowest that all runs reached")
    print("\nSeconds a step: median, the first %d steps left out. Loss: training loss, mean over %d steps; target: %s." % (a.skip, a.window, what))


if __name__ == "__main__":
    main()

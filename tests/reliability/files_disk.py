"""Failing disks: calls of kaon-train on the files of its run folder fail, one after the other, on one rank or on all.

Of every case is asserted: no hang; exit code 74 with the system's words for the error and a path (or, where nothing is lost by
it, the end of a run that nothing happened to); every file committed before is intact; and after the cure a restart ends with the same
bits as an undisturbed run. Writes one JSON line for each part; exit code 1 when a property did not hold, 77 when this machine does
not allow all of a short form.
"""
import argparse
import json
import os
import pathlib
import random
import sys
import time

import files_more
from files_lab import ON, Lab, number

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77  # as ctest is told
ERRORS = {
    "create": ["ENOSPC", "EDQUOT", "EACCES", "EROFS", "EIO"],
    "open": ["EIO", "EACCES", "ESTALE"],
    "write": ["ENOSPC", "EDQUOT", "EIO", "EFBIG", "short"],
    "read": ["EIO", "ESTALE"],
    "sync": ["EIO", "ENOSPC", "EDQUOT"],
    "close": ["EIO", "ENOSPC", "EDQUOT"],
    "rename": ["EIO", "ENOSPC", "EACCES", "EROFS"],
    "link": ["ENOSPC", "EIO", "EPERM"],
    "unlink": ["EIO", "EACCES", "EROFS"],
    "space": ["EIO", "ENOSYS"],
}


def disk_of(call, error, first, times, rank):
    value = error if error in ("short", "slow") else number(error)
    return {"CALL": call, "ERROR": value, "FIRST": first, "TIMES": times, "RANK": rank}


def judge(lab, ranks, call, error, first, times, rank):
    """(fate, why): stopped (74), refused (65: no file can be read), tolerated (nothing was lost), or what is wrong. None when no
    call failed."""
    lab.fresh()
    o = lab.train(["-r", *ON], ranks, disk_of(call, error, first, times, rank))
    if not any(lab.counted(1).values()):
        return None
    if o.code is None:
        return "hung", str(o)
    if wrong := lab.sound(o.err):
        return "harmed", f"{wrong}\n{o}"
    if o.code == 0:
        wrong = lab.as_undisturbed()
        return ("lost", f"{wrong}\n{o}") if wrong else ("tolerated", "")
    if o.code == 65 and call in ("open", "read") and "no usable checkpoint" in o.err:  # a restart that cannot read any file
        named = os.strerror(number(error)) in o.err and "step-00000002.h5" in o.err
        return ("refused", "") if named and not lab.cured(ranks) else ("another message", str(o))
    if o.code != 74:
        return "another exit code", str(o)
    if error != "short" and (os.strerror(number(error)) not in o.err or str(lab.run.name) + "/" not in o.err):
        return "another message", str(o)
    if wrong := lab.cured(ranks):
        return "not cured", f"{wrong}\nafter: {o}"
    return "stopped", ""


def cases(lab, options):
    """Of each number of ranks: every kind of call, on one rank and on all; which of its calls, and by which error, is drawn."""
    dice = random.Random(options.seed)
    for ranks in options.ranks:
        for call in ERRORS:
            lab.fresh()
            o = lab.train(["-r", *ON], ranks, disk_of(call, "EIO", 0, 1, -1))
            assert o.code == 0, o
            calls = lab.counted(0)
            callers = sorted(r for r, n in calls.items() if n)
            assert callers, f"{ranks} ranks: no call of the kind {call} was seen; is {lab.o.disk} below kaon-train?"
            for rank in callers if options.every or options.long or call in ("write", "close") else callers[-1:]:
                k = range(1, calls[rank] + 1)
                if not options.every:
                    k = sorted(dice.sample(k, min(len(k), options.draws)))
                for first in k:
                    yield ranks, call, dice.choice(ERRORS[call]), first, dice.choice([1, 1, 0]), rank
            if ranks > 1 and options.long and max(calls.values(), default=0):
                yield ranks, call, dice.choice(ERRORS[call]), dice.randint(1, max(calls.values())), 0, -1
    for ranks in options.ranks if options.long else []:
        yield ranks, "write", "slow", 1, 0, -1


def faults(lab, options, counts):
    held = True
    for case in cases(lab, options):
        ranks, call, error, first, times, rank = case
        verdict = judge(lab, ranks, call, error, first, times, rank)
        fate, why = verdict or ("not reached", "")
        counts.setdefault(f"ranks {ranks}", {}).setdefault(call, {}).setdefault(fate, 0)
        counts[f"ranks {ranks}"][call][fate] += 1
        if fate not in ("stopped", "tolerated", "refused", "not reached"):
            held = False
            print(f"{ranks} ranks, {call} {first} of rank {rank}, {error} x {times}: {fate}: {why}", file=sys.stderr, flush=True)
    return held


PARTS = {"faults": faults, **files_more.PARTS}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("parts", nargs="*", metavar="part", help=f"any of: {' '.join(PARTS)}")
    p.add_argument("--build", type=pathlib.Path, default=HERE.parents[1] / "build/tests", help="the build folder")
    p.add_argument("--train", type=pathlib.Path)
    p.add_argument("--ckpt", type=pathlib.Path)
    p.add_argument("--disk", type=pathlib.Path, help="the library below kaon-train")
    p.add_argument("--mpiexec", default="mpiexec", help="the launcher and its flags")
    p.add_argument("--ranks", type=int, nargs="+", default=None)
    p.add_argument("--draws", type=int, default=None, help="calls of a kind that fail")
    p.add_argument("--long", action="store_true", help="the campaign, not the short form")
    p.add_argument("--every", action="store_true", help="every call, one after the other")
    p.add_argument("--seed", type=int, default=20250302)
    p.add_argument("--scratch", help="where to work")
    p.add_argument("--out", type=pathlib.Path, help="append the lines to this file, too")
    o = p.parse_args()
    o.build = o.build.resolve()
    o.train = o.train or o.build / "apps/kaon-train"
    o.ckpt = o.ckpt or o.build / "apps/kaon-ckpt"
    o.disk = o.disk or o.build / "tests/reliability/libkaon_disk.so"
    o.mpiexec = o.mpiexec.split()
    o.ranks = o.ranks or ([1, 2, 4] if o.long else [2])
    o.draws = o.draws or (3 if o.long else 1)
    for file in (o.train, o.ckpt, o.disk):
        if not file.exists():
            p.error(f"there is no {file}: build it, or name it")
    if unknown := set(o.parts) - set(PARTS):
        p.error(f"no such part: {' '.join(sorted(unknown))}")
    good, left_out = True, False
    lab = Lab(o)
    for name in o.parts or PARTS:
        begin = time.monotonic()
        counts = {}
        held = PARTS[name](lab, o, counts)
        good = good and held
        left_out = left_out or "left out" in counts
        line = {"part": f"files_{name}", "form": "long" if o.long else "short", "seed": o.seed, "holds": held, "counts": counts,
                "seconds": round(time.monotonic() - begin, 1)}
        print(json.dumps(line), flush=True)
        if o.out:
            with o.out.open("a") as f:
                f.write(json.dumps(line) + "\n")
    lab.close()
    return 1 if not good else SKIPPED if left_out and not o.long else 0


if __name__ == "__main__":
    sys.exit(main())

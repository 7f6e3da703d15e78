"""Proves that a job may die at any moment, on any rank, and that the next one goes on, exactly.

Runs named parts (all without a name) and writes one JSON line for each: what was asserted, counts, seed, seconds. Exit code 1 when
a property did not hold; what broke is in the line and on standard error, and the scratch folder stays. The short form is the one
that ctest runs; --long is the campaign. The short form of a part alone that this machine lacks something for ends with 77.
"""
import argparse
import importlib
import json
import os
import pathlib
import shutil
import sys
import time
import traceback

from lab import Broken, Lab

SKIPPED = 77  # as ctest is told
HERE = pathlib.Path(__file__).resolve().parent


def parts():
    return sorted(p.stem for p in (HERE / "parts").glob("[a-z]*.py"))


def one(name, options):
    part = importlib.import_module(f"parts.{name}")
    lab = Lab(options, name)
    line = {"part": name, "property": part.PROPERTY, "form": "long" if options.long else "short", "seed": options.seed}
    begin = time.monotonic()
    counts = {}
    try:
        part.run(lab, counts)
        line["holds"] = True
    except Broken as e:
        line.update(holds=False, broken=str(e))
    except Exception:  # a driver that falls over proves nothing
        line.update(holds=False, broken=traceback.format_exc())
    line.update(counts=counts, seconds=round(time.monotonic() - begin, 1), cores=os.cpu_count())
    if line["holds"]:
        lab.close()
    else:
        print(f"{name}: {line['broken']}\nscratch folder: {lab.scratch}", file=sys.stderr)
    return line


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("parts", nargs="*", metavar="part", help=f"any of: {' '.join(parts())}")
    p.add_argument("--build", type=pathlib.Path, default=HERE.parents[1] / "build/tests", help="the build folder")
    p.add_argument("--train", type=pathlib.Path, help="default: apps/kaon-train of the build")
    p.add_argument("--ckpt", type=pathlib.Path, help="default: apps/kaon-ckpt of the build")
    p.add_argument("--killer", type=pathlib.Path, help="default: tests/reliability/libkaon_killer.so of the build")
    p.add_argument("--clock", type=pathlib.Path, help="default: tests/reliability/kaon_wall_clock of the build")
    p.add_argument("--mpiexec", default=shutil.which("mpiexec"), help="the launcher, with options if it needs any; it knows -n")
    p.add_argument("--long", action="store_true", help="the campaign, not the short form")
    p.add_argument("--seed", type=int, default=20250301)
    p.add_argument("--out", type=pathlib.Path, help="append the lines to this file, too")
    o = p.parse_args()
    o.build = o.build.resolve()
    o.train = o.train or o.build / "apps/kaon-train"
    o.ckpt = o.ckpt or o.build / "apps/kaon-ckpt"
    o.killer = o.killer or o.build / "tests/reliability/libkaon_killer.so"
    o.clock = o.clock or o.build / "tests/reliability/kaon_wall_clock"
    for file in (o.train, o.ckpt, o.killer, o.clock):
        if not file.exists():
            p.error(f"there is no {file}: build it, or name it")
    if unknown := set(o.parts) - set(parts()):
        p.error(f"no such part: {' '.join(sorted(unknown))}")
    good = True
    for name in o.parts or parts():
        missing = getattr(importlib.import_module(f"parts.{name}"), "missing", str)()
        if missing and o.parts == [name] and not o.long:
            print(f"{name} is skipped: this machine has {missing}")
            return SKIPPED
        line = one(name, o)
        good = good and line["holds"]
        text = json.dumps(line)
        print(text, flush=True)
        if o.out:
            with o.out.open("a") as f:
                f.write(text + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

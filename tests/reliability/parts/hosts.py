"""Ranks that see the run folder as hosts of a cluster do: each through a mount and a page cache of its own.

Every rank has a mount namespace and in it a FUSE mount (bindfs) of the one folder, with names and attributes cached for a minute:
what another rank wrote is seen when a file is opened, and not before, as NFS promises. Needs root, unshare and bindfs.
"""
import os
import shutil
import signal
import subprocess

from lab import GPT, Job, expect

PROPERTY = "every rank has a mount and a page cache of its own: jobs killed and continued on other ranks, the same bytes, each step once"

RANK = """#!/bin/sh
exec unshare --mount --propagation private sh -c '
bindfs -o attr_timeout=60,entry_timeout=60,negative_timeout=1 "{folder}" "{seen}" </dev/null >/dev/null 2>&1 || exit 99
cd "{seen}" && "$@"
code=$?
cd / && umount --lazy "{seen}"
exit $code' sh "$@"
"""


def missing():
    """What this machine lacks for this part; empty when nothing."""
    if absent := [tool for tool in ("bindfs", "unshare") if not shutil.which(tool)]:
        return f"no {' and no '.join(absent)} (Debian: bindfs, util-linux)"
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))  # a container may show it and not give it
    except OSError as e:
        return f"no use of /dev/fuse ({e.strerror})"
    if subprocess.run(["unshare", "--mount", "true"], check=False, stderr=subprocess.DEVNULL).returncode:
        return "no right to mount (root)"
    return ""


def start(lab, rank, seen, ranks, words):
    environment = dict(os.environ, OMP_NUM_THREADS="1", OMP_PROC_BIND="false", OMP_WAIT_POLICY="passive", OPENBLAS_NUM_THREADS="1")
    return Job([*lab.mpiexec, "-n", str(ranks), str(rank), lab.train, *words], seen, environment)


def unmount(seen):
    """Ends the file systems whose rank was killed along with its shell."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().decode(errors="replace").split("\0")
            if words[0].endswith("bindfs") and str(seen) in words:
                os.kill(int(pid), signal.SIGTERM)
        except OSError:
            continue


def run(lab, counts):
    expect(not missing(), f"this machine has {missing()}")
    cuts = 20 if lab.long else 3
    counts["steps"] = steps = 100 * cuts
    sizes = {"steps": steps, "every": 3}
    folder = lab.put("hosts", GPT, **sizes)
    seen = lab.scratch / "seen"
    seen.mkdir()
    rank = lab.scratch / "rank.sh"
    rank.write_text(RANK.format(folder=folder, seen=seen))
    rank.chmod(0o755)
    ranks, counts["kills"] = 0, 0
    while counts["kills"] < cuts:
        ranks = lab.random.choice([r for r in (2, 3, 4) if r != ranks])
        begun = max(lab.committed(folder), default=0)
        aim = max(begun, len(lab.rows(folder))) + lab.random.randint(1, 20)
        job = start(lab, rank, seen, ranks, ["-i", "job.deck", "-r", "auto"])
        lab.until(lambda: len(lab.rows(folder)) >= aim or not job.running(), f"step {aim}: {job}")
        for pid in lab.ranks_in(seen):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        lab.gone(seen)
        unmount(seen)  # the launcher waits for all who have its sockets
        code = job.wait()
        expect(code != 0, f"the run ended after {counts['kills']} kills: {job}")
        expect(max(lab.committed(folder), default=0) >= aim - sizes["every"] or aim <= begun + sizes["every"],
               f"step {aim} was reached, and the newest checkpoint is {max(lab.committed(folder), default=0)}: {job}")
        counts["kills"] += 1
    job = start(lab, rank, seen, 3, ["-r", "latest", "-d", "run"])
    expect(job.wait() == 0, f"the last start: {job}")
    unmount(seen)
    lab.same(folder, lab.reference(GPT, 1, **sizes), steps)

"""Whole programs before damaged files, odd folders and real full disks; parts of files_disk.py."""
import os
import random
import shutil
import subprocess
import time

from files_lab import ON, PATIENCE, QUIET, number


class Broken(Exception):
    pass


def expect(true, what):
    if not true:
        raise Broken(what)


def each(scenarios, lab, counts):
    """Runs them all; prints the broken ones."""
    held = True
    for name, run in scenarios:
        lab.fresh()
        try:
            fate = run() or "as promised"
        except Broken as e:
            held, fate = False, "broken"
            print(f"{name}: {e}", flush=True)
        counts[fate] = counts.get(fate, 0) + 1
        if fate != "broken":
            counts.setdefault("scenarios", []).append(name)
    return held


def goes_on(lab, ranks, said=()):
    """A restart from latest ends as the undisturbed run and says what it must on standard error."""
    o = lab.train(["-r", *ON], ranks)
    expect(o.code == 0, str(o))
    for word in said:
        expect(word in o.err, f"'{word}' is not said: {o}")
    wrong = lab.as_undisturbed()
    expect(not wrong, wrong)
    return o


def snapshot(folder):
    return {p: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def refused(lab, code, said, arguments=("-r", *ON), ranks=1):
    """A restart is refused, says why, and changes no file."""
    before = snapshot(lab.run)
    o = lab.train(list(arguments), ranks)
    expect(o.code == code, str(o))
    for word in said:
        expect(word in o.err, f"'{word}' is not said: {o}")
    expect(snapshot(lab.run) == before, "files have changed")


def flip(path, dice):
    data = bytearray(path.read_bytes())
    at = dice.randrange(8 * len(data))
    data[at // 8] ^= 1 << at % 8
    path.write_bytes(data)
    return at


def flips(lab, options, counts):
    """Single bits of the newest file: passed over by name, or harmless; the same end in both cases. At last all files are hit."""
    dice = random.Random(options.seed)
    number = 30 if options.long else 4

    def newest(ranks):
        flip(lab.checkpoints / "step-00000002.h5", dice)
        o = goes_on(lab, ranks)
        over = "step-00000002.h5 is passed over" in o.err
        expect(("step 1 of 4" if over else "step 2 of 4") in o.out + o.err, str(o))
        return "passed over" if over else "harmless"

    def all_of_them():
        for step in (1, 2):
            data = bytearray((lab.checkpoints / f"step-0000000{step}.h5").read_bytes())
            for at in range(0, len(data), 997):  # some in every region
                data[at] ^= 1 << dice.randrange(8)
            (lab.checkpoints / f"step-0000000{step}.h5").write_bytes(data)
        refused(lab, 65, ["no usable checkpoint", "step-00000001.h5", "step-00000002.h5"])
        return "none left: 65"

    todo = [(f"flip {i}", lambda r=options.ranks[i % len(options.ranks)]: newest(r)) for i in range(number)]
    return each(todo + [("all", all_of_them)], lab, counts)


def odd_folders(lab, options, counts):
    """What stands in the checkpoint folder is not what it should be."""
    two = "checkpoints/step-00000002.h5"

    def change(apply):
        apply(lab.run / two)

    def replace_link(target):
        (lab.checkpoints / "latest").unlink()
        if target:
            (lab.checkpoints / "latest").symlink_to(target)

    def spoiled(apply, why):
        def run(ranks=options.ranks[0]):
            change(apply)
            goes_on(lab, ranks, ["step-00000002.h5 is passed over", why])
        return run

    def linked(target):
        def run():
            replace_link(target)
            goes_on(lab, 1)
        return run

    def a_folder():
        change(lambda p: (p.unlink(), p.mkdir()))
        o = lab.train(["-r", *ON])
        expect(o.code == 74 and "step-00000002.h5 is passed over" in o.err and "Is a directory" in o.err, str(o))
        (lab.run / two).rmdir()
        goes_on(lab, 1)

    def a_loop(p):
        p.unlink()
        p.symlink_to(p.name)

    def strange(setting, said):
        def run():
            o = lab.train(["-d", "other", "run.steps=2", "checkpoint.every=1", setting])
            expect(o.code == 0, str(o))
            shutil.copy(lab.root / "other" / two, lab.run / two)
            shutil.rmtree(lab.root / "other")
            refused(lab, 65, [two, *said])
        return run

    def unreadable(call, error):
        def run():
            o = lab.train(["-r", *ON], 1, {"UNDER": lab.checkpoints, "CALL": call, "ERROR": number(error), "FIRST": 1, "TIMES": 0})
            text = os.strerror(number(error))
            expect(o.code == 65 and two in o.err and text in o.err, str(o))
            goes_on(lab, 1)
        return run

    def no_folder(which, error):
        def run():
            o = lab.train(["-d", "run/new", *ON], 1, {"CALL": "mkdir", "ERROR": number(error), "FIRST": which, "TIMES": 1})
            expect(o.code == 74 and "run/new" in o.err and os.strerror(number(error)) in o.err, str(o))
            shutil.rmtree(lab.run / "new", ignore_errors=True)
            goes_on(lab, 1)
        return run

    def from_one(p):
        shutil.copy(p.with_name("step-00000001.h5"), p)

    todo = [
        ("an empty file", spoiled(lambda p: p.write_bytes(b""), "HDF5")),
        ("a file cut in half", spoiled(lambda p: os.truncate(p, p.stat().st_size // 2), "truncated file")),
        ("a file of zeros", spoiled(lambda p: p.write_bytes(bytes(p.stat().st_size)), "HDF5")),
        ("the file of step 1 under its name", spoiled(from_one, "its name says")),
        ("a text under its name", spoiled(lambda p: p.write_text("once upon a time"), "HDF5")),
        ("a symbolic link to itself", spoiled(a_loop, "symbolic links")),
        ("a folder under its name", a_folder),
        ("latest leads nowhere", linked("step-00000009.h5")),
        ("latest leads to itself", linked("latest")),
        ("latest leads to a folder", linked("..")),
        ("latest is gone", linked(None)),
        ("another deck's file under its name", strange("optimizer.beta=0.25", ["optimizer.beta", "0.25", "0.1"])),
        ("a file of the other precision under its name", strange("run.precision=double", ["run.precision", "double", "float"])),
        ("EIO on every read", unreadable("read", "EIO")),
        ("EACCES on every open", unreadable("open", "EACCES")),
        ("a run folder that cannot be made", no_folder(1, "EACCES")),
        ("a folder of checkpoints that cannot be made", no_folder(2, "ENOSPC")),
    ]
    return each(todo, lab, counts)


def mounting():
    """The words that run a script in which file systems may be mounted, or None."""
    for words in (["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"]):
        try:
            if subprocess.run([*words, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True).returncode == 0:
                return words
        except OSError:
            pass
    return None


def on_tmpfs(lab, words, size, prepare, arguments, ranks=1):
    """kaon-train with its run folder on a file system of `size`, a copy of which is left in `run` afterwards."""
    lab.run.rename(lab.root / "before")
    (lab.root / "kept").mkdir()
    lab.run.mkdir()
    train = [str(lab.o.train), "-i", "gpt.deck", *arguments]
    if ranks > 1:
        train = [*lab.o.mpiexec, "-n", str(ranks), *train]
    script = (
        f"mount -t tmpfs -o size={size} tmpfs run && cp -a before/. run/ || exit 99; {prepare}; "
        '"$@"; code=$?; rm -f run/filler; cp -a run/. kept/; exit $code'
    )
    o = lab.launch([*words, "sh", "-c", script, "sh", *train])
    lab.run.rmdir()
    (lab.root / "kept").rename(lab.run)
    shutil.rmtree(lab.root / "before")
    return o


def real_disks(lab, options, counts):
    """File systems that are really full or read-only, and a folder that vanishes."""
    words = mounting()
    if words is None:
        counts["left out"] = "all but a folder that vanishes: mounting is not allowed here"
    base = sum(f.stat().st_size for f in (lab.root / "base").rglob("*") if f.is_file())

    def full(size, ranks):
        def run():
            o = on_tmpfs(lab, words, size, ":", ["-r", *ON], ranks)
            expect(o.code in (0, 74), str(o))
            if o.code == 74:
                expect("No space left on device" in o.err or "bytes and" in o.err and "are free" in o.err, str(o))
                expect("run/" in o.err, str(o))
            wrong = lab.sound(o.err) or lab.cured(ranks)
            expect(not wrong, wrong)
            return "74" if o.code else "fits"
        return run

    fill = "dd if=/dev/zero of=run/filler bs=4096 2>/dev/null"

    def filled(ranks):
        def run():
            o = on_tmpfs(lab, words, base + (1 << 22), fill, ["-r", *ON], ranks)
            expect(o.code == 74 and ("No space left on device" in o.err or "are free" in o.err) and "run/" in o.err, str(o))
            wrong = lab.sound(o.err) or lab.cured(ranks)
            expect(not wrong, wrong)
            return "74"
        return run

    def fresh_on_full():
        o = on_tmpfs(lab, words, base + (1 << 22), "rm -rf run/*; " + fill, ON)
        expect(o.code == 74 and "No space left on device" in o.err and "run/" in o.err, str(o))
        return "74"

    def read_only(ranks):
        def run():
            o = on_tmpfs(lab, words, "64m", "mount -o remount,ro run", ["-r", *ON], ranks)
            expect(o.code == 74 and "Read-only file system" in o.err and "run/" in o.err, str(o))
            wrong = lab.sound(o.err) or lab.cured(ranks)
            expect(not wrong, wrong)
            return "74"
        return run

    def vanishes():
        arguments = ["-i", "gpt.deck", "-r", "run.steps=1000000", "run.log_every=1000", "checkpoint.every=20"]
        with open(lab.root / "err", "w+") as err:
            words = [str(lab.o.train), *arguments]
            p = subprocess.Popen(words, cwd=lab.root, stdout=subprocess.DEVNULL, stderr=err, env={**os.environ, **QUIET})
            end = time.monotonic() + PATIENCE
            while p.poll() is None and not (lab.checkpoints / "step-00000040.h5").exists() and time.monotonic() < end:
                time.sleep(0.01)
            lab.run.rename(lab.root / "gone")
            try:
                code = p.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
                code = None
            err.seek(0)
            said = err.read()
        (lab.root / "gone").rename(lab.run)
        told = "run/checkpoints" in said and "No such file or directory" in said
        expect(code == 74 and told, f"exit code {code}\n{said[-2000:]}")
        files = sorted(lab.checkpoints.glob("step-*.h5"))
        expect(lab.launch([str(lab.o.ckpt), "verify", *map(str, files)]).code == 0, "a committed file is damaged")
        o = lab.train(["-r", f"run.steps={int(files[-1].stem[5:]) + 1}", "checkpoint.keep=9"])
        committed = [f"restarted from run/checkpoints/{f.name}" for f in files]  # latest is the last thing that a save changes
        expect(o.code == 0 and any(line in o.out + o.err for line in committed), str(o))
        return "74"

    todo = [("the folder vanishes", vanishes)]
    if words:
        for ranks in options.ranks:
            todo += [(f"filled to the last block, {ranks} ranks", filled(ranks)), (f"read-only, {ranks} ranks", read_only(ranks))]
        todo += [("a fresh start on a full file system", fresh_on_full)]
        for i in range(8 if options.long else 2):  # room for less and less of what the run wants to write
            size = base + (1 << 16) + (i + 1) * (200000 if options.long else 700000)
            todo.append((f"a file system of {size} bytes", full(size, options.ranks[i % len(options.ranks)])))
    return each(todo, lab, counts)


PARTS = {"program_flips": flips, "odd_folders": odd_folders, "real_disks": real_disks}

"""Whose run is this? One test for each way in which a folder, a checkpoint and a job can belong to different runs."""
import concurrent.futures
import json
import os
import re
import shutil
import signal
import time

import lab

BASE = ("-i", "gpt.deck")
LONG = ("run.steps=1000000", "run.log_every=0", "checkpoint.every=0")


class Runs(lab.Situation):
    def go(self, *arguments, code=0, parts=(), **options):
        return self.ended(self.train(*BASE, *arguments, **options), code, *parts)

    def state(self, run="run"):
        return json.loads(self.read(run + "/summary.json"))

    def run_json(self, run="run"):
        return json.loads(self.read(run + "/run.json"))

    def provenance(self, file):
        out = self.ended(self.ckpt("show", file), 0).out
        return {k: v.strip() for k, v in re.findall(r"^  (run|parent): (.*)$", out, re.M)}

    def snapshot(self, run):
        """Every file with its contents, every link with its target."""
        all = {}
        for path in sorted((self.folder / run).rglob("*")):
            name = str(path.relative_to(self.folder))
            all[name] = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        return all

    def until(self, holds, what):
        end = time.monotonic() + lab.LIMIT

        def held():  # what is read may be on its way to another name, or half written
            try:
                return holds()
            except (FileNotFoundError, ValueError, IndexError):
                return False

        while not held():
            self.assertLess(time.monotonic(), end, "waited in vain for " + what)
            time.sleep(0.01)

    def begin_long(self, *arguments, run="run", **options):
        """A job that runs until it is stopped, some steps on its way."""
        job = self.begin([lab.TRAIN, *BASE, *LONG, "-d", run, *arguments], **options)
        rows = lambda: (self.folder / run / "metrics.csv").exists() and len(self.steps(run)) > 2
        self.until(lambda: job.poll() is not None or (rows() and self.state(run)["state"] == "running"), "the job's first steps")
        self.assertIsNone(job.poll(), "the job has ended")
        return job

    def end_long(self, job, code=75):
        job.send_signal(signal.SIGTERM)
        return self.ended(self.finish(job), code)


class ByPath(Runs):
    """-r PATH (ultralytics/ultralytics#23623): where the run goes on, and what is left alone."""

    def setUp(self):
        super().setUp()
        self.go("-d", "kaon-run", "run.steps=8")
        os.rename(self.folder / "kaon-run", self.folder / "exp1")
        self.go("-d", "kaon-run", "run.seed=7", "run.steps=20", "checkpoint.keep=5")
        self.other = self.snapshot("kaon-run")

    def test_goes_on_in_the_folder_of_the_file_whatever_its_deck_names(self):
        self.ended(self.train("-r", "exp1/checkpoints/latest", "run.steps=10"), 0, "goes on in exp1")
        self.assertEqual(self.steps("exp1"), list(range(1, 11)))
        self.assertEqual(self.snapshot("kaon-run"), self.other)

    def test_also_with_a_deck_that_names_another_folder(self):
        self.go("-r", "exp1/checkpoints/step-00000008.h5", "run.steps=10")
        self.assertEqual(self.steps("exp1"), list(range(1, 11)))
        self.assertEqual(self.snapshot("kaon-run"), self.other)
        self.assertFalse((self.folder / "run").exists())

    def test_also_from_inside_the_folder(self):
        self.ended(self.run_line('cd exp1/checkpoints && "$TRAIN" -r ./latest run.steps=10 data.train=../../text.txt'), 0)
        self.assertEqual(self.steps("exp1"), list(range(1, 11)))
        self.assertEqual(self.snapshot("kaon-run"), self.other)

    def test_a_file_elsewhere_needs_a_folder(self):
        shutil.copy(self.folder / "exp1/checkpoints/step-00000008.h5", self.folder / "kept.h5")
        self.ended(self.train("-r", "kept.h5"), 64, "-d", "kept.h5", "lies in no run folder")
        self.go("-r", "kept.h5", code=64)
        self.assertEqual(self.snapshot("kaon-run"), self.other)

    def test_a_folder_that_holds_another_run_is_refused(self):
        for file in ("exp1/checkpoints/latest", "kept.h5"):
            shutil.copy(self.folder / "exp1/checkpoints/step-00000008.h5", self.folder / "kept.h5")
            for words in (("-d", "kaon-run"), ("run.directory=kaon-run",), ("-d", "kaon-run", "-c")):
                self.ended(self.train("-r", file, *words), 65, "kaon-run holds an earlier run")
        self.assertEqual(self.snapshot("kaon-run"), self.other)

    def test_an_empty_folder_gets_a_run_of_its_own_that_names_its_parent(self):
        self.ended(self.train("-r", "exp1/checkpoints/latest", "-d", "branch", "run.steps=10"), 0, "begun from step 8")
        old, new = self.run_json("exp1"), self.run_json("branch")
        self.assertNotEqual(new["run"], old["run"])
        self.assertEqual((new["parent"]["run"], new["parent"]["step"]), (old["run"], 8))
        self.assertEqual(self.steps("branch"), [9, 10])
        self.assertIn("step-00000008.h5", self.checkpoints("branch"), "its start is committed")
        self.assertEqual(self.steps("exp1"), list(range(1, 9)))
        self.assertEqual(self.provenance("branch/checkpoints/latest"), {"run": new["run"], "parent": old["run"] + " at step 8"})

    def test_a_start_from_a_file_that_was_killed_is_never_taken_for_a_beginning(self):
        self.ended(self.train("-r", "exp1/checkpoints/latest", "-d", "branch", "run.steps=10"), 0)
        shutil.rmtree(self.folder / "branch/checkpoints")
        for name in ("metrics", "layers", "groups", "validation"):
            (self.folder / f"branch/{name}.csv").unlink()
        self.go("-r", "auto", "-d", "branch", code=65, parts=("was to begin from step 8", "exp1/checkpoints/step-00000008.h5"))
        self.ended(self.train("-r", "exp1/checkpoints/latest", "-d", "branch", "run.steps=10"), 0)

    def test_a_folder_in_the_place_of_a_file_is_told_with_the_cure(self):
        before = self.snapshot("exp1")
        for words in (("-r", "exp1"), ("-r", "exp1/"), ("-r", "exp1/checkpoints"), ("-r", "exp1", "-d", "exp1"), (*BASE, "-r", "exp1")):
            self.ended(self.train(*words), 64, f"-r {words[words.index('-r') + 1]}: this is a folder", "-r -d exp1")
        self.ended(self.train("-r", ".", *BASE), 64, "-r .: this is a folder")
        for words in (("show", "exp1"), ("verify", "exp1"), ("export", "exp1", "-o", "x.npz"), ("diff", "exp1", "exp1"),
                      ("resize", "exp1", "-w", "1", "-o", "x.h5")):
            self.ended(self.ckpt(*words), 65, "exp1 is a folder", "exp1/checkpoints/latest")
        self.assertEqual(self.snapshot("exp1"), before)

    def test_a_missing_file_makes_nothing(self):
        before = sorted(os.listdir(self.folder))
        self.go("-r", "step-00000100.h5", code=65, parts=("step-00000100.h5",))
        self.go("-r", "no/step-00000100.h5", code=65)
        self.assertEqual(sorted(os.listdir(self.folder)), before)


class Foreign(Runs):
    """A file of another run in a run folder."""

    def setUp(self):
        super().setUp()
        self.go("-d", "other", "run.seed=7", "checkpoint.keep=9")
        self.go("checkpoint.keep=9")

    def put_foreign(self, step, name=None):
        path = f"run/checkpoints/step-{step:08}.h5"
        shutil.copy(self.folder / f"other/checkpoints/step-{step:08}.h5", self.folder / path)
        return path

    def test_it_is_refused_by_name(self):
        path = self.put_foreign(4)
        before = self.snapshot("run")
        other, mine = self.run_json("other")["run"], self.run_json()["run"]
        self.go("-r", path, "run.seed=7", code=65, parts=(other, mine, path))
        self.go("-r", path, "-c", "run.seed=7", code=65, parts=(other, mine, path))
        self.assertEqual(self.snapshot("run"), before)

    def test_it_is_never_retired_nor_replaced(self):
        path = self.put_foreign(2)
        foreign = (self.folder / path).read_bytes()
        out = self.go("-r", "run.steps=12", "checkpoint.keep=1")
        self.assertIn("of another run", "".join(out.warnings()))
        self.assertEqual((self.folder / path).read_bytes(), foreign)
        self.assertEqual(self.checkpoints(), ["step-00000002.h5", "step-00000012.h5"])

        self.go("-d", "longer", "run.seed=7", "run.steps=14")
        name = "run/checkpoints/step-00000014.h5"
        shutil.copy(self.folder / "longer/checkpoints/step-00000014.h5", self.folder / name)
        foreign = (self.folder / name).read_bytes()
        self.go("-r", "run.steps=14", code=65, parts=(name, "another run"))
        self.assertEqual((self.folder / name).read_bytes(), foreign)

    def test_prune_leaves_it(self):
        path = self.put_foreign(2)
        out = self.ended(self.ckpt("prune", "run", "--keep", "1"), 0, "of another run")
        self.assertIn("keep    step-00000002.h5", out.out)
        self.assertEqual(self.checkpoints(), ["step-00000002.h5", "step-00000006.h5"])


class FolderState(Runs):
    """What a folder holds, said by the run and by -c alike."""

    def both(self, *arguments, code, parts=()):
        self.go(*arguments, code=code, parts=parts)
        self.go(*arguments, "-c", code=code, parts=parts)

    def test_a_folder_that_holds_a_run(self):
        self.go()
        before = self.snapshot("run")
        self.both(code=65, parts=("holds an earlier run",))
        self.assertEqual(self.snapshot("run"), before)
        self.go("-r", "auto", "-c", "run.steps=8")
        self.assertEqual(self.snapshot("run"), before)
        self.go("-r", "auto", "run.steps=8")

    def test_a_file_in_its_place(self):
        for words in ((), ("-r",), ("-r", "auto")):
            self.both("-d", "gpt.deck", *words, code=74, parts=("gpt.deck", "ot a directory"))

    def test_a_folder_in_the_place_of_a_file(self):
        for name in ("summary.json", "deck.resolved", "run.json"):
            (self.folder / "run" / name).mkdir(parents=True)
            self.both(code=74, parts=(f"run/{name}",))
            self.assertEqual(os.listdir(self.folder / "run"), [name])
            (self.folder / "run" / name).rmdir()

    def test_something_in_the_place_of_the_rows(self):
        self.go()
        (self.folder / "run/metrics.csv").unlink()
        for make in (os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/null", path)):
            make(self.folder / "run/metrics.csv")
            self.both("-r", "run.steps=8", code=74, parts=("cannot write",))
            path = self.folder / "run/metrics.csv"
            path.rmdir() if path.is_dir() else path.unlink()

    def test_a_folder_in_the_place_of_a_link(self):
        self.go()
        for name in ("latest", "best"):
            path = self.folder / "run/checkpoints" / name
            path.unlink(missing_ok=True)
            path.mkdir()
            self.both("-r", "run.steps=8", code=74, parts=(f"run/checkpoints/{name} is a folder", "move it away"))
            path.rmdir()
        self.assertEqual(self.steps(), [1, 2, 3, 4, 5, 6])
        self.go("-r", "run.steps=8")

    def test_no_run_begins_among_the_checkpoints_of_another(self):
        self.go()
        before = self.snapshot("run")
        (self.folder / "way").symlink_to("run/checkpoints")
        for folder in ("run/checkpoints", "run/checkpoints/", "run/checkpoints/deeper/still", "way", "way/deeper"):
            for words in ((), ("-r", "auto")):
                self.both("-d", folder, *words, code=65, parts=("among the checkpoints of the run in", "run"))
        self.assertEqual(self.snapshot("run"), before)
        self.go("-d", "checkpoints")  # a name like another
        self.go("-d", "run/inside")

    def test_a_file_in_the_place_of_the_checkpoints(self):
        (self.folder / "run").mkdir()
        self.put("run/checkpoints", "mine")
        for words in ((), ("-r",), ("-r", "auto")):
            self.both(*words, code=74, parts=("run/checkpoints", "ot a directory"))
        self.assertEqual(os.listdir(self.folder / "run"), ["checkpoints"])

    def test_a_folder_that_cannot_be_written(self):
        if os.geteuid() == 0:
            self.skipTest("root may write everywhere")
        (self.folder / "run").mkdir(mode=0o500)
        self.both(code=74, parts=("run", "ermission denied"))

    def test_checkpoints_behind_a_link_that_leads_nowhere(self):
        (self.folder / "run").mkdir()
        os.symlink("../scratch", self.folder / "run/checkpoints")
        for words in ((), ("-r",), ("-r", "auto")):
            self.both(*words, code=74, parts=("run/checkpoints is a link to ../scratch, which is not there",))
        self.assertFalse((self.folder / "scratch").exists())
        (self.folder / "scratch").mkdir()
        self.go("-r", "auto")
        self.assertIn("step-00000006.h5", os.listdir(self.folder / "scratch"))

    def test_checkpoints_gone_but_rows_there(self):
        self.go()
        shutil.rmtree(self.folder / "run/checkpoints")
        for words in ((), ("-r",), ("-r", "auto")):
            self.both(*words, code=65, parts=("metrics.csv holds an earlier run, up to step 6", "no committed checkpoint", "-d"))
        self.assertEqual(self.steps(), [1, 2, 3, 4, 5, 6])

    def test_rows_of_another_program(self):
        self.go()
        self.put("run/layers.csv", "a,b\n1,2\n")
        before = self.snapshot("run")
        self.both("-r", code=65, parts=("layers.csv", "a,b"))
        self.assertEqual(self.snapshot("run"), before)

    def test_more_steps_than_asked_are_said(self):
        self.go()
        out = self.go("-r", "run.steps=4")
        self.assertIn("6 steps are done already, and run.steps = 4 asks for fewer", "".join(out.warnings()))
        self.assertEqual((self.state()["steps"], self.state()["steps_asked"]), (6, 4))
        self.assertEqual(self.steps(), [1, 2, 3, 4, 5, 6])

    def test_other_cadence_at_a_restart(self):
        self.go()
        self.go("-r", "checkpoint.every=3", "checkpoint.keep=9", "run.steps=12")
        self.assertEqual(self.checkpoints(), [f"step-{k:08}.h5" for k in (4, 6, 9, 12)])

    def test_a_link_to_the_run_folder(self):
        (self.folder / "scratch").mkdir()
        os.symlink("scratch", self.folder / "run")
        self.go()
        self.ended(self.train("-r", "scratch/checkpoints/latest", "run.steps=8"), 0)
        self.assertEqual(self.steps(), list(range(1, 9)))

    def test_a_renamed_folder_goes_on(self):
        self.go()
        os.rename(self.folder / "run", self.folder / "moved")
        self.go("-r", "-d", "moved", "run.steps=8")
        self.assertEqual(self.steps("moved"), list(range(1, 9)))


class Identity(Runs):
    def test_the_same_in_every_place_and_another_for_every_run(self):
        out = self.go()
        me = self.run_json()
        self.assertRegex(me["run"], "^[0-9a-f]{16}$")
        self.assertIn("run " + me["run"], out.err)
        self.assertEqual((self.state()["run"], self.state()["parent"]), (me["run"], None))
        self.assertEqual(self.provenance("run/checkpoints/latest"), {"run": me["run"]})
        out = self.go("-r", "run.steps=8", ranks=2)
        self.assertIn("run " + me["run"], out.err)
        self.assertEqual(self.run_json(), me)
        self.go("-d", "again", "run.steps=8")
        self.assertNotEqual(self.run_json("again")["run"], me["run"])
        self.same_state("run/checkpoints/latest", "again/checkpoints/latest")

    def test_a_resize_has_its_own(self):
        self.go()
        me = self.run_json()["run"]
        self.ended(self.ckpt("resize", "run/checkpoints/latest", "-w", "1", "-o", "one.h5"), 0)
        of = self.provenance("one.h5")
        self.assertEqual(of["parent"], me + " at step 6")
        self.assertNotEqual(of["run"], me)
        self.ended(self.train("-r", "one.h5", "-d", "one", "run.steps=8"), 0)
        self.assertEqual(self.run_json("one")["parent"]["run"], of["run"])

    def test_an_older_folder_gets_one_at_its_next_start_and_it_is_said_once(self):
        source = lab.pathlib.Path(__file__).resolve().parents[1] / "fixtures/checkpoint"
        (self.folder / "run/checkpoints").mkdir(parents=True)
        shutil.copy(source / "version-1/gpt-float.h5", self.folder / "run/checkpoints/step-00000005.h5")
        shutil.copy(source / "tokens.bin", self.folder)
        self.ended(self.train("-r", "-d", "run", "-c"), 0)
        self.assertFalse((self.folder / "run/run.json").exists(), "-c touches nothing")
        out = self.ended(self.train("-r", "-d", "run", "run.steps=7"), 0, "had no run.json")
        me = self.run_json()["run"]
        self.assertEqual(out.err.count("had no run.json"), 1)
        out = self.ended(self.train("-r", "-d", "run", "run.steps=8"), 0)
        self.assertNotIn("had no run.json", out.err)
        self.assertEqual(self.provenance("run/checkpoints/latest"), {"run": me})

    def test_a_lost_run_json_is_made_again_from_the_checkpoint(self):
        self.go()
        me = self.run_json()["run"]
        (self.folder / "run/run.json").unlink()
        self.go("-r", "run.steps=8")
        self.assertEqual(self.run_json()["run"], me)

    def test_a_torn_run_json_is_refused_with_the_cure(self):
        self.go()
        self.put("run/run.json", self.read("run/run.json")[:40])
        before = self.snapshot("run")
        self.go("-r", "run.steps=8", code=65, parts=("run/run.json", "move it away"))
        self.assertEqual(self.snapshot("run"), before)


class Lock(Runs):
    """Two jobs in one folder (DataBiosphere/toil#1187, HazyResearch/metal#128)."""

    def test_started_together_one_runs_and_the_other_names_it(self):
        for ranks in (1, 2):
            shutil.rmtree(self.folder / "run", ignore_errors=True)
            words = [] if ranks == 1 else lab.MPIEXEC + ["-n", str(ranks)]
            jobs = [self.begin([*words, lab.TRAIN, *BASE, f"run.seed={seed}", "run.steps=400", "run.log_every=0",
                                "checkpoint.every=100"]) for seed in (1, 2)]
            ended = [self.finish(j) for j in jobs]
            codes = sorted(e.code for e in ended)
            self.assertIn(codes, ([0, 65], [0, 74]), "\n".join(map(str, ended)))
            loser = next(e for e in ended if e.code != 0)
            self.assertIn("run is in use by kaon-train, process" if loser.code == 74 else "holds an earlier run", loser.err)
            self.assertEqual(self.steps(), list(range(1, 401)))
            winner = 1 + next(i for i, e in enumerate(ended) if e.code == 0)
            for file in self.checkpoints():
                self.assertRegex(self.ckpt("show", "run/checkpoints/" + file).out, rf"(?m)^seed +{winner}$")

    def test_a_second_job_ends_and_disturbs_nothing(self):
        job = self.begin_long()
        lock = json.loads(self.read("run/lock"))
        self.assertEqual(lock["pid"], job.pid)
        for words in (("-r", "auto"), ("-r",), (), ("-r", "-c"), ("-r", "auto", "-c")):
            out = self.go(*words, code=74, parts=(f"in use by kaon-train, process {job.pid} on {lock['host']}", lock["since"]))
        self.ended(self.ckpt("prune", "run", "--keep", "1"), 74, f"process {job.pid}")
        self.ended(self.ckpt("prune", "run", "--keep", "1", "--dry-run"), 0)
        self.end_long(job)
        self.assertFalse((self.folder / "run/lock").exists(), "an orderly end takes it away")
        steps = self.steps()
        self.assertEqual(steps, list(range(1, len(steps) + 1)))

    def test_a_killed_jobs_successor_starts_at_once(self):
        job = self.begin_long()
        job.kill()
        self.finish(job)
        self.assertTrue((self.folder / "run/lock").exists())
        self.go("-r", "auto", "-c")
        begun = time.monotonic()
        self.go("-r", "auto", "run.steps=8", parts=("took over", "its process has ended"))
        self.assertLess(time.monotonic() - begun, 40, "it has not waited for a sign of life")
        self.assertEqual(self.steps(), list(range(1, 9)))

    def left_on_another_machine(self, **changes):
        self.go()
        lock = dict(program="kaon-train", host="node7", boot="another", space="pid:[1]", pid=os.getpid(), began=1, job="slurm 17",
                    start="0", since="2030-01-31T23:59:59Z", token="00000000000000aa", beat="0000000000000003")
        self.put("run/lock", json.dumps(dict(lock, **changes)))

    def test_a_job_that_is_put_back_goes_on_at_once(self):
        self.left_on_another_machine()
        self.go("-r", "auto", "run.steps=8", env={"SLURM_JOB_ID": "17", "SLURM_RESTART_COUNT": "1"},
                parts=("took over", "put this job back"))

    def test_a_lock_of_another_machine_is_waited_for_and_a_sign_of_life_ends_the_wait(self):
        self.left_on_another_machine()
        text = self.read("run/lock")
        self.go("-r", "auto", "-c", parts=("may be in use by kaon-train, process", "node7"))
        log = self.folder / "log"
        with open(log, "wb") as out:
            job = self.begin([lab.TRAIN, *BASE, "-r", "auto", "run.steps=8"], stderr=out)
        self.until(lambda: job.poll() is not None or "waiting up to 60 s" in log.read_text(), "its wait")
        beats = 4
        while job.poll() is None:  # the other one lives
            self.put("run/other", text.replace("0000000000000003", f"{beats:016}"))
            os.replace(self.folder / "run/other", self.folder / "run/lock")
            beats += 1
            time.sleep(0.05)
        self.ended(self.finish(job), 74)
        for part in ("in use by kaon-train", "node7", "job slurm 17"):
            self.assertIn(part, log.read_text())
        self.assertEqual(self.steps(), [1, 2, 3, 4, 5, 6])

    def test_who_loses_the_lock_writes_nothing_more(self):
        job = self.begin_long()
        lock = json.loads(self.read("run/lock"))
        self.put("run/mine", json.dumps(dict(lock, token="00000000000000aa", host="node7")))
        os.replace(self.folder / "run/mine", self.folder / "run/lock")
        self.ended(self.finish(job), 74, "taken over by kaon-train", "node7", "nothing more is written")
        self.assertEqual(self.state()["state"], "running", "the summary is the other one's now")
        self.assertEqual(json.loads(self.read("run/lock"))["host"], "node7", "and so is the lock")

    def test_a_copied_folder_is_free_and_the_original_undisturbed(self):
        job = self.begin_long()
        self.ended(self.run_line("cp -r run copy"), 0)
        self.ended(self.train("-r", "-d", "copy", "run.steps=8"), 0, "a copy of")
        self.assertIsNone(job.poll())
        self.end_long(job)
        steps = self.steps()
        self.assertEqual(steps, list(range(1, len(steps) + 1)))
        self.assertEqual(self.run_json("copy")["run"], self.run_json()["run"], "a copy is the same run's")

    def test_a_folder_that_is_moved_away_ends_its_job(self):
        job = self.begin_long()
        os.rename(self.folder / "run", self.folder / "moved")
        self.ended(self.finish(job), 74, "run")
        self.assertFalse((self.folder / "run").exists())
        self.go("-r", "-d", "moved", "run.steps=1000000", "-c")


class GoingBack(Runs):
    """An older checkpoint is named while newer ones are there (SmileiPIC/Smilei#218)."""
    BACK = (*BASE, "-r", "step-00000004.h5", "checkpoint.keep=9")

    def setUp(self):
        super().setUp()
        self.go("run.steps=12", "checkpoint.every=4", "checkpoint.keep=9", "run.validate_every=2", "run.log_every=1")
        self.before = self.snapshot("run")

    def aside(self, run="run"):
        all = sorted((self.folder / run / "set-aside").iterdir())
        self.assertEqual(len(all), 1)
        return run + "/set-aside/" + all[0].name

    def rows(self, name, run="run"):
        return [int(l.split(",")[0]) for l in self.read(f"{run}/{name}.csv").splitlines()[1:]]

    def test_what_is_newer_is_set_aside_and_named(self):
        self.ended(self.train(*self.BACK, "run.steps=6"), 0, "goes back to step 4", "is set aside in run/set-aside/")
        old = self.aside()
        was = json.loads(self.before["run/run.json"])
        self.assertEqual(self.checkpoints(), [f"step-{k:08}.h5" for k in (0, 4, 6)])
        self.assertEqual(self.checkpoints(old), ["step-00000008.h5", "step-00000012.h5"])
        self.assertEqual(self.rows("metrics"), [1, 2, 3, 4, 5, 6])
        self.assertEqual(self.rows("validation"), [2, 4, 6])
        self.assertEqual(max(self.rows("layers")), 6)
        for name in ("metrics", "layers", "groups", "validation"):
            self.assertEqual(self.read(f"{old}/{name}.csv").encode(), self.before[f"run/{name}.csv"])
        for name in ("summary", "run"):
            self.assertEqual(self.read(f"{old}/{name}.json").encode(), self.before[f"run/{name}.json"])
        me = self.run_json()
        self.assertNotEqual(me["run"], was["run"])
        self.assertEqual((me["parent"]["run"], me["parent"]["step"], me["parent"]["how"]), (was["run"], 4, "branch"))
        self.assertNotIn("aside", me)
        self.assertEqual(self.provenance("run/checkpoints/latest")["parent"], was["run"] + " at step 4")
        # What is set aside is a run folder: the old branch can be continued there.
        self.ended(self.train("-r", old + "/checkpoints/latest", "run.steps=14", "checkpoint.keep=9"), 0)
        self.assertEqual(self.steps(old), list(range(1, 15)))
        self.assertEqual(self.run_json(old)["run"], was["run"])
        self.assertEqual(self.steps(), [1, 2, 3, 4, 5, 6])
        # And the branch can go back further, to a file of its parent.
        self.ended(self.train(*BASE, "-r", "run/checkpoints/step-00000000.h5", "run.steps=2"), 0, "goes back to step 0")

    def test_check_says_it_and_touches_nothing(self):
        self.ended(self.train(*self.BACK, "-c"), 0, "a run would go back to step 4 and set aside the 2 newer checkpoints")
        self.assertEqual(self.snapshot("run"), self.before)

    def test_the_newest_by_name_is_no_going_back(self):
        for file in ("step-00000012.h5", "run/checkpoints/latest", "run/checkpoints/step-00000012.h5"):
            self.ended(self.train(*BASE, "-r", file, "run.steps=12"), 0)
        self.assertFalse((self.folder / "run/set-aside").exists())
        self.assertEqual(self.run_json()["run"], json.loads(self.before["run/run.json"])["run"])

    def test_a_damaged_newest_file_is_no_going_back(self):
        os.truncate(self.folder / "run/checkpoints/step-00000012.h5", 5000)
        self.go("-r", "run.steps=12", "checkpoint.keep=9", parts=("step 8 of 12",))
        self.assertFalse((self.folder / "run/set-aside").exists())

    def test_best_goes_with_its_branch(self):
        best = ("checkpoint.keep_best=yes", "run.validate_every=1", "checkpoint.every=3", "checkpoint.keep=9")
        self.go("-d", "b", *best, "run.steps=9")
        self.assertEqual(os.readlink(self.folder / "b/checkpoints/best"), "step-00000009.h5")
        self.go("-d", "b", "-r", "step-00000003.h5", *best, "run.steps=3")
        self.assertEqual(os.readlink(self.folder / "b/checkpoints/best"), "step-00000003.h5")
        old = next((self.folder / "b/set-aside").iterdir())
        self.assertEqual(os.readlink(old / "checkpoints/best"), "step-00000009.h5")
        self.assertTrue((old / "checkpoints/best").exists())

    def test_killed_before_its_first_save_the_next_start_follows_the_branch(self):
        job = self.begin([lab.TRAIN, *self.BACK, *LONG])
        self.until(lambda: (self.folder / "run/set-aside").exists() and self.state()["state"] == "running" and len(self.steps()) > 4,
                   "steps of the branch")
        job.kill()
        self.finish(job)
        self.go("-r", "auto", "run.steps=14", "checkpoint.keep=9", parts=("step 4 of 14",))
        self.assertEqual(self.steps(), list(range(1, 15)))
        self.assertEqual(self.run_json()["parent"]["step"], 4)

    def test_killed_at_every_call_it_is_the_old_branch_or_the_new_one(self):
        killer = lab.BUILD / "tests/reliability/libkaon_killer.so"
        self.assertTrue(killer.exists(), f"{killer} is not built")
        words = (*self.BACK, "run.steps=5", "checkpoint.every=0")
        was = json.loads(self.before["run/run.json"])["run"]

        def afresh(run):
            """A copy of the run folder, and the environment in which its calls are counted."""
            shutil.copytree(self.folder / "run", self.folder / run, symlinks=True)
            return {"LD_PRELOAD": str(killer), "KAON_KILL_UNDER": str(self.folder / run), "KAON_KILL_LOG": str(self.folder / f"calls-{run}")}

        self.ended(self.train(*words, "-d", "dry", env=afresh("dry")), 0)
        calls = self.read("calls-dry.0").splitlines()
        decided = [n for n, c in enumerate(calls, 1) if c.endswith("run.json.part") or c.endswith("/dry/run.json")]
        first, last = decided[0], max(n for n, c in enumerate(calls, 1) if "summary.json" in c)
        self.assertGreater(last - first, 20, "\n".join(calls))

        def at_call(at):
            """Killed at this call, and gone on; True when it is the new branch."""
            how, run = ("before", "torn", "after")[at // every % 3], f"kill-{at}"
            died = self.train(*words, "-d", run, env=dict(afresh(run), KAON_KILL_AT=str(at), KAON_KILL_HOW=how))
            self.assertIn(died.code, (-9, 0), str(died))  # a torn call that writes nothing goes on
            self.ended(self.train(*BASE, "-r", "auto", "-d", run, "run.steps=13", "checkpoint.keep=9", "checkpoint.every=0"), 0)
            me = self.run_json(run)
            what = f"killed {how} call {at}, {calls[at - 1]}"
            self.assertNotIn("aside", me, what)
            self.assertEqual(self.steps(run), list(range(1, 14)), what)
            if me["run"] == was:
                self.assertIn("step-00000012.h5", self.checkpoints(run), what)
                return False
            self.assertEqual(self.checkpoints(self.aside(run)), ["step-00000008.h5", "step-00000012.h5"], what)
            self.assertEqual(self.read(self.aside(run) + "/metrics.csv").encode(), self.before["run/metrics.csv"], what)
            return True

        every = 1 if os.environ.get("KAON_LONG") else 5
        with concurrent.futures.ThreadPoolExecutor(3) as side_by_side:  # a start waits for the disk most of the time
            self.assertEqual(set(side_by_side.map(at_call, range(first, last + 1, every))), {True, False})


class Summary(Runs):
    def test_the_state_is_there_from_the_start_on(self):
        job = self.begin_long(env={"KAON_START_ID": "mine"})
        s = self.state()
        self.assertEqual((s["state"], s["start"], s["run"]), ("running", "mine", self.run_json()["run"]))
        self.assertNotIn("exit_code", s)
        self.end_long(job)
        s = self.state()
        self.assertEqual((s["state"], s["exit_code"], s["start"]), ("stopped", 75, "mine"))
        self.go("-r", f"run.steps={s['steps'] + 1}")
        self.assertEqual((self.state()["state"], self.state()["exit_code"]), ("finished", 0))

    def test_a_finished_run_that_is_extended_and_killed_is_not_finished(self):
        self.go()
        self.assertEqual(self.state()["state"], "finished")
        job = self.begin([lab.TRAIN, *BASE, "-r", *LONG])
        self.until(lambda: len(self.steps()) > 8, "further steps")
        job.kill()
        self.finish(job)
        self.assertEqual(self.state()["state"], "running")
        self.assertNotIn("exit_code", self.state())

    def test_a_failure_is_said(self):
        self.train(*BASE, "group.hidden.radius=1e30")
        s = self.state()
        self.assertEqual((s["state"], s["exit_code"]), ("failed", 70))

    def test_a_refusal_leaves_it_alone(self):
        self.go()
        before = self.read("run/summary.json")
        self.go(code=65)
        self.go("-r", "optimizer.beta=0.5", code=65)
        self.assertEqual(self.read("run/summary.json"), before)


class Best(Runs):
    def test_prune_keeps_the_best(self):
        """huggingface/transformers#15089"""
        self.go("checkpoint.keep_best=yes", "run.validate_every=1", "run.steps=40", "checkpoint.every=5", "group.hidden.radius=0.6",
                "group.table.radius=0.05")
        best = os.readlink(self.folder / "run/checkpoints/best")
        self.assertNotIn(best, os.readlink(self.folder / "run/checkpoints/latest"), "a best that is not the latest")
        self.ended(self.ckpt("prune", "run", "--keep", "1"), 0, "best")
        self.assertIn(best, self.checkpoints())
        self.ended(self.ckpt("prune", "run", "--keep", "1", "--drop-best"), 0)
        self.assertNotIn(best, self.checkpoints())
        self.assertFalse(os.path.lexists(self.folder / "run/checkpoints/best"))


if __name__ == "__main__":
    lab.main()

"""What a program writes never takes the place of what it, or somebody else, has read or made."""
import json
import os
import subprocess
import time
import unittest

import lab


def full_disk():
    """A file that every write into fails with "No space left on device"."""
    return open("/dev/full", "w")


class OutputsOfKaonCkpt(lab.Situation):
    def setUp(self):
        super().setUp()
        self.ended(self.train("-i", "gpt.deck", "-d", "run"), 0)
        self.last, self.other = "run/checkpoints/step-00000006.h5", "run/checkpoints/step-00000004.h5"

    def everything(self):
        return {p: p.read_bytes() for p in self.folder.rglob("*") if p.is_file() and not p.is_symlink()}

    def refused(self, *arguments, said=""):
        before = self.everything()
        self.ended(self.ckpt(*arguments), 64, said)
        self.assertEqual(self.everything(), before)

    def test_the_checkpoint_itself_by_any_name(self):
        os.link(self.folder / self.last, self.folder / "hard.h5")
        (self.folder / "soft.h5").symlink_to(self.last)
        for out in (self.last, "hard.h5", "soft.h5", "./run/../hard.h5"):
            for more in ([], ["--force"]):
                self.refused("extract", self.last, "-o", out, *more, said=out)
                self.refused("export", self.last, "-o", out, *more, said=out)
        self.refused("resize", self.last, "-w", "1", "-o", "hard.h5")

    def test_another_checkpoint_also_by_force_and_under_another_name(self):
        self.put("kept.h5", (self.folder / self.other).read_bytes())
        for out in (self.other, "kept.h5"):
            self.refused("extract", self.last, "-o", out, "--force", said=out)
            self.refused("export", self.last, "-o", out, "--force", said=out)
            self.refused("resize", self.last, "-w", "1", "-o", out, said=out)
        self.put("step-00000009.h5", b"damaged")
        self.refused("extract", self.last, "-o", "step-00000009.h5", "--force", said="is a checkpoint")

    def test_nothing_comes_among_the_checkpoints_of_a_run(self):
        (self.folder / "way").symlink_to("run/checkpoints")
        for folder in ("run/checkpoints/", "way/", "run/../run/checkpoints/"):
            self.refused("resize", self.last, "-w", "1", "-o", folder + "step-00000008.h5", said="among the checkpoints")
            self.refused("extract", self.last, "-o", folder + "w.h5", said="among the checkpoints")
            self.refused("extract", self.last, "-o", folder, "--npy", said="among the checkpoints")
        self.refused("export", "../" + self.folder.name + "/" + self.last, "-o", "run/checkpoints/latest.npz", said="among the checkpoints")

    def test_the_deck_the_text_and_any_other_file(self):
        for out in ("gpt.deck", "text.txt", "run/metrics.csv"):
            self.refused("extract", self.last, "-o", out, said="--force")
        self.put("w/embed.npy", "mine")
        self.refused("extract", self.last, "-o", "w", "--npy", said="w/embed.npy exists")
        self.assertEqual(sorted(os.listdir(self.folder / "w")), ["embed.npy"])
        self.put("mine.npz", "mine")
        self.refused("export", self.last, "-o", "mine.npz", said="--force")

    def test_a_second_time_only_by_force(self):
        for command, out in ((["extract"], "w.h5"), (["export"], "w.npz"), (["extract", "--npy"], "w")):
            line = [command[0], self.last, "-o", out, *command[1:]]
            self.ended(self.ckpt(*line), 0)
            self.refused(*line, said="--force")
            before = self.everything()
            self.ended(self.ckpt(*line, "--force"), 0)
            self.assertEqual(self.everything().keys(), before.keys(), "no .part is left")

    def test_devices_pipes_and_folders(self):
        os.mkfifo(self.folder / "pipe.h5")
        (self.folder / "null.h5").symlink_to("/dev/null")
        (self.folder / "folder.h5").mkdir()
        for out in ("pipe.h5", "null.h5", "folder.h5", "/dev/full"):
            self.refused("extract", self.last, "-o", out, "--force", said="is no file")

    def test_a_link_that_dangles_is_filled(self):
        (self.folder / "far").mkdir()
        (self.folder / "w.npz").symlink_to("far/w.npz")
        self.ended(self.ckpt("export", self.last, "-o", "w.npz"), 0)
        self.assertTrue((self.folder / "far/w.npz").is_file() and (self.folder / "w.npz").is_symlink())

    def test_the_limit_of_a_files_size_is_an_error_and_leaves_the_old_file(self):
        self.ended(self.ckpt("export", self.last, "-o", "w.npz"), 0)
        before = (self.folder / "w.npz").read_bytes()
        for out in ("w.npz", "w.h5"):
            self.ended(self.run_line("ulimit -f 8; $CKPT export %s -o %s --force" % (self.last, out)), 74, out)
        self.assertEqual((self.folder / "w.npz").read_bytes(), before)
        self.assertFalse([p for p in os.listdir(self.folder) if p.endswith(".part")])

    def test_the_deck_in_an_npz_is_an_array(self):
        try:
            import numpy
        except ImportError:
            self.skipTest("numpy is not there")
        self.ended(self.ckpt("export", self.last, "-o", "w.npz"), 0)
        z = numpy.load(self.folder / "w.npz")
        shapes = {k: z[k].shape for k in z.files}
        self.assertEqual((shapes["deck"], shapes["step"], shapes["model/W/embed"]), ((), (), (256, 32)))
        self.assertEqual(str(z["deck"]), self.read("run/deck.resolved"))


class StandardOutput(lab.Situation):
    def test_a_full_disk_is_an_error(self):
        self.ended(self.train("-i", "gpt.deck"), 0)
        last = "run/checkpoints/step-00000006.h5"
        for line in ("$TRAIN -i gpt.deck -n", "$TRAIN --help", "$TRAIN --version", "$CKPT show " + last, "$CKPT verify " + last,
                     "$CKPT diff %s %s" % (last, last), "$CKPT export %s -o a.npz" % last, "$CKPT --help", "$CKPT --version",
                     "$CKPT prune run --keep 9"):
            with full_disk() as out:
                self.ended(self.run_line(line, stdout=out), 74, "standard output: No space left on device")

    def test_and_no_rank_stays_behind(self):
        e = self.run_line(lab.MPIEXEC + ["-n", "2", "bash", "-c", "exec $TRAIN -i gpt.deck -n >/dev/full"])
        self.ended(e, 74, "No space left on device")
        self.assertEqual(len(e.errors()), 1, str(e))

    def test_a_pipe_whose_reader_goes_away_is_none(self):
        self.ended(self.train("-i", "gpt.deck"), 0)
        for line in ("$TRAIN -i gpt.deck -n", "$TRAIN --help", "$CKPT show run/checkpoints/latest", "$CKPT --help"):
            e = self.run_line("%s | head -c 1 >/dev/null; exit ${PIPESTATUS[0]}" % line)
            self.assertEqual((e.code, e.err), (0, ""), str(e))
        # Also when much is to be printed, and what it is about decides the code all the same.
        many = " ".join(["run/checkpoints/step-00000006.h5"] * 400)
        self.put("bad.h5", b"nothing")
        self.ended(self.run_line("$CKPT verify %s | head -1 >/dev/null; exit ${PIPESTATUS[0]}" % many), 0)
        self.ended(self.run_line("$CKPT verify %s bad.h5 2>/dev/null | head -1 >/dev/null; exit ${PIPESTATUS[0]}" % many), 65)


    def test_one_that_is_closed(self):
        self.ended(self.run_line("$TRAIN -i gpt.deck >&- 2>&- <&-"), 0)
        self.assertEqual(self.steps(), list(range(1, 7)))
        self.assertNotIn("kaon", self.read("run/metrics.csv") + self.read("run/layers.csv") + self.read("run/validation.csv"))
        self.assertFalse(json.loads(self.read("run/summary.json"))["log_complete"])
        self.ended(self.ckpt("verify", "run/checkpoints/latest"), 0)
        self.ended(self.run_line("$CKPT show run/checkpoints/latest >&-"), 74, "standard output: Bad file descriptor")
        self.ended(self.run_line("$TRAIN -i gpt.deck -n >&-"), 74, "standard output: Bad file descriptor")
        self.ended(self.run_line("$CKPT verify nothing.h5 2>&-"), 65)


class TheLogsReader(lab.Situation):
    def goes_away(self, line):
        e = self.run_line(line + " 2>&1 | head -5 >/dev/null; exit ${PIPESTATUS[0]}")
        self.ended(e, 0)
        self.assertEqual(self.steps(), list(range(1, 61)))
        self.assertIn("step-00000060.h5", self.checkpoints())
        summary = json.loads(self.read("run/summary.json"))
        self.assertEqual((summary["steps"], summary["log_complete"]), (60, False))

    def test_goes_away_and_the_run_goes_on(self):
        self.goes_away("$TRAIN -i gpt.deck run.steps=60 run.log_every=1")

    def test_of_standard_output_alone_goes_away_behind_a_launcher(self):
        line = " ".join(lab.MPIEXEC) + " -n 2 $TRAIN -i gpt.deck run.steps=60 run.log_every=1 2>log | head -1; exit ${PIPESTATUS[0]}"
        self.ended(self.run_line(line), 0)
        self.assertEqual(self.steps(), list(range(1, 61)))
        self.assertTrue(json.loads(self.read("run/summary.json"))["log_complete"])

    def test_goes_away_from_a_launcher_and_the_next_start_goes_on(self):
        """MPICH's mpiexec carries the log: it dies of the pipe and takes the ranks along."""
        words = "-i gpt.deck run.steps=300 run.log_every=1 checkpoint.every=10"
        self.run_line(" ".join(lab.MPIEXEC) + " -n 2 $TRAIN %s 2>&1 | head -40 >/dev/null" % words)
        end = time.monotonic() + lab.LIMIT
        while (e := self.run_line("$TRAIN %s -r auto" % words)).code == 74 and "in use" in e.err and time.monotonic() < end:
            time.sleep(0.2)  # the ranks are on their way out
        self.ended(e, 0)
        self.assertEqual(self.steps(), list(range(1, 301)))

    def test_a_full_disk_under_the_log_too(self):
        with full_disk() as err:
            self.ended(self.run_line("$TRAIN -i gpt.deck", stderr=err), 0)
        self.assertFalse(json.loads(self.read("run/summary.json"))["log_complete"])
        self.ended(self.train("-i", "gpt.deck", "-d", "other"), 0)
        self.assertTrue(json.loads(self.read("other/summary.json"))["log_complete"])


class TheRowsOfARun(lab.Situation):
    """Another program puts a file in the place of metrics.csv while the run writes it."""
    many = 400

    def begin_run(self):
        p = self.begin([lab.TRAIN, "-i", "gpt.deck", "run.steps=%d" % self.many, "run.log_every=1", "checkpoint.every=100",
                        "optimizer.workers=1"], stdout=subprocess.DEVNULL)
        until = time.monotonic() + lab.LIMIT
        while time.monotonic() < until and p.poll() is None:
            try:
                if len(self.steps()) >= 5:
                    return p
            except OSError:
                pass
            time.sleep(0.002)
        self.fail("no rows come: " + str(self.finish(p, 1)))

    def ends_whole(self, p, *said):
        self.ended(self.finish(p), 0, "run/metrics.csv was", *said)
        self.assertEqual(self.steps(), list(range(1, self.many + 1)))
        self.ended(self.train("-i", "gpt.deck", "-r", "run.steps=%d" % (self.many + 1), "run.log_every=1", "checkpoint.every=100",
                              "optimizer.workers=1"), 0)
        self.assertEqual(self.steps(), list(range(1, self.many + 2)))

    def test_saved_by_an_editor_or_copied_back(self):
        p = self.begin_run()
        self.put("copy", (self.folder / "run/metrics.csv").read_bytes())
        os.replace(self.folder / "copy", self.folder / "run/metrics.csv")
        self.ends_whole(p, "every row")

    def test_rotated_away(self):
        p = self.begin_run()
        os.rename(self.folder / "run/metrics.csv", self.folder / "run/metrics.csv.1")
        self.ends_whole(p, "removed or emptied")

    def test_emptied_in_place(self):
        p = self.begin_run()
        os.truncate(self.folder / "run/metrics.csv", 0)
        self.ends_whole(p, "every row")

    def test_another_file_is_kept_beside(self):
        p = self.begin_run()
        self.put("copy", "my own table\n1,2\n")
        os.replace(self.folder / "copy", self.folder / "run/metrics.csv")
        self.ends_whole(p, "run/metrics.csv.found")
        self.assertEqual(self.read("run/metrics.csv.found"), "my own table\n1,2\n")

    def test_a_finished_run_that_is_started_again_has_no_other_program(self):
        self.ended(self.train("-i", "gpt.deck", "run.validate_every=2"), 0)
        before, files = self.read("run/validation.csv"), sorted(os.listdir(self.folder / "run"))
        for words in ((), ("checkpoint.keep_best=yes",), ("run.steps=6",)):
            e = self.ended(self.train("-i", "gpt.deck", "-r", "run.validate_every=2", *words), 0)
            self.assertEqual(e.warnings(), [], str(e))
            self.assertEqual(self.read("run/validation.csv"), before)
            self.assertEqual(sorted(os.listdir(self.folder / "run")), files)

    def test_a_restart_says_that_rows_are_lacking(self):
        self.ended(self.train("-i", "gpt.deck"), 0)
        lines = self.read("run/metrics.csv").splitlines(keepends=True)
        self.put("run/metrics.csv", "".join(lines[:3]))
        e = self.ended(self.train("-i", "gpt.deck", "-r", "run.steps=8"), 0, "rows of 2 of the 6 steps done")
        self.assertEqual(self.steps(), [1, 2, 7, 8])
        self.assertEqual(len(e.warnings()), 1, str(e))


if __name__ == "__main__":
    lab.main()

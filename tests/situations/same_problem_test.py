"""Is this the same problem? Data and problem files that are others at a restart, on another rank, or while a run reads them."""
import os
import pathlib
import re
import shutil
import time

import lab

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "fixtures/checkpoint"
LONG = ["run.steps=1000000", "run.log_every=0"]


class Restarted(lab.Situation):
    squares = True

    def test_another_problem_file_is_refused_with_both(self):
        self.ended(self.train("-i", "squares.deck"), 0)
        lab.write_problem(self.folder / "problem.h5", seed=2)
        before = self.read("run/metrics.csv")
        r = self.ended(self.train("-i", "squares.deck", "-r", "run.steps=8"), 65, "/data/fingerprint", "problem.h5", "same problem file")
        self.assertEqual(len(set(re.findall(r"\b[0-9a-f]{16}\b", r.errors()[-1]))), 2, "both fingerprints: " + r.err)
        self.assertEqual(self.read("run/metrics.csv"), before)
        lab.write_problem(self.folder / "problem.h5", seed=1)
        self.ended(self.train("-i", "squares.deck", "-r", "run.steps=8", ranks=2), 0)

    def test_the_same_problem_elsewhere_goes_on(self):
        self.ended(self.train("-i", "squares.deck", "-d", "straight", "run.steps=8"), 0)
        self.ended(self.train("-i", "squares.deck"), 0)
        (self.folder / "moved").mkdir()
        os.rename(self.folder / "problem.h5", self.folder / "moved/p.h5")
        self.ended(self.train("-i", "squares.deck", "-r", "run.steps=8", "least-squares.problem=moved/p.h5"), 0)
        self.same_state("run/checkpoints/latest", "straight/checkpoints/latest")

    def test_a_checkpoint_without_a_fingerprint_goes_on_and_says_so_once(self):
        shutil.copy(FIXTURES / "problem.h5", self.folder / "problem.h5")
        shutil.copy(FIXTURES / "version-1/least-squares-double.h5", self.folder / "old.h5")
        r = self.ended(self.train("-r", "old.h5", "-d", "run", "run.steps=7", ranks=2), 0, "step 4 of 7")
        self.assertEqual(len([w for w in r.warnings() if "no fingerprint of the problem file" in w]), 1, str(r))
        r = self.ended(self.train("-r", "-d", "run", "run.steps=8"), 0)
        self.assertFalse([w for w in r.warnings() if "fingerprint" in w], str(r))

    def test_a_checkpoint_with_the_older_fingerprint_is_checked_by_it(self):
        shutil.copy(FIXTURES / "tokens.bin", self.folder / "tokens.bin")
        shutil.copy(FIXTURES / "version-1/gpt-float.h5", self.folder / "old.h5")
        self.ended(self.train("-r", "old.h5", "-d", "run", "run.steps=6", ranks=3), 0, "step 5 of 6", "earlier version")
        content = bytearray((self.folder / "tokens.bin").read_bytes())
        content[1024] ^= 1
        self.put("tokens.bin", bytes(content))
        for ranks in (1, 2):
            self.ended(self.train("-r", "old.h5", "-d", "other", "run.steps=6", ranks=ranks), 65, "tokens.bin", "same training and validation files")
        self.assertFalse((self.folder / "other").exists())


class Copies(lab.Situation):
    """Two ranks, each in a folder of its own, as two nodes with local copies are."""
    squares = True

    def apart(self, deck, *arguments, run=None):
        here = [lab.TRAIN, "-i", self.folder / deck, "-d", run or self.folder / "run", *arguments]
        there = ["bash", "-c", 'cd other && exec "$@"', "there"] + here
        return self.run_line(lab.MPIEXEC + ["-n", "1"] + here + [":", "-n", "1"] + there)

    def test_another_text_is_refused_with_both_places(self):
        text = self.read("text.txt")
        self.put("other/text.txt", text[:300000] + "x" + text[300001:])
        r = self.ended(self.apart("gpt.deck"), 65, "ranks read different contents", "other/text.txt", "on host", "rank 1", "tokens 0 to")
        self.assertIn(str(self.folder / "text.txt"), r.err)
        self.assertFalse((self.folder / "run/metrics.csv").exists(), "refused before the first step")

    def test_equal_copies_give_the_bits_of_one(self):
        self.put("other/text.txt", self.read("text.txt"))
        self.ended(self.apart("gpt.deck"), 0, "the same on all ranks")
        self.ended(self.train("-i", "gpt.deck", "-d", "one"), 0)
        self.same_state("run/checkpoints/latest", "one/checkpoints/latest")

    def test_a_restart_compares_too(self):
        self.put("other/text.txt", self.read("text.txt"))
        self.ended(self.apart("gpt.deck"), 0)
        self.put("other/text.txt", self.read("text.txt").replace("a", "b"))
        self.ended(self.apart("gpt.deck", "-r", "run.steps=8"), 65, "ranks read different contents")

    def test_a_shorter_copy_and_another_validation_file(self):
        self.put("other/text.txt", self.read("text.txt")[:-100])
        self.ended(self.apart("gpt.deck"), 65, "ranks read different contents")
        self.put("other/text.txt", self.read("text.txt"))
        self.put("held.txt", lab.some_text(5000, 8))
        self.put("other/held.txt", lab.some_text(5000, 9))
        self.ended(self.apart("gpt.deck", "data.validation=held.txt"), 65, "ranks read different contents", "validation tokens")

    def test_another_checkpoint_under_the_same_name(self):
        self.put("other/text.txt", self.read("text.txt"))
        self.ended(self.train("-i", "gpt.deck"), 0)
        self.ended(self.train("-i", "gpt.deck", "-d", "other/run", "group.hidden.radius=0.03"), 0)
        r = self.apart("gpt.deck", "-r", "run.steps=8", run="run")
        self.ended(r, 65, "step-00000006.h5", "the ranks read different files under this name")

    def test_another_problem_file(self):
        (self.folder / "other").mkdir()
        lab.write_problem(self.folder / "other/problem.h5", seed=2)
        self.ended(self.apart("squares.deck"), 65, "ranks read different contents, problem file", "other/problem.h5", "rank 0", "rank 1")
        lab.write_problem(self.folder / "other/problem.h5", seed=1)
        self.ended(self.apart("squares.deck"), 0)


class WhileItRuns(lab.Situation):
    def setUp(self):
        super().setUp()
        self.text = self.read("text.txt")

    def started(self, *arguments, ranks=1):
        """A long run that has made its first steps."""
        words = ([] if ranks == 1 else lab.MPIEXEC + ["-n", str(ranks)]) + [lab.TRAIN, "-i", "gpt.deck", *LONG, *arguments]
        p = self.begin(words)
        rows = self.folder / "run/metrics.csv"
        end = time.monotonic() + lab.LIMIT
        while p.poll() is None and not (rows.exists() and len(rows.read_text().splitlines()) > 3) and time.monotonic() < end:
            time.sleep(0.01)
        return p

    def write_over(self, name, content):
        with open(self.folder / name, "r+b") as f:
            f.write(content.encode())

    def goes_on_when_put_back(self):
        """From the last checkpoint, with the bits of a run that nothing happened to."""
        last = max(int(n[5:13]) for n in self.checkpoints())
        self.put("text.txt", self.text)
        (self.folder / "run/stop").unlink(missing_ok=True)  # it was not served
        steps = "run.steps=%d" % (last + 3)
        self.ended(self.train("-i", "gpt.deck", "-r", steps), 0)
        self.ended(self.train("-i", "gpt.deck", "-d", "straight", steps, "checkpoint.every=0"), 0)
        self.same_state("run/checkpoints/latest", "straight/checkpoints/latest")

    def test_cut_short_ends_with_the_name_of_the_file(self):
        for ranks in (1, 2):
            with self.subTest(ranks=ranks):
                shutil.rmtree(self.folder / "run", ignore_errors=True)
                self.put("text.txt", self.text)
                p = self.started("checkpoint.every=0", ranks=ranks)
                open(self.folder / "text.txt", "w").close()
                self.ended(self.finish(p), 65, "data file text.txt", "cut short")
        shutil.rmtree(self.folder / "straight", ignore_errors=True)
        self.goes_on_when_put_back()

    def test_edited_in_place_no_checkpoint_claims_it(self):
        for ranks in (1, 2):
            with self.subTest(ranks=ranks):
                shutil.rmtree(self.folder / "run", ignore_errors=True)
                self.put("text.txt", self.text)
                p = self.started("checkpoint.every=0", ranks=ranks)
                self.write_over("text.txt", self.text.replace("a", "b"))
                self.put("run/stop", "")
                self.ended(self.finish(p), 65, "data file text.txt was written to", "the contents are others now", "step-00000000.h5 is the last one")
                self.assertEqual(self.checkpoints(), ["step-00000000.h5"])
        self.goes_on_when_put_back()

    def test_a_periodic_save_notices(self):
        p = self.started("checkpoint.every=20", "checkpoint.keep=2")
        self.write_over("text.txt", self.text[:1000].upper())
        self.ended(self.finish(p), 65, "the contents are others now")
        self.goes_on_when_put_back()

    def test_the_validation_file_counts(self):
        held = lab.some_text(4000, 8)
        self.put("held.txt", held)
        p = self.started("data.validation=held.txt", "run.validate_every=20", "checkpoint.every=0")
        self.write_over("held.txt", held.upper())
        self.ended(self.finish(p), 65, "data file held.txt was written to", "the contents are others now")

    def test_touched_goes_on_with_one_warning_and_the_same_bits(self):
        p = self.started("checkpoint.every=20", "checkpoint.keep=2", ranks=2)
        os.utime(self.folder / "text.txt")
        size = len((self.folder / "run/metrics.csv").read_text().splitlines())
        end = time.monotonic() + lab.LIMIT
        while p.poll() is None and len((self.folder / "run/metrics.csv").read_text().splitlines()) < size + 60 and time.monotonic() < end:
            os.utime(self.folder / "text.txt")
            time.sleep(0.01)
        self.put("run/stop", "")
        r = self.ended(self.finish(p), 75)
        self.assertEqual(len([w for w in r.warnings() if "the contents are the same" in w]), 1, str(r))
        self.goes_on_when_put_back()

    def test_replaced_by_another_file_reads_on_what_it_opened(self):
        p = self.started("checkpoint.every=0")
        self.put("new.txt", self.text.replace("a", "b"))
        os.rename(self.folder / "new.txt", self.folder / "text.txt")
        self.put("run/stop", "")
        self.ended(self.finish(p), 75)
        self.ended(self.train("-i", "gpt.deck", "-r", *LONG), 65, "same training and validation files")
        self.goes_on_when_put_back()


if __name__ == "__main__":
    lab.main()

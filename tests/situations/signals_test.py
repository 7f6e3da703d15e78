"""Signals of batch systems: what asks to stop, what comes twice, and a program that hangs when it is asked."""
import os
import re
import signal
import time

import lab
from machine_test import Poorer

LONG = ("run.steps=1000000", "run.log_every=0", "checkpoint.every=0")


class Signals(Poorer):
    def begin_steps(self, *arguments, run="run", words=None, **options):
        """A run that is in its steps."""
        p = self.begin(words or [lab.TRAIN, "-i", "gpt.deck", *LONG, *arguments], **options)
        self.wait_for(lambda: (self.folder / run / "metrics.csv").exists() and len(self.steps(run)) > 3, p)
        return p

    def wait_for(self, condition, *processes):
        limit = time.monotonic() + lab.LIMIT
        while not condition():
            self.assertLess(time.monotonic(), limit, "waited in vain")
            for p in processes:
                self.assertIsNone(p.poll(), "the program ended too early")
            time.sleep(0.01)

    def stopped(self, ended):
        self.ended(ended, 75)
        last = self.steps()[-1]
        self.assertEqual(self.checkpoints()[-1], "step-%08d.h5" % last)
        return ended

    def test_term_again_and_again_counts_once(self):
        """A batch system sends it to every process, the job script and the launcher forward it: until the process is gone."""
        p = self.begin_steps()
        while p.poll() is None:
            p.send_signal(signal.SIGTERM)
            time.sleep(0.0005)
        said = p.stderr.read().decode()
        r = self.stopped(lab.Ended(p.line, p.returncode, p.stdout.read().decode(), said))
        self.assertEqual(said.count("saving and stopping"), 1, str(r))

    def test_a_second_int_kills(self):
        p = self.begin_steps(env=self.lacking(hang=self.folder / "hang"))
        (self.folder / "hang").touch()  # the save cannot end before the second one comes
        p.send_signal(signal.SIGINT)
        time.sleep(0.2)
        p.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(p).code, -signal.SIGINT)

    def test_the_soft_limit_on_cpu_time_saves_and_stops(self):
        """XCPU comes again each second until the hard limit."""
        r = self.run_line("ulimit -S -t 1; exec $TRAIN -i gpt.deck " + " ".join(LONG))
        self.assertIn("signal XCPU", self.stopped(r).err)

    def test_a_save_that_hangs_when_asked_to_stop_ends_with_74(self):
        p = self.begin_steps("run.stop_patience=1", env=self.lacking(hang=self.folder / "hang"))
        (self.folder / "hang").touch()
        p.send_signal(signal.SIGTERM)
        r = self.ended(self.finish(p), 74, "signal TERM is not served after", "hangs in the end of the run at step", "save",
                       "checkpoints committed before are intact")
        (self.folder / "hang").unlink()
        self.ended(self.ckpt("verify", "run/checkpoints/latest"), 0)
        done = int(re.search(r"at step (\d+)", r.err).group(1))
        self.ended(self.train("-i", "gpt.deck", "-r", "run.steps=%d" % max(10, min(done, 60))), 0)

    def test_a_rank_that_waits_for_another_when_asked_to_stop_ends_the_job_with_74(self):
        rank = "bash -c 'echo $$ > pid$RANK.new; mv pid$RANK.new pid$RANK; exec $TRAIN -i gpt.deck run.stop_patience=1 %s'" % " ".join(LONG)
        mpi = " ".join(lab.MPIEXEC)
        p = self.begin_steps(words="exec %s -n 1 -env RANK 0 %s : -n 1 -env RANK 1 %s" % (mpi, rank, rank))
        os.kill(int(self.read("pid1")), signal.SIGSTOP)
        os.kill(int(self.read("pid0")), signal.SIGTERM)
        self.ended(self.finish(p), 74, "signal TERM is not served after", "hangs in step", "kaon::")

    def test_a_log_that_nobody_reads_is_a_hang_like_any_other(self):
        """Ctrl-S, a pager, a stuck tee: the pipe is full, and what ends the job must not wait for it either."""
        line = "exec $TRAIN -i gpt.deck run.steps=1000000 run.log_every=1 checkpoint.every=0 run.stop_patience=1"
        reads, writes = os.pipe()
        try:
            p = self.begin(line, stderr=writes)
            self.wait_for(lambda: (self.folder / "run/metrics.csv").exists() and len(self.steps()) > 3, p)
            before = -1
            while before != len(self.steps()):  # until it stands still
                before = len(self.steps())
                time.sleep(0.5)
            os.kill(p.pid, signal.SIGTERM)
            self.assertEqual(self.finish(p).code, 74)
        finally:
            os.close(reads)
            os.close(writes)
        self.ended(self.train("-i", "gpt.deck", "-r", "auto", "run.steps=3"), 0)

    def test_patience_of_zero_waits(self):
        p = self.begin_steps("run.stop_patience=0", env=self.lacking(hang=self.folder / "hang"))
        (self.folder / "hang").touch()
        p.send_signal(signal.SIGTERM)
        time.sleep(2)
        self.assertIsNone(p.poll())
        (self.folder / "hang").unlink()
        self.stopped(self.finish(p))


if __name__ == "__main__":
    lab.main()

"""The machine as it is: an OpenBLAS that does not know the CPU, too little memory, numbers of threads that cannot be, file systems that
lack something, ranks without work. What lacks is made by poorer_machine.cpp, loaded below the programs."""
import os
import pathlib
import re
import subprocess
import tempfile

import lab

BARE = ("OPENBLAS_CORETYPE",)
OLD = "Prescott|Core2|Penryn|Dunnington|Nehalem|Sandybridge|Atom|Nano|Opteron|Athlon|Barcelona|Bobcat|Bulldozer|Piledriver|Steamroller"


def poorer_machine():
    folder = tempfile.TemporaryDirectory(prefix="kaon-poorer-")
    library = folder.name + "/poorer.so"
    source = pathlib.Path(__file__).with_name("poorer_machine.cpp")
    subprocess.run(["c++", "-std=c++20", "-O1", "-shared", "-fPIC", "-o", library, str(source), "-ldl"], check=True)
    return folder, library


class Poorer(lab.Situation):
    @classmethod
    def setUpClass(cls):
        cls.kept, cls.library = poorer_machine()

    @classmethod
    def tearDownClass(cls):
        cls.kept.cleanup()

    def lacking(self, **what):
        asan = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"  # a build with it wants to be loaded first
        return dict({"POORER_" + k.upper(): str(v) for k, v in what.items()}, LD_PRELOAD=self.library, ASAN_OPTIONS=asan)


class Kernels(Poorer):
    """OpenBLAS chooses its kernels while it is loaded, and takes those of a much older CPU where it does not know this one."""

    def blas(self, **options):
        text = self.ended(self.run_line([lab.TRAIN, "--version"], unset=BARE, **options), 0).out
        return text.split("BLAS: ")[1].strip()

    def setUp(self):
        super().setUp()
        self.here = self.blas()
        flags = pathlib.Path("/proc/cpuinfo").read_text().split("flags", 1)[-1].split("\n", 1)[0].split()
        if "OpenBLAS" not in self.here or "DYNAMIC_ARCH" not in self.here or "avx2" not in flags or "fma" not in flags:
            self.skipTest("this BLAS has no other kernels for this CPU: " + self.here)
        self.best = ("SkylakeX", "SKYLAKEX") if "avx512vl" in flags else ("Haswell", "HASWELL")

    def test_started_bare_it_has_the_kernels_of_its_cpu(self):
        self.assertIsNone(re.search(r"\b(%s)\b" % OLD, self.here.split("(")[0]), self.here)

    def test_an_openblas_that_mistakes_the_cpu_is_put_right(self):
        mistaken = self.lacking(blas="Prescott")
        said = self.blas(env=mistaken)
        self.assertIn(self.best[0], said.split("(")[0])
        self.assertIn("chosen by Kaon: it took this CPU for a Prescott", said)
        a = self.ended(self.train("-i", "gpt.deck", "-d", "a", env=mistaken, unset=BARE), 0, "chosen by Kaon")
        self.assertEqual(a.warnings(), [], str(a))
        self.ended(self.train("-i", "gpt.deck", "-d", "b", env={"OPENBLAS_CORETYPE": self.best[1]}), 0)
        self.same_state("a/checkpoints/latest", "b/checkpoints/latest")

    def test_on_every_rank(self):
        self.ended(self.train("-i", "gpt.deck", ranks=2, env=self.lacking(blas="Prescott"), unset=BARE), 0, "chosen by Kaon")
        self.ended(self.train("-i", "gpt.deck", "-d", "b", env={"OPENBLAS_CORETYPE": self.best[1]}), 0)
        self.same_state("run/checkpoints/latest", "b/checkpoints/latest")

    def test_the_users_choice_stands(self):
        said = self.run_line([lab.TRAIN, "--version"], env={"OPENBLAS_CORETYPE": "PRESCOTT"}).out
        self.assertIn("Prescott", said)
        self.assertNotIn("chosen by Kaon", said)

    def test_what_cannot_be_put_right_is_a_warning_with_the_cure(self):
        r = self.ended(self.train("-i", "gpt.deck", env=self.lacking(blas="Prescott", blas_alone=1), unset=BARE), 0)
        self.assertEqual(len(r.warnings()), 1, str(r))
        self.assertIn("export OPENBLAS_CORETYPE=" + self.best[1], r.warnings()[0])


class Memory(Poorer):
    def setUp(self):
        super().setUp()
        if "libasan" in subprocess.run(["ldd", lab.TRAIN], capture_output=True, text=True).stdout:
            self.skipTest("AddressSanitizer takes all address space that there is")

    def test_little_address_space_ends_and_never_hangs(self):
        """OpenMathLib/OpenBLAS#5289: OpenBLAS asks for ever for memory that a limit on the address space forbids."""
        for threads in ("1", "2"):
            for limit in (180000, 220000, 300000, 420000):
                r = self.run_line("ulimit -v %d; $TRAIN -i gpt.deck -d run%d" % (limit, limit),
                                  env={"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads})
                with self.subTest(limit=limit, threads=threads):
                    self.assertIn(r.code, (0, 65, 74), str(r))
                    if r.code == 74:
                        self.assertIn("ulimit -v", r.err, str(r))

    def test_blas_asks_for_its_memory_before_the_first_product(self):
        r = self.run_line("ulimit -v 220000; $TRAIN -i gpt.deck")
        self.ended(r, 74, "OpenBLAS needs 134 MB of address space", "limited to 225 MB (ulimit -v)", "Cure: ")

    def test_no_memory_is_74_with_what_was_asked(self):
        self.ended(self.train("-i", "gpt.deck", "gpt.width=262144"), 74, "out of memory: ", "GB asked for ", "this rank holds ")
        r = self.run_line("ulimit -v 900000; $TRAIN -i gpt.deck gpt.width=512 gpt.vocab=50304")
        self.ended(r, 74, "out of memory", "limited to 922 MB (ulimit -v)")

    def test_no_memory_on_one_rank_ends_the_job_with_74(self):
        mpi = " ".join(lab.MPIEXEC)
        r = self.run_line(mpi + " -n 1 $TRAIN -i gpt.deck gpt.width=512 gpt.vocab=50304 : -n 1 bash -c "
                          "'ulimit -v 900000; exec $TRAIN -i gpt.deck gpt.width=512 gpt.vocab=50304'")
        self.ended(r, 74, "(rank 1): out of memory")

    def test_threads_that_the_system_refuses(self):
        r = self.train("-i", "gpt.deck", env=dict(self.lacking(threads=4), OMP_NUM_THREADS="8"))
        self.ended(r, 74, "cannot start 7 more threads", "Cure: ")


class Threads(lab.Situation):
    def test_what_is_no_number_of_threads_is_refused(self):
        """kokkos/kokkos#4512 and its like: an abort, a crash, or every core in every rank."""
        for name in ("KOKKOS_NUM_THREADS", "OMP_NUM_THREADS"):
            for value in ("0", "", "abc", "-1", "20000", "1.5"):
                with self.subTest(name=name, value=value):
                    self.ended(self.train("-i", "gpt.deck", env={name: value}), 64, name, "leave it unset for a fair share")
        for name in ("--kokkos-threads", "--kokkos-num-threads"):
            for value in ("0", "", "abc", "20000"):
                with self.subTest(name=name, value=value):
                    self.ended(self.train("-i", "gpt.deck", name + "=" + value), 64, name)

    def threads(self, *arguments, **options):
        r = self.ended(self.train("-i", "gpt.deck", "-c", *arguments, **options), 0)
        return int(re.search(r"concurrency (\d+)", r.err).group(1))

    def test_options_of_every_kokkos_are_understood(self):
        for option in ("--kokkos-threads=2", "--kokkos-num-threads=2"):
            self.assertEqual(self.threads(option), 2)
        self.assertEqual(self.threads("--kokkos-threads=1", env={"KOKKOS_NUM_THREADS": "2"}), 1)
        self.assertEqual(self.threads(env={"KOKKOS_NUM_THREADS": "2"}), 2)
        self.assertEqual(self.threads(env={"OMP_NUM_THREADS": "2,1"}), 2)

    def test_what_kokkos_would_pass_over_is_refused(self):
        self.ended(self.train("-i", "gpt.deck", "--kokkos-nun-threads=2"), 64, "--kokkos-nun-threads=2", "--kokkos-num-threads")
        self.ended(self.train("-i", "gpt.deck", "--kokkos-device-id=x"), 64, "--kokkos-device-id=x")

    def test_another_option_leaves_the_fair_share(self):
        free = ("OMP_NUM_THREADS",)
        fair = self.threads(ranks=2, unset=free)
        self.assertEqual(self.threads("--kokkos-disable-warnings", ranks=2, unset=free), fair)
        self.assertEqual(self.threads("--kokkos-num-threads=1", ranks=2, unset=free), 1)

    def test_help_and_version_need_no_threads(self):
        for word in ("--help", "--version"):
            self.ended(self.train(word, env={"OMP_NUM_THREADS": ""}), 0)


class Ranks(lab.Situation):
    def test_ranks_without_work_are_told(self):
        r = self.ended(self.train("-i", "gpt.deck", ranks=3), 0, "1 of 3 ranks compute no gradients", "Cure: 2 ranks, or a larger "
                       "gpt.micro_batches")
        self.assertEqual(sum("compute no gradients" in l for l in r.err.splitlines()), 1, "once")
        self.assertNotIn("compute no gradients", self.ended(self.train("-i", "gpt.deck", "-d", "b", ranks=2), 0).err)


class FileSystems(Poorer):
    BEST = ("checkpoint.keep_best=yes", "run.validate_every=1", "checkpoint.every=1", "checkpoint.keep=1", "run.steps=12",
            "group.hidden.radius=0.6", "group.table.radius=0.05")

    def test_without_symbolic_links(self):
        """open-mmlab/mmsegmentation#273, #1587: exFAT, mounts of Windows shares and object stores."""
        self.ended(self.train("-i", "gpt.deck", "-d", "good", *self.BEST), 0)
        best = (self.folder / "good/checkpoints/best").readlink().name
        for error in (1, 38, 95):  # EPERM, ENOSYS, EOPNOTSUPP
            run = "run%d" % error
            env = self.lacking(symlink=error)
            with self.subTest(error=error):
                self.ended(self.train("-i", "gpt.deck", "-d", run, *self.BEST, env=env), 0)
                self.assertEqual(self.read(run + "/checkpoints/latest"), "step-00000012.h5\n")
                self.assertEqual(self.read(run + "/checkpoints/best"), best + "\n")
                self.assertEqual(self.checkpoints(run), self.checkpoints("good"), "best is kept")
                self.same_state(run + "/checkpoints/latest", "good/checkpoints/latest")
                self.same_state(run + "/checkpoints/best", "good/checkpoints/best")
        for which, steps in (("latest", 14), ("run1/checkpoints/latest", 16)):
            self.ended(self.train("-r", which, "-d", "run1", "run.steps=%d" % steps, env=env), 0, "step %d" % (steps - 2))
        self.ended(self.ckpt("show", "run1/checkpoints/latest"), 0, "16")
        self.assertIn(best, self.checkpoints("run1"))

    def test_links_that_fail_for_another_reason_are_an_error(self):
        self.ended(self.train("-i", "gpt.deck", env=self.lacking(symlink=13)), 74, "latest.new", "Permission denied")

    def test_folders_without_fsync(self):
        for error in (22, 95, 9):  # EINVAL, EOPNOTSUPP, EBADF
            self.ended(self.train("-i", "gpt.deck", "-d", "run%d" % error, env=self.lacking(folder_sync=error)), 0)
        self.ended(self.train("-i", "gpt.deck", env=self.lacking(folder_sync=5)), 74, "Input/output error")

    def test_without_files_in_memory(self):
        self.ended(self.train("-i", "gpt.deck", "-d", "good"), 0)
        self.ended(self.train("-i", "gpt.deck", ranks=2, env=self.lacking(memory_file=38)), 0)
        self.same_state("run/checkpoints/latest", "good/checkpoints/latest")
        self.assertEqual([p.name for p in (self.folder / "run/checkpoints").iterdir() if "frame" in p.name], [])
        self.ended(self.train("-i", "gpt.deck", "-d", "bad", env=self.lacking(memory_file=12)), 74, "Cannot allocate memory")

    def test_without_room_for_a_checkpoint(self):
        """Told before the first step, and by -c alike, whether the run begins or goes on."""
        full = self.lacking(space=50000)
        for words in ((), ("-r", "auto"), ("-c",), ("-c", "-d", "not/there/yet")):
            self.ended(self.train("-i", "gpt.deck", *words, env=full), 74, "cannot write run/checkpoints/step-00000000.h5"
                       if "not/there/yet" not in words else "cannot write not/there/yet/checkpoints", "bytes and 50000 are free")
        self.assertFalse((self.folder / "not").exists(), "-c touches nothing")
        self.assertEqual(sorted(p.name for p in self.folder.glob("run/*")), [], "nor does a run that cannot save")
        self.ended(self.train("-i", "gpt.deck"), 0)
        more = ("-i", "gpt.deck", "-r", "run.steps=9", "checkpoint.every=3")
        for words in ((), ("-c",)):
            self.ended(self.train(*more, *words, env=full), 74, "50000 are free")
            self.assertEqual(self.steps(), [1, 2, 3, 4, 5, 6])
        self.ended(self.train(*more, "-c", "checkpoint.on_failure=continue", env=full), 0, "warning", "50000 are free")
        self.ended(self.train("-i", "gpt.deck", "-r", env=full), 0)  # nothing is left to save
        self.ended(self.train(*more, ranks=2), 0)

    def test_with_a_limit_on_the_size_of_files(self):
        for words in ("", "-c"):
            self.ended(self.run_line("ulimit -f 16000; $TRAIN -i gpt.deck gpt.width=256 " + words), 74, "File too large", "ulimit -f")

    def test_that_do_not_tell_their_free_space(self):
        self.ended(self.train("-i", "gpt.deck", env=self.lacking(space="none")), 0)


if __name__ == "__main__":
    lab.main()

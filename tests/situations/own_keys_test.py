"""A program with an objective of its own that decks name and have keys for (examples/own-objective): what its users meet in --help, in decks, at
restarts, and what kaon-train and kaon-ckpt, which do not know it, say of its checkpoints. And a deck whose groups have methods."""
import pathlib

import lab

PROGRAM = str(lab.BUILD / "tests/situations/kaon_factorise")
ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples/own-objective"


class OwnKeys(lab.Situation):
    def setUp(self):
        super().setUp()
        deck = (EXAMPLE / "factorise.deck").read_text()
        self.put("my.deck", deck.replace("steps = 200", "steps = 6").replace("directory = factorise-run", "directory = run")
                 .replace("schedule = linear\n", ""))

    def own(self, *arguments, ranks=1):
        return self.run_line(([] if ranks == 1 else lab.MPIEXEC + ["-n", str(ranks)]) + [PROGRAM, *arguments])

    def test_help_names_program_kind_and_keys(self):
        help = self.ended(self.own("--help"), 0, "factorise -i deck", "one of gpt, least-squares, own, factorise (required)",
                          "[factorise] where objective.kind = factorise", "columns of U, rows of V", "75 stopped early").out
        self.assertIn("  noise                 a number >= 0 (0.3): standard deviation", help)
        self.assertNotIn("factorise", self.ended(self.train("--help"), 0).out)
        self.ended(self.own("--version"), 0, "Kaon 1.0")

    def test_the_resolved_deck_has_them(self):
        once = self.ended(self.own("-i", "my.deck", "-n", "factorise.rank=4"), 0, "[factorise]\nrows = 96\ncols = 64\nrank = 4\nnoise = 0.3\n")
        self.put("again.deck", once.out)
        self.assertEqual(self.ended(self.own("-i", "again.deck", "-n"), 0).out, once.out)
        self.assertNotIn("factorise", self.ended(self.own("-i", "gpt.deck", "-n"), 0).out, "a deck that does not train it is as it was")

    def test_what_is_wrong_is_told_where_it_stands(self):
        for word, *parts in (("factorise.rank=0", "factorise.rank = 0: must be an integer >= 1"),
                             ("factorise.rnak=3", "unknown key factorise.rnak", "factorise.rank"),
                             ("factorize.rank=3", "unknown key factorize.rank", "factorise.rank"),
                             ("factorise.rank=65", "command line: factorise.rank = 65: is more than a side of the matrix")):
            self.ended(self.own("-i", "my.deck", word), 64, "factorise: error", *parts)
        self.put("bad.deck", self.read("my.deck").replace("rank = 8", "rank = 80"))
        self.ended(self.own("-i", "bad.deck", ranks=2), 64, "bad.deck:13: factorise.rank = 80")
        self.ended(self.own("--restrat"), 64, "factorise: error: unknown option --restrat", "--restart")
        self.ended(self.own("-i", "gpt.deck", "-c", "factorise.rank=3"), 0,
                   "factorise.rank has no effect: it needs objective.kind = factorise")

    def test_it_is_kaon_train_in_everything_else(self):
        self.ended(self.own("-i", "my.deck", ranks=2), 0, "kaon: Kaon 1.0", "matrix factorisation")
        self.assertEqual(self.steps(), [1, 2, 3, 4, 5, 6])
        self.ended(self.own("-i", "my.deck", "-d", "one"), 0)
        self.same_state("run/checkpoints/latest", "one/checkpoints/latest")
        self.ended(self.own("-i", "my.deck", "-d", "ran"), 0)
        self.ended(self.own("-i", "my.deck"), 65)
        self.ended(self.own("-i", "gpt.deck", "-d", "gpt"), 0)
        self.ended(self.train("-r", "-d", "gpt", "run.steps=8"), 0)

    def test_a_restart_compares_them(self):
        self.ended(self.own("-i", "my.deck"), 0)
        self.ended(self.own("-i", "my.deck", "-r", "run.steps=8"), 0)
        self.ended(self.own("-i", "my.deck", "-r", "factorise.noise=0.5"), 65, "factorise.noise: '0.5' on the command line, '0.3' in run/checkpoints")
        self.ended(self.own("-r", "-d", "run", "run.steps=9"), 0)
        self.assertEqual(self.steps()[-1], 9)

    def test_kaon_train_does_not_know_it(self):
        self.ended(self.train("-i", "my.deck"), 64, "objective.kind = factorise", "one of gpt, least-squares, own")
        self.put("section.deck", lab.GPT + "[factorise]\n")
        self.ended(self.train("-i", "section.deck"), 64, "unknown section [factorise]")
        self.ended(self.own("-i", "my.deck"), 0)
        self.ended(self.train("-r", "-d", "run"), 65, "a program that knows more", "factorise.rank = 8", "objective.kind = factorise")

    def test_kaon_ckpt_reads_its_checkpoints(self):
        self.ended(self.own("-i", "my.deck"), 0)
        self.ended(self.ckpt("show", "run/checkpoints/latest"), 0, "[factorise]\nrows = 96")
        self.ended(self.ckpt("verify", "run/checkpoints/latest"), 0)
        self.ended(self.ckpt("resize", "run/checkpoints/latest", "-w", "2", "-o", "two.h5"), 0)
        self.ended(self.own("-r", "two.h5", "-d", "two", "run.steps=8"), 0)
        shown = self.ended(self.own("-n", "-r", "two.h5", "-d", "two"), 0).out
        self.assertEqual(shown, self.ended(self.own("-i", "my.deck", "-n", "-d", "two", "optimizer.workers=2"), 0).out
                         .replace("directory = run", "directory = two"))


class Page(lab.Situation):
    """docs/own-objective.md, as it is written."""

    def test_its_program(self):
        page = (ROOT / "docs/own-objective.md").read_text()
        block = page.split("```cpp\n#include <kaon/run/train_main.hpp>\n", 1)[1].split("```", 1)[0]
        source = (ROOT / "tests/situations/my_train.cpp").read_text()
        self.assertIn("#include <kaon/run/train_main.hpp>\n" + block, source)
        program = str(lab.BUILD / "tests/situations/kaon_my_train")
        self.put("my.deck", "[run]\nsteps = 4\ndirectory = run\n[objective]\nkind = mymodel\n[mymodel]\nwidth = 5\n[optimizer]\nworkers = 2\n"
                 "[group.all]\nlayers = *\nradius = 0.1\n")
        self.ended(self.run_line(lab.MPIEXEC + ["-n", "2", program, "-i", "my.deck"]), 0, "U                 24 x 5")
        self.ended(self.run_line([program, "-r", "-d", "run", "mymodel.width=4"]), 65, "mymodel.width: '4' on the command line, '5' in")
        self.ended(self.run_line([program, "-i", "my.deck", "mymodel.width=0"]), 64, "my-train: error: command line: mymodel.width = 0")


class Methods(lab.Situation):
    def test_a_group_names_its_method(self):
        words = ("group.table.method=adamw", "group.table.adam_beta1=0.8")
        told = self.ended(self.train("-i", "gpt.deck", "-c", *words), 0)
        rounds = "optimizer.local_steps above 0 with method = adamw"
        for key, needs in ("norm", "method = ef21-muon"), ("uplink", rounds), ("downlink", rounds):
            self.assertEqual(len([l for l in told.warnings() if "group.table.%s has no effect: it needs %s" % (key, needs) in l]), 1, str(told))
        shown = self.ended(self.train("-i", "gpt.deck", "-n", *words), 0).out
        self.assertIn("layers = h[0-9]*\nmethod = ef21-muon\nnorm = spectral\n", shown)
        self.assertIn("adam_beta1 = 0.8\nadam_beta2 = 0.95\n", shown)
        self.assertNotIn("method", self.ended(self.train("-i", "gpt.deck", "-n"), 0).out)
        self.ended(self.train("-i", "gpt.deck", "group.table.method=adam"), 64, "group.table.method = adam", "adamw")
        self.ended(self.train("-i", "gpt.deck", "group.table.adam_beta1=1"), 64, "a number >= 0 and < 1")

    def test_a_restart_keeps_it(self):
        self.ended(self.train("-i", "gpt.deck", "group.table.method=ef21-muon"), 0)
        self.ended(self.train("-i", "gpt.deck", "-r", "run.steps=8"), 0)
        self.ended(self.train("-i", "gpt.deck", "-r", "group.table.method=adamw"), 65, "group.table.method: 'adamw' on the command line, 'ef21-muon'")


if __name__ == "__main__":
    lab.main()

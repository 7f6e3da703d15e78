"""Decks as people write, save and pass them: pipes, encodings, other comments, quotes, paths that a shell would expand."""
import lab


def told(ended):
    """Warnings but those of the machine that the tests run on."""
    return [l for l in ended.warnings() if not any(word in l for word in ("BLAS", "threads", "cores"))]


class Pipes(lab.Situation):
    """lammps/lammps#2962, Amber-MD/cpptraj#720, DiffSK/configobj#206, adrienverge/openfortivpn#952: a deck that is no file."""

    def deck(self):
        return open(self.folder / "gpt.deck", "rb")

    def test_standard_input_of_a_launcher(self):
        with self.deck() as deck:
            self.ended(self.train("-i", "/dev/stdin", ranks=2, stdin=deck), 0)
        self.assertEqual(self.steps(), [1, 2, 3, 4, 5, 6])
        with self.deck() as deck:
            self.ended(self.train("-i", "-", "-d", "dash", "run.steps=2", ranks=3, stdin=deck), 0)
        self.assertEqual(self.steps("dash"), [1, 2])

    def test_pipe_of_a_shell(self):
        self.ended(self.run_line("$TRAIN -i <(sed s/0.02/0.03/ gpt.deck) run.steps=2"), 0, "radius 0.03")
        self.ended(self.run_line("cat gpt.deck | $TRAIN -i - -n"), 0, "[group.hidden]")

    def test_a_wish_in_a_piped_deck_is_heard(self):
        self.ended(self.run_line("sed 's/^\\[checkpoint\\]/&\\nasynchronous = yes/' gpt.deck | $TRAIN -i -"), 0)

    def test_nothing_on_the_standard_input(self):
        self.ended(self.train("-i", "-", ranks=2), 64, "standard input")

    def test_a_pipe_that_a_launcher_keeps_to_itself(self):
        self.ended(self.train("-i", "/dev/fd/99", ranks=2), 64, "-i -")

    def test_a_deck_on_one_node_alone(self):
        """Rank 0 reads it for all: rank 1 works where there is none."""
        self.put("other/text.txt", self.read("text.txt"))
        self.ended(self.run_line(" ".join(lab.MPIEXEC) + " -n 1 $TRAIN -i gpt.deck -d $PWD/run : -n 1 -wdir $PWD/other "
                                 "$TRAIN -i gpt.deck -d $PWD/run"), 0)

    def test_ranks_with_other_arguments(self):
        self.put("b.deck", lab.GPT)
        for word in ("-i b.deck", "-i gpt.deck run.seed=2"):
            self.ended(self.run_line(" ".join(lab.MPIEXEC) + " -n 1 $TRAIN -i gpt.deck : -n 1 $TRAIN " + word), 65, "different decks")


class Encodings(lab.Situation):
    """pytest-dev/iniconfig#76, metayeti/mINI#17, dealii/dealii#1691, firemodels/fds#2176, parthenon-hpc-lab/parthenon#965,
    AMReX-Astro/Castro#1980."""

    def check(self, content):
        self.put("gpt.deck", content)
        return self.train("-i", "gpt.deck", "-c")

    def test_taken_silently(self):
        for name, content in (("byte order mark", "\ufeff" + lab.GPT), ("CR LF", lab.GPT.replace("\n", "\r\n")),
                              ("mixed", lab.GPT.replace("steps = 6\n", "steps = 6\r\n")),
                              ("indented, no last line end", lab.GPT.replace("\n", "\n  ").rstrip())):
            with self.subTest(name):
                self.assertEqual(told(self.ended(self.check(content), 0)), [])

    def test_refused_by_name(self):
        spoiled = lab.GPT.replace
        for content, line, name in ((lab.GPT.encode("utf-16"), "gpt.deck:", "UTF-16"),
                                    (lab.GPT.encode("utf-32"), "gpt.deck:", "UTF-32"),
                                    (spoiled("\n", "\r"), "gpt.deck:1:", "carriage return"),
                                    (lab.GPT + "# \0\n", "gpt.deck:36:", "NUL"),
                                    (spoiled("steps = 6", "steps\u00a0= 6"), "gpt.deck:2:", "no-break space (U+00A0)"),
                                    (spoiled("steps = 6", "steps = \u00a06"), "gpt.deck:2:", "no-break space (U+00A0)"),
                                    (spoiled("= run", "= \u201crun\u201d"), "gpt.deck:3:", "typographic quote (U+201C)"),
                                    (spoiled("0.02\n", "2e\u22122\n"), "gpt.deck:27:", "typographic dash (U+2212)")):
            with self.subTest(name):
                self.ended(self.check(content), 64, line, name)


class Values(lab.Situation):
    def folders(self):
        return sorted(p.name for p in self.folder.iterdir() if p.is_dir())

    def test_other_comments(self):
        for line, spoiled in ((3, lab.GPT.replace("directory = run", "directory = run ; results")),
                              (3, lab.GPT.replace("directory = run", "directory = run // results")),
                              (31, lab.GPT.replace("layers = embed head", "layers = embed head ; tables"))):
            self.put("gpt.deck", spoiled)
            self.ended(self.train("-i", "gpt.deck"), 64, "gpt.deck:%d:" % line, "a comment starts with #")
        self.assertEqual(self.folders(), [])

    def test_paths_are_not_expanded(self):
        for path, name in (("~/run", "~"), ("${SCRATCH}/run", "${SCRATCH}"), ("$SCRATCH/run", "$SCRATCH")):
            self.put("gpt.deck", lab.GPT.replace("directory = run", "directory = " + path))
            self.ended(self.train("-i", "gpt.deck", env={"SCRATCH": str(self.folder)}), 64, "gpt.deck:3:", "does not expand " + name,
                       "command line")
            self.ended(self.train("-i", "gpt.deck", "data.train=" + path, "-d", "run"), 64, "data.train", "does not expand " + name)
        self.assertEqual(self.folders(), [])

    def test_quotes_are_taken_off(self):
        for number, quoted in enumerate(('"my run"', "'my run'")):
            self.put("gpt.deck", lab.GPT.replace("directory = run", "directory = " + quoted).replace("kind = gpt", 'kind = "gpt"'))
            self.ended(self.train("-i", "gpt.deck", "-r", "auto"), 0)
            self.assertEqual(self.folders(), ["my run"])

    def test_a_pattern_that_is_no_layers_name(self):
        self.put("gpt.deck", lab.GPT.replace("layers = embed head", "layers = embed haed head"))
        warnings = told(self.ended(self.train("-i", "gpt.deck", "-c"), 0))
        self.assertEqual(len(warnings), 1)
        self.assertIn("gpt.deck:31: group.table.layers: 'haed' is no layer's name", warnings[0])

    def test_words_of_the_field(self):
        for word, key in (("optimizer.lr=0.1", "group.NAME.radius"), ("group.hidden.momentum=0.9", "group.hidden.beta"),
                          ("gpt.n_layer=2", "gpt.layers")):
            self.ended(self.train("-i", "gpt.deck", word), 64, "command line", key)


class Restarts(lab.Situation):
    def test_both_values_are_named_with_their_source(self):
        linear = lab.GPT.replace("start = zero", "start = zero\nschedule = linear")
        self.put("gpt.deck", linear)
        self.ended(self.train("-i", "gpt.deck"), 0)
        stored = "'6' in run/checkpoints/step-00000006.h5"
        self.ended(self.train("-r", "-d", "run", "run.steps=8"), 65, "run.steps: '8' on the command line, " + stored)
        self.put("gpt.deck", linear.replace("steps = 6", "steps = 8"))
        self.ended(self.train("-i", "gpt.deck", "-r"), 65, "run.steps: '8' in gpt.deck:2, " + stored)
        self.put("gpt.deck", linear.replace("beta = 0.1", "nesterov = no"))
        self.ended(self.train("-i", "gpt.deck", "-r", "optimizer.nesterov=yes"), 65, "optimizer.nesterov: 'yes' on the command line")


if __name__ == "__main__":
    lab.main()

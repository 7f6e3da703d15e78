"""An objective of one's own that breaks the contract: told at once, by the layer's name, on one rank and on two, also when one rank alone
makes the mistake. Nobody waits for half an hour."""
import time

import lab

PROGRAM = lab.BUILD / "tests/situations/kaon_own_objective"


class OwnObjective(lab.Situation):
    def run_own(self, mistake, ranks, rank=None):
        begin = time.monotonic()
        words = lab.MPIEXEC + ["-n", str(ranks), str(PROGRAM), mistake] + ([] if rank is None else [str(rank)])
        result = self.run_line(words)
        result.seconds = time.monotonic() - begin
        return result

    def told(self, mistake, code, *parts):
        """On one rank, on two, and by rank 1 of two alone."""
        for ranks, rank in (1, None), (2, None), (2, 1):
            result = self.run_own(mistake, ranks, rank)
            self.ended(result, code, "own: error", *parts)
            self.assertNotIn("internal error", result.err.replace("internal error: my data", ""), str(result))
            self.assertNotIn("waited", result.err, str(result))
            self.assertEqual(result.err.count("own: error"), 1, f"every rank says the same, so one line does: {result}")

    def test_none(self):
        for ranks in 1, 2:
            result = self.ended(self.run_own("none", ranks), 0, "trained")
            self.assertEqual(result.err, "", "nothing is left behind, and nobody warns of it")

    def test_a_layer_is_missing(self):
        self.told("missing", 64, "layer U (0) was never given", "step 1")

    def test_a_layer_comes_twice(self):
        self.told("twice", 64, "layer U (0) was given twice", "step 1")

    def test_an_index_out_of_range(self):
        self.told("range", 64, "a gradient of layer 7 was given, and there are layers 0 to 1")

    def test_another_shape(self):
        self.told("shape", 64, "4 x 16", "layer U (0)", "24 x 4")

    def test_an_exception(self):
        self.told("throws", 70, "internal error: my data file is broken")

    def test_a_loss_that_is_no_number(self):
        self.told("nan", 70, "is not finite at step 1")

    def test_what_the_constructor_is_given(self):
        self.told("radius", 64, "layer U: radius is -1")
        self.told("workers", 64, "workers is 0")
        self.told("settings", 64, "settings for 1 layers", "has 2")
        self.told("slash", 64, "'a/b' (0)", "letters, digits")
        self.told("twin", 64, "'V' (1)", "another layer")

    def test_a_rank_that_does_not_come_to_the_end(self):
        result = self.ended(self.run_own("stays", 2, 1), 74, "trained", "kaon: error (rank 0): waited 1 s", "leaving MPI")
        self.assertNotIn("terminate", result.err)

    def test_no_start(self):
        self.told("start", 64, "layer U has no starting point")


if __name__ == "__main__":
    lab.main()

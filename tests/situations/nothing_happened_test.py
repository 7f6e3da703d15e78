"""Runs in which nothing happens, or something that nobody can have meant: told before the first step, or by the numbers, or warned of once."""
import json

import lab

NORMS = ("spectral", "nuclear", "schatten", "ky-fan", "dual-ky-fan", "max-abs", "l1", "column", "row", "one-to-one", "inf-to-inf",
         "frobenius")


def told(ended):
    """Warnings but those of the machine that the tests run on."""
    return [l for l in ended.warnings() if not any(word in l for word in ("BLAS", "threads", "cores"))]


class Numbers(lab.Situation):
    squares = True

    def problem(self, size, rows=20):
        import h5py
        import numpy as np
        g = np.random.default_rng(3)
        with h5py.File(self.folder / "problem.h5", "w") as f:
            f["A"], f["B"], f["X0"] = size * g.standard_normal((2, rows, 6)), g.standard_normal((2, rows, 4)), np.zeros((6, 4))

    def losses(self, run="run"):
        return [float(l.split(",")[1]) for l in self.read(run + "/metrics.csv").splitlines()[1:]]

    def test_a_radius_whose_numbers_overflow(self):
        """The weights leave the range in which the model can square them: the loss stood at ln 256, and the code was 0."""
        for radius in ("1e25", "1e30"):
            r = self.train("-i", "gpt.deck", "-d", "r" + radius, "group.hidden.radius=" + radius)
            self.ended(r, 70, "not finite", "largest weight", "in layer h0.")

    def test_an_overflow_that_one_layer_alone_makes(self):
        """Behind q and k the norm of a head hides it, behind up max(X, 0)², behind the others the norm of a row; no other layer tells."""
        for layer in ("h0.attn.q", "h0.attn.k", "h0.attn.v", "h0.attn.o", "h0.mlp.up", "h0.mlp.down", "embed"):
            deck = lab.GPT.replace("[group.hidden]", "[group.one]\nlayers = %s\nnorm = spectral\nradius = 1e25\n[group.hidden]" % layer)
            self.put("one.deck", deck)
            r = self.train("-i", "one.deck", "-d", layer, "run.log_every=0")
            self.ended(r, 70, "is not finite", "in layer " + layer)
            self.assertLessEqual(len(self.steps(layer)), 2, layer)

    def test_a_last_step_that_overflows(self):
        """No further step tells: the validation does."""
        r = self.train("-i", "gpt.deck", "group.hidden.radius=1e25", "run.steps=1")
        self.ended(r, 70, "the validation loss is", "at step 1")

    def test_entries_whose_squares_overflow(self):
        self.problem(1e200)
        for norm in NORMS:
            r = self.train("-i", "squares.deck", "-d", norm, "group.all.norm=" + norm)
            self.ended(r, 70, "layer x", "squared norm")

    def test_entries_whose_squares_vanish(self):
        """A tiny gradient has a direction as any other has: the step is made."""
        self.problem(1e-200)
        for norm in NORMS:
            self.ended(self.train("-i", "squares.deck", "-d", norm, "group.all.norm=" + norm, "run.steps=2", "group.all.uplink=identity",
                                  "group.all.downlink=identity"), 0)
            import h5py
            with h5py.File(self.folder / norm / "checkpoints/latest") as f:
                self.assertGreater(abs(f["model/W/x"][()]).max(), 0.01, norm)

    def test_zero_gradients_are_legal(self):
        """microsoft/dion#24, #76"""
        self.problem(0)
        for norm in NORMS:
            r = self.ended(self.train("-i", "squares.deck", "-d", norm, "group.all.norm=" + norm, "group.all.uplink=rank:0.5"), 0)
            self.assertEqual(told(r), [], norm)

    def test_steps_below_the_rounding_of_the_weights(self):
        """The run goes on and ends well; what did not move is said once."""
        r = self.ended(self.train("-i", "gpt.deck", "group.hidden.radius=1e-12", "optimizer.start=dense", ranks=2), 0)
        said = [l for l in r.warnings() if "no weight changed" in l]
        self.assertEqual(len(said), 1, str(r))
        self.assertIn("step 2: no weight changed in layer h0.attn.q, h0.attn.k", said[0])
        self.assertNotIn("embed", said[0])
        summary = json.loads(self.read("run/summary.json"))
        self.assertEqual(sum("no weight changed" in w for w in summary["warnings"]), 1)
        r = self.ended(self.train("-i", "gpt.deck", "-d", "one", "run.steps=1", "group.table.radius=1e-30"), 0)
        self.assertEqual(len([l for l in r.warnings() if "no weight changed in layer embed, head" in l]), 1, str(r))

    def test_an_adaptive_step_that_turns_signs(self):
        r = self.train("-i", "squares.deck", "optimizer.schedule=adaptive", "group.all.radius=1", "optimizer.weight_decay=100")
        self.ended(r, 70, "turned the signs", "in x")


class Settings(lab.Situation):
    squares = True

    def refused(self, *words, parts):
        r = self.train("-i", "gpt.deck", "-c", *words)
        self.ended(r, 64, *parts)
        self.ended(self.train("-i", "gpt.deck", *words), 64, *parts)
        self.assertFalse((self.folder / "run").exists())

    def test_decay_that_turns_signs(self):
        self.refused("optimizer.weight_decay=100", parts=("command line: group.hidden.weight_decay = 100", "t weight_decay = 2 > 1", "at most 50"))
        self.refused("group.table.weight_decay=401", parts=("group.table.weight_decay = 401", "at most 400"))
        self.ended(self.train("-i", "gpt.deck", "-c", "optimizer.weight_decay=50"), 0)
        self.ended(self.train("-i", "gpt.deck", "-c", "optimizer.weight_decay=100", "optimizer.schedule=inverse-sqrt"), 0)
        self.refused("optimizer.form=constrained", "group.hidden.radius=3", "optimizer.schedule=inverse-sqrt",
                     parts=("group.hidden.radius = 3", "constrained", "at most 2.64"))

    def test_radius_outside_of_the_precision(self):
        self.refused("group.hidden.radius=1e38", parts=("group.hidden.radius = 1e+38", "beyond 3.40282e+38"))
        self.refused("group.hidden.radius=1e-50", parts=("group.hidden.radius = 1e-50", "zero in this precision"))
        self.refused("group.hidden.factor=1e-60", parts=("group.hidden.factor = 1e-60", "zero in this precision"))
        self.refused("group.table.beta=1e-60", parts=("group.table.beta = 1e-60", "zero in this precision"))
        for value in ("-1", "0", "nan", "inf", "1e999"):
            self.refused("group.hidden.radius=" + value, parts=("group.hidden.radius = " + value, "a number > 0"))

    def test_what_rounds_away_is_a_warning(self):
        r = self.ended(self.train("-i", "gpt.deck", "-c", "optimizer.weight_decay=1e-9", "group.table.beta=1e-9"), 0)
        self.assertEqual(len([l for l in r.warnings() if "weight_decay = 1e-09: has no effect" in l]), 2, str(r))
        self.assertEqual(len([l for l in r.warnings() if "group.table.beta = 1e-09: the momentum never forgets" in l]), 1, str(r))

    def test_keys_without_effect_are_named(self):
        for words, part in ((("optimizer.constant_fraction=0.9",), "optimizer.schedule = linear or cosine"),
                            (("data.validation_fraction=0", "run.validate_every=2"), "run.validate_every has no effect"),
                            (("least-squares.noise=1",), "objective.kind = least-squares"),
                            (("optimizer.nesterov=yes", "optimizer.beta=1"), "a beta below 1")):
            r = self.ended(self.train("-i", "gpt.deck", "-c", *words), 0)
            self.assertEqual(len([l for l in r.warnings() if part in l]), 1, str(r))
        self.assertEqual(told(self.ended(self.train("-i", "gpt.deck", "-c"), 0)), [])


if __name__ == "__main__":
    lab.main()

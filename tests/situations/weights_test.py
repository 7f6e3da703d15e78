"""A run that starts from the weights of another one (optimizer.init): fine-tuning, another radius, a longer run."""
import json
import os
import shutil

import lab


class Weights(lab.Situation):
    squares = True

    def setUp(self):
        super().setUp()
        self.ended(self.train("-i", "gpt.deck", "-d", "first", ranks=2), 0)
        self.source = "first/checkpoints/latest"

    def model(self, file):
        import h5py
        with h5py.File(self.folder / file) as f:
            group = f["model/W"] if "model" in f else f["W"]
            return {name: group[name][...] for name in group}

    def begin_with(self, source, *more, ranks=1, run="run"):
        return self.train("-i", "gpt.deck", "-d", run, f"optimizer.init={source}", *more, ranks=ranks)

    def test_from_a_checkpoint_or_an_extract_on_any_number_of_ranks(self):
        import numpy as np
        self.ended(self.ckpt("extract", self.source, "-o", "model.h5"), 0)
        run = json.loads(self.read("first/run.json"))["run"]
        for name, source, ranks in (("a", self.source, 1), ("b", "model.h5", 2), ("c", self.source, 3)):
            r = self.ended(self.begin_with(source, "group.hidden.radius=0.01", ranks=ranks, run=name), 0, f"weights of {source}: step 6")
            parent = json.loads(self.read(f"{name}/run.json"))["parent"]
            self.assertEqual((parent["how"], parent["step"], parent["run"]), ("weights", 6, "" if name == "b" else run))
            self.assertEqual(self.steps(name), [1, 2, 3, 4, 5, 6], str(r))
            first, given = self.model(f"{name}/checkpoints/step-00000006.h5"), self.model(self.source)
            self.assertTrue(any(np.any(first[k] != given[k]) for k in given))
        self.same_state("a/checkpoints/latest", "b/checkpoints/latest")
        self.same_state("a/checkpoints/latest", "c/checkpoints/latest")
        r = self.ended(self.begin_with(self.source, "run.steps=0", run="none"), 0)
        kept, given = self.model("none/checkpoints/latest"), self.model(self.source)
        self.assertTrue(all(np.array_equal(kept[k], given[k]) for k in given), "the weights are those of the file, to the bit")

    def test_another_precision_is_converted(self):
        import numpy as np
        self.ended(self.begin_with(self.source, "run.precision=double", "run.steps=0"), 0)
        kept, given = self.model("run/checkpoints/latest"), self.model(self.source)
        self.assertTrue(all(kept[k].dtype == np.float64 and np.array_equal(kept[k], given[k]) for k in given))

    def test_a_restart_does_not_read_it_and_a_killed_start_begins_again(self):
        self.ended(self.begin_with(self.source, run="straight"), 0)
        self.ended(self.begin_with(self.source, "run.steps=4"), 0)
        shutil.copytree(self.folder / "first", self.folder / "kept")
        shutil.rmtree(self.folder / "first")
        self.ended(self.begin_with("gone.h5", "-r", "auto"), 0, "step 4 of 6")
        self.same_state("run/checkpoints/latest", "straight/checkpoints/latest")
        # As a start leaves it that is killed before its first checkpoint.
        (self.folder / "again").mkdir()
        shutil.copy(self.folder / "run/run.json", self.folder / "again/run.json")
        self.ended(self.begin_with("kept/checkpoints/latest", "-r", "auto", run="again"), 0, "weights of kept")
        self.same_state("again/checkpoints/latest", "straight/checkpoints/latest")

    def test_where_the_schedule_does_not_allow_more_steps_the_weights_do(self):
        falling = ["optimizer.schedule=cosine", "optimizer.constant_fraction=0"]
        self.ended(self.train("-i", "gpt.deck", *falling), 0)
        r = self.train("-i", "gpt.deck", "-r", "run.steps=9", *falling)
        self.ended(r, 65, "run.steps: '9'", "schedule cosine depends on it", "optimizer.init = this checkpoint")
        self.ended(self.begin_with("run/checkpoints/latest", "run.steps=9", *falling, run="longer"), 0)
        self.assertEqual(self.steps("longer"), list(range(1, 10)))

    def test_what_is_not_this_models_is_refused_before_anything_is_made(self):
        import h5py
        import numpy as np
        self.put("notes.txt", "not weights")
        os.mkfifo(self.folder / "pipe.h5")
        np.savez(self.folder / "model.npz", a=np.zeros((2, 2)))
        with h5py.File(self.folder / "other.h5", "w") as f:
            f["x"] = [1.0]
        self.ended(self.ckpt("extract", self.source, "-o", "nan.h5"), 0)
        self.ended(self.ckpt("extract", self.source, "-o", "less.h5"), 0)
        self.ended(self.ckpt("extract", self.source, "-o", "more.h5"), 0)
        self.ended(self.ckpt("extract", self.source, "-o", "large.h5"), 0)
        with h5py.File(self.folder / "nan.h5", "a") as f:
            f["W/head"][3, 4] = np.nan
        with h5py.File(self.folder / "less.h5", "a") as f:
            del f["W/head"]
        with h5py.File(self.folder / "more.h5", "a") as f:
            f["W/bias"] = np.zeros((1, 4), np.float32)
        with h5py.File(self.folder / "large.h5", "a") as f:
            shape = f["W/head"].shape
            del f["W/head"]
            f["W/head"] = np.full(shape, 1e39)
        damaged = bytearray((self.folder / "first/checkpoints/step-00000006.h5").read_bytes())
        damaged[len(damaged) // 2] ^= 1
        self.put("damaged.h5", bytes(damaged))
        extract = "kaon-ckpt extract FILE -o OUT"
        for source, more, parts in (
                ("gone.h5", [], ("gone.h5", "No such file", extract)),
                ("notes.txt", [], ("notes.txt", "HDF5", extract)),
                ("model.npz", [], ("model.npz", extract)),
                ("first", [], ("first is a folder", extract)),
                ("pipe.h5", [], ("pipe.h5", "is a pipe", extract)),
                ("other.h5", [], ("other.h5 holds no weights", extract)),
                ("nan.h5", [], ("layer head of nan.h5 holds a NaN",)),
                ("less.h5", [], ("less.h5 has no layer head", "embed")),
                ("more.h5", [], ("more.h5 has a layer bias", "another model's")),
                ("large.h5", [], ("layer head of large.h5 holds 1e+39", "run.precision")),
                ("damaged.h5", [], ("damaged.h5",)),
                (self.source, ["gpt.width=64"], ("layer embed of first/checkpoints/latest is 256 x 32", "the model's is 256 x 64")),
                (self.source, ["gpt.layers=2"], ("has no layer h1.", self.source))):
            for check in ([], ["-c"]):
                for ranks in (1, 2):
                    r = self.begin_with(source, *more, *check, ranks=ranks, run="new")
                    self.ended(r, 65, "optimizer.init", *parts)
                    self.assertEqual(len(r.errors()), 1, str(r))
        self.assertFalse((self.folder / "new").exists())

    def test_a_pipe_where_a_file_belongs_is_not_waited_for(self):
        os.mkfifo(self.folder / "pipe.h5")
        self.ended(self.train("-i", "gpt.deck", "-d", "new", "-r", "pipe.h5", limit=30), 65, "pipe.h5", "is a pipe")
        self.ended(self.ckpt("show", "pipe.h5", limit=30), 65, "pipe.h5", "is a pipe")
        self.ended(self.train("-i", "squares.deck", "-d", "new", "least-squares.problem=pipe.h5", limit=30), 65, "pipe.h5", "is a pipe")


if __name__ == "__main__":
    lab.main()

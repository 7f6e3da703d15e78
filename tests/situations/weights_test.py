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
        given = self.model(self.source)
        self.ended(self.ckpt("extract", self.source, "-o", "model.h5"), 0)
        self.ended(self.ckpt("export", self.source, "-o", "model.npz"), 0)
        for number, source in enumerate((self.source, "model.h5", "model.npz")):
            run = "run%d" % number
            self.ended(self.begin_with(source, "run.precision=double", "run.steps=0", run=run), 0, f"{len(given)} layers converted to double")
            kept = self.model(f"{run}/checkpoints/latest")
            self.assertTrue(all(kept[k].dtype == np.float64 and np.array_equal(kept[k], given[k]) for k in given))
        exact = {k: v.astype("<f8") + 2.0 ** -40 for k, v in given.items()}
        np.savez(self.folder / "exact.npz", **exact)
        self.ended(self.begin_with("exact.npz", "run.steps=0", run="rounded"), 0, f"{len(given)} layers converted to float")
        kept = self.model("rounded/checkpoints/latest")
        self.assertTrue(all(np.array_equal(kept[k], exact[k].astype("<f4")) for k in given), "rounded to nearest")

    def test_from_archives_of_arrays(self):
        import numpy as np
        given = self.model(self.source)
        self.ended(self.ckpt("export", self.source, "-o", "model.npz"), 0)
        self.ended(self.ckpt("export", self.source, "-o", "all.npz", "--what", "/*"), 0)
        np.savez(self.folder / "saved.npz", **given)
        np.savez_compressed(self.folder / "packed.npz", **dict(reversed(list(given.items()))))
        shutil.copy(self.folder / "saved.npz", self.folder / "weights.bin")
        self.ended(self.begin_with(self.source, run="straight"), 0, "step 6 of run")
        for number, (source, step, ranks) in enumerate((("model.npz", 6, 2), ("all.npz", 6, 1), ("saved.npz", 0, 1), ("packed.npz", 0, 3),
                                                        ("weights.bin", 0, 1))):
            run = "run%d" % number
            r = self.ended(self.begin_with(source, ranks=ranks, run=run), 0, f"weights of {source}: step {step}")
            self.assertNotIn("converted", r.err)
            self.assertEqual(json.loads(self.read(f"{run}/run.json"))["parent"]["how"], "weights")
            self.same_state(f"{run}/checkpoints/latest", "straight/checkpoints/latest")

    def test_archives_that_are_none_of_this_models_are_refused(self):
        import io
        import zipfile
        import numpy as np
        given = self.model(self.source)
        extract = "numpy.savez"

        def saved(name, **changes):
            np.savez(self.folder / name, **{**given, **changes})

        def written(name, members, **options):
            with zipfile.ZipFile(self.folder / name, "w", **options) as z:
                for member, content in members:
                    z.writestr(member, content)

        def npy(array):
            out = io.BytesIO()
            np.lib.format.write_array(out, array, allow_pickle=True)
            return out.getvalue()

        head, right = given["head"], [(k + ".npy", npy(v)) for k, v in given.items()]
        but_head = [(k, v) for k, v in right if k != "head.npy"]
        np.savez(self.folder / "less.npz", **{k: v for k, v in given.items() if k != "head"})
        saved("more.npz", bias=head)
        np.savez(self.folder / "unnamed.npz", *given.values())
        saved("turned.npz", embed=given["embed"].T.copy())
        saved("flat.npz", head=head.ravel())
        saved("fortran.npz", head=np.asfortranarray(head))
        saved("big.npz", head=head.astype(">f4"))
        saved("half.npz", head=head.astype("<f2"))
        saved("whole.npz", head=head.astype("<i8"))
        saved("objects.npz", head=np.array([[1, "a"]], dtype=object))
        saved("record.npz", head=np.zeros(head.shape, [("a", "<f4")]))
        saved("nan.npz", head=np.where(head == head[3, 4], np.nan, head))
        saved("large.npz", head=np.full(head.shape, 1e39))
        written("notes.npz", right + [("README.txt", "notes")])
        written("text.npz", but_head + [("head.npy", "not an array, and longer than a header")])
        written("short.npz", but_head + [("head.npy", npy(head)[:-4])])
        written("long.npz", but_head + [("head.npy", npy(head) + b"more")])
        written("stump.npz", but_head + [("head.npy", npy(head)[:50])])
        vast = npy(head).replace(b"(%d, %d)" % head.shape, b"(%d, %d)" % (1 << 40, 1 << 20))
        written("vast.npz", but_head + [("head.npy", vast)])
        written("bomb.npz", but_head + [("head.npy", npy(head) + bytes(1 << 26))], compression=zipfile.ZIP_DEFLATED)
        written("empty.npz", [])
        with self.assertWarns(UserWarning):
            written("twice.npz", right + right[-1:])
        written("locked.npz", right)
        locked = bytearray((self.folder / "locked.npz").read_bytes())
        for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the bit that says that a member is encrypted
            place = locked.find(magic)
            while place >= 0:
                locked[place + at] |= 1
                place = locked.find(magic, place + 4)
        self.put("locked.npz", bytes(locked))
        self.put("notes2.npz", "not weights")
        os.mkfifo(self.folder / "pipe.npz")
        for source, parts in (
                ("less.npz", ("less.npz has no layer head", "embed")),
                ("more.npz", ("more.npz has a layer bias", "another model's")),
                ("unnamed.npz", ("unnamed.npz has a layer arr_0", "another model's")),
                ("turned.npz", ("layer embed of turned.npz is 32 x 256", "256 x 32")),
                ("flat.npz", ("layer head of flat.npz is 8192",)),
                ("fortran.npz", ("member head.npy of fortran.npz", "numpy.ascontiguousarray")),
                ("big.npz", ("member head.npy of big.npz", ">f4")),
                ("half.npz", ("member head.npy of half.npz", "<f2")),
                ("whole.npz", ("member head.npy of whole.npz", "<i8")),
                ("objects.npz", ("layer head of objects.npz is 1 x 2",)),
                ("record.npz", ("member head.npy of record.npz", "none of numpy's")),
                ("nan.npz", ("layer head of nan.npz holds a NaN",)),
                ("large.npz", ("layer head of large.npz holds 1e+39", "run.precision")),
                ("notes.npz", ("member README.txt of notes.npz", extract)),
                ("text.npz", ("member head.npy of text.npz", "no array")),
                ("short.npz", ("member head.npy of short.npz", "32764 bytes of numbers", "32768")),
                ("long.npz", ("member head.npy of long.npz", "32772 bytes of numbers", "32768")),
                ("stump.npz", ("member head.npy of stump.npz", "within its header")),
                ("vast.npz", ("layer head of vast.npz is 1099511627776 x 1048576",)),
                ("bomb.npz", ("member head.npy of bomb.npz", "bytes of numbers")),
                ("empty.npz", ("empty.npz holds no arrays", extract)),
                ("twice.npz", ("twice.npz: two of its members have one name",)),
                ("locked.npz", ("locked.npz", "encrypted")),
                ("notes2.npz", ("notes2.npz", extract)),
                ("pipe.npz", ("pipe.npz", "is a pipe")),
                ("gone.npz", ("gone.npz", "No such file"))):
            r = self.ended(self.begin_with(source, run="new"), 65, "optimizer.init", *parts)
            self.assertEqual(len(r.errors()), 1, str(r))
        self.assertFalse((self.folder / "new").exists())

    def test_a_damaged_archive_is_refused_or_gives_the_weights_that_were_written(self):
        import numpy as np
        given = self.model(self.source)
        np.savez(self.folder / "saved.npz", **given)
        np.savez_compressed(self.folder / "packed.npz", **given)
        refused = 0
        for name in ("saved.npz", "packed.npz"):
            sound = (self.folder / name).read_bytes()
            wounds = [sound[:len(sound) * k // 3] for k in range(3)] + [sound[:-1], sound[1:], sound + b"x"]
            for k in range(4):
                hurt = bytearray(sound)
                hurt[len(sound) * (2 * k + 1) // 8] ^= 1 << k
                wounds.append(bytes(hurt))
            for number, wound in enumerate(wounds):
                self.put("hurt.npz", wound)
                run = "%s-%d" % (name, number)
                r = self.begin_with("hurt.npz", "run.steps=0", run=run)
                if r.code == 0:
                    kept = self.model(run + "/checkpoints/latest")
                    self.assertTrue(all(np.array_equal(kept[k], given[k]) for k in given), run)
                else:
                    refused += 1
                    self.ended(r, 65, "optimizer.init", "hurt.npz")
        self.assertGreaterEqual(refused, 16)

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
                ("model.npz", [], ("model.npz has a layer a", "another model's")),
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

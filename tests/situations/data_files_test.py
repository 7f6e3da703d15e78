"""Data files that are not what they seem: what cannot be meant ends with 65, the file and the cure."""
import os
import random
import struct

import lab


def shard(tokens, magic=20240520, count=None):
    header = struct.pack("<iiI", magic, 1, len(tokens) if count is None else count)
    return header + bytes(1024 - len(header)) + struct.pack("<%dH" % len(tokens), *tokens)


def some_tokens(n, vocabulary, seed=3):
    draw = random.Random(seed)
    return [draw.randrange(vocabulary) for _ in range(n)]


class DataFiles(lab.Situation):
    def gpt(self, *arguments, **options):
        return self.train("-i", "gpt.deck", *arguments, **options)

    def refused(self, arguments, *parts):
        r = self.ended(self.gpt(*arguments), 65, *parts)
        self.assertFalse((self.folder / "run").exists(), "refused before the run folder is made")
        return r

    # Training and validation

    def test_a_pattern_that_takes_the_validation_shard(self):  # openai/parameter-golf#2127, karpathy/nanochat#541
        self.put("data/fineweb_train_000001.bin", shard(some_tokens(5000, 256, 1)))
        self.put("data/fineweb_val_000000.bin", shard(some_tokens(5000, 256, 2)))
        validation = "data.validation=data/*val*.bin"
        self.refused(["data.train=data/*.bin", validation], "data/fineweb_val_000000.bin is among the training files", "data.train")
        self.ended(self.gpt("data.train=data/*train*.bin", validation), 0)

    def test_a_copy_of_the_validation_file(self):
        self.put("train/1.bin", shard(some_tokens(5000, 256, 1)))
        self.put("train/2.bin", shard(some_tokens(5000, 256, 2)))
        self.put("held.bin", shard(some_tokens(5000, 256, 2)))
        self.refused(["data.train=train/*", "data.validation=held.bin"], "held.bin", "train/2.bin", "the same tokens")

    def test_a_file_that_is_named_twice(self):
        self.refused(["data.train=text.txt, t*.txt"], "text.txt is named twice", "held out")
        r = self.ended(self.gpt("data.train=text.txt, t*.txt", "data.validation_fraction=0"), 0)
        self.assertEqual(len([w for w in r.warnings() if "counts twice" in w]), 1, str(r))

    def test_a_validation_text_smaller_than_a_batch(self):  # pytorch/torchtitan#4301, rasbt/LLMs-from-scratch#80
        self.put("v.txt", "x" * 20)
        self.refused(["data.validation=v.txt"], "validation text is too short")

    # Formats

    def test_other_files_beside_shards(self):
        self.put("data/train_1.bin", shard(some_tokens(60000, 50000)))
        self.put("data/README.md", "# tokens made by tokenise.py\n" * 40)
        wide = ["gpt.vocab=50257", "gpt.width=16", "run.steps=2"]
        self.refused(["data.train=data/*"] + wide, "data/README.md", "data/train_1.bin", "*.bin")
        self.ended(self.gpt("data.train=data/*.bin", *wide), 0)

    def converted(self, r, made):
        """The line that the error gives makes a shard; it trains."""
        line = next(l for l in (r.err + r.out).splitlines() if "python3 -c" in l)
        line = line[line.index("python3 -c"):]
        line = line[:line.rindex('"') + 1].replace("python3", "/usr/bin/python3", 1)
        self.ended(self.run_line(line), 0)
        self.ended(self.gpt("data.train=" + made, "gpt.vocab=1500", "gpt.width=16"), 0, "4000 training tokens")

    def test_raw_tokens_without_a_header(self):  # karpathy/nanoGPT#422
        self.put("train.bin", struct.pack("<4000H", *some_tokens(4000, 1500)))
        wide = ["data.train=train.bin", "gpt.vocab=1500", "gpt.width=16"]
        r = self.refused(wide, "train.bin", "no header", "nanoGPT")
        self.refused(wide + ["data.format=text"], "train.bin", "no text", "data.format = bytes")
        self.ended(self.gpt(*wide, "data.format=bytes", "-d", "bytes"), 0, "8000 training tokens")
        self.converted(r, "train.bin.shard.bin")

    def test_an_array_of_numpy(self):
        import numpy as np
        np.save(self.folder / "tokens.npy", np.array(some_tokens(4000, 1500), dtype=np.int64))
        wide = ["data.train=tokens.npy", "gpt.vocab=1500", "gpt.width=16"]
        r = self.refused(wide, "tokens.npy", ".npy", "np.load")
        self.refused(wide + ["data.format=text"], "tokens.npy", ".npy")
        self.converted(r, "tokens.npy.shard.bin")

    def test_shards_of_llama(self):
        self.put("llama.bin", shard(some_tokens(4000, 1500), magic=20240801))
        self.refused(["data.train=llama.bin"], "llama.bin", "20240801", "32-bit")

    def test_utf16_and_archives(self):
        import gzip
        self.put("wide.txt", self.read("text.txt").encode("utf-16"))
        self.refused(["data.train=wide.txt"], "wide.txt", "UTF-16", "iconv")
        self.put("text.txt.gz", gzip.compress(self.read("text.txt").encode()))
        self.refused(["data.train=text.txt.gz"], "text.txt.gz", "gzip", "unpack")

    def test_a_pipe_is_no_data_file_and_does_not_hang(self):
        os.mkfifo(self.folder / "pipe")
        self.refused(["data.train=pipe"], "pipe", "regular file")

    def test_a_run_may_go_on_with_the_same_tokens_in_another_format(self):
        text = self.read("text.txt")
        self.ended(self.gpt(), 0)
        self.put("a.bin", shard(list(text[:150000].encode())))
        self.put("b.bin", shard(list(text[150000:].encode())))
        self.ended(self.gpt("-r", "run.steps=8", "data.train=a.bin b.bin"), 0, "step 6 of 8")

    # Sizes

    def test_more_than_two_to_the_31_tokens(self):  # NVIDIA-NeMo/Automodel#956
        n = 2200000000
        with open(self.folder / "big.bin", "wb") as f:
            f.write(shard([], count=n))
            f.truncate(1024 + 2 * n)
        self.ended(self.gpt("data.train=big.bin", "run.steps=2", "gpt.width=16", ranks=2, limit=400), 0, "2200000000 training tokens")

    def test_a_vocabulary_of_gpt2_on_three_ranks(self):  # karpathy/nanochat#364
        self.ended(self.gpt("gpt.vocab=50257", "gpt.width=16", "run.steps=3", ranks=3), 0)

    def test_a_restart_exactly_at_the_end_of_an_epoch(self):  # verl-project/verl#7401
        self.put("t.txt", self.read("text.txt")[:384])
        for order in ("sequential", "random"):
            few = ["data.train=t.txt", "data.order=" + order, "data.validation_fraction=0", "gpt.context=15"]
            self.ended(self.gpt(*few, "run.steps=15", "-d", order), 0)
            for stop in ("6", "10"):
                with self.subTest(order=order, stop=stop):
                    run = "run-%s-%s" % (order, stop)
                    self.ended(self.gpt(*few, "run.steps=" + stop, "-d", run), 0)
                    self.ended(self.gpt(*few, "run.steps=15", "-d", run, "-r"), 0)
                    self.same_state(run + "/checkpoints/latest", order + "/checkpoints/latest")


if __name__ == "__main__":
    lab.main()

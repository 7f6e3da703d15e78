"""README's commands, run as they are written in a folder laid out like the checkout after the demo. Only the model is smaller."""
import os
import re

import lab

ROOT = lab.pathlib.Path(__file__).resolve().parents[2]


def blocks(heading):
    """The indented command lines below a heading, up to the next one, without their comments."""
    page = (ROOT / "README.md").read_text()
    section = page.split("\n## %s\n" % heading, 1)[1].split("\n## ", 1)[0]
    return [re.sub(r"\s+#.*", "", l.strip()) for l in section.splitlines() if l.startswith("    ")]


class Readme(lab.Situation):
    def setUp(self):
        super().setUp()
        (self.folder / "build/openmp").mkdir(parents=True)
        os.symlink(lab.BUILD / "apps", self.folder / "build/openmp/apps")
        self.put("build/demo/gcide.txt", lab.some_text(200000))
        deck = (ROOT / "input/gpt-dictionary.deck").read_text()
        small = {"layers = 4": "layers = 1", "heads = 4": "heads = 1", "width = 128": "width = 16", "context = 128": "context = 16",
                 "batch = 8": "batch = 1", "validation_batches = 64": "validation_batches = 1"}
        for old, new in small.items():
            self.assertIn("\n%s\n" % old, deck)
            deck = deck.replace("\n%s\n" % old, "\n%s\n" % new)
        self.put("input/gpt-dictionary.deck", deck + "[checkpoint]\nevery = 200\nkeep = 9\n")

    def test_the_first_run_its_restarts_and_its_checkpoints(self):
        first = blocks("A first run")
        self.assertTrue(any(l.startswith("mpiexec") for l in first), first)
        self.ended(self.run_line("set -e\n" + "\n".join(first)), 0)
        self.assertEqual(len(self.steps("kaon-run")), 600)
        path = first[0]
        commands = blocks("Stopping and restarting")
        self.assertGreater(len(commands), 8)
        files = {"FILE...": "kaon-run/checkpoints/*.h5", "FILE": "kaon-run/checkpoints/latest", "A B": "kaon-run/checkpoints/latest " * 2,
                 "FOLDER": "kaon-run", "-w N": "-w 2", "--keep N": "--keep 1", "--every M": "--every 3", "OUT": "out-%d"}
        for n, line in enumerate(commands):
            line = re.sub(r"\[([^|\]]*)\]", r"\1", line)
            for word, value in files.items():
                line = re.sub(r"(?<![\w/])%s(?![\w/])" % re.escape(word), value.replace("%d", str(n)), line)
            self.ended(self.run_line("%s\n%s" % (path, line)), 0)


if __name__ == "__main__":
    lab.main()

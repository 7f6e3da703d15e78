"""The campaigns refuse a build folder that lacks what they need, and a library that does not stand below kaon-train: what did not
run has proved nothing."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("KAON_BUILD", HERE.parents[1] / "build/tests")).resolve()
TRAIN, CKPT = "apps/kaon-train", "apps/kaon-ckpt"
DISK, KILLER, CLOCK = (f"tests/reliability/{name}" for name in ("libkaon_disk.so", "libkaon_killer.so", "kaon_wall_clock"))
NEEDS = {"files_disk.py": (TRAIN, CKPT, DISK), "campaign.py": (TRAIN, CKPT, KILLER, CLOCK)}


def build(folder, files):
    """A build folder that has no other files than these."""
    for name in files:
        link = pathlib.Path(folder, name)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(BUILD / name)
    return folder


def run(driver, *words):
    return subprocess.run([sys.executable, "-B", str(HERE / driver), *words], capture_output=True, text=True, check=False)


class Needs(unittest.TestCase):
    def test_a_file_that_is_missing_is_named(self):
        for driver, files in NEEDS.items():
            for missing in files:
                with self.subTest(driver=driver, missing=missing), tempfile.TemporaryDirectory() as folder:
                    o = run(driver, "--build", build(folder, set(files) - {missing}))
                    self.assertEqual((o.returncode, o.stdout), (2, ""), o)
                    self.assertIn(f"there is no {os.path.realpath(folder)}/{missing}", o.stderr)

    def test_a_library_that_lets_nothing_fail_proves_nothing(self):
        o = run("files_disk.py", "faults", "--build", str(BUILD), "--disk", str(BUILD / CLOCK), "--ranks", "1")
        self.assertNotEqual(o.returncode, 0, o)
        self.assertIn("no call of the kind", o.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)

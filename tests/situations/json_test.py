"""summary.json is JSON whatever is in it, says what ran, and sums up the starts of a run."""
import csv
import json
import time

import lab


class Summary(lab.Situation):
    def summary(self, run="run"):
        with open(self.folder / run / "summary.json", encoding="utf-8") as f:
            return json.load(f)

    def test_names_of_folders_that_json_must_escape(self):
        for name in ('my run', 'q"uote', "back\\slash", "tab\tinside", "snow\u2603"):
            self.ended(self.train("-i", "gpt.deck", "-d", name, "run.steps=1"), 0)
            self.assertEqual(self.summary(name)["checkpoint"], name + "/checkpoints/step-00000001.h5")

    def test_names_of_groups_that_json_and_csv_must_escape(self):
        for number, name in enumerate(('a"b', "a\\q", "t\u00fc", "Gruppe \u00bb1\u00ab")):
            deck, run = lab.GPT.replace("group.table", "group." + name), "run%d" % number
            self.put("named.deck", deck)
            self.ended(self.train("-i", "named.deck", "-d", run), 0)
            self.assertEqual(list(self.summary(run)["groups"]), ["hidden", name])
            with open(self.folder / run / "groups.csv", newline="", encoding="utf-8") as f:
                self.assertEqual({row["name"] for row in csv.DictReader(f)}, {"hidden", name})
            self.ended(self.train("-i", "named.deck", "-d", run, "-r", "run.steps=8"), 0)

    def test_bytes_that_are_not_utf8_are_taken_for_latin1(self):
        run = b"r\xfcn"
        self.ended(self.run_line("$TRAIN -i gpt.deck -d $'r\\xfcn' run.steps=1"), 0)
        with open(self.folder.as_posix().encode() + b"/" + run + b"/summary.json", encoding="utf-8") as f:
            self.assertEqual(json.load(f)["checkpoint"], "r\u00fcn/checkpoints/step-00000001.h5")

    def test_numbers_parse_back_to_the_same_bits(self):
        self.ended(self.train("-i", "gpt.deck"), 0)
        s = self.summary()
        with open(self.folder / "run/validation.csv") as f:
            self.assertEqual(s["validation_loss"], float(list(csv.DictReader(f))[-1]["loss"]))
        with open(self.folder / "run/metrics.csv") as f:
            rows = list(csv.DictReader(f))
        seconds = 0.0
        for row in rows:
            seconds += float(row["seconds"])
        self.assertEqual(s["seconds_in_steps"], seconds)
        self.assertEqual(s["samples_per_second"], int(rows[-1]["samples"]) / seconds)
        for column in ("bytes_up", "bytes_down", "bytes_received", "wire_up", "wire_down", "wire_sum", "wire_received"):
            self.assertEqual(s[column], int(rows[-1][column]), column)
            self.assertEqual(s[column], sum(g[column] for g in s["groups"].values()), column)

    def test_the_folder_says_what_ran(self):
        self.ended(self.train("-i", "gpt.deck", "group.table.radius=0.003"), 0)
        s = self.summary()
        self.assertEqual([(l["name"], l["group"], l["rows"], l["cols"]) for l in s["layers"]][:2],
                         [("embed", "table", 256, 32), ("h0.attn.q", "hidden", 32, 32)])
        table = s["groups"]["table"]
        self.assertEqual((table["norm"], table["radius"], table["uplink"]), ("max-abs", 0.003, "bits:4:block=128"))
        self.assertEqual((s["workers"], s["ranks"], s["precision"], s["deck"]), (2, 1, "float", "deck.resolved"))
        with open(self.folder / "run/layers.csv", newline="") as f:
            rows = list(csv.DictReader(f))
        self.assertEqual({(int(r["layer"]), r["name"]) for r in rows}, {(i, l["name"]) for i, l in enumerate(s["layers"])})
        # The deck of the folder makes the same run again.
        self.ended(self.train("-i", "run/deck.resolved", "-d", "again"), 0)
        self.same_state("run/checkpoints/latest", "again/checkpoints/latest")
        first, second = (self.read(d + "/deck.resolved").splitlines() for d in ("run", "again"))
        self.assertEqual([l for l in second if l not in first], ["directory = again"])

    def test_warnings_are_those_of_the_log(self):
        words = ("-i", "gpt.deck", "run.log_every=1", "optimizer.constant_fraction=0.9", "least-squares.noise=1", "run.validate_every=2",
                 "data.validation_fraction=0", "group.hidden.radius=1e-12", "optimizer.start=dense", 'group.a"b.layers=h9*', 'group.a"b.radius=1')
        for ranks in (1, 2):
            run = "run%d" % ranks
            r = self.ended(self.train(*words, "-d", run, ranks=ranks), 0)
            said = [l[len("kaon: warning: "):] for l in r.err.splitlines() if l.startswith("kaon: warning: ")]
            warnings = self.summary(run)["warnings"]
            self.assertEqual("\n".join(warnings).splitlines(), said, str(r))
            for part in ("optimizer.schedule = linear", "objective.kind = least-squares", "has no effect", "no weight changed", 'a"b'):
                self.assertEqual(len([w for w in warnings if part in w and (part != "has no effect" or "validate_every" in w)]), 1,
                                 (part, warnings))
        self.ended(self.train("-i", "gpt.deck", "-d", "quiet"), 0)
        self.assertEqual([w for w in self.summary("quiet")["warnings"] if "BLAS" not in w and "threads" not in w], [])

    def test_times_of_all_starts_are_added_up(self):
        self.ended(self.train("-i", "gpt.deck"), 0)
        one = self.summary()
        self.assertEqual(one["whole_run"], {"starts": 1, "seconds_in_steps": one["seconds_in_steps"], "phases": one["phases"]})
        self.ended(self.train("-i", "gpt.deck", "-r", "run.steps=9"), 0)
        two = self.summary()
        whole = two["whole_run"]
        self.assertEqual(whole["starts"], 2)
        self.assertEqual(whole["seconds_in_steps"], one["seconds_in_steps"] + two["seconds_in_steps"])
        for name, seconds in whole["phases"].items():
            self.assertEqual(seconds, one["phases"][name] + two["phases"][name], name)
        self.assertGreater(one["phases"]["forward"], 0)
        self.ended(self.train("-r", "-d", "run"), 0)  # nothing left to do
        self.assertGreater(self.summary()["whole_run"]["phases"]["forward"], one["phases"]["forward"])

    def test_times_of_a_start_that_is_killed_are_counted_up_to_its_last_checkpoint(self):
        for asynchronous in ("no", "yes"):
            run = "run-" + asynchronous
            words = ("-i", "gpt.deck", "-d", run, "checkpoint.every=5", "run.log_every=0", "checkpoint.asynchronous=" + asynchronous)
            job = self.begin([lab.TRAIN, *words, "run.steps=1000000"])
            try:
                path, until = self.folder / run / "summary.json", time.monotonic() + lab.LIMIT
                while time.monotonic() < until and not (path.exists() and self.summary(run)["steps"] >= 20):
                    time.sleep(0.01)
            finally:
                job.kill()
                self.finish(job)
            killed = self.summary(run)
            self.assertEqual((killed["state"], killed["whole_run"]["starts"]), ("running", 1))
            committed = int(killed["checkpoint"][-11:-3])  # what is written beside the training is known a few steps later
            self.assertTrue(committed == killed["steps"] or asynchronous == "yes" and 15 <= committed <= killed["steps"], killed)
            with open(self.folder / run / "metrics.csv") as f:
                seconds = [float(row["seconds"]) for row in csv.DictReader(f) if int(row["step"]) <= killed["steps"]]
            self.assertAlmostEqual(killed["whole_run"]["seconds_in_steps"], sum(seconds), delta=1e-9)
            self.assertGreater(killed["whole_run"]["phases"]["forward"], 0)
            self.ended(self.train(*words, "-r", "run.steps=%d" % (killed["steps"] + 9)), 0)
            now = self.summary(run)
            self.assertEqual(now["whole_run"]["starts"], 2)
            self.assertEqual(now["whole_run"]["seconds_in_steps"], killed["whole_run"]["seconds_in_steps"] + now["seconds_in_steps"])
            for name, seconds in now["whole_run"]["phases"].items():
                self.assertEqual(seconds, killed["whole_run"]["phases"][name] + now["phases"][name], name)

    def test_times_of_a_start_that_failed(self):
        self.ended(self.train("-i", "gpt.deck", "checkpoint.every=1", "run.log_every=0", "group.hidden.radius=1e25"), 70)
        s = self.summary()
        self.assertEqual((s["state"], s["exit_code"], s["whole_run"]["starts"]), ("failed", 70, 1))
        with open(self.folder / "run/metrics.csv") as f:
            self.assertEqual(s["whole_run"]["seconds_in_steps"], sum(float(r["seconds"]) for r in csv.DictReader(f)))

    def test_a_summary_that_cannot_be_read_is_said_and_not_in_the_way(self):
        self.ended(self.train("-i", "gpt.deck"), 0)
        for text in ("", '{"finished": tr', "[1, 2]", '{"phases": 1}'):
            self.put("run/summary.json", text)
            self.ended(self.train("-i", "gpt.deck", "-r"), 0, "warning: the summary.json of the starts before cannot be read")
            self.assertEqual(self.summary()["whole_run"]["starts"], 1)


class OlderFiles(lab.Situation):
    """CSV files that an earlier version has begun are gone on with."""

    def test_rows_get_the_columns_of_now(self):
        received = ["bytes_received", "wire_received"]
        self.ended(self.train("-i", "gpt.deck"), 0)
        for steps, lacking in ((8, {"metrics.csv": ["wire_sum"] + received, "layers.csv": ["name"], "groups.csv": ["name"] + received}),
                               (12, {"metrics.csv": received, "groups.csv": received})):
            now = {}
            for name, columns in lacking.items():
                now[name] = self.read("run/" + name)
                with open(self.folder / "run" / name, newline="") as f:
                    rows = list(csv.DictReader(f))
                keep = [k for k in rows[0] if k not in columns]
                self.put("run/" + name, "".join(",".join(r) + "\n" for r in [keep] + [[row[k] for k in keep] for row in rows]))
            self.ended(self.train("-i", "gpt.deck", "-r", "run.steps=%d" % steps), 0)
            for name, text in now.items():
                self.assertTrue(self.read("run/" + name).startswith(text), self.read("run/" + name))
            self.assertEqual(self.steps(), list(range(1, steps + 1)))

    def test_another_header_is_refused_with_the_cure(self):
        self.ended(self.train("-i", "gpt.deck"), 0)
        self.put("run/groups.csv", "step,mine\n1,2\n")
        self.ended(self.train("-i", "gpt.deck", "-r", "run.steps=8"), 65, "run/groups.csv", "move the file away")
        self.assertEqual(self.read("run/groups.csv"), "step,mine\n1,2\n")


if __name__ == "__main__":
    lab.main()

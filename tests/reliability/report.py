"""report.py RESULTS.jsonl [...] [--into PAGE.md | --check PAGE.md]: the lines of the campaigns as a Markdown table, the last one of each
part and form; or that table put between the marks of a page; or exit code 1 unless it stands there.
"""
import json
import pathlib
import sys

BEGIN, END = "<!-- results: tests/reliability/report.py -->", "<!-- end of the results -->"
# Of the parts whose lines do not say it themselves.
PROPERTIES = {
    "files_flips": "one flipped bit anywhere in a file: detected, and the older file is taken; or nothing that is read has changed",
    "files_exhaustive": "the same for every bit of a small file",
    "files_bursts": "the same for runs of flipped, zeroed and exchanged bytes",
    "files_damage": "cut, empty, foreign, renamed, exchanged and put-together files are refused by name",
    "files_program_flips": "the same by kaon-train: the damage is named, the older file taken, the end the same",
    "files_odd_folders": "dangling links, links in a circle, folders in the place of files, unreadable files",
    "files_faults": "a call on a file of the run fails: committed files intact, no hang, 74 with path and cause, the same bits after the cure",
    "files_real_disks": "the same with full and read-only file systems",
}


def merged(dicts):
    total = {}
    for d in dicts:
        for name, n in d.items():
            total[name] = total.get(name, 0) + n
    return total


def figure(name, value):
    if isinstance(value, dict) and value and all(isinstance(v, dict) for v in value.values()):
        value = merged(value.values())  # of every kind of call together
    if isinstance(value, dict):
        return f"{name} ({', '.join(figure(n, v) for n, v in value.items())})"
    if isinstance(value, list):
        return f"{name} {len(value)}"
    return f"{name.replace('_', ' ')} {value}"


def counts_of(line):
    if "counts" in line:
        return line["counts"]
    return {"cases": line["cases"], **line["fate"], "refused by": line["refused_by"], "harmless in": line["harmless_where"]}


def row(line):
    verdict = "holds" if line["holds"] else "**broken**: " + str(line.get("broken", "see the log")).strip().split("\n")[0].replace("|", "\\|")
    counts = ", ".join(figure(name, value) for name, value in counts_of(line).items()).replace("|", "\\|")
    what = line.get("property") or PROPERTIES.get(line["part"], "")
    return f"| {line['part']} ({line['form']}) | {what} | {verdict} | {counts} | {line['seed']} | {line['seconds']:.0f} |"


def table(lines):
    last = {(line["part"], line["form"]): line for line in lines}
    head = ["| part | property | verdict | counts | seed | seconds |", "|---|---|---|---|---|---|"]
    return "\n".join(head + [row(last[key]) for key in sorted(last)])


def put_into(page, text):
    before, rest = page.split(BEGIN, 1)
    return before + BEGIN + "\n" + text + "\n" + END + rest.split(END, 1)[1]


def main(words):
    page, check = None, "--check" in words
    for option in {"--into", "--check"} & set(words):
        at = words.index(option)
        page = pathlib.Path(words[at + 1])
        del words[at:at + 2]
    if not words:
        sys.exit(__doc__)
    texts = [text for file in words for text in pathlib.Path(file).read_text().splitlines() if text.strip()]
    made = table([json.loads(text) for text in texts])
    if page is None:
        print(made)
    elif check:
        if page.read_text() != put_into(page.read_text(), made):
            sys.exit(f"the table of {page} is not that of {' '.join(words)}: run report.py with --into")
    else:
        page.write_text(put_into(page.read_text(), made))


if __name__ == "__main__":
    main(sys.argv[1:])

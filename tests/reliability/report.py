"""report.py RESULTS.jsonl [...]: the lines of campaign.py as a Markdown table, the last one of each part and form."""
import json
import pathlib
import sys


def figure(name, value):
    return f"{name.replace('_', ' ')} {value}"


def row(line):
    verdict = "holds" if line["holds"] else "**broken**: " + line["broken"].strip().split("\n")[0].replace("|", "\\|")
    counts = ", ".join(figure(name, value) for name, value in line["counts"].items())
    return f"| {line['part']} ({line['form']}) | {line['property']} | {verdict} | {counts} | {line['seed']} | {line['seconds']:.0f} |"


def table(lines):
    last = {(line["part"], line["form"]): line for line in lines}
    head = ["| part | property | verdict | counts | seed | seconds |", "|---|---|---|---|---|---|"]
    return "\n".join(head + [row(last[key]) for key in sorted(last)])


def main(files):
    if not files:
        sys.exit(__doc__)
    texts = [text for file in files for text in pathlib.Path(file).read_text().splitlines() if text.strip()]
    print(table([json.loads(text) for text in texts]))


if __name__ == "__main__":
    main(sys.argv[1:])

#!/usr/bin/env python3
"""The story of several observations: months, operators, a VPN. Each keeps its own verdict, what repeats is told as the same, and
the page says where it was called and not seen.

usage: tests/bundle/test_story.py PROGRAM
"""
import html
import json
import re
import sys

from support import PCAPS, Folder, check, finish, run

# Two captures of one policer are one repeated finding; the clean ones called by the same application and don't show it.
OBSERVATIONS = (("June, operator 1", "sip-clean"), ("November, operator 1", "sip-policed-48k"), ("November again, operator 1", "sip-policed-48k"),
                ("November, operator 2", "baresip-clean"), ("November, <VPN>", "mumble-tunnel-reset"))


def text_of(fragment):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", fragment))).strip()


def tables(page):
    """Every table as rows of cells' texts, by the heading before it."""
    found = {}
    for section in re.split(r"<h2 ", page)[1:]:
        name = re.search(r'id="([a-z_]+)"', section).group(1)
        found[name] = [[text_of(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.S)] for row in re.findall(r"<tr>(.*?)</tr>", section, re.S)]
    return found


def parted(cell):
    """An observation's cell: its label, and when it began."""
    return re.fullmatch(r"(.*) (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC)", cell).groups()


def check_story(program, folder, inputs, name, language="en"):
    bundle = folder / name
    made = run(program, "report", "--lang", language, *inputs, "-o", bundle)
    check(made.returncode == 0, f"{name}: {made.stderr}")
    page = (bundle / "data" / "report.html").read_text()
    classes = [json.loads((bundle / "data" / f"{i + 1:02}" / "analysis.json").read_text())["verdict"]["class"] for i in range(len(OBSERVATIONS))]
    check(classes == ["clean", "interference", "interference", "clean", "interference"], f"{name}: {classes}")
    for i in range(len(OBSERVATIONS)):
        check(f'href="{i + 1:02}/report.html"' in page and (bundle / "data" / f"{i + 1:02}" / "report.html").is_file(), f"{name}: no link to observation {i + 1}")
    check("<VPN>" not in page and "&lt;VPN&gt;" in page, f"{name}: a label isn't encoded")
    if language == "en":     # the policed capture is given twice: one hour, one occasion, and no strong evidence
        text = text_of(page)
        check(re.search(r"Occasions at least an hour apart: 1 ?;", text), f"{name}: not told how often it was seen")
        check("Strong evidence" not in text, f"{name}: one hour is no repetition")
    verified = run(program, "verify", bundle)
    check(verified.returncode == 0, f"{name}: {verified.stderr}")
    return tables(page)


def main():
    program = sys.argv[1]
    with Folder() as folder:
        captures = [f"{label}={PCAPS / name / 'capture.pcap.gz'}" for label, name in OBSERVATIONS]
        told = check_story(program, folder, ["--each", *captures], "captures")
        rows = {parted(row[0])[0]: row for row in told["overview"] if row}
        check(set(rows) == {label for label, _ in OBSERVATIONS}, f"observations side by side: {list(rows)}")
        caps = [row for row in told["repeats"] if row and "Rate cap" in row[0]]
        check(len(caps) == 1 and caps[0][3] == "2 / 4", f"the repeated cap: {caps}")
        if caps:
            check(caps[0][6] == "November, operator 1 ; November again, operator 1", f"where it was seen: {caps[0][6]}")
            check(caps[0][7] == "June, operator 1 ; November, operator 2", f"where it wasn't: {caps[0][7]}")
        resets = [row for row in told["repeats"] if row and "1 / 1" in row]
        check(resets and all("<VPN>" in row[6] and row[7] == "–" for row in resets), f"what only the last shows: {resets}")
        for language in ("fr", "ar"):
            other = check_story(program, folder, ["--each", *captures], language, language)
            check([len(row) for row in other["repeats"]] == [len(row) for row in told["repeats"]], f"{language}: another table")
        # The same from stored analyses: nothing is recomputed, and the page tells the same.
        analyses = []
        for i, (label, name) in enumerate(OBSERVATIONS):
            path = folder / f"{i}.json"
            run(program, "analyze", PCAPS / name / "capture.pcap.gz", "--format", "json", "-o", path)
            analyses.append(f"{label}={path}")
        again = check_story(program, folder, analyses, "analyses")
        check(again["repeats"] == told["repeats"], f"stored analyses repeat {again['repeats']}")
        for row, stored in zip(told["overview"], again["overview"]):
            if row:
                label, began = parted(row[0])
                row = [f"{label} (without its packets) {began}", *row[1:]]
            check(row == stored, f"a stored analysis tells {stored} instead of {row}")
    finish()


if __name__ == "__main__":
    main()

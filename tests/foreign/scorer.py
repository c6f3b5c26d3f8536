#!/usr/bin/env python3
"""Runs the product over a folder of captures with truth files and says, by family, what became of them.

  scorer.py --tool CMD --dir DIR [--jobs J] [--json OUT] [--verbose]

An innocent is accused when the verdict is interference and neither the truth nor its `also_ok` says so. A false clean is a "clean" that
neither allows. Interference is seen when a finding that the truth asks for is told, and surfaced when the verdict is interference or
suspected besides. Exit status 1 where the product fails, or prints no valid document.
"""
import argparse
import collections
import concurrent.futures
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile

CLASSES = ("interference", "suspected", "impaired", "clean", "insufficient")
TELLS = {"freeze": {"freeze", "dies_after", "one_way"}, "outage": {"outage", "one_way", "dies_after"}, "selective_loss": {"selective_loss", "differential"}}
KEYS = {"schema_version", "captures", "calls", "streams", "findings", "verdict"}


def run(tool, capture):
    """The product's document, or why there is none. The file's name tells it nothing."""
    with tempfile.TemporaryDirectory(prefix="captures-") as folder:
        link = pathlib.Path(folder) / ("capture" + "".join(capture.suffixes[-2:]))
        link.symlink_to(capture.resolve())
        try:
            done = subprocess.run([*shlex.split(tool), "analyze", str(link), "--format", "json"], capture_output=True, timeout=120)
        except subprocess.TimeoutExpired:
            return None, "timeout"
    if done.returncode not in (0, 4):
        return None, f"exit {done.returncode}: {done.stderr.decode(errors='replace').strip()[-200:]}"
    try:
        document = json.loads(done.stdout)
    except ValueError:
        return None, "no JSON"
    if not isinstance(document, dict) or not KEYS <= set(document) or document["verdict"].get("class") not in CLASSES:
        return None, "not a document of ours"
    return document, None


def fits(finding, wanted):
    if finding.get("kind") not in TELLS.get(wanted["kind"], {wanted["kind"]}):
        return False
    if wanted["kind"] == "rate_cap":
        rate = finding.get("rate_bps")
        return finding.get("direction") in (None, "both", wanted["direction"]) and bool(rate) and abs(rate - wanted["rate_bps"]) <= 0.25 * wanted["rate_bps"]
    if wanted["kind"] == "periodic_reset":
        return bool(finding.get("period_s"))
    return True


def seen(findings, wanted):
    """Is a finding told that the truth asks for? None where it asks for none."""
    due = [row for row in wanted if not row.get("optional")]
    return any(fits(finding, row) for row in due for finding in findings) if due else None


def judge(truth, document):
    said, allowed = document["verdict"]["class"], {truth["verdict"], *truth["also_ok"]}
    guilty = truth["verdict"] == "interference"
    told = seen(document["findings"], truth["findings"]) if guilty else None
    return {"said": said, "guilty": guilty, "false_accusation": said == "interference" and "interference" not in allowed,
            "false_suspicion": said == "suspected" and not allowed & {"suspected", "interference"}, "false_clean": said == "clean" and "clean" not in allowed,
            "seen": told, "surfaced": None if told is None else told and said in ("interference", "suspected"), "hard": truth["hard"],
            "forbidden": sorted({finding["kind"] for finding in document["findings"]} & set(truth["forbidden_kinds"])), "truth": truth["verdict"]}


def one(arguments):
    tool, path = arguments
    truth = json.loads(path.read_text())
    document, trouble = run(tool, path.with_name(truth["file"]))
    row = {"id": truth["id"], "family": truth["title"], "trouble": trouble}
    if document:
        row.update(judge(truth["truth"], document))
    return row


def table(rows):
    """By family: what was said of how many."""
    families = collections.defaultdict(list)
    for row in rows:
        families[row["family"]].append(row)
    lines = [f"{'family':24} {'n':>3} {'accused':>8} {'suspect':>8} {'impaired':>8} {'clean':>6} {'insuff.':>7}   {'accused wrongly':>15} {'suspected wrongly':>17} {'false clean':>11} {'seen':>7} {'surfaced':>8}"]
    for family, own in families.items():
        said = collections.Counter(row.get("said") for row in own)

        def count(key):
            values = [row.get(key) for row in own if row.get(key) is not None]
            return f"{sum(values)}/{len(values)}" if values else "-"
        lines.append(f"{family:24} {len(own):3} {said['interference']:8} {said['suspected']:8} {said['impaired']:8} {said['clean']:6} {said['insufficient']:7}   "
                     f"{count('false_accusation'):>15} {count('false_suspicion'):>17} {count('false_clean'):>11} {count('seen'):>7} {count('surfaced'):>8}")
    return lines


def share(rows, key):
    values = [row[key] for row in rows if row.get(key) is not None]
    return f"{sum(values)} of {len(values)}" + (f" ({100 * sum(values) / len(values):.1f} %)" if values else "")


def summary(rows):
    innocent = [row for row in rows if row.get("guilty") is False]
    guilty = [row for row in rows if row.get("guilty")]
    good = [row for row in innocent if row["truth"] == "clean"]
    return [f"innocents accused      {share(innocent, 'false_accusation')}", f"innocents suspected    {share(innocent, 'false_suspicion')}", f"clean told of clean    {sum(row['said'] == 'clean' for row in good)} of {len(good)}",
            f"false clean            {share(innocent, 'false_clean')} of innocents, {share(guilty, 'false_clean')} of interference",
            f"interference accused   {sum(row['said'] == 'interference' for row in guilty)} of {len(guilty)}",
            f"             surfaced  {share(guilty, 'surfaced')}; without hard ones {share([row for row in guilty if not row['hard']], 'surfaced')}",
            f"             seen      {share(guilty, 'seen')}; without hard ones {share([row for row in guilty if not row['hard']], 'seen')}", f"troubles               {sum(bool(row['trouble']) for row in rows)}"]


def score(tool, folder, jobs=1):
    work = [(tool, path) for path in sorted(pathlib.Path(folder).glob("*.truth.json"))]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(one, work))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--dir", type=pathlib.Path, required=True)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--verbose", action="store_true", help="a line for each that went wrong")
    options = parser.parse_args()
    rows = score(options.tool, options.dir, options.jobs)
    if options.verbose:
        for row in rows:
            wrong = [key for key in ("false_accusation", "false_suspicion", "false_clean") if row.get(key)] + (["not seen"] if row.get("seen") is False else []) + ([row["trouble"]] if row["trouble"] else [])
            if wrong or row.get("forbidden"):
                print(f"{row['id']:36} {row.get('truth', ''):13} {row.get('said', ''):13} {'hard ' if row.get('hard') else ''}{', '.join(wrong)} {','.join(row.get('forbidden', ()))}")
    print("\n".join(table(rows) + [""] + summary(rows)))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 1 if any(row["trouble"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())

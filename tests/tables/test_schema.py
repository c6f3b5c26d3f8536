#!/usr/bin/env python3
"""The JSON of every bundled capture, and of ../shared/cases where it is there, keeps the schema that we ship.
usage: test_schema.py CALLWITNESS   exit 77: python3-jsonschema isn't there
"""
import copy
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SUFFIXES = (".pcap", ".pcapng", ".pcap.gz", ".pcapng.gz", ".pcap.xz", ".pcap.zst")


def captures():
    for folder in (ROOT / "pcaps", ROOT.parent / "shared" / "cases", ROOT.parent / "shared" / "hostile"):
        if folder.is_dir():
            yield from (path for path in sorted(folder.rglob("*")) if path.name.endswith(SUFFIXES))


def main():
    try:
        import jsonschema
    except ImportError:
        print("skipped: python3-jsonschema is not here")
        return 77
    schema = json.loads((ROOT / "docs" / "report-schema.json").read_text())
    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    checker, wrong, seen, last = validator(schema), [], 0, None
    for path in captures():
        run = subprocess.run([sys.argv[1], "analyze", "--format", "json", path], capture_output=True, timeout=300, check=False)
        if run.returncode in (1, 2, 4) and not run.stdout:
            continue                                  # nothing in it that could be read: said on the other stream
        seen += 1
        document = last = json.loads(run.stdout)
        wrong += [f"{path.name}: {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in checker.iter_errors(document)]
    # The schema must be able to say no.
    broken = copy.deepcopy(last)
    broken["verdict"]["class"] = "guilty"
    if checker.is_valid(broken):
        wrong.append("the schema accepts a verdict that doesn't exist")
    print(f"{seen} analyses, {len(wrong)} errors")
    print("\n".join(wrong[:50]))
    return 1 if wrong or not seen else 0


if __name__ == "__main__":
    sys.exit(main())

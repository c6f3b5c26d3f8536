#!/usr/bin/env python3
"""Nobody is accused by the public captures of nDPI: whatever goes wrong in them, no network did it.
usage: test_innocents.py CALLWITNESS   exit 77: ../shared/corpus isn't there
"""
import json
import subprocess
import sys

from corpus import CORPUS


def main():
    if not CORPUS.is_dir():
        print("skipped: ../shared/corpus is not here")
        return 77
    files, accused = sorted((CORPUS / "ndpi").iterdir()), []
    for file in files:
        run = subprocess.run([sys.argv[1], "analyze", "--format", "json", file], capture_output=True, timeout=300, check=False)
        if run.stdout and json.loads(run.stdout)["verdict"]["class"] == "interference":
            accused.append(file.name)
    print(f"{len(files)} captures, accused by {len(accused)}: {accused}")
    return 1 if accused or len(files) < 100 else 0


if __name__ == "__main__":
    sys.exit(main())

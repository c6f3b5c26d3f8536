#!/usr/bin/env python3
"""The same file, options and version give the same bytes under any time zone, language, directory and number of cores."""
import os
import subprocess

from craft import PROGRAM, ROOT, folder

SURROUNDINGS = ({"TZ": "UTC", "LANG": "C"}, {"TZ": "Africa/Casablanca", "LANG": "fr_FR.UTF-8", "LC_ALL": "fr_FR.UTF-8"}, {"TZ": ":/nowhere", "LC_ALL": "tr_TR.UTF-8", "COLUMNS": "40"},
                {"TZ": "Asia/Kathmandu", "LC_NUMERIC": "de_DE.UTF-8", "HOME": "/", "NO_COLOR": "1", "TERM": "dumb"})

with folder() as at:
    source = ROOT / "pcaps" / "sip-policed-48k" / "capture.pcap.gz"
    for form in ("json", "ndjson", "csv", "text", "markdown", "html"):
        seen = set()
        for number, surroundings in enumerate(SURROUNDINGS):
            where = at / form / str(number)
            where.mkdir(parents=True)
            (where / "capture.pcap.gz").write_bytes(source.read_bytes())
            words = [PROGRAM, "analyze", "--format", form, "capture.pcap.gz"]
            if number == 1:
                words = ["taskset", "1", *words]
            done = subprocess.run(words, cwd=where, env={"PATH": os.environ["PATH"], **{key: value for key, value in os.environ.items() if "SAN_OPTIONS" in key}, **surroundings},
                                  capture_output=True, check=False, stdin=subprocess.DEVNULL)
            assert done.returncode == 0 and done.stdout, (form, surroundings, done.stderr)
            seen.add(done.stdout)
        assert len(seen) == 1, f"{form}: {len(seen)} different results"
    print("six forms, four surroundings: the same bytes")

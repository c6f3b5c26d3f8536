#!/usr/bin/env python3
"""Makes captures of calls whose truth is known, by families: see README.md.

  generate.py --out DIR --seed N --per-family K [--family GLOB] [--traces DIR] [--jobs J] [--list]

For each capture NAME.pcap.gz or NAME.pcapng.gz and NAME.truth.json. The same seed makes the same bytes. --traces names a folder of
recorded cellular links (NAME.down.gz, NAME.up.gz: one time in ms a line for each 1500 bytes); without it such links are made up.
"""
import argparse
import concurrent.futures
import fnmatch
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from families import FAMILIES  # noqa: E402
from families.common import Draw  # noqa: E402
from truth import whole  # noqa: E402


def make(arguments):
    family, seed, index, out, options = arguments
    name = f"{family}-{seed}-{index}"
    draw = Draw(family, seed * 100_000 + index, options)
    world, truth, *notes = FAMILIES[family](draw)
    path = world.network.tap.write(pathlib.Path(out) / f"{name}.{world.network.tap.form}.gz")
    document = whole(world, name, path, truth, notes[0] if notes else {})
    (pathlib.Path(out) / f"{name}.truth.json").write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")
    return name, path.stat().st_size, document["truth"]["verdict"]


def attempt(arguments):
    try:
        return make(arguments)
    except Exception as error:  # one family's fault doesn't end the draw; the exit status tells
        return f"{arguments[0]}-{arguments[1]}-{arguments[2]}", 0, f"FAILED {type(error).__name__} {error}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-family", type=int, default=1)
    parser.add_argument("--family", default="*")
    parser.add_argument("--traces", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="only name the families")
    options = parser.parse_args()
    chosen = [family for family in FAMILIES if fnmatch.fnmatch(family, options.family)]
    if options.list:
        for family in chosen:
            print(f"{family:32} {(FAMILIES[family].__doc__ or '').split(chr(10))[0]}")
        return
    if not options.out:
        parser.error("--out is needed")
    options.out.mkdir(parents=True, exist_ok=True)
    work = [(family, options.seed, index, str(options.out), {"traces": options.traces}) for family in chosen for index in range(options.per_family)]
    with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        failed = 0
        for name, size, verdict in pool.map(attempt, work) if options.jobs > 1 else map(attempt, work):
            print(f"{name:40} {verdict:14} {size // 1024} kB", flush=True)
            failed += verdict.startswith("FAILED")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

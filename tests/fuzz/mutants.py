#!/usr/bin/env python3
"""Runs the program on captures in which 0.5 % or 3 % of the bytes are changed: no signal, none over 30 s, and JSON that can be read.

usage: tests/fuzz/mutants.py PROGRAM [--count N] [--first SEED] [--jobs N]

Mutants are made of the project's own captures and, where it stands beside the project, of ../shared/corpus. One in eight keeps its
packing, so that the unpackers get their share. Mutant N is the same on every run; one that fails is kept in the directory named.
"""
import argparse
import collections
import concurrent.futures
import gzip
import json
import lzma
import pathlib
import random
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LONGEST_S = 30
LARGEST = 400_000          # bytes of a capture that is taken: thousands are to be tried
SHARES = (0.005, 0.03)
STATUSES = (0, 3, 4)       # analysed, unreadable, damaged


def captures():
    files = sorted(ROOT.glob("pcaps/*/capture.pcap.gz"))
    corpus = ROOT.parent / "shared" / "corpus"
    files += sorted(path for path in corpus.rglob("*") if path.suffix in (".pcap", ".pcapng", ".cap", ".xz"))
    return [path for path in files if path.stat().st_size <= LARGEST]


def unpacked(path, raw):
    if path.suffix == ".gz":
        return gzip.decompress(raw)
    return lzma.decompress(raw) if path.suffix == ".xz" else raw


def mutant(paths, number):
    random_ = random.Random(number)
    path = random_.choice(paths)
    content = path.read_bytes()
    if random_.random() >= 1 / 8:
        content = unpacked(path, content)[:4 * LARGEST]
    content = bytearray(content)
    share = SHARES[number % 2]
    # A file whose first bytes are gone is no capture: half the mutants keep their magic number.
    first = 4 if random_.random() < 0.5 else 0
    for _ in range(max(1, int(len(content) * share))):
        content[random_.randrange(first, len(content))] = random_.choice((0, 0xFF, 0x7F, 0x80, random_.randrange(256), random_.randrange(256)))
    return path, bytes(content)


def tried(program, paths, number, folder):
    """(status, seconds, what is wrong)"""
    path, content = mutant(paths, number)
    file = folder / f"{number}-{path.name.removesuffix('.gz').removesuffix('.xz')}"
    file.write_bytes(content)
    begin = time.monotonic()
    try:
        done = subprocess.run([program, "analyze", "-q", "--format", "json", file], capture_output=True, timeout=4 * LONGEST_S, check=False)
    except subprocess.TimeoutExpired:
        return None, time.monotonic() - begin, f"{file}: did not end"
    seconds = time.monotonic() - begin
    wrong = None
    if done.returncode not in STATUSES:
        wrong = f"{file}: status {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}"
    elif seconds > LONGEST_S:
        wrong = f"{file}: took {seconds:.0f} s"
    elif done.returncode == 3 and len(done.stderr.splitlines()) != 1:
        wrong = f"{file}: not one line: {done.stderr[-500:]}"
    elif done.returncode != 3:
        try:
            json.loads(done.stdout)
        except ValueError as error:
            wrong = f"{file}: {error}"
    if wrong is None:
        file.unlink()
    return done.returncode, seconds, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args()
    paths = captures()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="callwitness-mutants-"))
    statuses, slowest, failures = collections.Counter(), 0.0, []
    with concurrent.futures.ThreadPoolExecutor(asked.jobs) as pool:
        numbers = range(asked.first, asked.first + asked.count)
        for status, seconds, wrong in pool.map(lambda number: tried(asked.program.resolve(), paths, number, folder), numbers):
            statuses[status] += 1
            slowest = max(slowest, seconds)
            if wrong:
                failures.append(wrong)
                print(wrong, flush=True)
    print(f"{asked.count} mutants of {len(paths)} captures: statuses {dict(statuses)}, slowest {slowest:.1f} s, {len(failures)} failed")
    if not failures:
        folder.rmdir()
    sys.exit(1 if failures else 0)


main()

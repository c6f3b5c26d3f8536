#!/usr/bin/env python3
"""The bundled captures counted twice, and proof that the second counter and the table can say no.
usage: test_field.py CALLWITNESS
"""
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import check
import rtp_counter

ROOT = pathlib.Path(__file__).resolve().parents[2]


def call(path, numbers, seconds=0.02):
    """A pcap of one PCMU stream with these numbers."""
    def packet(number, at):
        rtp = struct.pack("!BBHII", 0x80, 0, number % 65536, number * 160 % 2**32, 0xabcd1234) + bytes(160)
        udp = struct.pack("!HHHH", 20000, 30000, 8 + len(rtp), 0) + rtp
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), at, 0, 64, 17, 0, bytes((192, 0, 2, 1)), bytes((198, 51, 100, 2))) + udp
        frame = bytes(12) + b"\x08\0" + ip
        time = 1_700_000_000_000_000 + round(at * seconds * 1e6)
        return struct.pack("<IIII", time // 10**6, time % 10**6, len(frame), len(frame)) + frame
    path.write_bytes(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1) + b"".join(packet(number, at) for at, number in enumerate(numbers)))


def main():
    program, wrong = sys.argv[1], []
    run = subprocess.run([sys.executable, pathlib.Path(check.__file__), program, ROOT / "pcaps"], capture_output=True, text=True, check=False)
    if run.returncode != 0 or "streams counted otherwise | 0" not in run.stdout:
        wrong.append(f"pcaps/: {run.returncode} {run.stdout} {run.stderr}")
    with tempfile.TemporaryDirectory() as folder:
        made = pathlib.Path(folder) / "made.pcap"
        for name, numbers, packets, lost, duplicates in (
                ("whole, over the wrap", range(65_000, 66_000), 1000, 0, 0),
                ("one in ten lost", [n for n in range(1000) if n % 10 != 5], 900, 100, 0),
                ("repeats and late ones", [0, 1, 2, 2, 4, 3, 5, 6, 9], 9, 2, 1),
                ("a clip in a loop", [n % 200 for n in range(600)], 600, 0, 0)):
            call(made, numbers)
            (counter,) = rtp_counter.streams(made).values()
            if (counter.packets, counter.lost, counter.duplicates) != (packets, lost, duplicates):
                wrong.append(f"{name}: counted {counter.packets}, {counter.lost}, {counter.duplicates}")
        call(made, [n for n in range(1000) if n % 10 != 5])
        document = json.loads(subprocess.run([program, "analyze", "--format", "json", made], capture_output=True, check=True).stdout)
        if check.counted_otherwise(made, document) != (1, []):
            wrong.append("a stream is counted otherwise")
        document["streams"][0]["lost"] += 1
        if len(check.counted_otherwise(made, document)[1]) != 1:
            wrong.append("a loss too many is not noticed")
    print("\n".join(wrong) or "counted alike")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

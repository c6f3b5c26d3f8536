"""Captures made by hand, and running the program on them."""
import contextlib
import gzip
import json
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(sys.argv[1]).resolve()
START = 1_700_000_000
OURS, THEIRS = "192.168.1.23", "203.0.113.9"
LONGEST_S = 30


def header(order="<", magic=0xA1B2C3D4, snap=262144, link=1):
    return struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snap, link)


def record(at, data, order="<", captured=None, wire=None, fraction=None):
    seconds = int(at)
    ticks = round((at - seconds) * 1e6) % 1_000_000 if fraction is None else fraction
    return struct.pack(order + "IIII", seconds & 0xFFFFFFFF, ticks, len(data) if captured is None else captured, len(data) if wire is None else wire) + data


def pcap(frames, **options):
    """frames: [(seconds since START, bytes)]"""
    return header(**options) + b"".join(record(START + at, frame) for at, frame in frames)


def block(kind, body, length=None, trailer=None):
    body += bytes(-len(body) % 4)
    size = len(body) + 12
    return struct.pack("<II", kind, size if length is None else length) + body + struct.pack("<I", size if trailer is None else trailer)


def option(code, value):
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(options=b""):
    return block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + options)


def interface(link=1, options=b""):
    return block(1, struct.pack("<HHI", link, 0, 0) + options)


def packet(at, data, number=0, options=b""):
    ticks = int((START + at) * 1e6)
    return block(6, struct.pack("<IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data)) + data + bytes(-len(data) % 4) + options)


def address(text):
    return bytes(map(int, text.split(".")))


def ip(source, destination, protocol, payload, total=None, hops=64):
    return (bytes.fromhex("0200000000010200000000020800") + struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload) if total is None else total, 1, 0x4000, hops, protocol, 0)
            + address(source) + address(destination) + payload)


def udp(source, source_port, destination, destination_port, payload, hops=64):
    return ip(source, destination, 17, struct.pack("!HHHH", source_port, destination_port, 8 + len(payload), 0) + payload, hops=hops)


def tcp(source, source_port, destination, destination_port, sequence, acknowledgement, flags, payload=b"", hops=64, total=None):
    return ip(source, destination, 6, struct.pack("!HHIIBBHHH", source_port, destination_port, sequence & 0xFFFFFFFF, acknowledgement & 0xFFFFFFFF, 0x50, flags, 65000, 0, 0) + payload, total, hops)


def sent(payload, port=40000, to=THEIRS, to_port=50000):
    return udp(OURS, port, to, to_port, payload)


def received(payload, port=40000, by=THEIRS, by_port=50000):
    return udp(by, by_port, OURS, port, payload, hops=52)


def rtp(number, ssrc, kind=0, payload=bytes(160), first=0x80):
    return struct.pack("!BBHII", first, kind, number & 0xFFFF, number * 160 & 0xFFFFFFFF, ssrc & 0xFFFFFFFF) + payload


def call(seconds, begin=0.0):
    """G.711 both ways, whole."""
    for number in range(int(seconds * 50)):
        yield begin + number * 0.02, sent(rtp(number, 0x1111))
        yield begin + number * 0.02 + 0.007, received(rtp(number, 0x2222))


@contextlib.contextmanager
def folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="callwitness-hostile-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def run(*words, **options):
    """The program to its end, which comes by itself and within the time."""
    begin = time.monotonic()
    done = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, timeout=20 * LONGEST_S, check=False, **options)
    done.seconds = time.monotonic() - begin
    assert done.returncode >= 0, f"{words}: signal {-done.returncode}: {done.stderr.decode(errors='replace')[-3000:]}"
    assert b"Sanitizer" not in done.stderr and b"runtime error" not in done.stderr, done.stderr.decode(errors="replace")[-3000:]
    return done


def analysis(content, name="crafted.pcap", status=0, words=()):
    """What the program says of a capture with this content."""
    with folder() as at:
        file = at / name
        file.write_bytes(content)
        done = run("analyze", "--format", "json", name, *words, cwd=at)
        assert done.returncode == status, (name, done.returncode, done.stderr)
        assert done.seconds < LONGEST_S, f"{name}: {done.seconds:.0f} s"
        return json.loads(done.stdout)


def own_captures():
    for path in sorted(ROOT.glob("pcaps/*/capture.pcap.gz")):
        yield path.parent.name, gzip.decompress(path.read_bytes())


def records(content):
    """(seconds, fraction, wire length, bytes) of a little-endian pcap."""
    at = 24
    while at + 16 <= len(content):
        seconds, fraction, captured, wire = struct.unpack_from("<IIII", content, at)
        yield seconds, fraction, wire, content[at + 16:at + 16 + captured]
        at += 16 + captured

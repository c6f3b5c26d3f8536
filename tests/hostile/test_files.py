#!/usr/bin/env python3
"""Broken files: what can be read is read, what is amiss is told in one line that names file, place and what to do, with its status."""
import json
import os
import socket
import struct
import subprocess
import threading
import time
import zlib

from craft import PROGRAM, START, analysis, block, call, folder, header, interface, option, packet, pcap, record, run, section

GOOD = list(call(0.2))
FRAMES = [frame for _, frame in GOOD]


def capture(content, status=0, name="crafted.pcap"):
    return analysis(content, name, status)["captures"][0]


def odd_records():
    """Lengths and times that no capture has: nothing else is lost by them."""
    first, last = record(START, FRAMES[0]), b"".join(record(START + 1 + i / 50, frame) for i, frame in enumerate(FRAMES))
    for name, content, packets, status, anomaly in (
            ("captured 0", header() + first + record(START, b"", wire=60) + last, 22, 0, None),
            ("captured above the wire's length", header() + first + record(START, FRAMES[1], wire=10) + last, 22, 0, "captured_more_than_wire"),
            ("captured above the snap length", header(snap=60) + first + last, 21, 0, None),
            ("captured 2^32-1", header() + first + record(START, FRAMES[1], captured=0xFFFFFFFF) + last, 21, 4, "bad_record"),
            ("snap length 0", header(snap=0) + first + last, 21, 0, None), ("snap length 2^32-1", header(snap=0xFFFFFFFF) + first + last, 21, 0, None),
            ("microseconds", header() + first + record(START, FRAMES[1], fraction=4_000_000) + last, 22, 0, "time_fraction_out_of_range"),
            ("nanoseconds", header(magic=0xA1B23C4D) + first + record(START, FRAMES[1], fraction=4_000_000_000) + last, 22, 0, "time_fraction_out_of_range"),
            ("times all zero", header() + b"".join(record(0, frame) for frame in FRAMES), 20, 0, None),
            ("2^32-1 s", header() + b"".join(record(2**32 - 1, frame) for frame in FRAMES), 20, 0, None),
            ("backwards", header() + b"".join(record(START - i, frame) for i, frame in enumerate(FRAMES)), 20, 0, "time_backwards"),
            ("79 years on", header() + first + record(START + 79 * 365 * 86400, FRAMES[1]) + last, 22, 0, "time_jump"),
            ("unknown link type", header(link=147) + first + last, 21, 0, "unknown_link_type")):
        told = capture(content, status, f"{name}.pcap")
        assert told["packets"] == packets, (name, told)
        assert anomaly is None or told["anomalies"].get(anomaly), (name, told)


def twins():
    """Byte order and resolution change nothing of the result."""
    seen = set()
    for order in "<>":
        for magic, a_millisecond in ((0xA1B2C3D4, 1000), (0xA1B23C4D, 1_000_000)):
            content = header(order, magic) + b"".join(record(START + int(at), frame, order, fraction=round(at % 1 * 1000) * a_millisecond) for at, frame in call(2))
            told = analysis(content)
            seen.add(json.dumps({key: told[key] for key in ("calls", "streams", "findings", "verdict")}, sort_keys=True))
    assert len(seen) == 1, seen


def odd_blocks():
    good = b"".join(packet(at, frame) for at, frame in GOOD)
    secret = b"CLIENT_RANDOM 0123456789abcdef"
    start = section() + interface()
    whole = block(6, bytes(20))
    for name, content, packets, status in (
            ("no interface", section() + good, 0, 4), ("another interface", start + packet(0, FRAMES[0], 7) + good, 20, 4),
            ("length 0", start + whole[:4] + bytes(4) + whole[8:] + good, 20, 4), ("length 4 GiB", start + whole[:4] + b"\xff" * 4 + whole[8:] + good, 20, 4),
            ("odd length", start + whole[:4] + struct.pack("<I", 33) + whole[8:] + good, 20, 4), ("shorter than a block", start + struct.pack("<III", 6, 8, 8) + good, 20, 4),
            ("lengths that differ", start + block(0xBAD, b"....", trailer=99) + good, 20, 4),
            ("a section header of 17 MiB", start + good + block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + bytes(17 << 20)) + start + good, 40, 4),
            ("an option beyond its block", start + packet(0, FRAMES[0], options=struct.pack("<HH", 1, 4000)) + good, 21, 4),
            ("two sections and link types", start + good + section() + interface(101) + b"".join(packet(at, frame[14:]) for at, frame in GOOD), 40, 0),
            ("secrets", start + block(10, struct.pack("<II", 0x544C534B, len(secret)) + secret) + good, 20, 0)):
        told = capture(content, status, f"{name}.pcapng")
        assert told["packets"] == packets, (name, told)
        assert status == 0 or told["problems"], (name, told)


def many_interfaces():
    content = section() + interface() * 100_000 + packet(0, FRAMES[0], 99_999)
    with folder() as at:
        (at / "many.pcapng").write_bytes(content)
        begin = time.monotonic()
        done = run("analyze", "--format", "json", at / "many.pcapng")
        assert json.loads(done.stdout)["captures"][0]["packets"] == 1
        print(f"100,000 interfaces: {time.monotonic() - begin:.2f} s")


def bomb():
    """500 MB in about 520 KB: stopped, told, and what came before is kept."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    content = packer.compress(pcap(GOOD))
    zeros = record(START, bytes(60_000)) * 100
    for _ in range(500_000_000 // len(zeros) + 1):
        content += packer.compress(zeros)
    content += packer.flush()
    with folder() as at:
        (at / "bomb.pcap.gz").write_bytes(content)
        done = run("analyze", "--format", "json", at / "bomb.pcap.gz")
        told = json.loads(done.stdout)["captures"][0]
        assert done.returncode == 4 and told["packets"] > 20 and "unpack it yourself" in " ".join(told["problems"]), told
        assert len(done.stderr.splitlines()) == 1 and b"bomb.pcap.gz: after packet" in done.stderr, done.stderr
        print(f"bomb: {len(content)} bytes stopped after {told['packets']} packets in {done.seconds:.1f} s")


def pipes():
    content = pcap(call(1))
    with folder() as at:
        os.mkfifo(at / "pipe")
        writer = threading.Thread(target=lambda: (at / "pipe").write_bytes(content))
        writer.start()
        done = run("analyze", "--format", "json", at / "pipe")
        writer.join()
        assert json.loads(done.stdout)["captures"][0]["packets"] == 100, done
        done = run("analyze", "--format", "json", "-", input=content)
        assert json.loads(done.stdout)["captures"][0]["packets"] == 100, done
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(at / "socket"))
        assert run("analyze", at / "socket").returncode == 3


def moving():
    """Files that grow or shrink while they are read: what is there is analysed, and a hole is told as one."""
    content = pcap(call(600))
    with folder() as at:
        for name, change in (("growing", lambda file: file.write(content[len(content) // 2:])), ("shrinking", lambda file: file.truncate(len(content) // 3 + 5))):
            path = at / f"{name}.pcap"
            path.write_bytes(content[:len(content) // 2] if name == "growing" else content)
            process = subprocess.Popen([PROGRAM, "analyze", "--format", "json", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            with open(path, "r+b") as file:
                file.seek(0, os.SEEK_END)
                change(file)
            out, told = process.communicate(timeout=120)
            assert process.returncode in (0, 4), (name, process.returncode, told)
            packets = json.loads(out)["captures"][0]["packets"]
            assert packets >= 60_000 // 3 - 1, (name, packets)
            assert process.returncode == 0 or b"cut" in told, (name, told)


def messages():
    """One line a failure: file, place, what to do; and the status for it."""
    with folder() as at:
        (at / "empty").write_bytes(b"")
        (at / "three").write_bytes(b"\xd4\xc3\xb2")
        (at / "letter.txt").write_text("Dear Sir")
        (at / "good.pcap").write_bytes(pcap(GOOD))
        (at / "packed.zip").write_bytes(b"PK\x03\x04" + bytes(40))
        (at / "cut.pcap").write_bytes(pcap(GOOD)[:-5])
        (at / "cut.pcap.gz").write_bytes(zlib.compress(pcap(GOOD), 6, 31)[:-20])
        (at / "folder").mkdir()
        (at / "folder" / "README").write_text("nothing here")
        for words, status, hints in (
                (("empty",), 3, ("empty", "it is empty", "give a capture")), (("three",), 3, ("three", "give a capture")), (("letter.txt",), 3, ("letter.txt", "neither pcap nor pcapng", "give a capture")),
                (("packed.zip",), 3, ("packed.zip", "unpack it first")), (("nowhere.pcap",), 3, ("nowhere.pcap", "check the name")), (("folder",), 3, ("folder", "no captures found", "give")),
                (("/dev/zero",), 3, ("/dev/zero",)), (("cut.pcap",), 4, ("cut.pcap: after packet 19, byte ", "was cut", "is analysed")), (("cut.pcap.gz",), 4, ("cut.pcap.gz: after packet ", "byte ", "fetch it again")),
                (("good.pcap", "cut.pcap"), 4, ("cut.pcap: after packet 19",)), (("good.pcap", "nowhere.pcap"), 4, ("nowhere.pcap", "No such file")),
                (("good.pcap", "-f", "udp prt 5060"), 2, ("udp prt 5060", "pcap-filter")), (("good.pcap", "udp", "port", "x"), 2, ("udp port x",)),
                (("good.pcap", "-c", "-1"), 2, ("-c",)), (("--local", "here", "good.pcap"), 2, ("here",)), (("good.pcap", "--tz", "Nowhere/Land"), 2, ("Nowhere/Land",)),
                (("good.pcap", "-o", "good.pcap"), 1, ("good.pcap", "another name")), (("good.pcap", "-o", "no/where.json"), 1, ("no/where.json",)), ((), 2, ("analyze FILE",))):
            done = run("analyze", "--format", "json", *words, cwd=at)
            lines = done.stderr.decode().splitlines()
            assert done.returncode == status and len(lines) == 1 and lines[0].startswith("callwitness: "), (words, done.returncode, lines)
            assert all(hint in lines[0] for hint in hints), (words, hints, lines)
            assert (status == 4) == bool(done.stdout), (words, done.stdout[:100])
        if os.geteuid() == 0:   # root may read anything
            (at / "mine.pcap").write_bytes(pcap(GOOD))
            (at / "mine.pcap").chmod(0)
            at.chmod(0o755)
            done = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", PROGRAM, "analyze", "mine.pcap"], cwd=at, capture_output=True, check=False)
            assert done.returncode == 3 and b"mine.pcap: Permission denied; make it readable" in done.stderr, done


def outputs():
    """Nothing is overwritten, nothing goes through a link, nobody else may read it."""
    with folder() as at:
        (at / "good.pcap").write_bytes(pcap(GOOD))
        (at / "link").symlink_to(at / "elsewhere")
        (at / "there").write_text("mine")
        for name in ("link", "there"):
            assert run("analyze", "good.pcap", "-o", name, cwd=at).returncode == 1
        assert not (at / "elsewhere").exists() and (at / "there").read_text() == "mine"
        assert run("analyze", "good.pcap", "--format", "json", "-o", "new.json", cwd=at).returncode == 0
        assert (at / "new.json").stat().st_mode & 0o777 == 0o600
        for closed in (">&-", "> /dev/full"):
            done = subprocess.run(["bash", "-c", f"{PROGRAM} analyze good.pcap {closed}"], cwd=at, capture_output=True, check=False)
            assert done.returncode == 1 and b"cannot write the result" in done.stderr, (closed, done)


for test in (odd_records, twins, odd_blocks, many_interfaces, bomb, pipes, moving, messages, outputs):
    test()

#!/usr/bin/env python3
"""What a redacted capture may not hold, hunted for in every form in which it could stand there: as text, as UTF-16, in
hexadecimal, as bytes, under STUN's mask, in NetBIOS's letters, backwards as in in-addr.arpa. In a capture made for it, where
every protocol that we know to tell something does so; and in an anonymised bundle of it.

usage: tests/bundle/test_hunt.py PROGRAM
"""
import shutil
import socket
import struct
import subprocess
import sys

import telling_capture
from support import Folder, check, finish, run
from telling_capture import ADDRESSES, ADDRESSES6, COOKIE, MACS, NAMES, NUMBERS, v4, v6


def forms_of_name(name):
    yield "text", name.encode()
    yield "UTF-16", name.encode("utf-16-le")
    yield "hexadecimal", name.encode().hex().encode()
    yield "part of it", name.encode()[3:13]            # cut in two, it is still a name
    padded = name.upper()[:15].ljust(16).encode()
    yield "NetBIOS", bytes(b for c in padded for b in (0x41 + (c >> 4), 0x41 + (c & 15)))[:20]


def forms_of_address(address):
    packed = v4(address)
    parts = address.split(".")
    yield "text", address.encode()
    yield "backwards", ".".join(reversed(parts)).encode()
    yield "labels", b"".join(bytes((len(part),)) + part.encode() for part in reversed(parts))
    yield "bytes", packed
    yield "bytes backwards", packed[::-1]
    yield "masked", struct.pack(">I", struct.unpack(">I", packed)[0] ^ COOKIE)
    yield "hexadecimal", packed.hex().encode()


def forms_of_long_address(address):
    packed = v6(address)
    yield "text", socket.inet_ntop(socket.AF_INET6, packed).encode()
    yield "bytes", packed
    yield "interface part", packed[8:]
    yield "masked", bytes(a ^ b for a, b in zip(packed, struct.pack(">I", COOKIE) + b"transact\x01\x02\x03\x04"))
    yield "hexadecimal", packed.hex().encode()


def forms_of_mac(mac):
    yield "bytes", mac
    yield "text", mac.hex(":").encode()
    yield "hexadecimal", mac.hex().encode()
    yield "in an address", bytes((mac[0] ^ 2,)) + mac[1:3] + b"\xff\xfe" + mac[3:]


def secrets():
    for name in NAMES:
        yield name, list(forms_of_name(name))
    for number in NUMBERS:
        yield number, [("text", number.encode()), ("UTF-16", number.encode("utf-16-le"))]
    for address in ADDRESSES:
        yield address, list(forms_of_address(address))
    for address in ADDRESSES6:
        yield address, list(forms_of_long_address(address))
    for mac in MACS:
        yield mac.hex(":"), list(forms_of_mac(mac))


def found_in(data):
    """Secrets and their forms; four bytes turn up by chance, so a leak is what is found under two keys."""
    lower = data.lower()
    return {(secret, form) for secret, forms in secrets() for form, wanted in forms if wanted in data or wanted.lower() in lower}


def main():
    program = sys.argv[1]
    with Folder() as folder:
        original = folder / "telling.pcapng"
        telling_capture.write(original)
        told = found_in(original.read_bytes())
        for secret, forms in secrets():
            check(any((secret, form) in told for form, _ in forms), f"the capture doesn't hold {secret}: it tests nothing")
        check(("77.88.55.242", "bytes") in told and ("91.198.22.70", "masked") in told, "addresses as bytes and under the mask")
        leaks, copies = None, []
        for i in range(2):
            copies.append(folder / f"copy{i}.pcapng")
            done = run(program, "redact", original, copies[-1])
            check(done.returncode == 0, done.stderr)
            found = found_in(copies[-1].read_bytes())
            leaks = found if leaks is None else leaks & found
        for secret, form in sorted(leaks):
            check(False, f"redact: {secret} is still there ({form})")
        piped = folder / "piped.pcapng"      # read once only, without an analysis before
        done = subprocess.run([program, "redact", "-", str(piped)], input=original.read_bytes(), capture_output=True, check=False)
        check(done.returncode == 0, done.stderr)
        for secret, form in sorted(found_in(piped.read_bytes()) & found_in(copies[0].read_bytes()) | {s for s in found_in(piped.read_bytes()) if s[1] in ("text", "part of it")}):
            check(False, f"redact from a pipe: {secret} is still there ({form})")
        leaks = None
        for i in range(2):
            bundle = folder / f"bundle{i}"
            made = run(program, "report", original, "--anonymise", "-o", bundle)
            check(made.returncode == 0, made.stderr)
            found = found_in(b"\n".join(path.read_bytes() for path in bundle.rglob("*") if path.is_file()))
            leaks = found if leaks is None else leaks & found
        for secret, form in sorted(leaks):
            check(False, f"anonymised bundle: {secret} is still there ({form})")
        if shutil.which("tshark"):
            count = len(list(telling_capture.packets()))
            read = subprocess.run(["tshark", "-n", "-r", str(copies[0]), "-T", "fields", "-e", "frame.number"], capture_output=True, text=True, check=False)
            check(len(read.stdout.split()) == count, f"tshark reads {len(read.stdout.split())} of {count} packets")
        print(f"{len(told)} forms of {sum(1 for _ in secrets())} secrets hunted for")
    finish()


if __name__ == "__main__":
    main()

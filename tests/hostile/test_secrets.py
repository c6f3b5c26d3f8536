#!/usr/bin/env python3
"""A capture's decryption secrets are read over and never written again: not into a redacted copy, not into a bundle."""
import gzip
import struct

from craft import block, call, folder, interface, packet, run, section

SECRET = b"CLIENT_RANDOM 52362c10a2665e323a2adb4b9da0c10d4a8823719272f8b4c97af24f92784812"

with folder() as at:
    content = section() + interface() + block(10, struct.pack("<II", 0x544C534B, len(SECRET)) + SECRET) + b"".join(packet(when, frame) for when, frame in call(12))
    (at / "secrets.pcapng").write_bytes(content)
    assert run("redact", "secrets.pcapng", "copy.pcapng", cwd=at).returncode == 0
    assert run("report", "secrets.pcapng", "-o", "bundle", "--bundle", "bundle.zip", cwd=at).returncode == 0
    assert run("analyze", "secrets.pcapng", "--format", "json", "-o", "analysis.json", cwd=at).returncode == 0
    written = [path for path in at.rglob("*") if path.is_file() and path.name != "secrets.pcapng"]
    assert len(written) >= 5, written
    for path in written:
        raw = path.read_bytes()
        assert SECRET[:30] not in raw and SECRET[14:40] not in (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw), path
    print(len(written), "files written, none with the secret")

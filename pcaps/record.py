#!/usr/bin/env python3
"""Records the project's captures of real programs in network namespaces (tests/lab), as root.

usage: pcaps/record.py [NAME…]     writes pcaps/NAME/{capture.pcap.gz,truth.json,recipe.md}

The capture is the client's own. Voice and video are cut behind their headers (their lengths stay); everything else is
whole. The truth counts packets at both ends, here and not by callwitness.
"""
import gzip
import json
import pathlib
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests/lab"))
ARGUMENTS, sys.argv = sys.argv[1:], sys.argv[:1]
import lab as lab_module   # noqa: E402
import scenarios           # noqa: E402

RECORDED = {
    "baresip-clean": ("sip-clean", 30, "clean", []),
    "baresip-policed-56k": ("sip-policed", 60, "interference", [{"kind": "rate_cap", "mechanism": "policer", "direction": "received", "rate_bps": 56_000, "burst_bytes": 3_000}]),
    "linphone-clean": ("linphone-clean", 20, "clean", []),
    "mumble-udp": ("mumble-clean", 30, "clean", []),
    "mumble-tunnel-reset": ("mumble-reset", 82, "interference", [{"kind": "injected_reset", "mechanism": "tcp_rst", "period_s": 16}]),
    "chromium-audio": ("webrtc-audio-clean", 30, "clean", []),
    "chromium-video": ("webrtc-video-clean", 20, "clean", []),
}
VERSIONS = {"sip": "baresip-core", "linphone": "linphone-cli", "mumble": "mumble-server", "webrtc": "chromium"}


def packets(path):
    """(seconds, captured bytes, wire length) of a little-endian microsecond pcap of Ethernet."""
    data = path.read_bytes()
    at = 24
    while at + 16 <= len(data):
        seconds, microseconds, captured, length = struct.unpack_from("<IIII", data, at)
        yield seconds + microseconds / 1e6, data[at + 16:at + 16 + captured], length
        at += 16 + captured


def udp(frame):
    """(source, destination, payload) of a UDP datagram over IPv4, or None."""
    if frame[12:14] != b"\x08\x00" or frame[23] != 17:
        return None
    header = 14 + (frame[14] & 15) * 4
    ports = struct.unpack_from("!HH", frame, header)
    hosts = [".".join(map(str, frame[at:at + 4])) for at in (26, 30)]
    return f"{hosts[0]}:{ports[0]}", f"{hosts[1]}:{ports[1]}", frame[header + 8:]


def is_rtp(payload):
    return len(payload) >= 12 and payload[0] >> 6 == 2 and not 192 <= payload[1] <= 223


def cut(frame):
    """How much of a frame is kept."""
    datagram = udp(frame)
    if datagram:
        payload, start = datagram[2], len(frame) - len(datagram[2])
        if is_rtp(payload):
            return start + 48
        return start + 24 if (datagram[0] + " " + datagram[1] + " ").find(":64738 ") >= 0 and len(payload) > 40 else len(frame)
    if len(frame) > 54 and frame[23] == 6:
        start = 14 + 20 + (frame[46] >> 4) * 4
        ports = struct.unpack_from("!HH", frame, 34)
        if 8443 in ports or frame[start:start + 1] == b"\x17":
            return start + 8
    return len(frame)


def rtp_streams(path):
    streams = {}
    for _, frame, _ in packets(path):
        datagram = udp(frame)
        if datagram and is_rtp(datagram[2]) and not datagram[0].endswith(":5060"):
            sequence, _, ssrc = struct.unpack_from("!HII", datagram[2], 2)
            streams.setdefault((datagram[0], datagram[1], f"0x{ssrc:08x}"), []).append(sequence)
    return streams


def expected(sequences):
    """Numbers from the lowest to the highest, wraps unrolled (RFC 3550 A.1)."""
    highest = lowest = extended = sequences[0]
    for sequence in sequences[1:]:
        extended = highest + ((sequence - highest + 0x8000) & 0xFFFF) - 0x8000
        highest, lowest = max(highest, extended), min(lowest, extended)
    return highest - lowest + 1


def voice(path, source):
    """Mumble: voice datagrams from one address, sealed pings aside."""
    return sum(1 for _, frame, _ in packets(path) if (datagram := udp(frame)) and datagram[0].startswith(source) and len(datagram[2]) > 40)


def record(name, scenario_name, seconds, verdict, findings):
    scenario = scenarios.SCENARIOS[scenario_name]
    scenario.seconds = seconds
    package = VERSIONS[scenario.call.split("_")[0]]
    for _, (client, server) in scenarios.perform(scenario):
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        with gzip.GzipFile(folder / "capture.pcap.gz", "wb", 9, mtime=0) as out:
            out.write(client.read_bytes()[:24])
            for (seconds_part, frame, length) in packets(client):
                kept = frame[:cut(frame)]
                out.write(struct.pack("<IIII", int(seconds_part), round(seconds_part % 1 * 1e6) % 1_000_000, len(kept), length) + kept)
        here, there = rtp_streams(client), rtp_streams(server)
        streams = [{"src": key[0], "dst": key[1], "ssrc": key[2], "application": scenario.application,
                    "direction": "sent" if key[0].startswith(lab_module.CLIENT) else "received", "packets": len(numbers),
                    "expected": expected(numbers), "lost": expected(numbers) - len(set(numbers)), "packets_at_server": len(there.get(key, []))}
                   for key, numbers in here.items() if len(numbers) >= 10]
        truth = {"what": f"{scenario.application} between {package} programs, {scenario_name}", "made_by": "pcaps/record.py",
                 "verdict": verdict, "local": lab_module.CLIENT, "applications": [scenario.application], "findings": findings, "streams": streams}
        if scenario.call == "mumble":
            truth["voice"] = {f"{who}_{way}": voice(path, source) for who, path in (("client", client), ("server", server))
                              for way, source in (("sent", lab_module.CLIENT), ("received", lab_module.SERVER))}
        (folder / "truth.json").write_text(json.dumps(truth, indent=1, sort_keys=True) + "\n")
        version = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True, check=False).stdout
        (folder / "recipe.md").write_text(
            f"# {name}\n\nMade by `pcaps/record.py {name}` with {package} {version} of Debian 12: the scenario `{scenario_name}` of\n"
            "`tests/lab/scenarios.py`, captured at the client with tcpdump, media cut behind its headers.\n")
        print(f"{name}: {(folder / 'capture.pcap.gz').stat().st_size:,} bytes, {len(streams)} RTP streams", flush=True)


if __name__ == "__main__":
    for chosen in ARGUMENTS or RECORDED:
        record(chosen, *RECORDED[chosen])

#!/usr/bin/env python3
"""What callwitness says of the project's own captures is their truth: verdict, cap, applications, streams to the packet.

usage: pcaps/check_truth.py PROGRAM
"""
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def differences(folder, analysis):
    truth = json.loads((folder / "truth.json").read_text())
    verdict = analysis["verdict"]["class"]
    if verdict != truth["verdict"]:
        yield f"verdict {verdict}, not {truth['verdict']}"
    applications = sorted({call["application"] for call in analysis["calls"]})
    if applications != truth["applications"]:
        yield f"applications {applications}, not {truth['applications']}"
    found = {(finding["kind"], finding["mechanism"], finding["direction"]): finding for finding in analysis["findings"]}
    for wanted in truth["findings"]:
        alike = [finding for key, finding in found.items()
                 if all(wanted.get(name) in (None, value) for name, value in zip(("kind", "mechanism", "direction"), key))]
        if not alike:
            yield f"no {wanted['kind']} {wanted['mechanism']} among {list(found)}"
        elif "rate_bps" in wanted and abs(alike[0]["rate_bps"] / wanted["rate_bps"] - 1) > 0.02:
            yield f"a cap of {alike[0]['rate_bps']}, not {wanted['rate_bps']}"
    streams = {(stream["src"], stream["dst"], stream["ssrc"]): stream for stream in analysis["streams"]}
    for wanted in truth["streams"]:
        ours = streams.pop((wanted["src"], wanted["dst"], wanted["ssrc"]), None)
        for name in ("packets", "expected", "lost", "direction"):
            if ours is None or ours[name] != wanted[name]:
                yield f"stream {wanted['ssrc']} from {wanted['src']}: {name} {ours and ours[name]}, not {wanted[name]}"
    if truth["streams"] and streams:
        yield f"streams that aren't there: {list(streams)}"
    for direction in ("sent", "received") if "voice" in truth else ():
        packets = sum(stream["packets"] for stream in analysis["streams"] if stream["direction"] == direction)
        if packets != truth["voice"][f"client_{direction}"]:
            yield f"{packets} voice packets {direction}, not {truth['voice'][f'client_{direction}']}"


def main():
    wrong = 0
    for folder in sorted(path.parent for path in HERE.glob("*/truth.json")):
        result = subprocess.run([sys.argv[1], "analyze", "--format", "json", folder / "capture.pcap.gz"], capture_output=True, text=True, check=False)
        faults = [f"status {result.returncode}: {result.stderr}"] if result.returncode else list(differences(folder, json.loads(result.stdout)))
        wrong += bool(faults)
        print(f"{folder.name}: " + ("; ".join(faults) or "as its truth says"))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

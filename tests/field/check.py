#!/usr/bin/env python3
"""The program over captures of other people: what it crashes on, invents, accuses, or counts otherwise than rtp_counter.py.

usage: check.py PROGRAM DIRECTORY...  [--labels FILE] [--jobs 1] [--timeout 300] [--all] [--json FILE]

--labels FILE: lines of "file <tab> label"; a call in a capture none of whose labels is a call application's is an invented one.
Prints a line for each capture with something to say (--all: for each), then a table of sums. Exit status 1: it crashed, hung, broke its own schema,
invented a call, or counted packets or losses of an RTP stream otherwise. Accusations and verdicts are listed, not judged.
Schema violations need python3-jsonschema. README.md tells what was run, and what came of it.
"""
import argparse
import collections
import concurrent.futures
import json
import pathlib
import subprocess
import sys

import rtp_counter

ENDINGS = (".pcap", ".pcapng", ".cap", ".pcap.gz", ".pcapng.gz", ".cap.gz", ".pcap.xz", ".pcapng.xz")
CALL_LABELS = ("skype", "teams", "viber", "teamspeak", "mumble", "whatsapp", "messenger", "signal", "telegram", "meet", "googlecall", "zoom", "discord", "i3d", "line", "kakao",
               "wechat", "snapchat", "sip", "rtsp", "rtp", "h323", "mgcp", "skinny", "ventrilo", "webex", "facetime", "imo", "stun", "webrtc", "iax", "tango", "jitsi", "rtcp", "srtp", "voip")
ACCUSING = ("rate_cap", "periodic_reset", "injected_reset", "blocking")
Row = collections.namedtuple("Row", "file outcome verdict calls findings faults")


def captures(folders):
    for folder in folders:
        found = [folder] if folder.is_file() else sorted(path for path in folder.rglob("*") if path.name.endswith(ENDINGS) and path.is_file())
        yield from found


def labels_of(path):
    found = collections.defaultdict(set)
    for line in path.read_text(errors="replace").splitlines() if path else []:
        parts = line.split("\t")
        if len(parts) >= 2:
            found[parts[0]].add(parts[1].lower())
    return found


def checker_of(program):
    """None where python3-jsonschema isn't there."""
    try:
        import jsonschema
    except ImportError:
        return None
    schema = json.loads(subprocess.run([program, "schema"], capture_output=True, check=True).stdout)
    return jsonschema.validators.validator_for(schema)(schema)


def counted_otherwise(path, document):
    """Streams of plain RTP over UDP whose packets or losses differ; a stream that the program split is added up."""
    told = collections.defaultdict(list)
    for stream in document["streams"]:
        if stream["ssrc"] and stream["transport"] == "udp" and stream["loss_basis"] == "sequence":
            told[stream["src"], stream["dst"], int(stream["ssrc"], 16)].append(stream)
    if not told:
        return 0, []
    copies = (document["captures"][0].get("anomalies") or {}).get("captured_twice", 0)
    counted = rtp_counter.streams(path)
    faults, compared = [], 0
    for key, streams in told.items():
        own = counted.get(key)
        if own is None or copies:                      # wrapped (TURN, a tunnel), in fragments, or each packet there twice
            continue
        compared += 1
        packets = sum(stream["packets"] for stream in streams)
        if packets != own.packets:
            faults.append(f"packets {packets}, counted {own.packets}, of {key[0]} > {key[1]} {key[2]:#x}")
        elif len(streams) == 1 and streams[0]["lost"] is not None and streams[0]["lost"] != own.lost and not own.restarts:
            faults.append(f"lost {streams[0]['lost']}, counted {own.lost}, of {key[0]} > {key[1]} {key[2]:#x}")
        elif len(streams) == 1 and own.jitter_ms is not None and len(own.types) == 1 and not own.restarts and streams[0]["jitter_ms"] is not None and \
                abs(streams[0]["jitter_ms"] - own.jitter_ms) > 0.01 + 0.01 * own.jitter_ms:
            faults.append(f"jitter {streams[0]['jitter_ms']:.3f} ms, counted {own.jitter_ms:.3f}, of {key[0]} > {key[1]} {key[2]:#x}")
    return compared, faults


def look(path, options, checker, labels):
    try:
        run = subprocess.run([options.program, "analyze", "--format", "json", path], capture_output=True, timeout=options.timeout, check=False)
    except subprocess.TimeoutExpired:
        return Row(path.name, "hung", "", 0, [], ["hung"]), 0
    if run.returncode not in (0, 1, 3, 4):
        return Row(path.name, "crashed", "", 0, [], [f"exit {run.returncode}"]), 0
    if not run.stdout:
        return Row(path.name, "unreadable", "", 0, [], []), 0
    document = json.loads(run.stdout)
    faults = [f"schema: {'/'.join(map(str, error.absolute_path))}: {error.message[:100]}" for error in checker.iter_errors(document)] if checker else []
    known = labels.get(path.name)
    if known and document["calls"] and not any(name in label for label in known for name in CALL_LABELS):
        faults.append(f"invented {len(document['calls'])} calls: " + ", ".join(sorted({call["application"] or "?" for call in document["calls"]})))
    compared, differing = counted_otherwise(path, document)
    return Row(path.name, "read", document["verdict"]["class"], len(document["calls"]), [finding["kind"] for finding in document["findings"]], faults + differing), compared


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    parser.add_argument("--labels", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=300)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    checker, labels = checker_of(options.program), labels_of(options.labels)
    sums, rows = collections.Counter(), []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for row, compared in pool.map(lambda path: look(path, options, checker, labels), captures(options.folders)):
            rows.append(row)
            accusing = [kind for kind in row.findings if kind in ACCUSING]
            sums.update({"captures": 1, row.outcome: 1, "calls": row.calls, "captures with a call": row.calls > 0, f"verdict {row.verdict or 'none'}": 1, "RTP streams counted twice": compared,
                         "schema violations": sum(fault.startswith("schema") for fault in row.faults), "captures with an invented call": any(fault.startswith("invented") for fault in row.faults),
                         "streams counted otherwise": sum(fault.startswith(("packets", "lost", "jitter")) for fault in row.faults), "captures accused in": row.verdict in ("interference", "suspected")})
            if options.all or row.faults or accusing or row.verdict in ("interference", "suspected"):
                print(f"{row.file:48.48} {row.outcome:10} {row.verdict:13} {row.calls:3} calls  {','.join(sorted(set(row.findings))):40} {'; '.join(row.faults)}", flush=True)
    print("\n| what | how many |\n|---|---|")
    for name, count in sums.items():
        print(f"| {name} | {count} |")
    if checker is None:
        print("(the schema was not checked: python3-jsonschema is not here)")
    if options.json:
        options.json.write_text(json.dumps({"sums": sums, "rows": [row._asdict() for row in rows]}, indent=1) + "\n")
    return 1 if any(row.faults for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())

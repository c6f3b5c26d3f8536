#!/usr/bin/env python3
"""H.323, MGCP and Skinny tie their media by what they say: constructed calls, and a real H.323 exchange with media put to where
it says. tshark reads the same messages and must find the same endpoints in them, nothing malformed; callwitness must tie exactly
those, with codec, beginning and end. Media that go elsewhere are tied by host and time only.
usage: test_exchanges.py CALLWITNESS   exit 77: tshark isn't there
"""
import collections
import json
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

import made_calls
import made_exchanges
from corpus import CORPUS

CERTAIN, BY_HOST = 0.97, 0.85
PORTS = ("h245.tsapIdentifier", "skinny.remotePortNumber", "skinny.portNumber", "sdp.media.port")


def analysis_of(program, path):
    run = subprocess.run([program, "analyze", "--format", "json", path, "--local", made_calls.LAPTOP], capture_output=True, timeout=120, check=False)
    return json.loads(run.stdout)


def tshark(path, *arguments):
    run = subprocess.run(["tshark", "-r", path, "-n", *arguments], capture_output=True, text=True, errors="replace", check=True)
    return run.stdout.splitlines()


def faults_of(program, function, path):
    key, codec, clock = made_exchanges.CALLS[function]
    capture = made_calls.Capture(1)
    named, lost = function(capture)
    capture.write(path)
    # tshark asks of Skinny's early versions what only later ones have.
    if version_is_early(function) is False and (malformed := tshark(path, "-Y", "_ws.malformed")):
        yield f"tshark: {malformed}"
    ports = {int(port) for line in tshark(path, "-Y", "h225 || h245 || skinny || sdp", "-T", "fields", "-E", "separator=,", *(part for field in PORTS for part in ("-e", field)))
             for port in line.split(",") if port}
    if missing := {port for _, port in named} - ports:
        yield f"tshark finds no {missing} in {sorted(ports)}"
    analysis = analysis_of(program, path)
    calls = analysis["calls"]
    if [(call["application"], call["application_confidence"], call["signalling"], call["ended_by"]) for call in calls] != [(key, CERTAIN, key, "bye")]:
        yield f"calls {[(call['application'], call['application_confidence'], call['signalling'], call['ended_by']) for call in calls]}"
        return
    if not calls[0]["end_time"].split(":")[2].startswith("43."):
        yield f"ends {calls[0]['end_time']}, not as the exchange does"
    voice = [stream for stream in analysis["streams"] if stream["media"] == "audio"]
    if [(stream["codec"], stream["clock_rate_hz"]) for stream in voice] != [(codec, clock or 16000)] * 2:
        yield f"codecs {[(stream['codec'], stream['clock_rate_hz']) for stream in voice]}"
    video = [stream for stream in analysis["streams"] if stream["media"] == "video"]
    if [stream["codec"] for stream in video] != (["h264"] * 2 if len(named) > 2 else []):
        yield f"video {[stream['codec'] for stream in video]}"
    if lost and {stream["direction"]: (stream["lost"], stream["duplicates"]) for stream in voice} != lost:
        yield f"lost {[(stream['direction'], stream['lost']) for stream in voice]}, not {lost}"


def version_is_early(function):
    return function in (made_exchanges.skinny_old, made_exchanges.skinny_middle)


def elsewhere(program, function, path):
    """Media on ports that the exchange doesn't name, of the same hosts."""
    capture = made_calls.Capture(1)
    function(capture)
    capture.frames = [(at, frame) for at, frame in capture.frames if frame[23] != 17 or struct.unpack_from("!H", frame, 34)[0] not in (40010, 50020)]
    made_exchanges.media(capture, here=(made_calls.LAPTOP, 41010), there=(made_calls.SERVER, 51020))
    capture.write(path)
    calls = analysis_of(program, path)["calls"]
    if [(call["application"], call["application_confidence"]) for call in calls] != [(made_exchanges.CALLS[function][0], BY_HOST)]:
        yield f"elsewhere: {[(call['application'], call['application_confidence']) for call in calls]}"


def real_h323(program, path):
    """nDPI's h323.pcap opens channels to 10.1.3.143:5000 and 10.1.6.18:2006 (so tshark says) and ends before the media."""
    source = CORPUS / "ndpi" / "h323.pcap"
    told = collections.Counter()
    for line in tshark(source, "-Y", "h245.openLogicalChannelAck_element", "-T", "fields", "-e", "h245.ip4_network", "-e", "h245.tsapIdentifier"):
        hosts, ports = (field.split(",") for field in line.split("\t"))
        told[hosts[0], int(ports[0])] += 1
    if len(told) != 2:
        yield f"tshark: {told}"
        return
    (one, other), capture = sorted(told), made_calls.Capture(2)
    begin = 1027664343.5 - 1_700_000_000
    ways = [made_calls.rtp(capture, 8, 240, 240)(way) for way in (0, 1)]
    for i in range(200):
        capture.udp(begin + i * 0.03, one, other, ways[0](i))
        capture.udp(begin + i * 0.03 + 0.01, other, one, ways[1](i))
    capture.write(path)
    calls = json.loads(subprocess.run([program, "analyze", "--format", "json", source, path], capture_output=True, timeout=120, check=False).stdout)["calls"]
    if [(call["application"], call["application_confidence"], call["signalling"]) for call in calls] != [("h323", CERTAIN, "h323")]:
        yield f"calls {calls}"


def main():
    if not shutil.which("tshark"):
        print("skipped: tshark is not here")
        return 77
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "exchange.pcap"
        for function in made_exchanges.CALLS:
            faults = list(faults_of(sys.argv[1], function, path))
            wrong += bool(faults)
            print(f"{function.__name__}: {', '.join(faults) or 'right'}")
        for function in (made_exchanges.h323, made_exchanges.mgcp, made_exchanges.skinny):
            faults = list(elsewhere(sys.argv[1], function, path))
            wrong += bool(faults)
            print(f"{function.__name__}, media elsewhere: {', '.join(faults) or 'right'}")
        if CORPUS.is_dir():
            faults = list(real_h323(sys.argv[1], path))
            wrong += bool(faults)
            print(f"a real H.323 exchange: {', '.join(faults) or 'right'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Calls of every application made up from what is public of its format: each is named right, is one call of both directions,
and loses exactly what was left out where its format can tell; nothing is named surely that it is not.
usage: test_made_calls.py CALLWITNESS
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import made_calls

SURE = 0.9


def analysis_of(program, function, folder):
    path = pathlib.Path(folder) / f"{function.__name__}.pcap"
    lost = made_calls.make(function, path)
    run = subprocess.run([program, "analyze", "--format", "json", path, "--local", made_calls.LAPTOP], capture_output=True, timeout=120, check=False)
    return lost, json.loads(run.stdout)


def mistakes(key, lost, analysis):
    calls, streams = analysis["calls"], analysis["streams"]
    if [call["application"] for call in calls] != [key]:
        yield f"calls of {[call['application'] for call in calls]}"
        return
    if calls[0]["reconnects"]:
        yield f"{calls[0]['reconnects']} reconnects"
    inside = [stream for stream in streams if stream["call"] == calls[0]["id"]]
    if sorted(stream["direction"] for stream in inside) != ["received", "sent"]:
        yield f"streams {[(stream['direction'], stream['packets']) for stream in inside]}"
    if lost is not None:
        told = {stream["direction"]: (stream["lost"], stream["duplicates"]) for stream in inside}
        if told != lost:
            yield f"lost {told}, not {lost}"
        if any(stream["loss_basis"] not in ("sequence", "counter") for stream in inside):
            yield f"loss told by {[stream['loss_basis'] for stream in inside]}"
    elif any(stream["loss_basis"] in ("sequence", "counter") for stream in inside):
        yield "a counter where there is none"


def main():
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for function, key in made_calls.CALLS.items():
            lost, analysis = analysis_of(sys.argv[1], function, folder)
            faults = list(mistakes(key, lost, analysis))
            named = {call["application"]: call["application_confidence"] for call in analysis["calls"]}
            faults += [f"surely {other}" for other, confidence in named.items() if other != key and confidence >= SURE]
            if analysis["verdict"]["class"] == "interference":
                faults.append("interference")
            wrong += bool(faults)
            print(f"{function.__name__}: {', '.join(faults) or 'right'} {named}")
        for function, key in made_calls.TUNNELS.items():
            _, analysis = analysis_of(sys.argv[1], function, folder)
            named = {stream["application"] for stream in analysis["streams"]}
            faults = ([f"calls {analysis['calls']}"] if analysis["calls"] else []) + ([f"streams of {named}"] if named != {key} else [])
            wrong += bool(faults)
            print(f"{function.__name__}: {', '.join(faults) or 'right'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""A clock that is set in mid-call and a machine that sleeps: no loss that wasn't, no outage, and nobody is accused."""
import json
import resource
import struct

from craft import PROGRAM, analysis, own_captures, pcap, received, records, rtp, sent


def moved(content, by, after=10):
    """The capture with its clock set by `by` seconds after ten."""
    out, begin = [content[:24]], None
    for seconds, fraction, wire, data in records(content):
        begin = seconds if begin is None else begin
        later = by if seconds - begin >= after else 0
        out.append(struct.pack("<IIII", seconds + later, fraction, len(data), wire) + data)
    return b"".join(out)


def set_clock():
    for name, content in own_captures():
        plain = analysis(content)
        if plain["verdict"]["class"] != "clean":
            continue
        for by in (3600, -3600, -2):
            told = analysis(moved(content, by))
            assert told["verdict"]["class"] == "clean", (name, by, told["verdict"])
            assert [stream["lost"] for stream in told["streams"]] == [stream["lost"] for stream in plain["streams"]], (name, by)
            kinds = {finding["kind"] for finding in told["findings"]}
            assert not kinds & {"outage", "periodic_reset", "rate_cap", "blocking", "loss"}, (name, by, kinds)


def jumped():
    """A clock that jumps by days and years in mid-call, and one bit in a time: bounded in time and memory."""
    for by in (86_400, 10 * 86_400, 79 * 365 * 86_400, -20 * 365 * 86_400):
        name, content = next(own_captures())
        told = analysis(moved(content, by))
        assert told["verdict"]["class"] in ("clean", "insufficient"), (by, told["verdict"])
    for name, content in own_captures():
        times, packets = [], list(records(content))
        for number, (seconds, fraction, wire, data) in enumerate(packets):
            times.append(struct.pack("<IIII", seconds ^ (1 << 30 if number % 97 == 96 else 0), fraction, len(data), wire) + data)
        told, plain = analysis(content[:24] + b"".join(times)), analysis(content)
        assert told["verdict"]["class"] != "interference" or plain["verdict"]["class"] == "interference", (name, told["verdict"])
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    assert peak < 512 * (8 if b"__asan" in PROGRAM.read_bytes() else 1), f"{peak} MiB"
    print(f"jumps of years: {peak} MiB at most")


def slept():
    """Sixty seconds of which the capture holds nothing, once and five times: gaps of the capture, no outages of the network."""
    for sleeps in ((20,), (20, 90, 160, 230, 300)):
        frames, number, at = [], 0, 0.0
        while at < 360:
            if any(begin <= at < begin + 60 for begin in sleeps):
                at += 0.02
                number += 1           # the other end talks on
                continue
            frames.append((at, sent(rtp(len(frames) // 2, 0x1111))))
            frames.append((at + 0.007, received(rtp(number, 0x2222))))
            number += 1
            at += 0.02
        told = analysis(pcap(frames))
        kinds = {finding["kind"] for finding in told["findings"]}
        assert told["verdict"]["class"] != "interference", (sleeps, told["verdict"])
        assert not kinds & {"outage", "periodic_reset", "blocking", "freeze", "rate_cap"}, (sleeps, json.dumps(told["findings"])[:3000])
        print(len(sleeps), "sleeps:", told["verdict"]["class"], sorted(kinds))


for test in (set_clock, jumped, slept):
    test()

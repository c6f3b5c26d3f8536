#!/usr/bin/env python3
"""Traffic from someone who knows that somebody listens, and traffic that only looks like trouble: bounded, told, and nobody accused."""
import json
import os
import random
import resource
import struct

from craft import (OURS, START, THEIRS, analysis, call, folder, header, ip, own_captures, pcap, received, record, records, rtp, run, sent, tcp, udp)


def accused(told):
    return told["verdict"]["class"] == "interference"


def counts(told):
    return sorted((stream["src"], stream["dst"], stream["ssrc"], stream["expected"], stream["lost"]) for stream in told["streams"])


def with_the_call(frames, seconds=12):
    """The frames in the midst of a whole call: the call stays whole, is measured as ever, and nobody is accused."""
    told = analysis(pcap(sorted([*frames, *call(seconds)], key=lambda pair: pair[0])))
    own = [stream for stream in told["streams"] if stream["ssrc"] in ("0x00001111", "0x00002222")]
    assert [stream["packets"] for stream in own] == [50 * seconds] * 2 and not any(stream["lost"] for stream in own), own
    assert not accused(told), told["verdict"]
    return told


def random_headers():
    """A new SSRC and number in every packet: no streams, no losses; and ten thousand lasting SSRCs are bounded."""
    chance = random.Random(1)
    frames = [(i / 500, received(rtp(chance.randrange(65536), chance.randrange(2**32)), 40010, "203.0.113.66")) for i in range(5000)]
    told = with_the_call(frames)
    assert len(told["streams"]) == 2, counts(told)
    frames = [(i / 500, received(rtp(chance.randrange(65536), 0xABCD), 40010, "203.0.113.66")) for i in range(5000)]
    told = with_the_call(frames)
    assert all((stream["lost"] or 0) <= stream["packets"] for stream in told["streams"]), counts(told)
    frames = [(0.1 * k + ssrc / 1e5, received(rtp(k, ssrc), 40010, "203.0.113.66")) for k in range(10) for ssrc in range(10_000)]
    told = with_the_call(frames)
    print("streams of 10,000 SSRCs:", len(told["streams"]))
    assert len(told["streams"]) < 2000, len(told["streams"])


def bent_rtp():
    """Padding, contributors and extension past the packet's end."""
    frames = []
    for i in range(600):
        payload = (bytes(159) + b"\xff", b"", bytes(3))[i % 3]
        frames.append((i / 100, received(rtp(i, 0x3333, payload=payload, first=(0xA0, 0x8F, 0x90, 0xBF)[i % 4]), 40010, "203.0.113.66")))
    with_the_call(frames)


def forged_reports():
    """RTCP that claims losses: what a stranger says is no measurement, and nobody is accused on its word."""
    frames = []
    for i in range(100):
        report = struct.pack("!BBHIIIIIII", 0x81, 201, 7, 0x2222, 0x1111, 0x80000000 | 20_000 + i * 100, 40 * i, 0xFFFF, 0, 0)
        frames.append((i / 10, received(report, 40001, THEIRS, 50001)))
        frames.append((i / 10 + 0.001, received(report, 40000)))
    with_the_call(frames)


def bent_stun():
    magic = bytes.fromhex("2112a442")
    frames = []
    for i in range(300):
        length, attribute = ((8, 400), (65_532, 4), (4, 65_535), (20, 16))[i % 4]
        message = struct.pack("!HH", 0x0101, length) + magic + struct.pack("!III", 7, 8, i) + struct.pack("!HH", 0x0020, attribute) + bytes(i % 24)
        frames.append((i / 50, received(message, 40000)))
    with_the_call(frames)


def sip_monsters():
    """10,000 headers, a line of a megabyte, lengths of -1 and 2^64, a body of 10,000 media."""
    invite = b"INVITE sip:b@example.net SIP/2.0\r\nCall-ID: x@y\r\nCSeq: 1 INVITE\r\n"
    media = b"v=0\r\no=- 1 1 IN IP4 203.0.113.9\r\ns=-\r\nc=IN IP4 203.0.113.9\r\nt=0 0\r\n" + b"".join(b"m=audio %d RTP/AVP 0\r\n" % (1024 + i % 60_000) for i in range(10_000))
    monsters = [invite + b"Via: SIP/2.0/UDP 192.0.2.1\r\n" * 10_000 + b"\r\n", invite + b"Subject: " + b"a" * 1_000_000 + b"\r\n\r\n",
                invite + b"Content-Length: -1\r\n\r\n", invite + b"Content-Length: 18446744073709551616\r\n\r\n",
                invite + b"Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n" % len(media) + media]
    frames, at, sequence = [], 0.5, 1
    for monster in monsters:
        for start in range(0, min(len(monster), 60_000), 1400):   # by UDP a packet each, whatever it then says
            frames.append((at, udp(THEIRS, 5060, OURS, 5060, monster[start:start + 1400], hops=52)))
            at += 0.001
        frames.append((at, udp(THEIRS, 5060, OURS, 5060, monster[:65_000], hops=52)))
        for start in range(0, len(monster), 1400):                # by TCP a stream
            part = monster[start:start + 1400]
            frames.append((at, tcp(THEIRS, 5061, OURS, 5060, sequence, 1, 0x18, part, 52)))
            sequence += len(part)
            at += 0.0001
    told = with_the_call(frames)
    assert len(told["calls"]) <= 3, told["calls"]


def mirrored():
    """A mirror port shows every packet twice: the counts stay, nothing is taken for a retransmission or an accusation."""
    for name, content in own_captures():
        plain = analysis(content)
        doubled = [content[:24]]
        for seconds, fraction, wire, data in records(content):
            for copy in (0, 1):
                later = fraction + 12 * copy
                doubled.append(struct.pack("<IIII", seconds + later // 1_000_000, later % 1_000_000, len(data), wire) + data)
        twice = analysis(b"".join(doubled))
        same = counts(plain) == counts(twice)
        if name == "mumble-udp":   # a counter is believed a few packets later when each comes twice
            same = all(one[:3] == other[:3] and one[4] == other[4] and one[3] - 10 < other[3] <= one[3] for one, other in zip(counts(plain), counts(twice), strict=True))
        assert same, (name, counts(plain), counts(twice))
        assert sum(capture["anomalies"].get("captured_twice", 0) for capture in twice["captures"]) > 0, (name, twice["captures"])   # left out, and said so
        assert accused(twice) == accused(plain), (name, plain["verdict"], twice["verdict"])
        kinds = {finding["kind"] for finding in twice["findings"]} - {finding["kind"] for finding in plain["findings"]}
        assert not kinds & {"rate_cap", "blocking", "freeze", "selective_loss", "injected_reset", "periodic_reset", "loss"}, (name, kinds)


def offloaded():
    """A download in frames of 64 KiB, as the card joins them: no shaper and no policer is seen in their gaps."""
    frames, sequence, at = [], 1000, 0.2
    frames += [(0.1, tcp(OURS, 45000, "198.51.100.7", 443, 500, 0, 2)), (0.12, tcp("198.51.100.7", 443, OURS, 45000, 999, 501, 18, hops=52)),
               (0.121, tcp(OURS, 45000, "198.51.100.7", 443, 501, 1000, 24, bytes(300)))]
    chance = random.Random(2)
    while at < 12:
        for _ in range(4):
            size = 1448 * chance.randrange(30, 45)
            frames.append((at, tcp("198.51.100.7", 443, OURS, 45000, sequence, 801, 24, bytes(size), 52, total=0 if size + 40 > 65_535 else None)))
            sequence += size
            frames.append((at + 0.0001, tcp(OURS, 45000, "198.51.100.7", 443, 801, sequence, 16)))
            at += 0.0005
        at += 0.02
    told = with_the_call(frames)
    assert "rate_cap" not in {finding["kind"] for finding in told["findings"]}, told["findings"]


def nested():
    """A thousand headers within headers, and fragments that never end."""
    inner = b"x"
    for _ in range(1000):
        inner = ip("192.0.2.1", "192.0.2.2", 4, inner)[14:]
    frames = [(i / 100, ip("203.0.113.66", OURS, 4, inner[:60_000])) for i in range(200)]
    for i in range(3000):
        fragment = bytearray(ip("203.0.113.66", OURS, 17, bytes(64)))
        fragment[18:22] = struct.pack("!HH", i & 0xFFFF, 0x2000 | (i * 7) % 8191)
        frames.append((2 + i / 1000, bytes(fragment)))
    with_the_call(frames)


def flood():
    """Flows of one packet, 200,000 of them (a million with CALLWITNESS_FLOWS): memory stays bounded and the call whole."""
    flows = int(os.environ.get("CALLWITNESS_FLOWS", "200000"))
    with folder() as at:
        seconds = 20
        lasting = iter(sorted(call(seconds)))
        due = next(lasting)
        with open(at / "flood.pcap", "wb") as file:
            file.write(header())
            for number in range(flows):
                now = number * seconds / flows
                while due and due[0] <= now:
                    file.write(record(START + due[0], due[1]))
                    due = next(lasting, None)
                file.write(record(START + now, udp(f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", 1024 + number % 60_000, OURS, 2000 + number % 50_000, b"12345678", hops=40)))
            while due:
                file.write(record(START + due[0], due[1]))
                due = next(lasting, None)
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        done = run("analyze", "--format", "json", at / "flood.pcap")
        told = json.loads(done.stdout)
        own = [stream["packets"] for stream in told["streams"] if stream["ssrc"] in ("0x00001111", "0x00002222")]
        assert done.returncode == 0 and own == [50 * seconds] * 2 and not accused(told), (done, told["streams"])
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        print(f"flood of {flows} flows: {done.seconds:.1f} s, largest process {max(peak, before) / 1024:.0f} MiB")


for test in (random_headers, bent_rtp, forged_reports, bent_stun, sip_monsters, mirrored, offloaded, nested, flood):
    test()

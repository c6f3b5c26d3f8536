#!/usr/bin/env python3
"""Losses by applications' own counters, counted a second time: tshark takes the link and network layers apart, what follows is
read here from docs and published dissectors, and each numbered stream that callwitness tells must have the same packets,
expected and lost. On ../shared/corpus and ../shared/cases where they are there, and on pcaps/.
usage: test_counters.py CALLWITNESS   exit 77: tshark isn't there
"""
import collections
import json
import pathlib
import shutil
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
CAPTURES = [SHARED / "corpus/ndpi" / name for name in (
    "viber.pcap", "line.pcap", "zoom_p2p.pcapng", "discord.pcap", "i3d.pcap", "rtp.pcapng", "wa_voice.pcap", "whatsapp_login_call.pcap", "stun_google_meet.pcapng",
    "stun_signal.pcapng")]
CAPTURES += [SHARED / "cases" / f"open-{name}.pcap" for name in ("clean-mumble", "clean-teamspeak-20min", "block-viber-syn", "cap-zoom-video-only-128k", "wifi-whatsapp")]
CAPTURES += [ROOT / "pcaps" / name / "capture.pcap.gz" for name in ("mumble-udp", "chromium-audio", "baresip-policed-56k")]

Datagram = collections.namedtuple("Datagram", "source destination length payload")


def datagrams(path):
    fields = ["ip.src", "ipv6.src", "udp.srcport", "ip.dst", "ipv6.dst", "udp.dstport", "udp.length", "udp.payload"]
    run = subprocess.run(["tshark", "-r", path, "-n", "-Y", "udp && !icmp && !icmpv6", "-T", "fields", "-E", "separator=/t", "-E", "occurrence=l",
                          *(part for field in fields for part in ("-e", field))], capture_output=True, text=True, check=True)
    for line in run.stdout.splitlines():
        four, six, port, to_four, to_six, to_port, length, payload = line.split("\t")
        def end(host, host_six, number):
            return f"[{host_six}]:{number}" if host_six else f"{host}:{number}"
        yield Datagram(end(four, six, port), end(to_four, to_six, to_port), int(length) - 8, bytes.fromhex(payload))


def rtp_at(payload, at):
    if len(payload) < at + 12 or payload[at] >> 6 != 2 or 64 <= payload[at + 1] & 127 <= 95:
        return None
    sequence, _, ssrc = struct.unpack_from("!HII", payload, at + 2)
    return (ssrc, payload[at + 1] & 127), sequence, 16


# (datagram) -> (space, number, bits), or None where it is no numbered media.
def rtp(datagram):
    return rtp_at(datagram.payload, 0)


def viber(datagram):
    payload = datagram.payload
    return ((None,), struct.unpack_from("<H", payload, 4)[0], 16) if len(payload) >= 8 and payload[2:4] == b"\x0c\0" else None


def imo(datagram):
    payload = datagram.payload
    return ((None,), struct.unpack_from("!H", payload, 1)[0], 16) if len(payload) >= 8 and payload[0] == 13 else None


def teamspeak(datagram):
    payload = datagram.payload
    at = 12 if datagram.destination.endswith(":9987") else 10
    if payload.startswith(b"TS3INIT1") or len(payload) <= at or payload[at] & 15 > 1:
        return None
    return (None, payload[at] & 15), struct.unpack_from("!H", payload, 8)[0], 16


def zoom(datagram):
    payload = datagram.payload
    base = 8 if len(payload) > 8 and payload[0] == 5 and payload[7] in (0, 4) else 0
    if len(payload) < base + 12:
        return None
    places = {15: (19,), 16: (24, 20), 13: (27, 20), 30: (27, 20)}.get(payload[base], ())
    for place in places:
        found = rtp_at(payload, base + place)
        if found and found[0][1] >= 96:
            return (found[0][0], found[0][1] == 110), found[1], 16
    return None


READERS = {"viber": viber, "imo": imo, "teamspeak": teamspeak, "zoom": zoom}


def by_space(reader, all_of_it):
    """space -> numbers as they came"""
    numbers = collections.defaultdict(list)
    for datagram in all_of_it:
        found = reader(datagram)
        if found:
            space, number, bits = found
            key = space[0] if reader is rtp else space       # a stream of RTP changes its payload type
            numbers[key].append((number, bits))
    return numbers


def tally(numbers):
    """(packets, expected, lost), numbers unrolled around the highest so far (RFC 3550 A.1)."""
    seen, highest = set(), None
    for number, bits in numbers:
        modulus = 1 << bits
        unrolled = number if highest is None else highest + (number - highest + modulus // 2) % modulus - modulus // 2
        highest = unrolled if highest is None else max(highest, unrolled)
        seen.add(unrolled)
    expected = max(seen) - min(seen) + 1
    return len(numbers), expected, expected - len(seen)


def mumble_tally(all_of_it):
    """Pings (sealed: at most 16 bytes) use up numbers of the counter; they are neither voice nor lost."""
    voice, pings, highest = set(), set(), None
    count = 0
    for datagram in all_of_it:
        if datagram.length in (12, 24) and datagram.payload[0] == 0:
            continue
        number = datagram.payload[0]
        unrolled = number if highest is None else highest + (number - highest + 128) % 256 - 128
        if datagram.length <= 16:
            pings.add(unrolled)
            continue
        highest = unrolled if highest is None else max(highest, unrolled)
        voice.add(unrolled)
        count += 1
    inside = {number for number in pings if min(voice) < number < max(voice)} - voice
    expected = max(voice) - min(voice) + 1 - len(inside)
    return count, expected, expected - len(voice)


def main():
    if not shutil.which("tshark"):
        print("skipped: tshark is not here")
        return 77
    wrong, checked, applications = [], 0, set()
    for path in CAPTURES:
        if not path.is_file():
            print(f"not here: {path.name}")
            continue
        run = subprocess.run([sys.argv[1], "analyze", "--format", "json", path], capture_output=True, timeout=300, check=False)
        flows = collections.defaultdict(list)
        for datagram in datagrams(path):
            flows[datagram.source, datagram.destination].append(datagram)
        for stream in json.loads(run.stdout)["streams"]:
            if stream["transport"] != "udp" or stream["loss_basis"] not in ("sequence", "counter"):
                continue
            all_of_it, key = flows[stream["src"], stream["dst"]], stream["application"]
            ours = (stream["packets"], stream["expected"], stream["lost"])
            if key == "mumble":
                theirs = {mumble_tally(all_of_it)}
            else:
                spaces = by_space(READERS.get(key, rtp), all_of_it)
                wanted = int(stream["ssrc"], 16) if stream["ssrc"] else None
                theirs = {tally(numbers) for space, numbers in spaces.items() if wanted is None or (space[0] if isinstance(space, tuple) else space) == wanted}
            checked += 1
            applications.add(key)
            if ours not in theirs:
                wrong.append(f"{path.name}: {key} {stream['src']} > {stream['dst']} {stream['ssrc']}: {ours}, counted again {sorted(theirs)}")
    print(f"{checked} streams of {', '.join(sorted(applications))}; {len(wrong)} wrong")
    print("\n".join(wrong))
    return 1 if wrong or checked < 4 else 0


if __name__ == "__main__":
    sys.exit(main())

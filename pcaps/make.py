#!/usr/bin/env python3
"""Makes the project's generated captures, each with its truth; deterministic, standard library only.

usage: pcaps/make.py            writes pcaps/NAME/{capture.pcap.gz,truth.json}
       pcaps/make.py --check    fails if what is there differs from what would be written

A person calls over SIP from a laptop behind a home router and reads web pages meanwhile. In one twin the provider's
policer (a token bucket, RFC 2697 with one colour) drops what the received voice exceeds from the 75th second on.
Packets sent are captured before the network can touch them, packets received after it has.
"""
import gzip
import io
import json
import math
import pathlib
import random
import struct
import sys

HERE = pathlib.Path(__file__).parent
SNAP_LENGTH = 262_144
START = 1_717_225_200.0    # 2024-06-01 07:00:00 UTC
LAPTOP, ROUTER, PEER, WEB = "192.168.1.23", "192.168.1.1", "203.0.113.40", "198.51.100.80"
MAC = {LAPTOP: bytes.fromhex("02005e102301")}
ROUTER_MAC = bytes.fromhex("02005e100001")
HOPS = {PEER: 12, WEB: 9, ROUTER: 0}   # routers between them and the laptop
RTT = {PEER: 0.034, WEB: 0.021, ROUTER: 0.0012}


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def address(text):
    return bytes(int(part) for part in text.split("."))


class Wire:
    """Collects frames and writes them in time order."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.frames = []
        self.ip_id = {}

    def ip(self, time, source, destination, protocol, segment):
        """`segment` has its checksum at zero; `time` is when the laptop's interface sees the packet."""
        pseudo = address(source) + address(destination) + struct.pack("!BBH", 0, protocol, len(segment))
        offset = 6 if protocol == 17 else 16
        segment = segment[:offset] + struct.pack("!H", checksum(pseudo + segment) or 0xFFFF) + segment[offset + 2:]
        self.ip_id[source] = (self.ip_id.get(source, self.random.randrange(65536)) + 1) & 0xFFFF
        ttl = 64 - HOPS.get(source, 0)
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), self.ip_id[source], 0x4000, ttl, protocol, 0,
                             address(source), address(destination))
        header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
        macs = (ROUTER_MAC + MAC[LAPTOP]) if source == LAPTOP else (MAC[LAPTOP] + ROUTER_MAC)
        self.frames.append((time, len(self.frames), macs + b"\x08\x00" + header + segment))

    def udp(self, time, source, destination, payload):
        segment = struct.pack("!HHHH", source[1], destination[1], 8 + len(payload), 0) + payload
        self.ip(time, source[0], destination[0], 17, segment)

    def pcap(self):
        out = io.BytesIO()
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, SNAP_LENGTH, 1))
        for time, _, frame in sorted(self.frames):
            microseconds = round((START + time) * 1e6)
            out.write(struct.pack("<IIII", microseconds // 1_000_000, microseconds % 1_000_000,
                                  min(len(frame), SNAP_LENGTH), len(frame)) + frame[:SNAP_LENGTH])
        return out.getvalue()


class Path:
    """From a remote host to the laptop: delay with a little queueing, never reordering, and perhaps a policer."""

    def __init__(self, wire, host, jitter=0.0006):
        self.wire, self.host, self.jitter = wire, host, jitter
        self.last = 0.0

    def arrival(self, sent):
        time = sent + RTT[self.host] / 2 + self.wire.random.expovariate(1 / self.jitter)
        self.last = max(time, self.last + 12e-6)
        return self.last


class Policer:
    def __init__(self, rate_bps, burst_bytes, since):
        self.rate, self.burst, self.since = rate_bps, burst_bytes, since
        self.tokens, self.last = burst_bytes, since

    def passes(self, time, size):
        if time < self.since:
            return True
        self.tokens = min(self.burst, self.tokens + (time - self.last) * self.rate / 8)
        self.last = time
        if self.tokens < size:
            return False
        self.tokens -= size
        return True


def speech():
    """One second of a voiced tone in G.711 A-law, looped: it compresses, which is all that matters of it."""
    def alaw(sample):
        sign, sample = (0x80, sample) if sample >= 0 else (0x00, -sample - 1)
        sample = min(sample, 32767) >> 3
        exponent = max(sample.bit_length() - 5, 0)
        mantissa = (sample >> max(exponent, 1)) & 0x0F
        return (sign | exponent << 4 | mantissa) ^ 0x55
    return bytes(alaw(int(9000 * math.sin(2 * math.pi * 220 * n / 8000) * (1 + math.sin(2 * math.pi * 4 * n / 8000)) / 2))
                 for n in range(8000))


def dns(wire, time, name, answer):
    identity = wire.random.randrange(65536)
    question = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0\0\x01\0\x01"
    port = wire.random.randrange(32768, 60999)
    wire.udp(time, (LAPTOP, port), (ROUTER, 53), struct.pack("!6H", identity, 0x0100, 1, 0, 0, 0) + question)
    reply = struct.pack("!6H", identity, 0x8180, 1, 1, 0, 0) + question + b"\xc0\x0c\0\x01\0\x01" \
        + struct.pack("!IH", 300, 4) + address(answer)
    wire.udp(time + RTT[ROUTER] + wire.random.uniform(0.004, 0.02), (ROUTER, 53), (LAPTOP, port), reply)


def client_hello(wire, name):
    server_name = name.encode()
    sni = struct.pack("!HBH", len(server_name) + 3, 0, len(server_name)) + server_name
    extensions = struct.pack("!HH", 0, len(sni)) + sni + bytes.fromhex("002b0003020304000a00040002001d")
    hello = b"\x03\x03" + wire.random.randbytes(32) + b"\x20" + wire.random.randbytes(32) \
        + bytes.fromhex("0006130113021303") + b"\x01\0" + struct.pack("!H", len(extensions)) + extensions
    handshake = b"\x01" + len(hello).to_bytes(3, "big") + hello
    return b"\x16\x03\x01" + struct.pack("!H", len(handshake)) + handshake


def web_page(wire, path, time, name, size, rate_bps=6_000_000):
    """A TLS-shaped fetch at the line's rate: the control traffic that the call is compared with."""
    port, mss = wire.random.randrange(32768, 60999), 1448
    state = {LAPTOP: wire.random.randrange(1 << 32), WEB: wire.random.randrange(1 << 32)}

    def segment(at, source, flags, payload=b"", options=b""):
        destination = WEB if source == LAPTOP else LAPTOP
        ports = (port, 443) if source == LAPTOP else (443, port)
        acknowledged = state[destination] if flags & 0x10 else 0
        header = struct.pack("!HHIIBBHHH", *ports, state[source], acknowledged, (20 + len(options)) // 4 << 4, flags, 501, 0, 0)
        wire.ip(at, source, destination, 6, header + options + payload)
        state[source] = (state[source] + len(payload) + (1 if flags & 3 else 0)) & 0xFFFFFFFF

    synchronise = bytes.fromhex("020405b40402080a0000000000000000")[:8]
    segment(time, LAPTOP, 0x02, options=synchronise)
    now = path.arrival(time + RTT[WEB] / 2)
    segment(now, WEB, 0x12, options=synchronise)
    segment(now + 60e-6, LAPTOP, 0x10)
    now += 0.0009
    segment(now, LAPTOP, 0x18, client_hello(wire, name))
    server = now + RTT[WEB] / 2 + 0.002
    record = b"\x17\x03\x03\x40\x00" + b"\0" * 16384   # TLS application data
    page = record * (size // len(record) + 1)
    for at in range(0, len(page), mss):
        payload, last = page[at:at + mss], at + mss >= len(page)
        now = path.arrival(server)
        segment(now, WEB, 0x18 if last else 0x10, payload)
        if at // mss % 2 == 1 or last:
            segment(now + 40e-6, LAPTOP, 0x10)
        server += (len(payload) + 40) * 8 / rate_bps
    now += wire.random.uniform(0.05, 0.3)
    segment(now, LAPTOP, 0x11)
    now = path.arrival(now + RTT[WEB] / 2)
    segment(now, WEB, 0x11)
    segment(now + 50e-6, LAPTOP, 0x10)


def sip(first_line, call_id, sequence, method, body=b"", answer=False):
    to_tag = ";tag=b1946ac9" if answer or method in ("ACK", "BYE") else ""
    lines = [first_line, f"Via: SIP/2.0/UDP {LAPTOP}:5060;branch=z9hG4bK{call_id[:6]}{sequence}", "Max-Forwards: 70",
             "From: <sip:amina@example.org>;tag=49d8", f"To: <sip:bernard@example.net>{to_tag}", f"Call-ID: {call_id}",
             f"CSeq: {sequence} {method}", f"Contact: <sip:amina@{LAPTOP}:5060>"]
    if body:
        lines.append("Content-Type: application/sdp")
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def sdp(host, port):
    return ("v=0\r\no=- 1 1 IN IP4 {0}\r\ns=call\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio {1} RTP/AVP 8\r\n"
            "a=rtpmap:8 PCMA/8000\r\na=ptime:20\r\na=sendrecv\r\n").format(host, port).encode()


class Voice:
    """One direction of G.711: 50 packets a second, 200 IP bytes each."""

    def __init__(self, wire, source, destination):
        self.wire, self.source, self.destination = wire, source, destination
        self.ssrc, self.sequence = wire.random.getrandbits(32), wire.random.randrange(65536)
        self.timestamp, self.number, self.sent, self.arrived = wire.random.getrandbits(32), 0, 0, []

    def packet(self, audio):
        at = self.number * 160 % 8000
        payload = struct.pack("!BBHII", 0x80, 0x88 if self.number == 0 else 8, (self.sequence + self.number) & 0xFFFF,
                              (self.timestamp + 160 * self.number) & 0xFFFFFFFF, self.ssrc) + audio[at:at + 160]
        self.number += 1
        return payload

    def truth(self, direction):
        numbers = [number for number, _ in self.arrived]
        expected = numbers[-1] - numbers[0] + 1
        return {"src": "{}:{}".format(*self.source), "dst": "{}:{}".format(*self.destination), "ssrc": f"0x{self.ssrc:08x}",
                "application": "sip", "direction": direction, "payload_type": 8, "packets_sent": self.number,
                "packets": len(numbers), "expected": expected, "lost": expected - len(numbers), "duplicates": 0, "reordered": 0}


def sender_report(voice, other, time, received, expected, last_report, extended):
    """RTCP SR with one block (RFC 3550 6.4.1). `last_report`: (middle 32 bits, arrival) of the other's last SR."""
    ntp = int((START + time + 2_208_988_800) * (1 << 32))
    lsr, delay = last_report if last_report else (0, 0)
    lost = max(expected - received, 0)
    block = struct.pack("!IIIIII", other.ssrc, lost & 0xFFFFFF, extended, 12, lsr, delay)
    return struct.pack("!BBHIQIII", 0x81, 200, 12, voice.ssrc, ntp & 0xFFFFFFFFFFFFFFFF,
                       (voice.timestamp + 160 * voice.number) & 0xFFFFFFFF, voice.number, voice.number * 160) + block, (ntp >> 16) & 0xFFFFFFFF


def call(wire, begin, duration, policer):
    audio, path = speech(), Path(wire, PEER)
    mine, theirs = (LAPTOP, 40_312), (PEER, 17_204)
    call_id = f"{wire.random.getrandbits(48):012x}@{LAPTOP}"
    sip_mine, sip_theirs = (LAPTOP, 5060), (PEER, 5060)
    wire.udp(begin, sip_mine, sip_theirs, sip("INVITE sip:bernard@example.net SIP/2.0", call_id, 1, "INVITE", sdp(LAPTOP, mine[1])))
    for after, line, body in ((0.004, "SIP/2.0 100 Trying", b""), (0.3, "SIP/2.0 180 Ringing", b""), (4.2, "SIP/2.0 200 OK", sdp(PEER, theirs[1]))):
        answered = path.arrival(begin + RTT[PEER] / 2 + after)
        wire.udp(answered, sip_theirs, sip_mine, sip(line, call_id, 1, "INVITE", body, answer=True))
    wire.udp(answered + 0.0008, sip_mine, sip_theirs, sip("ACK sip:bernard@example.net SIP/2.0", call_id, 1, "ACK"))

    sent, received = Voice(wire, mine, theirs), Voice(wire, theirs, mine)
    heard = []   # sequence numbers of the peer's packets that reached the laptop
    reports = {"mine": None, "theirs": None}
    mine_base, theirs_base, next_report = answered + 0.012, answered + 0.006, 5.0
    for number in range(int(duration / 0.02)):
        elapsed = number * 0.02
        at = mine_base + elapsed + abs(wire.random.gauss(0, 0.00025))
        wire.udp(at, mine, theirs, sent.packet(audio))
        sent.arrived.append((number, at))
        leaves = theirs_base + elapsed * (1 + 12e-6) + abs(wire.random.gauss(0, 0.0002))   # its clock runs 12 ppm slow
        payload = received.packet(audio)
        arrival = path.arrival(leaves)
        if policer is None or policer.passes(arrival - 0.004, 28 + len(payload)):
            wire.udp(arrival, theirs, mine, payload)
            received.arrived.append((number, arrival))
            heard.append(number)
        if elapsed >= next_report:
            next_report += 5.0
            at += 0.003
            last = reports["theirs"]
            report, middle = sender_report(sent, received, at, len(heard), heard[-1] + 1,
                                           (last[0], int((at - last[1]) * 65536)) if last else None, received.sequence + heard[-1])
            wire.udp(at, (mine[0], mine[1] + 1), (theirs[0], theirs[1] + 1), report)
            reports["mine"] = (middle, at + RTT[PEER] / 2)
            leaves = at + 1.7
            last = reports["mine"]
            report, middle = sender_report(received, sent, leaves, sent.number, sent.number, (last[0], int((leaves - last[1]) * 65536)),
                                           sent.sequence + sent.number - 1)
            arrival = leaves + RTT[PEER] / 2 + 0.0004
            wire.udp(arrival, (theirs[0], theirs[1] + 1), (mine[0], mine[1] + 1), report)
            reports["theirs"] = (middle, arrival)
    end = at + 0.03
    wire.udp(end, sip_mine, sip_theirs, sip("BYE sip:bernard@example.net SIP/2.0", call_id, 2, "BYE"))
    wire.udp(path.arrival(end + RTT[PEER] / 2 + 0.003), sip_theirs, sip_mine, sip("SIP/2.0 200 OK", call_id, 2, "BYE", answer=True))
    return [sent.truth("sent"), received.truth("received")]


def sip_call(policed):
    wire = Wire(seed=20240601)
    dns(wire, 0.4, "example.net", PEER)
    policer = Policer(rate_bps=48_000, burst_bytes=4_000, since=1.0 + 75.0) if policed else None
    streams = call(wire, begin=1.0, duration=180.0, policer=policer)
    web = Path(wire, WEB, jitter=0.0004)
    pages = ((3, 180), (19, 420), (34, 260), (52, 610), (68, 150), (83, 480), (97, 540), (112, 230), (126, 390), (141, 620), (158, 300), (173, 270))
    for second, kilobytes in pages:
        dns(wire, second + 0.1, f"news{second % 3}.example.com", WEB)
        web_page(wire, web, second + 0.2, f"news{second % 3}.example.com", kilobytes * 1000)
    findings = [{"kind": "rate_cap", "mechanism": "policer", "direction": "received", "application": "sip", "rate_bps": 48_000,
                 "burst_bytes": 4_000, "at_s": 76.0}] if policed else []
    truth = {"what": "G.711 over SIP, 3 minutes, with web pages meanwhile" + (
                 "; from second 76 on what is received of it is policed to 48 kbit/s with a bucket of 4,000 bytes" if policed else "; nothing interferes"),
             "made_by": "pcaps/make.py", "verdict": "interference" if policed else "clean", "local": LAPTOP, "applications": ["sip"],
             "findings": findings, "streams": streams}
    return wire.pcap(), truth


def main():
    check, wrong = "--check" in sys.argv[1:], []
    for name, (pcap, truth) in {"sip-policed-48k": sip_call(True), "sip-clean": sip_call(False)}.items():
        folder = HERE / name
        text = json.dumps(truth, indent=1, sort_keys=True) + "\n"
        if check:   # gzip's bytes differ between zlib versions: compare what is inside
            if gzip.decompress((folder / "capture.pcap.gz").read_bytes()) != pcap or (folder / "truth.json").read_text() != text:
                wrong.append(name)
            continue
        folder.mkdir(exist_ok=True)
        with open(folder / "capture.pcap.gz", "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as out:
            out.write(pcap)
        (folder / "truth.json").write_text(text)
        print(f"{name}: {len(pcap):,} bytes, {(folder / 'capture.pcap.gz').stat().st_size:,} packed")
    if wrong:
        sys.exit("differs from what make.py makes: " + ", ".join(wrong))


if __name__ == "__main__":
    main()

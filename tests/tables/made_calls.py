"""Calls of every application made up from what is public of its format, with known losses, as a laptop would capture them.

Nothing here reads the classifier's sources: the formats are written down a second time, so that the two can be compared.
Over 400 lines: one table of all formats, a few lines each, that is read side by side with the public descriptions.
"""
import random
import struct

LAPTOP, RESOLVER = "192.168.1.23", "192.168.1.1"
SERVER = "203.0.113.77"
SECONDS, STEP = 30, 0.02
LOSS = 0.02              # of what is received; what is sent leaves whole
ODD = 0.01               # of what is received comes twice, or late


def address(text):
    return bytes(map(int, text.split(".")))


class Capture:
    """A pcap of Ethernet frames, in order of time."""

    def __init__(self, seed):
        self.frames, self.random = [], random.Random(seed)
        self.sequences = {}

    def ip(self, at, source, destination, protocol, payload):
        ttl = 64 if source == LAPTOP or source == RESOLVER else 52
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), self.random.randrange(65536), 0, ttl, protocol, 0, address(source), address(destination))
        self.frames.append((at, bytes(12) + b"\x08\x00" + header + payload))

    def udp(self, at, source, destination, payload):
        self.ip(at, source[0], destination[0], 17, struct.pack("!HHHH", source[1], destination[1], 8 + len(payload), 0) + payload)

    def tcp(self, at, source, destination, payload=b"", flags=0x18):
        mine, theirs = (source, destination), (destination, source)
        sequence = self.sequences.setdefault(mine, self.random.randrange(1 << 31))
        acknowledgement = self.sequences.get(theirs, 0)
        self.ip(at, source[0], destination[0], 6, struct.pack("!HHIIBBHHH", source[1], destination[1], sequence, acknowledgement, 0x50, flags, 65000, 0, 0) + payload)
        self.sequences[mine] = (sequence + len(payload) + (1 if flags & 3 else 0)) % (1 << 32)

    def connect(self, at, source, destination):
        self.tcp(at, source, destination, flags=2)
        self.tcp(at + 0.03, destination, source, flags=0x12)
        self.tcp(at + 0.0302, source, destination, flags=0x10)

    def noise(self, size):
        return self.random.randbytes(size)

    def dns(self, at, name, result):
        number = self.random.randrange(65536)
        question = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0\0\1\0\1"
        socket = (LAPTOP, self.random.randrange(40000, 60000))
        self.udp(at, socket, (RESOLVER, 53), struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + question)
        answer = b"\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4" + address(result)
        self.udp(at + 0.012, (RESOLVER, 53), socket, struct.pack("!HHHHHH", number, 0x8180, 1, 1, 0, 0) + question + answer)

    def tls(self, at, name, server, port=443, seconds=2):
        """A connection that greets `name`; what follows is enciphered."""
        client, to = (LAPTOP, self.random.randrange(40000, 60000)), (server, port)
        self.connect(at, client, to)
        extension = struct.pack("!HHHBH", 0, len(name) + 5, len(name) + 3, 0, len(name)) + name.encode()
        body = b"\3\3" + self.noise(32) + b"\0" + b"\0\2\x13\1" + b"\1\0" + struct.pack("!H", len(extension)) + extension
        hello = b"\1" + struct.pack("!I", len(body))[1:] + body
        self.tcp(at + 0.05, client, to, b"\x16\3\1" + struct.pack("!H", len(hello)) + hello)
        self.tcp(at + 0.09, to, client, b"\x16\3\3\0\x7a" + b"\2\0\0\x76" + self.noise(118) + b"\x17\3\3\2\0" + self.noise(512))
        for i in range(4):
            self.tcp(at + 0.2 + i * seconds / 5, client, to, b"\x17\3\3\0\x50" + self.noise(80))
            self.tcp(at + 0.24 + i * seconds / 5, to, client, b"\x17\3\3\0\x90" + self.noise(144))

    def write(self, path):
        with open(path, "wb") as out:
            out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
            for at, frame in sorted(self.frames, key=lambda each: each[0]):
                micro = round((1_700_000_000 + at) * 1e6)
                out.write(struct.pack("<IIII", micro // 1_000_000, micro % 1_000_000, len(frame), len(frame)) + frame)


class Voice:
    """One way of a call: numbered packets, some of which never arrive. `lost` is between the first and the last that do."""

    def __init__(self, capture, loss):
        self.capture, self.loss, self.sent, self.twice = capture, loss, [], 0

    def run(self, begin, packet, source, destination, seconds=SECONDS, step=STEP, jitter=0.0):
        count = round(seconds / step)
        for i in range(count):
            arrives = i in (0, count - 1) or self.capture.random.random() >= self.loss
            payload, at = packet(i), begin + i * step + self.capture.random.random() * jitter
            if not arrives:
                continue
            if self.loss and 0 < i < count - 1 and self.capture.random.random() < ODD:
                at += 1.5 * step                      # overtaken by the next
            self.capture.udp(at, source, destination, payload)
            self.sent.append(i)
            if self.loss and 0 < i < count - 1 and self.capture.random.random() < ODD:
                self.capture.udp(at + 0.002, source, destination, payload)
                self.twice += 1
        return self

    @property
    def lost(self):
        return self.sent[-1] - self.sent[0] + 1 - len(self.sent)


def both_ways(capture, begin, there, packet_of, local_port=None, size=None, **more):
    """packet_of(way) gives packet(i); way 0 is sent. Returns {direction: (lost, duplicates)}."""
    here = (LAPTOP, local_port or capture.random.randrange(40000, 60000))
    sent = Voice(capture, 0).run(begin, packet_of(0), here, there, **more)
    received = Voice(capture, LOSS).run(begin + 0.007, packet_of(1), there, here, jitter=0.004, **more)
    return here, {"sent": (sent.lost, sent.twice), "received": (received.lost, received.twice)}


def rtp(capture, kind, ticks, size, first=b"\x80", extension=b""):
    """packet_of for RTP: sequence and time begin anywhere, the SSRC is drawn."""
    def of_way(way):
        ssrc, start, time = capture.random.randrange(1 << 17, 1 << 32), capture.random.randrange(65536), capture.random.randrange(1 << 32)
        return lambda i: first + bytes([kind]) + struct.pack("!HII", (start + i) % 65536, (time + i * ticks) % (1 << 32), ssrc) + extension + capture.noise(size)
    return of_way


def stun(capture, kind=1, attributes=b""):
    return struct.pack("!HHI", kind, len(attributes), 0x2112A442) + capture.noise(12) + attributes


def attribute(kind, value):
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def ice(capture, begin, here, there, dtls=True):
    """Checks with a user name that are answered, and a DTLS handshake."""
    for i in range(2):
        check = stun(capture, 1, attribute(6, b"abcd:efghijkl") + attribute(8, capture.noise(20)))
        capture.udp(begin + i * 0.1, here, there, check)
        capture.udp(begin + i * 0.1 + 0.03, there, here, struct.pack("!HHI", 0x101, 12, 0x2112A442) + check[8:20] + attribute(0x20, b"\0\1\1\2\3\4\5\6"))
    for i in range(4 if dtls else 0):
        record = b"\x16\xfe\xfd" + bytes(7) + bytes([i]) + b"\0\x78" + bytes([1 + i]) + b"\0\0\x6c" + bytes([0, i]) + b"\0\0\0\0\0\x6c" + capture.noise(108)
        capture.udp(begin + 0.3 + i * 0.04, here if i % 2 == 0 else there, there if i % 2 == 0 else here, record)


def over_ice(capture, there, kind=111, ticks=960, name=None, dtls=True, seconds=SECONDS):
    if name:
        capture.dns(0, name, there[0])
        capture.tls(0.1, name, there[0])
    here = (LAPTOP, capture.random.randrange(40000, 60000))
    ice(capture, 1, here, there, dtls)
    _, lost = both_ways(capture, 2, there, rtp(capture, kind, ticks, 80, b"\x90", b"\xbe\xde\0\1\x10\x88\0\0"), here[1], seconds=seconds)
    return lost


# One function an application: (capture) -> {"sent": (lost, duplicates), "received": …}; None: nothing there counts.

def viber(capture):
    there = (SERVER, 7985)
    here = (LAPTOP, 41000)
    for i in range(3):
        capture.udp(i * 0.5, here, there, bytes([i, 7, 3, 0]) + capture.noise(8))
        ping = capture.noise(16)
        capture.udp(i * 0.5 + 0.1, here, there, bytes([i, 9, 9, 0]) + ping)
        capture.udp(i * 0.5 + 0.14, there, here, bytes([i, 3, 11, 0]) + ping)
    return both_ways(capture, 2, there, lambda way: lambda i: capture.noise(2) + struct.pack("<HH", 12, (100 + way + i) % 32768) + capture.noise(90), here[1])[1]


def imo(capture):
    there, here = (SERVER, 23001), (LAPTOP, 41001)
    for i in range(3):
        ping = capture.noise(10)
        capture.udp(i * 0.5, here, there, b"\x09\x02" + ping)
        capture.udp(i * 0.5 + 0.04, there, here, b"\x09\x03" + ping)
    return both_ways(capture, 1, there, lambda way: lambda i: b"\x0d" + struct.pack("!H", (65000 + i) % 65536) + capture.noise(70), here[1])[1]


def teamspeak(capture):
    there, here = (SERVER, 9987), (LAPTOP, 41002)
    for i in range(3):
        capture.udp(i * 0.1, here, there, b"TS3INIT1" + b"\0\x65\0\0\x88" + capture.noise(16))
        capture.udp(i * 0.1 + 0.04, there, here, b"TS3INIT1" + b"\0\x65\x88" + capture.noise(16))
    for i in range(28):
        capture.udp(1 + i, here, there, capture.noise(8) + struct.pack("!HHB", i, 5, 0x84))
        capture.udp(1.04 + i, there, here, capture.noise(8) + struct.pack("!HBH", i, 0x85, i))

    def packet_of(way):
        return lambda i: capture.noise(8) + (struct.pack("!HHB", (65300 + i) % 65536, 5, 0) if way == 0 else struct.pack("!HB", (40 + i) % 65536, 0)) + capture.noise(60)
    return both_ways(capture, 1, there, packet_of, here[1])[1]


def teamspeak_2(capture):
    def packet_of(way):
        return lambda i: struct.pack("<HHII", 0xBEF2 if way == 0 else 0xBEF3, 0x0C00, 7, 9) + struct.pack("<I", i) + capture.noise(60)
    both_ways(capture, 1, (SERVER, 8767), packet_of)
    return None


def mumble(capture):
    there = (SERVER, 64738)

    def packet_of(way):
        return lambda i: bytes([(200 + i) % 256]) + capture.noise(3) + capture.noise(70)
    return both_ways(capture, 1, there, packet_of)[1]


def viber_later(capture):
    """In its midst: no control seen, the counter about to wrap."""
    return both_ways(capture, 2, (SERVER, 7985), lambda way: lambda i: capture.noise(2) + struct.pack("<HH", 12, (65000 + i) % 65536) + capture.noise(90))[1]


def discord_later(capture):
    return both_ways(capture, 1, (SERVER, 50004), rtp(capture, 120, 960, 90))[1]


def teamspeak_later(capture):
    def packet_of(way):
        return lambda i: capture.noise(8) + (struct.pack("!HHB", (65300 + i) % 65536, 5, 0) if way == 0 else struct.pack("!HB", (40 + i) % 65536, 0)) + capture.noise(60)
    return both_ways(capture, 1, (SERVER, 9987), packet_of)[1]


def telegram_later(capture):
    """A relay anywhere: the peer tag stays, the rest is cipher text."""
    tags = capture.noise(16), capture.noise(16)
    both_ways(capture, 1, (SERVER, 533), lambda way: lambda i: tags[way] + capture.noise(90))
    return None


def whatsapp_later(capture):
    here, there = (LAPTOP, 41040), (SERVER, 3478)
    capture.udp(0, here, there, stun(capture))
    return both_ways(capture, 1, there, rtp(capture, 120, 960, 50), here[1], step=0.06)[1]


def mumble_tunnel(capture):
    here, there = (LAPTOP, 41003), (SERVER, 64738)
    capture.connect(0, here, there)
    capture.tcp(0.1, here, there, b"\x16\3\1\1\0" + b"\1\0\0\xfc" + capture.noise(252))
    capture.tcp(0.14, there, here, b"\x16\3\3\1\0" + b"\2\0\0\xfc" + capture.noise(252))
    for i in range(1500):
        for source, destination, shift in ((here, there, 0), (there, here, 0.008)):
            capture.tcp(1 + i * STEP + shift, source, destination, b"\x17\3\3\0\x60" + capture.noise(96))
    return None


def ventrilo(capture):
    here, there = (LAPTOP, 41004), (SERVER, 3784)
    capture.connect(0, here, there)
    for i in range(1500):
        for source, destination, shift in ((here, there, 0), (there, here, 0.008)):
            body = capture.noise(70 + 4 * (i % 3))
            capture.tcp(1 + i * STEP + shift, source, destination, struct.pack("!H", len(body)) + body)
    return None


def viber_tcp(capture):
    """Where UDP is barred: framed by a length, enciphered."""
    here, there = (LAPTOP, 41030), (SERVER, 5242)
    capture.dns(0, "secure.viber.com", SERVER)
    capture.connect(0.1, here, there)
    for i in range(1500):
        for source, destination, shift in ((here, there, 0), (there, here, 0.008)):
            body = capture.noise(68 + 4 * (i % 3))
            capture.tcp(1 + i * STEP + shift, source, destination, struct.pack("<H", len(body) + 2) + body)
    return None


def turn_tcp(capture):
    """A relay's channel over TCP (RFC 8656): STUN, then ChannelData padded to four bytes, with RTP in it."""
    here, there = (LAPTOP, 41031), (SERVER, 3478)
    capture.connect(0, here, there)
    capture.tcp(0.1, here, there, stun(capture, 3, attribute(0x19, b"\x11\0\0\0")))
    capture.tcp(0.14, there, here, stun(capture, 0x103, attribute(0x16, b"\0\1\1\2\3\4\5\6")))
    ways = [rtp(capture, 111, 960, 80)(way) for way in (0, 1)]
    for i in range(1500):
        for way, (source, destination) in enumerate(((here, there), (there, here))):
            packet = ways[way](i)
            capture.tcp(1 + i * STEP + way * 0.008, source, destination, b"\x40\0" + struct.pack("!H", len(packet)) + packet + bytes(-len(packet) % 4))
    return {"sent": (0, 0), "received": (0, 0)}


def skype(capture):
    capture.dns(0, "login.skype.com", "198.51.100.9")
    here, there = (LAPTOP, 41005), (SERVER, 33033)
    capture.udp(0.5, here, there, capture.noise(2) + b"\x02" + capture.noise(30))

    def packet_of(way):
        return lambda i: capture.noise(2) + bytes([capture.random.randrange(16) << 4 | 13]) + capture.noise(60)
    both_ways(capture, 1, there, packet_of, here[1])
    return None


def tango(capture):
    capture.dns(0, "cget.tango.me", "198.51.100.10")
    capture.tls(0.1, "cget.tango.me", "198.51.100.10")
    both_ways(capture, 3, (SERVER, 33044), lambda way: lambda i: capture.noise(70))
    return None


def whatsapp(capture):
    there, here = (SERVER, 3478), (LAPTOP, 41006)
    for i in range(2):
        capture.udp(i * 0.2, here, there, stun(capture, 3, attribute(0x4000, capture.noise(102))))
        capture.udp(i * 0.2 + 0.04, there, here, stun(capture, 0x103, attribute(0x4002, capture.noise(8))))
    return both_ways(capture, 1, there, rtp(capture, 120, 960, 50, b"\x90", b"\xde\xbe\0\1" + bytes(4)), here[1], step=0.06)[1]


def messenger(capture):
    return over_ice(capture, (SERVER, 3478), name="edge-turnservice.facebook.com")


def signal(capture):
    here, there = (LAPTOP, 41007), (SERVER, 10000)
    ice(capture, 0, here, there, dtls=False)
    lost = both_ways(capture, 1, there, rtp(capture, 102, 960, 80, b"\x90", b"\xbe\xde\0\1" + bytes(4)), here[1])[1]
    return lost


def telegram(capture):
    here, there = (LAPTOP, 41008), ("91.108.8.11", 533)
    tag = capture.noise(16)
    capture.udp(0, here, there, tag + b"\xff" * 12 + capture.noise(4))
    capture.udp(0.04, there, here, tag + b"\xff" * 12 + capture.noise(20))
    both_ways(capture, 1, there, lambda way: lambda i: tag + capture.noise(90), here[1])
    return None


def telegram_new(capture):
    both_ways(capture, 1, ("91.108.9.35", 1400), lambda way: lambda i: capture.noise(90))
    return None


def google_meet(capture):
    return over_ice(capture, ("142.250.82.17", 3478))


def google_meet_port(capture):
    return over_ice(capture, (SERVER, 19305))


def zoom(capture):
    def packet_of(way):
        ssrc, start, time = capture.random.randrange(1 << 17, 1 << 32), 65100, 77
        def packet(i):
            sequence, clock = (start + i) % 65536, (time + i * 960) % (1 << 32)
            server = b"\5" + struct.pack("!H", i % 65536) + capture.noise(4) + bytes([0 if way == 0 else 4])
            media = b"\x0f" + bytes(8) + struct.pack("!HI", sequence, clock) + bytes(4)
            return server + media + b"\x90\x70" + struct.pack("!HII", sequence, clock, ssrc) + capture.noise(80)
        return packet
    return both_ways(capture, 1, (SERVER, 8801), packet_of)[1]


def zoom_p2p(capture):
    def packet_of(way):
        ssrc = capture.random.randrange(1 << 17, 1 << 32)
        def packet(i):
            media = b"\x0f" + bytes(8) + struct.pack("!HI", i % 65536, i * 960) + bytes(4)
            return media + b"\x90\x70" + struct.pack("!HII", i % 65536, i * 960, ssrc) + capture.noise(80)
        return packet
    return both_ways(capture, 1, (SERVER, 46757), packet_of)[1]


def discord(capture):
    here, there = (LAPTOP, 41009), (SERVER, 50004)
    capture.udp(0, here, there, b"\0\1\0\x46" + bytes(70))
    capture.udp(0.03, there, here, b"\0\2\0\x46" + bytes(70))
    for i in range(6):
        beat = b"\x13\x37\xca\xfe" + struct.pack("<I", i)
        capture.udp(1 + i * 5, here, there, beat)
        capture.udp(1.03 + i * 5, there, here, beat)
    return both_ways(capture, 1, there, rtp(capture, 120, 960, 90), here[1])[1]


def facetime(capture):
    here, there = (LAPTOP, 16402), (SERVER, 16385)
    capture.udp(0, here, there, b"\0\1\0\0\0\2" + capture.noise(10))
    capture.udp(0.04, there, here, b"\0\2\0\1" + capture.noise(12))
    return both_ways(capture, 1, there, rtp(capture, 104, 480, 80), here[1])[1]


def line(capture):
    capture.dns(0, "legy.line-apps.com", SERVER)
    return both_ways(capture, 1, (SERVER, 20610), rtp(capture, 96, 960, 80))[1]


def kakaotalk(capture):
    return both_ways(capture, 1, (SERVER, 23047), rtp(capture, 108, 320, 60))[1]


def wechat(capture):
    capture.dns(0, "short.weixin.qq.com", SERVER)
    return both_ways(capture, 1, (SERVER, 8000), rtp(capture, 111, 960, 60))[1]


def webex(capture):
    return over_ice(capture, (SERVER, 9000), name="mccreplay.webex.com")


def jitsi(capture):
    return over_ice(capture, (SERVER, 10000), name="meet.jit.si")


def skype_teams(capture):
    here, there = (LAPTOP, 50010), (SERVER, 3479)
    capture.udp(0, here, there, stun(capture, 3, attribute(6, b"user")))
    return both_ways(capture, 1, there, rtp(capture, 104, 320, 60), here[1])[1]


def skype_teams_wrapped(capture):
    def packet_of(way):
        inner = rtp(capture, 104, 320, 60)(way)
        def packet(i):
            payload = inner(i)
            return b"\xff\x10" + struct.pack("!H", len(payload)) + capture.noise(8) + payload
        return packet
    return both_ways(capture, 1, (SERVER, 3479), packet_of)[1]


def snapchat(capture):
    capture.dns(0, "gcp.api.snapchat.com", SERVER)
    return both_ways(capture, 1, (SERVER, 443), rtp(capture, 111, 960, 80))[1]


def iax2(capture):
    here, there = (LAPTOP, 4569), (SERVER, 4569)

    def full(source, destination, time, number, kind, subclass, body=b""):
        return struct.pack("!HHIBBBB", 0x8000 | source, destination, time, number, 0, kind, subclass) + body
    capture.udp(0, here, there, full(11, 0, 0, 0, 6, 1, b"\x0b\2\0\2"))
    capture.udp(0.03, there, here, full(21, 11, 5, 0, 6, 4))

    def packet_of(way):
        call = 11 if way == 0 else 21
        return lambda i: full(call, 32 - call, 0, 1, 2, 4, capture.noise(160)) if i == 0 else struct.pack("!HH", call, i * 20 % 65536) + capture.noise(160)
    return both_ways(capture, 1, there, packet_of, here[1])[1]


def sip(capture):
    here, there = (LAPTOP, 40010), (SERVER, 30010)

    def message(first, number, media=None):
        body = f"v=0\r\no=- 1 1 IN IP4 {media[0]}\r\ns=-\r\nc=IN IP4 {media[0]}\r\nt=0 0\r\nm=audio {media[1]} RTP/AVP 0\r\n" if media else ""
        return (f"{first}\r\nCall-ID: made@up\r\nCSeq: {number}\r\n" + ("Content-Type: application/sdp\r\n" if media else "") + f"Content-Length: {len(body)}\r\n\r\n{body}").encode()
    one, other = (LAPTOP, 5060), (SERVER, 5060)
    capture.udp(0, one, other, message("INVITE sip:b@example.net SIP/2.0", "1 INVITE", here))
    capture.udp(0.2, other, one, message("SIP/2.0 200 OK", "1 INVITE", there))
    lost = both_ways(capture, 1, there, rtp(capture, 0, 160, 160), here[1])[1]
    capture.udp(31.2, one, other, message("BYE sip:b@example.net SIP/2.0", "2 BYE"))
    return lost


def h323(capture):
    here, there = (LAPTOP, 41011), (SERVER, 1720)
    capture.connect(0, here, there)
    for i in range(4):
        body = bytes([8, 2, 0, 1, (5, 2, 1, 7)[i]]) + capture.noise(50)
        source, destination = (here, there) if i == 0 else (there, here)
        capture.tcp(0.1 + i * 0.2, source, destination, b"\3\0" + struct.pack("!H", len(body) + 4) + body)
    return both_ways(capture, 1, (SERVER, 30012), rtp(capture, 0, 160, 160))[1]


def mgcp(capture):
    one, other = (LAPTOP, 2427), (SERVER, 2727)
    media = f"v=0\r\nc=IN IP4 {LAPTOP}\r\nm=audio 40014 RTP/AVP 0\r\n"
    capture.udp(0, other, one, b"CRCX 1204 aaln/1@rgw.example.net MGCP 1.0\r\nC: A3C47F\r\nM: sendrecv\r\n\r\n" + media.replace(LAPTOP, SERVER).replace("40014", "30014").encode())
    capture.udp(0.03, one, other, b"200 1204 OK\r\nI: FDE234C8\r\n\r\n" + media.encode())
    return both_ways(capture, 1, (SERVER, 30014), rtp(capture, 0, 160, 160), 40014)[1]


def skinny(capture):
    here, there = (LAPTOP, 41012), (SERVER, 2000)
    capture.connect(0, here, there)
    for i in range(6):
        body = struct.pack("<II", 0, 0x81 + i) + capture.noise(20)
        capture.tcp(0.1 + i * 0.1, here if i % 2 else there, there if i % 2 else here, struct.pack("<I", len(body) - 4) + body)
    return both_ways(capture, 1, (SERVER, 30016), rtp(capture, 0, 160, 160))[1]


def webrtc(capture):
    return over_ice(capture, (SERVER, 45678))


def plain_rtp(capture):
    return both_ways(capture, 1, (SERVER, 30018), rtp(capture, 8, 160, 160))[1]


CALLS = {   # function: the application's key
    viber: "viber", imo: "imo", teamspeak: "teamspeak", teamspeak_2: "teamspeak", mumble: "mumble", mumble_tunnel: "mumble", ventrilo: "ventrilo", viber_tcp: "viber", turn_tcp: "webrtc", skype: "skype",
    tango: "tango", whatsapp: "whatsapp", messenger: "messenger", signal: "signal", telegram: "telegram", telegram_new: "telegram", google_meet: "google_meet",
    google_meet_port: "google_meet", zoom: "zoom", zoom_p2p: "zoom", discord: "discord", facetime: "facetime", line: "line", kakaotalk: "kakaotalk", wechat: "wechat",
    webex: "webex", jitsi: "jitsi", skype_teams: "skype_teams", skype_teams_wrapped: "skype_teams", snapchat: "snapchat", iax2: "iax2", sip: "sip", h323: "h323",
    viber_later: "viber", discord_later: "discord", teamspeak_later: "teamspeak", telegram_later: "telegram", whatsapp_later: "whatsapp", mgcp: "mgcp", skinny: "skinny", webrtc: "webrtc", plain_rtp: "rtp"}


def wireguard(capture):
    here, there = (LAPTOP, 41020), (SERVER, 51820)
    capture.udp(0, here, there, b"\1\0\0\0" + capture.noise(144))
    capture.udp(0.03, there, here, b"\2\0\0\0" + capture.noise(88))
    both_ways(capture, 1, there, lambda way: lambda i: b"\4\0\0\0" + bytes([way, 1, 2, 3]) + struct.pack("<Q", i) + capture.noise(112), here[1])


def openvpn(capture):
    here, there = (LAPTOP, 41021), (SERVER, 1194)
    capture.udp(0, here, there, b"\x38" + capture.noise(13))
    capture.udp(0.03, there, here, b"\x40" + capture.noise(25))
    both_ways(capture, 1, there, lambda way: lambda i: b"\x48\0\0\1" + capture.noise(140), here[1])


def ipsec(capture):
    here, there = (LAPTOP, 4500), (SERVER, 4500)
    for i, (source, destination) in enumerate(((here, there), (there, here))):
        body = bytearray(capture.noise(200))
        body[17], body[24:28] = 0x20, struct.pack("!I", 200)
        capture.udp(i * 0.03, source, destination, bytes(4) + bytes(body))
    both_ways(capture, 1, there, lambda way: lambda i: bytes([9, 9, 9, way]) + struct.pack("!I", i) + capture.noise(140), 4500)


TUNNELS = {wireguard: "wireguard", openvpn: "openvpn", ipsec: "ipsec"}


def make(function, path, seed=1):
    """Writes the capture; returns what is lost of it."""
    capture = Capture(seed)
    lost = function(capture)
    capture.write(path)
    return lost

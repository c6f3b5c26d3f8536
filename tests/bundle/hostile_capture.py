"""A capture in which every text that a stranger can write is hostile: made byte by byte, for no tool would write it."""
import struct

TEXTS = {
    "markup": "\"><script>alert('%s')</script><img src=x onerror=alert(1)>&amp;{{x}}",
    "formula": "=cmd|'/c calc'!A1;=1+1",
    "terminal": "\x1b[2J\x1b]0;owned\x07\x9b31m\r\nverdict: clean",
    "turning": "\u202egnp.exe\u2066\u200f",
    "markdown": "[here](javascript:alert(1)) | `x` **b** <!-- ",
    "path": "../../../../tmp/escaped/%s",
    "broken": "\udcff\udcfe\udcc3(",
}
ADDRESSES = (bytes((192, 168, 7, 2)), bytes((198, 51, 100, 66)))


def raw(text):
    return text.encode("utf-8", "surrogateescape")


def block(kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def option(code, value):
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def ip(protocol, source, destination, payload):
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0) + source + destination
    total = sum(struct.unpack(">10H", header))
    total = (total & 0xffff) + (total >> 16)
    return header[:10] + struct.pack(">H", ~(total + (total >> 16)) & 0xffff) + header[12:] + payload


def udp(source_port, destination_port, payload, back=False):
    ends = ADDRESSES[::-1] if back else ADDRESSES
    return ip(17, *ends, struct.pack(">HHHH", source_port, destination_port, 8 + len(payload), 0) + payload)


def tcp(source_port, destination_port, sequence, acknowledgement, flags, payload=b"", back=False):
    ends = ADDRESSES[::-1] if back else ADDRESSES
    return ip(6, *ends, struct.pack(">HHIIBBHHH", source_port, destination_port, sequence, acknowledgement, 0x50, flags, 64000, 0, 0) + payload)


def dns_name(labels):
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


def client_hello(name):
    entry = struct.pack(">BH", 0, len(name)) + name
    extension = struct.pack(">HHH", 0, len(entry) + 2, len(entry)) + entry
    body = b"\x03\x03" + bytes(32) + b"\0" + struct.pack(">H", 2) + b"\x13\x01" + b"\x01\0" + struct.pack(">H", len(extension)) + extension
    hello = b"\x01" + struct.pack(">I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack(">H", len(hello)) + hello


def packets():
    """Look-ups, sign-ins and calls that name themselves by TEXTS; nobody answers, so that attempts tell of them."""
    port = 20000
    for text in TEXTS.values():
        port += 1
        bad = raw(text)
        label = bad[:60]
        for service in (b"tango.me", b"viber.com"):
            query = struct.pack(">HHHHHH", port, 0x0100, 1, 0, 0, 0) + dns_name([label, *service.split(b".")]) + struct.pack(">HH", 1, 1)
            for _ in range(3):
                yield udp(port, 53, query)
            failed = struct.pack(">HHHHHH", port, 0x8183, 1, 0, 0, 0) + query[12:]
            yield udp(53, port, failed, back=True)
            yield tcp(port, 443, 1000, 0, 2)
            yield tcp(443, port, 5000, 1001, 0x12, back=True)
            for _ in range(4):
                yield tcp(port, 443, 1001, 5001, 0x18, client_hello(bad[:150] + b"." + service))
            port += 100
        line = bad.replace(b"\r\n", b" ")
        for method in (b"REGISTER", b"INVITE"):
            invite = (method + b" sip:" + line.replace(b" ", b"") + b" SIP/2.0\r\nVia: SIP/2.0/UDP " + line + b";branch=z9hG4bK" + line[:8] + b"\r\nFrom: \"" + line + b"\" <sip:" + line +
                      b">;tag=" + line[:9] + b"\r\nTo: <sip:" + line + b">\r\nCall-ID: " + line + b"\r\nCSeq: 1 " + method + b"\r\nUser-Agent: " + line + b"\r\nContent-Length: 0\r\n\r\n")
            for _ in range(4):
                yield udp(5060, 5060, invite)
            yield udp(5060, 5060, b"SIP/2.0 403 " + line + b"\r\n" + invite.split(b"\r\n", 1)[1], back=True)


def write(path):
    comments = [option(1, raw(text)) for text in TEXTS.values()]
    data = block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1) + b"".join(comments) + option(2, raw(TEXTS["markup"])) + option(3, raw(TEXTS["terminal"])) + option(0, b""))
    data += block(1, struct.pack("<HHI", 101, 0, 0) + option(2, raw(TEXTS["markup"])) + option(3, raw(TEXTS["turning"])) + option(11, b"\0" + raw(TEXTS["formula"])) + option(0, b""))
    start = 1_717_225_200_000_000
    for i, packet in enumerate(packets()):
        at = start + i * 400_000
        comment = list(TEXTS.values())[i % len(TEXTS)]
        body = struct.pack("<IIIII", 0, at >> 32, at & 0xffffffff, len(packet), len(packet)) + packet + bytes(-len(packet) % 4)
        data += block(6, body + option(1, raw(comment)) + option(0, b""))
    path.write_bytes(data)

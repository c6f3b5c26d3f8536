"""How calls begin and end on the wire: SIP, STUN, DTLS and the first packets of others."""
import struct
import zlib

from world.web import noise

COOKIE = 0x2112A442


def attribute(kind, body):
    return struct.pack("!HH", kind, len(body)) + body + b"\0" * (-len(body) % 4)


def stun(kind, transaction, attributes=b"", fingerprint=True):
    length = len(attributes) + (8 if fingerprint else 0)
    message = struct.pack("!HHI", kind, length, COOKIE) + transaction + attributes
    if fingerprint:
        message += struct.pack("!HHI", 0x8028, 4, zlib.crc32(message) ^ 0x5354554E)
    return message


def mapped(address, port, kind=0x0020):
    value = int.from_bytes(bytes(int(part) for part in address.split(".")), "big")
    return attribute(kind, struct.pack("!BBHI", 0, 1, port ^ (COOKIE >> 16), value ^ COOKIE))


def check(simulator, transaction, controlling=True):
    """An ICE connectivity check (RFC 8445 7.1)."""
    role = attribute(0x802A if controlling else 0x8029, simulator.random.randbytes(8))
    return stun(0x0001, transaction, attribute(0x0006, b"aB3d:Xy9Z") + attribute(0x0024, struct.pack("!I", 1853824767)) + role + attribute(0x0008, simulator.random.randbytes(20)))


def checked(simulator, transaction, address, port):
    return stun(0x0101, transaction, mapped(address, port) + attribute(0x0008, simulator.random.randbytes(20)))


def dtls(kind, sequence, body, epoch=0, version=0xFEFD):
    return struct.pack("!BHHHIH", kind, version, epoch, 0, sequence, len(body)) + body


def handshake(kind, number, body):
    return struct.pack("!B", kind) + struct.pack("!I", len(body))[1:] + struct.pack("!H", number) + b"\0\0\0" + struct.pack("!I", len(body))[1:] + body


def dtls_hello(simulator):
    extensions = attribute_free(0x000E, b"\0\4\0\1\0\7\0") + attribute_free(10, b"\0\4\0\x1d\0\x17") + attribute_free(13, b"\0\4\4\3\x08\x04") + attribute_free(23, b"")
    body = b"\xfe\xfd" + simulator.random.randbytes(32) + b"\0\0" + b"\0\4\xc0\x2b\xc0\x2f" + b"\1\0" + struct.pack("!H", len(extensions)) + extensions
    return dtls(22, 0, handshake(1, 0, body), version=0xFEFF)


def attribute_free(kind, body):
    return struct.pack("!HH", kind, len(body)) + body


def dtls_flights(simulator):
    """The server's first flight, the client's second, the server's last."""
    hello = b"\xfe\xfd" + simulator.random.randbytes(32) + b"\0\xc0\x2b\0\0\x0b" + attribute_free(0x000E, b"\0\2\0\1\0")[:7] + b"\0\0\0\0"
    first = dtls(22, 0, handshake(2, 0, hello)) + dtls(22, 1, handshake(11, 1, noise(simulator, 330))) + dtls(22, 2, handshake(12, 2, noise(simulator, 115))) + dtls(22, 3, handshake(14, 3, b""))
    second = dtls(22, 1, handshake(11, 1, noise(simulator, 330))) + dtls(22, 2, handshake(16, 2, noise(simulator, 33))) + dtls(20, 3, b"\1") + dtls(22, 0, noise(simulator, 48), 1)
    last = dtls(20, 4, b"\1") + dtls(22, 0, noise(simulator, 48), 1)
    return first, second, last


def sdp(address, port, kinds, direction="sendrecv"):
    names = {0: "PCMU/8000", 8: "PCMA/8000", 18: "G729/8000", 9: "G722/8000", 101: "telephone-event/8000", 111: "opus/48000/2"}
    lines = ["v=0", f"o=- 38114 1 IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0", f"m=audio {port} RTP/AVP " + " ".join(map(str, kinds))]
    lines += [f"a=rtpmap:{kind} {names[kind]}" for kind in kinds] + ["a=ptime:20", f"a={direction}"]
    return "\r\n".join(lines) + "\r\n"


class Dialog:
    """The texts of one SIP dialog (RFC 3261)."""

    def __init__(self, simulator, client, server, port=5060):
        draw = simulator.random
        self.client, self.server, self.port = client, server, port
        self.identity, self.ours, self.theirs = f"{draw.getrandbits(60):x}@{client}", f"{draw.getrandbits(40):x}", f"{draw.getrandbits(40):x}"
        self.branch = f"z9hG4bK{draw.getrandbits(48):x}"
        self.sequence = 1

    def request(self, method, body="", answered=True, extra=()):
        to = f"<sip:bob@{self.server}>" + (f";tag={self.theirs}" if answered else "")
        return self._message(f"{method} sip:bob@{self.server} SIP/2.0", f"<sip:alice@{self.client}>;tag={self.ours}", to, method, body, extra)

    def response(self, code, reason, method, body="", extra=()):
        return self._message(f"SIP/2.0 {code} {reason}", f"<sip:alice@{self.client}>;tag={self.ours}",
                             f"<sip:bob@{self.server}>" + (f";tag={self.theirs}" if code > 100 else ""), method, body, extra)

    def bye_of_far_end(self):
        return self._message(f"BYE sip:alice@{self.client} SIP/2.0", f"<sip:bob@{self.server}>;tag={self.theirs}", f"<sip:alice@{self.client}>;tag={self.ours}", "BYE", "")

    def _message(self, first, origin, to, method, body, extra=()):
        lines = [first, f"Via: SIP/2.0/UDP {self.client}:{self.port};branch={self.branch}{method.lower()};rport", "Max-Forwards: 70", f"From: {origin}", f"To: {to}",
                 f"Call-ID: {self.identity}", f"CSeq: {self.sequence} {method}", f"Contact: <sip:alice@{self.client}:{self.port}>", *extra]
        lines += (["Content-Type: application/sdp"] if body else []) + [f"Content-Length: {len(body)}", "", body]
        return "\r\n".join(lines).encode()


def first_packets(simulator, application):
    """What an application without public signalling sends first: [(up?, bytes)]."""
    draw = simulator.random
    if application == "skype":
        return [(True, struct.pack("!HB", draw.randrange(65536), 0x02) + noise(simulator, draw.randrange(20, 60))), (False, struct.pack("!HB", draw.randrange(65536), 0x02) + noise(simulator, 40))] * 2
    if application == "viber":
        echo = draw.randbytes(8)
        return [(True, struct.pack("<HH", draw.randrange(65536), 9) + echo + bytes(8)), (False, struct.pack("<HH", draw.randrange(65536), 11) + echo + bytes(8))]
    if application == "teamspeak":
        tag = b"TS3INIT1" + b"\0\x65\0\0\x88"
        return [(True, tag + struct.pack("!IB", 0x0B5E3A2C, 0) + draw.randbytes(4) + bytes(8)), (False, b"TS3INIT1\0\x65\x88\1" + draw.randbytes(20)),
                (True, tag + struct.pack("!IB", 0x0B5E3A2C, 2) + draw.randbytes(20)), (False, b"TS3INIT1\0\x65\x88\3" + draw.randbytes(232))]
    if application == "mumble":
        first = draw.randrange(256)
        return [(True, bytes([first]) + draw.randbytes(11)), (False, bytes([first ^ 0x55]) + draw.randbytes(11))]
    if application == "telegram":
        tag, query = draw.randbytes(16), draw.randbytes(8)
        return [(True, tag + b"\xff" * 15 + b"\xfe" + query), (False, tag + b"\xff" * 12 + b"\xc0\x15\x72\xc7" + bytes(4) + query + draw.randbytes(20))]
    return [(True, noise(simulator, 60)), (False, noise(simulator, 60))]

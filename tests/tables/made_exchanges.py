"""Telephone calls of H.323, MGCP and Skinny, made up from ITU-T H.225.0 and H.245, RFC 3435 and Wireshark's field names: the
exchange names where the media go, the media go there. Nothing here reads the classifier's sources.
Each function: (capture) -> (endpoints that the exchange names, lost as made_calls has it).
"""
import struct

import made_calls

HERE, THERE = (made_calls.LAPTOP, 40010), (made_calls.SERVER, 50020)
MANAGER = "203.0.113.5"


class Per:
    """Aligned packed encoding rules (ITU-T X.691), a bit at a time."""

    def __init__(self):
        self.bits = []

    def put(self, value, width):
        self.bits += [value >> (width - 1 - i) & 1 for i in range(width)]
        return self

    def octets(self, data):
        self.bits += [0] * (-len(self.bits) % 8)
        for byte in data:
            self.put(byte, 8)
        return self

    def counted(self, data):
        return self.octets((bytes([len(data)]) if len(data) < 128 else struct.pack("!H", 0x8000 | len(data))) + data)

    def bytes(self):
        self.octets(b"")
        return bytes(sum(bit << (7 - j) for j, bit in enumerate(self.bits[i:i + 8])) for i in range(0, len(self.bits), 8))


def unicast(per, end):
    """H.245's TransportAddress: unicastAddress, iPAddress."""
    per.put(0, 1).put(0, 1).put(0, 1).put(0, 3).put(0, 1)
    return per.octets(made_calls.address(end[0]) + struct.pack("!H", end[1]))


AUDIO = {"pcmu": lambda per: per.put(0, 1).put(3, 4).octets(b"\x13"), "g729": lambda per: per.put(0, 1).put(11, 4).octets(b"\1"),
         "g723": lambda per: per.put(0, 1).put(8, 4).octets(b"\0").put(1, 1), "gsm": lambda per: per.put(1, 1).put(3, 7).counted(b"\x20\x20"),
         # genericAudioCapability of G.722.1 (0.0.7.7221.1.0)
         "g7221": lambda per: per.put(1, 1).put(6, 7).counted(b"\x40\x06\x06\x00\x07\xb8\x35\x01\x00\x03\xe7\xff")}


def h261(per):
    per.put(0, 1).put(2, 3).put(0, 1).put(1, 3)                      # videoData, h261VideoCapability
    per.put(0, 1).put(3, 2).put(0, 2).put(0, 2).put(0, 1)            # both sizes, interval 1
    return per.octets(struct.pack("!H", 3839)).put(0, 1)


def h263(per):
    per.put(0, 1).put(2, 3).put(0, 1).put(3, 3)
    per.put(0, 1).put(0b0110000, 7).put(1, 5).put(3, 5)              # QCIF, CIF
    return per.put(1, 2).octets(struct.pack("!H", 3839)).put(0, 5)


def h264(per):
    per.put(0, 1).put(2, 3).put(1, 1).put(0, 7)                      # videoData, genericVideoCapability
    generic = Per().put(0, 1).put(0b10000, 5).put(0, 1).put(0, 2)    # maxBitRate; identifier standard
    return per.counted(generic.counted(b"\0\x08\x81\x71\0\0\1").octets(b"\1\x0e\xff").bytes())


def audio(codec):
    return lambda per: AUDIO[codec](per.put(0, 1).put(3, 3))


def null_data(per):
    return per.put(0, 1).put(1, 3)


def h2250(session, media=None, control=None, dynamic=None):
    per = Per().put(0, 1)
    for there in (None, None, media, None, control, None, None, None, dynamic, None):
        per.put(there is not None, 1)
    per.octets(bytes([session]))
    if media:
        unicast(per, media)
    if control:
        unicast(per, control)
    if dynamic:
        per.put(dynamic - 96, 5)
    return per.bytes()


def open_channel(per, number, data, parameters):
    """OpenLogicalChannel, forward only."""
    per.put(0, 2).octets(struct.pack("!H", number - 1)).put(0, 2)
    data(per)
    return per.put(1, 1).put(0, 7).counted(parameters)


def open_both(number, data, parameters):
    """fastStart's offer to receive: nullData forward, the media in reverse."""
    per = Per().put(0, 1).put(1, 1).octets(struct.pack("!H", number - 1)).put(0, 2)
    null_data(per).put(1, 1).put(1, 7).counted(b"\0")                # multiplexParameters: none
    per.put(0, 1).put(1, 1)
    data(per)
    return per.put(1, 1).put(0, 7).counted(parameters).bytes()


def request(number, data, parameters):
    return open_channel(Per().put(0, 1).put(0, 2).put(0, 1).put(3, 4), number, data, parameters).bytes()


def acknowledge(number, session, media, control, dynamic=None):
    per = Per().put(0, 1).put(1, 2).put(0, 1).put(5, 5)
    per.put(1, 1).put(0, 1).octets(struct.pack("!H", number - 1))
    per.put(0, 1).put(1, 6).put(0, 1).put(1, 1)                      # two additions known, the second there
    inner = Per().put(0, 1).put(0, 1)
    for there in (None, session, media, control, dynamic):
        inner.put(there is not None, 1)
    inner.put(session - 1, 8)
    unicast(inner, media)
    unicast(inner, control)
    if dynamic:
        inner.put(dynamic - 96, 5)
    return per.counted(inner.bytes()).bytes()


END_SESSION = Per().put(0, 1).put(2, 2).put(0, 1).put(5, 3).put(0, 1).put(1, 2).bytes()   # disconnect
CAPABILITIES = bytes.fromhex("02000106000881750003")              # terminalCapabilitySet without a capability


def endpoint_type(per, gateway=False):
    """vendor with product, and gateway with two protocols or terminal."""
    per.put(0, 1).put(0b010000 | (0b000100 if gateway else 0b000001), 6)
    per.put(0, 1).put(0b10, 2).put(0, 1).octets(b"\xb5\0\0\x12").octets(b"\3").octets(b"test")
    if gateway:
        per.put(0, 1).put(0b10, 2).octets(b"\2")
        for which in (5, 7):
            per.put(0, 1).put(which, 4).put(0, 1).put(0, 1)
    else:
        per.put(0, 1).put(0, 1)
    return per.put(0, 2)


def h225_address(per, end):
    return per.put(0, 1).put(0, 3).octets(made_calls.address(end[0]) + struct.pack("!H", end[1]))


def additions(per, present):
    """{index: content} of a sequence's additions."""
    count = max(present) + 1
    per.put(0, 1).put(count - 1, 6)
    for i in range(count):
        per.put(i in present, 1)
    for i in sorted(present):
        per.counted(present[i])
    return per


def sequence_of(elements):
    per = Per().octets(bytes([len(elements)]))
    for element in elements:
        per.counted(element)
    return per.bytes()


IDENTIFIER = b"\0\x08\x91\x4a\0\4"                                  # H.225.0, version 4
CALL = Per().put(0, 1).octets(bytes(range(16))).bytes()              # callIdentifier


def setup(fast_start=None, gateway=False):
    """h323-message-body, as the following; alignment counts from the whole message's beginning."""
    def body(per):
        per.put(0, 1).put(0, 3).put(1, 1).put(0b0111000, 7).counted(IDENTIFIER)
        per.octets(b"\2").put(0, 1).put(1, 1).octets(b"\3").octets("anna".encode("utf-16-be"))
        per.put(0, 1).put(0, 1).put(4, 7).octets(b"").put(0x34567, 20)    # dialledDigits 01234: four bits each
        endpoint_type(per, gateway)
        per.octets(b"\1").put(1, 1).put(0, 7).counted(b"\0\5sip:me")     # destinationAddress: url-ID
        h225_address(per, (made_calls.SERVER, 1720))
        per.put(0, 1).octets(bytes(range(16))).put(0, 1).put(0, 2).put(0, 1).put(0, 2)
        additions(per, {2: CALL, **({6: sequence_of(fast_start)} if fast_start else {})})
    return body


def alerting(gateway=False):
    return lambda per: additions(endpoint_type(per.put(0, 1).put(3, 3).put(1, 1).put(0, 1).counted(IDENTIFIER), gateway), {0: CALL})


def connect(h245=None, fast_start=None):
    def body(per):
        per.put(0, 1).put(2, 3).put(1, 1).put(h245 is not None, 1).counted(IDENTIFIER)
        if h245:
            h225_address(per, h245)
        endpoint_type(per).octets(bytes(range(16)))
        additions(per, {0: CALL, **({4: sequence_of(fast_start)} if fast_start else {})})
    return body


def facility(with_body=True):
    """Carries tunnelled H.245: an empty body is the choice's second addition."""
    if not with_body:
        return lambda per: per.put(1, 1).put(1, 7).counted(b"\0")
    return lambda per: additions(per.put(0, 1).put(6, 3).put(1, 1).put(0, 3).counted(IDENTIFIER).put(0, 1).put(3, 2), {0: CALL})


def release():
    return lambda per: additions(per.put(0, 1).put(5, 3).put(1, 1).put(0, 1).counted(IDENTIFIER), {0: CALL})


def q931(kind, body, from_caller=True, tunnel=None, tunnelling=False):
    """TPKT, Q.931 with a display and the H.225.0 message."""
    per = Per().put(0, 2).put(1, 1).put(0, 1)
    body(per)
    additions(per, {1: b"\x80" if tunnelling else b"\0", **({2: sequence_of(tunnel)} if tunnel else {})})
    information = b"\5" + per.bytes()
    message = b"\x08\2" + struct.pack("!H", 0x1234 | (0 if from_caller else 0x8000)) + bytes([kind]) + b"\x28\2hi\xa1\x7e" + struct.pack("!H", len(information)) + information
    return tpkt(message)


def tpkt(message):
    return b"\3\0" + struct.pack("!H", 4 + len(message)) + message


def media(capture, begin=2, kind=0, ticks=160, seconds=20, here=HERE, there=THERE, **more):
    """Both ways, each to where the other takes it."""
    return made_calls.both_ways(capture, begin, there, made_calls.rtp(capture, kind, ticks, 40), here[1], seconds=seconds, **more)[1]


def control(end):
    return end[0], end[1] + 1


def h323(capture, kind=0, ticks=160, data=audio("pcmu"), dynamic=None):
    """H.245 on a connection of its own, its header and content in segments of their own."""
    client, server = (made_calls.LAPTOP, 32803), (made_calls.SERVER, 1720)
    capture.connect(0, client, server)
    capture.tcp(0.1, client, server, q931(5, setup()))
    capture.tcp(0.2, server, client, q931(1, alerting(), False))
    answer = q931(7, connect(h245=(made_calls.SERVER, 1232)), False)
    capture.tcp(0.5, server, client, answer[:4])
    capture.tcp(0.501, server, client, answer[4:])
    client_2, server_2 = (made_calls.LAPTOP, 32804), (made_calls.SERVER, 1232)
    capture.connect(0.6, client_2, server_2)
    for at, source, destination, message in (
            (0.7, client_2, server_2, CAPABILITIES), (0.72, server_2, client_2, CAPABILITIES),
            (0.8, client_2, server_2, request(101, data, h2250(1, control=control(HERE), dynamic=dynamic))),
            (0.81, server_2, client_2, request(61, data, h2250(1, control=control(THERE), dynamic=dynamic))),
            (0.9, server_2, client_2, acknowledge(101, 1, THERE, control(THERE))), (0.91, client_2, server_2, acknowledge(61, 1, HERE, control(HERE))),
            (23, client_2, server_2, END_SESSION)):
        frame = tpkt(message)
        capture.tcp(at, source, destination, frame[:4])
        capture.tcp(at + 0.001, source, destination, frame[4:])
    lost = media(capture, 2, kind, ticks)
    capture.tcp(23.1, client, server, q931(0x5a, release()))
    return [HERE, THERE], lost


def h323_dynamic(capture):
    """A codec without a payload type of its own: H.245 says which it has here."""
    return h323(capture, 101, 320, audio("g7221"), 101)


def h323_g723(capture):
    return h323(capture, 4, 240, audio("g723"))


def h323_fast(capture):
    """Fast connect, its caller a gateway; the called end answers G.729 of two that are offered."""
    client, server = (made_calls.LAPTOP, 32803), (made_calls.SERVER, 1720)
    offer = [open_channel(Per(), 1, audio("pcmu"), h2250(1, control=control(HERE))).bytes(), open_both(2, audio("pcmu"), h2250(1, HERE, control(HERE))),
             open_channel(Per(), 3, audio("g729"), h2250(1, control=control(HERE))).bytes(), open_both(4, audio("g729"), h2250(1, HERE, control(HERE)))]
    chosen = [open_channel(Per(), 3, audio("g729"), h2250(1, THERE, control(THERE))).bytes(), open_both(4, audio("g729"), h2250(1, control=control(THERE)))]
    capture.connect(0, client, server)
    capture.tcp(0.1, client, server, q931(5, setup(offer, gateway=True)))
    capture.tcp(0.2, server, client, q931(1, alerting(gateway=True), False))
    capture.tcp(0.5, server, client, q931(7, connect(fast_start=chosen), False))
    lost = media(capture, 2, 18)
    capture.tcp(23.1, server, client, q931(0x5a, release(), False))
    return [HERE, THERE], lost


def h323_tunnel(capture):
    """H.245 in Q.931, two messages in one, with and without a body."""
    client, server = (made_calls.LAPTOP, 32803), (made_calls.SERVER, 1720)
    capture.connect(0, client, server)
    capture.tcp(0.1, client, server, q931(5, setup(), tunnelling=True))
    capture.tcp(0.5, server, client, q931(7, connect(), False, tunnel=[CAPABILITIES], tunnelling=True))
    capture.tcp(0.6, client, server, q931(0x62, facility(), tunnel=[CAPABILITIES, request(7, audio("gsm"), h2250(1, control=control(HERE)))], tunnelling=True))
    capture.tcp(0.7, server, client, q931(0x62, facility(False), False, tunnel=[acknowledge(7, 1, THERE, control(THERE)), request(9, audio("gsm"), h2250(1, control=control(THERE)))], tunnelling=True))
    capture.tcp(0.8, client, server, q931(0x62, facility(False), tunnel=[acknowledge(9, 1, HERE, control(HERE))], tunnelling=True))
    lost = media(capture, 2, 3)
    capture.tcp(23, client, server, q931(0x62, facility(False), tunnel=[END_SESSION], tunnelling=True))
    return [HERE, THERE], lost


def h323_video(capture):
    """A second channel on ports of its own, begun later: one call all the same."""
    client, server = (made_calls.LAPTOP, 32803), (made_calls.SERVER, 1720)
    here, there = (made_calls.LAPTOP, 40030), (made_calls.SERVER, 50040)
    offer = [open_both(2, audio("pcmu"), h2250(1, HERE, control(HERE))), open_both(4, h264, h2250(2, here, control(here), 109)), open_both(6, h263, h2250(2, here, control(here)))]
    chosen = [open_channel(Per(), 3, audio("pcmu"), h2250(1, THERE, control(THERE))).bytes(), open_channel(Per(), 5, h264, h2250(2, there, control(there), 109)).bytes(),
              open_channel(Per(), 7, h261, h2250(2, there, control(there))).bytes()]
    capture.connect(0, client, server)
    capture.tcp(0.1, client, server, q931(5, setup(offer)))
    capture.tcp(0.5, server, client, q931(7, connect(fast_start=chosen), False))
    media(capture)
    media(capture, 8, 109, 3600, 5, here, there, step=0.04)
    capture.tcp(23.1, server, client, q931(0x5a, release(), False))
    return [HERE, THERE, here, there], None


def sdp(end, types="0 18"):
    return f"v=0\r\no=- 1 1 IN IP4 {end[0]}\r\ns=-\r\nc=IN IP4 {end[0]}\r\nt=0 0\r\nm=audio {end[1]} RTP/AVP {types}\r\na=ptime:20\r\n".encode()


def mgcp(capture):
    """A call agent makes a connection on a gateway that is near, then one on the far one; answers may come with others."""
    agent, near, far = (MANAGER, 2727), (made_calls.LAPTOP, 2427), (made_calls.SERVER, 2427)

    def command(at, to, text, body=b""):
        capture.udp(at, agent, to, text.replace("\n", "\r\n").encode() + (b"\r\n" + body if body else b""))

    def answer(at, source, text, body=b""):
        capture.udp(at, source, agent, text.replace("\n", "\r\n").encode() + (b"\r\n" + body if body else b""))
    command(0.1, near, "CRCX 1204 aaln/1@near.example MGCP 1.0\nC: A3C47F21456789F0\nL: p:20, a:PCMU\nM: recvonly\n")
    answer(0.15, near, "200 1204 OK\nI: FDE234C8\n", sdp(HERE))
    command(0.2, far, "CRCX 1205 aaln/1@far.example MGCP 1.0\nC: A3C47F21456789F0\nL: p:20, a:PCMU\nM: sendrecv\n", sdp(HERE))
    answer(0.25, far, "200 1205 OK\nI: 32F345E2\n", sdp(THERE, "0"))
    capture.udp(0.3, agent, near, b"MDCX 1206 aaln/1@near.example MGCP 1.0\r\nC: A3C47F21456789F0\r\nI: FDE234C8\r\nM: sendrecv\r\n\r\n" + sdp(THERE, "0") +
                b".\r\nRQNT 1207 aaln/1@near.example MGCP 1.0\r\nX: 1\r\nR: hu\r\n")
    answer(0.35, near, "200 1206 OK\n")
    lost = media(capture)
    command(23, near, "DLCX 1210 aaln/1@near.example MGCP 1.0\nC: A3C47F21456789F0\nI: FDE234C8\n")
    answer(23.05, near, "250 1210 OK\nP: PS=1000, OS=160000, PR=980, OR=156800, PL=20, JI=2, LA=30\n")
    return [HERE, THERE], lost


def skinny_message(number, version, body):
    return struct.pack("<III", len(body) + 4, version, number) + body


def skinny(capture, version=20, codec=4, kind=0, between=None):
    phone, manager = (made_calls.LAPTOP, 49400), (MANAGER, 2000)
    wide = version >= 17
    conference, party, reference = 19805770, 16777295, 77 if version else 0

    def where(end):
        return (struct.pack("<I", 0) + made_calls.address(end[0]) + bytes(12) if wide else made_calls.address(end[0])) + struct.pack("<I", end[1])

    def to_phone(at, *messages):
        capture.tcp(at, manager, phone, b"".join(skinny_message(number, version, body) for number, body in messages))

    def to_manager(at, number, body):
        capture.tcp(at, phone, manager, skinny_message(number, version, body))
    tail = struct.pack("<I", reference) if version else b""
    capture.connect(0, phone, manager)
    to_manager(0.1, 0x26, struct.pack("<III", 11, 1, reference))
    to_phone(0.15, (0x111, struct.pack("<III", 5, 1, reference) + bytes(12)), (0x105, struct.pack("<IIIIII", conference, party, 20, codec, 0, 0) + tail + bytes(112 if wide else 0)))
    to_manager(0.2, 0x22, struct.pack("<I", 0) + where(HERE) + struct.pack("<I", party) + tail)
    to_phone(0.3, (0x8a, struct.pack("<II", conference, party) + where(THERE) + struct.pack("<IIIIII", 20, codec, 184, 0, 0, 0) + tail + bytes(112 if wide else 0)))
    if wide:
        to_manager(0.35, 0x154, struct.pack("<III", conference, party, reference) + where(HERE) + struct.pack("<I", 0))
    lost = media(capture, 2, kind)
    if between:
        between(to_phone, to_manager, where)
    to_phone(23, (0x106, struct.pack("<II", conference, party) + tail + bytes(4 if wide else 0)), (0x8b, struct.pack("<II", conference, party) + tail + bytes(4 if wide else 0)))
    to_phone(23.1, (0x111, struct.pack("<III", 2, 1, reference) + bytes(12)))
    return [HERE, THERE], lost


def skinny_old(capture):
    """The first version: no call reference, addresses of four bytes."""
    return skinny(capture, 0, 11, 18)


def skinny_middle(capture):
    return skinny(capture, 11, 2, 8)


def skinny_video(capture):
    """After the voice, video of its own: messages for several media."""
    here, there = (made_calls.LAPTOP, 40030), (made_calls.SERVER, 50040)
    conference, party, reference = 19805770, 16777299, 77

    def between(to_phone, to_manager, where):
        to_phone(1, (0x131, struct.pack("<IIIIIII", conference, party, 103, 1, reference, 0, 97) + bytes(164)))
        to_manager(1.1, 0x31, struct.pack("<I", 0) + where(here) + struct.pack("<II", party, reference))
        to_phone(1.2, (0x132, struct.pack("<III", conference, party, 103) + where(there) + struct.pack("<III", reference, 0, 97) + bytes(164)))
        media(capture, 8, 97, 3600, 5, here, there, step=0.04)
        to_phone(22, (0x133, struct.pack("<IIII", conference, party, reference, 0)), (0x136, struct.pack("<IIII", conference, party, reference, 0)))
    return skinny(capture, between=between)[0] + [here, there], None


# function -> (application, codec, clock)
CALLS = {h323: ("h323", "pcmu", 8000), h323_dynamic: ("h323", None, None), h323_g723: ("h323", "g723", 8000), h323_fast: ("h323", "g729", 8000),
         h323_tunnel: ("h323", "gsm", 8000), h323_video: ("h323", "pcmu", 8000), skinny_video: ("skinny", "pcmu", 8000), mgcp: ("mgcp", "pcmu", 8000), skinny: ("skinny", "pcmu", 8000), skinny_old: ("skinny", "g729", 8000),
         skinny_middle: ("skinny", "pcma", 8000)}

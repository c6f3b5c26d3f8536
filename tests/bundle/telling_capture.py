"""A capture in which every protocol that can tell who spoke does so: made byte by byte, each secret at a place of its own."""
import itertools
import socket
import struct

from hostile_capture import block, client_hello, dns_name, ip, option

OURS, THEIRS, PEER, MAPPED, RELAYED, ANSWERED, INNER = "192.0.43.77", "203.9.113.45", "185.73.44.91", "91.198.22.70", "138.4.77.19", "151.101.65.83", "77.88.55.242"
OURS6, THEIRS6, MAPPED6 = "2a02:8109:9f40:1a2b:c91:55aa:7e3d:1f02", "2606:4700:d0:77aa::6812:1b5f", "2a01:c50e:4b1c:900:5d77:12:98fe:c30a"
ADDRESSES = (OURS, THEIRS, PEER, MAPPED, RELAYED, ANSWERED, INNER)
ADDRESSES6 = (OURS6, THEIRS6, MAPPED6)
OUR_MAC, THEIR_MAC, SPOKEN_MAC = bytes.fromhex("3c22fb47a1d9"), bytes.fromhex("a8d3f7519c04"), bytes.fromhex("f0189856be37")
MACS = (OUR_MAC, THEIR_MAC, SPOKEN_MAC)
COOKIE = 0x2112A442
# Words that occur nowhere else; what each is, is told by its first letters.
NAMES = ("dnszebraquail", "dnsanswerfalcon", "dnscnameotter", "dnstxtbadger", "dnsptrheron", "mdnskitchenradio", "llmnrsarahslaptop", "nbnssarahdesk", "dhcphostmarten",
         "dhcpfqdnwalrus", "dhcpvendorlynx", "httphosttapir", "httpcookiepuffin", "httppathgibbon", "ssdpspeakerbison", "sipfromyasmina", "siptohamidou", "sipcontactibex", "sipcallidgecko",
         "sipagentpelican", "sippaidcurlew", "sdpownerplover", "sdpsessioncrane", "stunuserjackal", "stunrealmcivet", "stunsoftdingo", "tlssnimarmot", "tlscertdunlin",
         "rtcpcnameserval", "rtspuricassowary", "eapidentitykestrel", "papuserstoat", "papsecretvole", "pppoeacnamegannet", "lldpsystemwombat", "radiususerwigeon", "mgcpendpointhoopoe",
         "smtpmailfromsiskin", "sectioncommentmagpie", "sectionhardwareshrike", "sectionsystemlinnet", "sectionprogramtwite", "interfacenamerook", "interfacetextjay", "interfacehardwarewren",
         "packetcommentdipper", "resolvednamebittern", "keylogsecretgodwit", "customblockavocet", "statisticcommentsnipe", "ftpuserpipit", "icmpinnersipnewt")
NUMBERS = ("33698174205", "212661094837", "14155551729")   # telephone numbers


def v4(address):
    return socket.inet_aton(address)


def v6(address):
    return socket.inet_pton(socket.AF_INET6, address)


def ether(payload, back=False, kind=0x0800, source=OUR_MAC, destination=THEIR_MAC):
    if back:
        source, destination = destination, source
    return destination + source + struct.pack(">H", kind) + payload


def udp_body(source_port, destination_port, payload):
    return struct.pack(">HHHH", source_port, destination_port, 8 + len(payload), 0) + payload


def udp(source_port, destination_port, payload, back=False, source=OURS, destination=THEIRS):
    if back:
        source, destination = destination, source
    return ether(ip(17, v4(source), v4(destination), udp_body(source_port, destination_port, payload)), back)


def udp6(source_port, destination_port, payload, back=False):
    ends = (v6(THEIRS6), v6(OURS6)) if back else (v6(OURS6), v6(THEIRS6))
    body = udp_body(source_port, destination_port, payload)
    return ether(struct.pack(">IHBB", 0x60000000, len(body), 17, 64) + ends[0] + ends[1] + body, back, 0x86dd)


def tcp(source_port, destination_port, sequence, payload, flags=0x18, back=False):
    ends = (v4(THEIRS), v4(OURS)) if back else (v4(OURS), v4(THEIRS))
    return ether(ip(6, *ends, struct.pack(">HHIIBBHHH", source_port, destination_port, sequence, 1, 0x50, flags, 64000, 0, 0) + payload), back)


def conversation(port, sent, answered=b""):
    """A connection with its handshake, so that it is followed."""
    yield tcp(40000 + port % 1000, port, 999, b"", 2)
    yield tcp(port, 40000 + port % 1000, 4999, b"", 0x12, back=True)
    for at in range(0, len(sent), 700):
        yield tcp(40000 + port % 1000, port, 1000 + at, sent[at:at + 700])
    for at in range(0, len(answered), 700):
        yield tcp(port, 40000 + port % 1000, 5000 + at, answered[at:at + 700], back=True)


def name(text):
    return dns_name([part.encode() for part in text.split(".")])


def record(owner, kind, data):
    return name(owner) + struct.pack(">HHIH", kind, 1, 60, len(data)) + data


def answers(port, transaction=7):
    query = name(f"{NAMES[0]}.example.org") + struct.pack(">HH", 1, 1)
    records = [record(f"{NAMES[1]}.example.org", 1, v4(ANSWERED)), record("x.example.org", 5, name(f"{NAMES[2]}.example.org")), record("t.example.org", 16, bytes((len(NAMES[3]),)) + NAMES[3].encode()),
               record(".".join(reversed(OURS.split("."))) + ".in-addr.arpa", 12, name(f"{NAMES[4]}.example.org")), record("six.example.org", 28, v6(MAPPED6)),
               record("_sip._udp.example.org", 33, struct.pack(">HHH", 1, 1, 5060) + name(f"{NAMES[1]}.example.org"))]
    yield udp(port, 53, struct.pack(">HHHHHH", transaction, 0x100, 1, 0, 0, 0) + query)
    yield udp(port, 53, struct.pack(">HHHHHH", transaction, 0x8180, 1, len(records), 0, 0) + query + b"".join(records), back=True)


def netbios(text):
    padded = text.upper()[:15].ljust(16).encode()
    return bytes((32,)) + bytes(b for c in padded for b in (0x41 + (c >> 4), 0x41 + (c & 15))) + b"\0"


def dhcp():
    def told(code, value):
        return bytes((code, len(value))) + value
    options = told(53, b"\x03") + told(50, v4(INNER)) + told(61, b"\x01" + SPOKEN_MAC) + told(12, b"dhcphostmarten") + told(81, b"\0\0\0dhcpfqdnwalrus.lan") + told(60, b"dhcpvendorlynx") + b"\xff"
    return struct.pack(">BBBBIHH", 1, 1, 6, 0, 99, 0, 0) + v4(INNER) + bytes(12) + SPOKEN_MAC + bytes(10 + 192) + b"\x63\x82\x53\x63" + options


def sip(method="INVITE", to="siptohamidou"):
    sdp = (f"v=0\r\no=sdpownerplover 1 1 IN IP4 {OURS}\r\ns=sdpsessioncrane\r\nc=IN IP4 {PEER}\r\nt=0 0\r\nm=audio 18000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
           f"a=candidate:1 1 udp 2130706431 {MAPPED} 18000 typ srflx raddr {OURS} rport 18000\r\na=rtcp:18001 IN IP4 {PEER}\r\n")
    head = (f"{method} sip:{to}@{THEIRS} SIP/2.0\r\nVia: SIP/2.0/UDP {OURS}:5060;received={MAPPED};branch=z9hG4bKaa1\r\nFrom: \"Yasmina\" <sip:sipfromyasmina@example.org>;tag=a1\r\n"
            f"To: <tel:+{NUMBERS[0]}>\r\nCall-ID: sipcallidgecko@{OURS}\r\nCSeq: 1 {method}\r\nContact: <sip:sipcontactibex@{OURS}:5060>\r\nUser-Agent: sipagentpelican\r\n"
            f"P-Asserted-Identity: <sip:+{NUMBERS[1]}@sippaidcurlew.example.org>\r\nRemote-Party-ID: {NUMBERS[2]}\r\nContent-Type: application/sdp\r\nContent-Length: {len(sdp)}\r\n\r\n")
    return (head + sdp).encode()


def stun(kind, *attributes):
    body = b"".join(struct.pack(">HH", code, len(value)) + value + bytes(-len(value) % 4) for code, value in attributes)
    return struct.pack(">HHI", kind, len(body), COOKIE) + b"transact\x01\x02\x03\x04" + body


def at(address, port):
    return struct.pack(">BBH", 0, 1, port) + v4(address)


def masked(address, port):
    return struct.pack(">BBHI", 0, 1, port ^ (COOKIE >> 16), struct.unpack(">I", v4(address))[0] ^ COOKIE)


def masked6(address, port):
    mask = struct.pack(">I", COOKIE) + b"transact\x01\x02\x03\x04"
    return struct.pack(">BBH", 0, 2, port ^ (COOKIE >> 16)) + bytes(a ^ b for a, b in zip(v6(address), mask))


def packets():
    """Everything twice or more often: some things are judged by a flow's second packet."""
    yield from answers(51001)
    yield udp(5353, 5353, struct.pack(">HHHHHH", 0, 0x8400, 0, 1, 0, 0) + record("mdnskitchenradio.local", 1, v4(INNER)), destination="224.0.0.251")
    yield udp(51002, 5355, struct.pack(">HHHHHH", 3, 0, 1, 0, 0, 0) + name("llmnrsarahslaptop") + struct.pack(">HH", 1, 1), destination="224.0.0.252")
    yield udp(137, 137, struct.pack(">HHHHHH", 4, 0x110, 1, 0, 0, 0) + netbios("nbnssarahdesk") + struct.pack(">HH", 32, 1), destination="192.0.43.255")
    yield udp(68, 67, dhcp(), source="0.0.0.0", destination="255.255.255.255")
    yield udp(1900, 1900, f"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nLOCATION: http://{INNER}/ssdpspeakerbison.xml\r\n\r\n".encode(), destination="239.255.255.250")
    yield from conversation(80, f"GET /httppathgibbon HTTP/1.1\r\nHost: httphosttapir.example.org\r\nCookie: id=httpcookiepuffin\r\nX-Forwarded-For: {INNER}\r\n\r\n".encode(),
                            f"HTTP/1.1 302 Found\r\nLocation: http://{ANSWERED}/httppathgibbon\r\n\r\n".encode())
    yield from conversation(25, b"MAIL FROM:<smtpmailfromsiskin@example.org>\r\n", b"250 smtpmailfromsiskin\r\n")
    yield from conversation(21, b"USER ftpuserpipit\r\n", b"331 ftpuserpipit\r\n")
    yield from conversation(554, f"DESCRIBE rtsp://{THEIRS}/rtspuricassowary RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode(), b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Base: rtsp://rtspuricassowary/\r\n\r\n")
    yield from conversation(443, client_hello(b"tlssnimarmot.example.org"), b"\x16\x03\x03\x00\x60\x0b\x00\x00\x5c" + b"\x00\x00\x59\x00\x00\x56" + b"tlscertdunlin.example.org".ljust(86, b"\0"))
    yield from conversation(5061, sip("REGISTER"))
    for _ in range(3):
        yield udp(5060, 5060, sip())
        yield udp(5060, 5060, b"SIP/2.0 180 Ringing\r\n" + sip().split(b"\r\n", 1)[1], back=True)
        yield udp6(5060, 5060, sip().replace(OURS.encode(), b"[" + OURS6.encode() + b"]").replace(PEER.encode(), MAPPED6.encode()))
    for _ in range(3):
        yield udp(52000, 3478, stun(1, (6, b"stunuserjackal:abcd"), (0x14, b"stunrealmcivet"), (0x8022, b"stunsoftdingo")))
        yield udp(52000, 3478, stun(0x101, (1, at(MAPPED, 4000)), (0x20, masked(MAPPED, 4000)), (0x8023, at(PEER, 3478)), (0x802c, at(RELAYED, 3479)), (0x802b, at(THEIRS, 3478)),
                                    (0x8022, b"stunsoftdingo")), back=True)
        yield udp(52000, 3478, stun(3, (0x12, masked(PEER, 5000)), (0x16, masked(RELAYED, 5001)), (6, b"stunuserjackal")))
        yield udp(52000, 3478, stun(0x103, (0x16, masked(RELAYED, 5001)), (0x20, masked(MAPPED, 4000))), back=True)
        yield udp(52000, 3478, stun(0x16, (0x12, masked(PEER, 5000)), (0x13, sip())))
        yield udp6(52001, 3478, stun(0x101, (0x20, masked6(MAPPED6, 4000))), back=True)
        # The older form (RFC 3489): no cookie, the address mask is the transaction's.
        yield udp(52002, 3478, struct.pack(">HH", 0x101, 12) + b"0123456789abcdef" + struct.pack(">HH", 1, 8) + at(MAPPED, 4001), back=True)
        # Channel data of TURN, with a SIP message inside.
        inner = sip()[:400]
        yield udp(52000, 3478, struct.pack(">HH", 0x4001, len(inner)) + inner)
    for i in range(120):
        yield udp(18000, 18000, struct.pack(">BBHII", 0x80, 8, i, i * 160, 0xabcd1234) + b"sipfromyasmina".ljust(160, b"v"))
        yield udp(18000, 18000, struct.pack(">BBHII", 0x80, 8, i, i * 160, 0x1234abcd) + b"siptohamidou".ljust(160, b"v"), back=True)
    sdes = f"rtcpcnameserval@{OURS}".encode()
    for _ in range(3):
        yield udp(18001, 18001, struct.pack(">BBHI", 0x80, 200, 6, 0xabcd1234) + bytes(20) + struct.pack(">BBHI", 0x81, 202, (4 + 2 + len(sdes) + 4) // 4, 0xabcd1234) + bytes((1, len(sdes))) + sdes + bytes(8))
    yield udp(2427, 2427, f"CRCX 1 mgcpendpointhoopoe@{THEIRS} MGCP 1.0\r\nC: 1\r\n\r\nv=0\r\nc=IN IP4 {PEER}\r\n".encode())
    yield udp(1812, 1812, struct.pack(">BBH", 1, 1, 50) + bytes(16) + bytes((1, 16)) + b"radiususerwigeon"[:14] + bytes((4, 6)) + v4(INNER))
    # An error that quotes the packet it answers.
    quoted = udp(5060, 5060, sip("OPTIONS", "icmpinnersipnewt"))[14:]
    yield ether(ip(1, v4(THEIRS), v4(OURS), struct.pack(">BBHI", 3, 3, 0, 0) + quoted[:528]), back=True)
    # Tunnels.
    inside = ip(17, v4(INNER), v4(PEER), udp_body(5060, 5060, sip()))
    yield ether(ip(47, v4(OURS), v4(THEIRS), struct.pack(">HH", 0, 0x0800) + inside))
    yield ether(ip(4, v4(OURS), v4(THEIRS), inside))
    yield udp(4789, 4789, struct.pack(">II", 0x08000000, 0) + ether(inside, source=SPOKEN_MAC))
    yield ether(struct.pack(">HH", 7, 0x0800) + inside, kind=0x8100)
    # Neighbours, and those who let in.
    yield ether(struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + OUR_MAC + v4(OURS) + SPOKEN_MAC + v4(INNER), kind=0x0806)
    solicitation = struct.pack(">BBHI", 135, 0, 0, 0) + v6(THEIRS6) + b"\x01\x01" + SPOKEN_MAC
    yield ether(struct.pack(">IHBB", 0x60000000, len(solicitation), 58, 255) + v6(OURS6) + v6("ff02::1:ff12:1b5f") + solicitation, kind=0x86dd)
    yield ether(b"\x01\x00\x00\x17\x02\x01\x00\x17\x01" + b"eapidentitykestrel", kind=0x888e)
    yield ether(b"\x11\x07\x00\x00\x00\x19" + b"\x01\x02\x00\x15" + b"pppoeacnamegannet".ljust(21), kind=0x8863)
    pap = b"\x01\x01\x00\x1f" + bytes((12,)) + b"papuserstoat" + bytes((13,)) + b"papsecretvole"
    yield ether(b"\x11\x00\x00\x01" + struct.pack(">H", len(pap) + 2) + b"\xc0\x23" + pap, kind=0x8864)
    yield ether(b"\x02\x07\x04" + SPOKEN_MAC + b"\x04\x03\x05e0" + b"\x0a\x10" + b"lldpsystemwombat" + b"\0\0", kind=0x88cc, destination=bytes.fromhex("0180c200000e"))
    yield from answers(51003, 8)


def write(path):
    def text(code, value):
        return option(code, value.encode())
    end = option(0, b"")
    data = block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1) + text(1, "sectioncommentmagpie") + text(2, "sectionhardwareshrike") + text(3, "sectionsystemlinnet") + text(4, "sectionprogramtwite") + end)
    data += block(1, struct.pack("<HHI", 1, 0, 0) + text(2, "interfacenamerook") + text(3, "interfacetextjay") + option(4, v4(OURS) + bytes((255, 255, 255, 0))) + option(5, v6(OURS6) + b"\x40") +
                  option(6, SPOKEN_MAC) + option(11, b"\0host " + PEER.encode()) + text(15, "interfacehardwarewren") + end)
    data += block(4, struct.pack("<HH", 1, 4 + 20) + v4(ANSWERED) + b"resolvednamebittern\0" + struct.pack("<HH", 0, 0))
    data += block(10, struct.pack("<II", 0x544c534b, 30) + b"CLIENT_RANDOM keylogsecretgodwit"[:30] + b"it")
    data += block(0xbad, struct.pack("<I", 32473) + b"customblockavocet")
    start = 1_717_225_200_000_000
    for packet, i in zip(packets(), itertools.count()):
        when = start + i * 20_000
        data += block(6, struct.pack("<IIIII", 0, when >> 32, when & 0xffffffff, len(packet), len(packet)) + packet + bytes(-len(packet) % 4) + text(1, "packetcommentdipper") + end)
    data += block(5, struct.pack("<III", 0, start >> 32, start & 0xffffffff) + text(1, "statisticcommentsnipe") + end)
    path.write_bytes(data)

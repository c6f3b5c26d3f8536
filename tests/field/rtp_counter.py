"""RTP counted a second time, from the file's bytes on: nothing is shared with the program but the RFCs. Python standard library only.

streams(path) reads pcap and pcapng (also .gz and .xz), Ethernet with VLAN tags, Linux cooked, raw IP and loopback, IPv4 and IPv6
without fragments, UDP; and gives of each (source, destination, SSRC) what RFC 3550 A.1 and A.8 count.
"""
import collections
import gzip
import ipaddress
import lzma
import pathlib
import struct

STATIC_CLOCKS = {0: 8000, 3: 8000, 4: 8000, 8: 8000, 9: 8000, 15: 8000, 18: 8000, 26: 90000, 31: 90000, 34: 90000}
AUXILIARY = {13, 101}                 # comfort noise; the type that telephone events most often have
DROPOUT, MISORDER, COUNTED_BACK = 3000, 100, 4096


def opened(path):
    return {".gz": gzip.open, ".xz": lzma.open}.get(pathlib.Path(path).suffix, open)(path, "rb")


def pcap(data):
    order = {b"\xd4\xc3\xb2\xa1": ("<", 1e6), b"\xa1\xb2\xc3\xd4": (">", 1e6), b"\x4d\x3c\xb2\xa1": ("<", 1e9), b"\xa1\xb2\x3c\x4d": (">", 1e9)}.get(data[:4])
    if not order or len(data) < 24:
        return
    end, resolution = order
    link, at = struct.unpack_from(end + "I", data, 20)[0] & 0xffff, 24
    while at + 16 <= len(data):
        seconds, fraction, captured, _ = struct.unpack_from(end + "IIII", data, at)
        if at + 16 + captured > len(data):
            return                                   # damaged: nothing behind it can be believed
        yield seconds + fraction / resolution, link, data[at + 16:at + 16 + captured]
        at += 16 + captured


def options(end, data, at, stop):
    while at + 4 <= stop:
        code, length = struct.unpack_from(end + "HH", data, at)
        if code == 0:
            return
        yield code, data[at + 4:at + 4 + length]
        at += 4 + (length + 3) // 4 * 4


def pcapng(data):
    end, at, interfaces = "<", 0, []
    while at + 12 <= len(data):
        if data[at:at + 4] == b"\x0a\x0d\x0d\x0a":
            end, interfaces = ("<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"), []
        kind, length = struct.unpack_from(end + "II", data, at)
        if length < 12 or at + length > len(data):
            return
        if kind == 1:
            resolution = 1e6
            for code, value in options(end, data, at + 16, at + length - 4):
                if code == 9 and value:
                    resolution = 2.0 ** (value[0] & 127) if value[0] & 128 else 10.0 ** value[0]
            interfaces.append((struct.unpack_from(end + "H", data, at + 8)[0], resolution))
        elif kind == 6 and at + 28 <= len(data):
            number, high, low, captured = struct.unpack_from(end + "IIII", data, at + 8)
            if number < len(interfaces) and captured <= length - 32:
                link, resolution = interfaces[number]
                yield ((high << 32) + low) / resolution, link, data[at + 28:at + 28 + captured]
        at += length


def network_layer(link, frame):
    """The IP packet in a frame, or None."""
    if link == 1:
        at = 12
        while frame[at:at + 2] in (b"\x81\0", b"\x88\xa8", b"\x91\0"):
            at += 4
        return frame[at + 2:] if frame[at:at + 2] in (b"\x08\0", b"\x86\xdd") else None
    if link == 113:
        return frame[16:] if frame[14:16] in (b"\x08\0", b"\x86\xdd") else None
    if link == 276:
        return frame[20:] if frame[0:2] in (b"\x08\0", b"\x86\xdd") else None
    if link in (0, 108):
        return frame[4:]
    return frame if link in (12, 101, 228, 229) else None


def udp(packet):
    """(source, destination, payload) of a whole UDP datagram, or None."""
    if len(packet) < 28:
        return None
    if packet[0] >> 4 == 4:
        header = 4 * (packet[0] & 15)
        if packet[9] != 17 or struct.unpack_from("!H", packet, 6)[0] & 0x3fff:
            return None
        hosts = ipaddress.IPv4Address(packet[12:16]), ipaddress.IPv4Address(packet[16:20])
    elif packet[0] >> 4 == 6 and len(packet) >= 48 and packet[6] == 17:
        header = 40
        hosts = ipaddress.IPv6Address(packet[8:24]), ipaddress.IPv6Address(packet[24:40])
    else:
        return None
    if len(packet) < header + 8:
        return None
    ports = struct.unpack_from("!HH", packet, header)
    ends = [f"[{host}]:{port}" if host.version == 6 else f"{host}:{port}" for host, port in zip(hosts, ports)]
    return ends[0], ends[1], packet[header + 8:]


class Counter:
    """One SSRC of one five-tuple (RFC 3550 A.1, A.8)."""

    def __init__(self):
        self.packets = self.duplicates = self.restarts = self.lost_before = 0
        self.base = self.highest = None
        self.seen, self.stray, self.types = set(), None, collections.Counter()
        self.last, self.jitter, self.sum, self.differences = None, 0.0, 0.0, 0

    def begin(self, number):
        self.base = self.highest = number
        self.seen = {number}

    def add(self, time, number, timestamp, payload_type):
        self.packets += 1
        self.types[payload_type] += 1
        if self.highest is None:
            self.begin(number)
        else:
            ahead = (number - self.highest + 0x8000) % 0x10000 - 0x8000
            extended = self.highest + ahead
            if -MISORDER <= ahead < DROPOUT:
                if extended in self.seen:
                    self.duplicates += 1
                self.seen.add(extended)
                self.highest, self.base = max(self.highest, extended), min(self.base, extended)
                self.stray = None
            elif self.stray == number:               # two in a row: the counter began anew
                self.lost_before += self.highest - self.base + 1 - len(self.seen)
                self.restarts += 1
                self.begin((number - 1) % 0x10000)
                self.seen.add(self.base + 1)
                self.highest = self.base + 1
                self.stray, self.last = None, None
            else:
                self.stray = (number + 1) % 0x10000
                return
        clock = STATIC_CLOCKS.get(payload_type)
        if clock and payload_type not in AUXILIARY:
            if self.last and self.last[2] == clock:
                step = (timestamp - self.last[1] + 0x80000000) % 0x100000000 - 0x80000000
                difference = abs(time - self.last[0] - step / clock)
                if difference < 10:
                    self.jitter += (difference - self.jitter) / 16
                    self.sum += self.jitter
                    self.differences += 1
            self.last = time, timestamp, clock

    @property
    def lost(self):
        return self.lost_before + (self.highest - self.base + 1 - len(self.seen) if self.highest is not None else 0)

    @property
    def jitter_ms(self):
        return 1e3 * self.sum / self.differences if self.differences else None


def streams(path):
    """(source, destination, SSRC) -> Counter, of every UDP payload that may be RTP by its header."""
    with opened(path) as file:
        data = file.read()
    found = collections.defaultdict(Counter)
    for time, link, frame in (pcapng if data[:4] == b"\x0a\x0d\x0d\x0a" else pcap)(data):
        packet = network_layer(link, frame)
        told = udp(packet) if packet else None
        if not told or len(told[2]) < 12 or told[2][0] >> 6 != 2 or 192 <= told[2][1] <= 223:
            continue
        source, destination, payload = told
        number, timestamp, ssrc = struct.unpack_from("!HII", payload, 2)
        found[source, destination, ssrc].add(time, number, timestamp, payload[1] & 127)
    return found

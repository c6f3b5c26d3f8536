"""The capture on the client's laptop: sent packets before the line can touch them, received ones after it has."""
import gzip
import pathlib
import struct

from world.wire import ethernet, internet

ETHERNET, RAW = 1, 101


class Tap:
    """Records what the client sends and receives, as a recorder does, with its faults: late start, short snap length, missed packets,
    a clock that is set. `clock` turns the world's time into the machine's."""

    def __init__(self, simulator, client):
        self.simulator, self.client = simulator, client
        self.addresses = {client}
        self.frames, self.missed = [], 0
        self.begin, self.end, self.snap = 0.0, 1e9, 65535
        self.link, self.form = ETHERNET, "pcap"
        self.miss = lambda now: False
        self.clock = lambda now: now
        self.epoch = 1_672_531_200 + simulator.random.randrange(86400 * 900)
        make = simulator.random.randbytes
        self.ours, self.theirs = b"\x02" + make(5), b"\x02" + make(5)
        self.identity = simulator.random.randrange(65536)

    def see(self, packet, sent):
        now = self.simulator.now
        if not self.begin <= now <= self.end:
            return
        if self.miss(now):
            self.missed += 1
            if packet.stream:
                packet.stream.missed += 1
            return
        time = self.clock(now)
        if packet.stream:
            packet.stream.seen(time, now, packet)
        self.identity += 1
        data = internet(packet, self.identity) if self.link == RAW else ethernet(packet, self.identity, self.ours, self.theirs, sent)
        self.frames.append((time, data[:self.snap], len(data)))

    def write(self, path):
        out = bytearray(self._ng_head() if self.form == "pcapng" else struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, self.snap, self.link))
        for time, data, length in self.frames:
            if self.form == "pcapng":
                ticks = int((self.epoch + time) * 1_000_000)
                padded = data + b"\0" * (-len(data) % 4)
                size = 32 + len(padded)
                out += struct.pack("<IIIIIII", 6, size, 0, ticks >> 32, ticks & 0xFFFFFFFF, len(data), length) + padded + struct.pack("<I", size)
            else:
                second, part = divmod(time, 1.0)
                out += struct.pack("<IIII", self.epoch + int(second), int(part * 1_000_000), len(data), length) + data
        with open(path, "wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=6, mtime=0) as packed:
            packed.write(out)
        return pathlib.Path(path)

    def _ng_head(self):
        return (struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28) + struct.pack("<IIHHII", 1, 20, self.link, 0, self.snap, 20))

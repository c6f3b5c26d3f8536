"""What one direction of one medium was: sent, seen by the capture, lost. And the formats that carry it."""
import struct

from world.web import noise


class Stream:
    """A one-way media stream as the truth tells it."""

    def __init__(self, application, kind, codec, direction, source, target, ssrc=None, clock=None, counted=True):
        self.application, self.kind, self.codec, self.direction = application, kind, codec, direction
        self.source, self.target, self.ssrc, self.clock, self.counted = source, target, ssrc, clock, counted
        self.sent = self.missed = self.bytes = self.skipped = 0      # skipped: numbers that the sender left out
        self.numbers, self.first, self.last, self.captured, self.duplicates = set(), None, None, 0, 0
        self.jitter, self.jitters, self._transit = 0.0, [], None
        self.arrivals, self.sent_bytes, self.sent_times = [], 0, []

    def seen(self, time, now, packet):
        """By the capture; `time` by its clock, `now` by the world's."""
        number, stamp = packet.number
        if number in self.numbers:
            self.duplicates += 1
        self.numbers.add(number)
        self.captured += 1
        self.bytes += packet.size
        self.first = time if self.first is None else self.first
        self.last = time
        self.arrivals.append(now)
        if self.ssrc is not None and self.clock:
            transit = time * self.clock - stamp
            if self._transit is not None:
                self.jitter += (abs(transit - self._transit) - self.jitter) / 16
                self.jitters.append(self.jitter / self.clock * 1000)
            self._transit = transit

    def told(self):
        readable = self.ssrc is not None or self.counted
        span = (self.last - self.first) if self.captured > 1 else 0
        expected = max(self.numbers) - min(self.numbers) + 1 - self.skipped if self.numbers else 0
        row = {"src": "%s:%d" % self.source, "dst": "%s:%d" % self.target, "ssrc": None if self.ssrc is None else f"0x{self.ssrc:08x}",
               "application": self.application, "kind": self.kind, "codec": self.codec, "direction": self.direction, "packets": self.captured,
               "duplicates": self.duplicates, "lost": expected - len(self.numbers) if readable else None, "expected": expected if readable else None,
               "lost_on_path": self.sent - self.captured - self.missed if self.direction == "received" else None, "missed_by_capture": self.missed,
               "bitrate_bps": round(self.bytes * 8 / span) if span > 0 else None, "duration_s": round(span, 3)}
        timed = self.ssrc is not None and self.jitters
        row.update(jitter_ms=round(sum(self.jitters) / len(self.jitters), 4) if timed else None, jitter_max_ms=round(max(self.jitters), 4) if timed else None,
                   jitter_final_ms=round(self.jitters[-1], 4) if timed else None)
        return row


# -- formats: (simulator, stream state) -> function(number, stamp, marker, size of the codec's frame) -> datagram ---------------
def rtp(simulator, ssrc, kind, extension=b"", tag=0):
    def make(number, stamp, marker, size):
        head = struct.pack("!BBHII", 0x90 if extension else 0x80, kind | (0x80 if marker else 0), number & 0xFFFF, stamp & 0xFFFFFFFF, ssrc)
        return head + extension + noise(simulator, size + tag)
    return make


ABSENDER = struct.pack("!HHI", 0xBEDE, 1, 0x10FF0000)      # one-byte extension, an audio level


def skype(simulator, ssrc, kind):
    draw = simulator.random

    def make(number, stamp, marker, size):
        return struct.pack("!HB", draw.randrange(65536), draw.choice((0x0D, 0x1D, 0x4D, 0x6D))) + noise(simulator, size + 8)
    return make


def viber(simulator, ssrc, kind):
    first = simulator.random.randrange(65536)

    def make(number, stamp, marker, size):
        return struct.pack("<HHH", first, 0x000C, number & 0xFFFF) + noise(simulator, size + 10)
    return make


def telegram(simulator, ssrc, kind):
    tag = simulator.random.randbytes(16)

    def make(number, stamp, marker, size):
        return tag + simulator.random.randbytes(16) + noise(simulator, (size + 24) // 16 * 16)
    return make


def opaque(simulator, ssrc, kind):
    def make(number, stamp, marker, size):
        return simulator.random.randbytes(8) + noise(simulator, size + 14)
    return make


def mumble(simulator, ssrc, kind):
    def make(number, stamp, marker, size):
        return bytes([number & 0xFF]) + simulator.random.randbytes(3) + noise(simulator, size + 5)
    return make


def teamspeak_up(simulator, ssrc, kind):
    identity = simulator.random.randrange(1, 4000)

    def make(number, stamp, marker, size):
        return simulator.random.randbytes(8) + struct.pack("!HHB", number & 0xFFFF, identity, 0) + noise(simulator, size + 3)
    return make


def teamspeak_down(simulator, ssrc, kind):
    def make(number, stamp, marker, size):
        return simulator.random.randbytes(8) + struct.pack("!HB", number & 0xFFFF, 0) + noise(simulator, size + 5)
    return make


def zoom(direction):
    def bind(simulator, ssrc, kind):
        def make(number, stamp, marker, size):
            media = struct.pack("!B8xHI4x", 15, number & 0xFFFF, stamp & 0xFFFFFFFF)
            inner = struct.pack("!BBHII", 0x90, 112, number & 0xFFFF, stamp & 0xFFFFFFFF, ssrc) + ABSENDER
            return struct.pack("!BH4xB", 5, number & 0xFFFF, direction) + media + inner + noise(simulator, size + 4)
        return make
    return bind

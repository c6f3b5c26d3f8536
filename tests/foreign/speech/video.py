"""Video that adapts to what the receiver reports, in the manner of Google's congestion control."""
import struct

from speech.streams import ABSENDER, Stream, opaque, rtp, skype
from speech.voice import rtcp_report
from world.web import noise


class Controller:
    """Runs at the receiver: delay rising or loss lowers the rate, else it grows (draft-ietf-rmcat-gcc)."""

    def __init__(self, start, least, most):
        self.rate, self.least, self.most = start, least, most
        self.groups, self.bytes, self.got, self.first, self.highest, self.began = [], 0, 0, None, None, 0.0
        self.base, self.hold, self.lost_before = None, 0.0, 0
        self.smooth = None

    def arrived(self, now, packet):
        delay = now - packet.sent
        self.base = delay if self.base is None else min(self.base + 1e-5, delay)
        self.groups.append(delay)
        self.bytes += packet.size
        number = packet.number[0]
        self.got += 1
        self.first = number if self.first is None else self.first
        self.highest = number if self.highest is None else max(self.highest, number)

    def decide(self, now):
        """Returns the target in bit/s and the loss share of the last interval."""
        span = max(0.05, now - self.began)
        received = self.bytes * 8 / span
        expected = (self.highest - self.first + 1) if self.highest is not None else 0
        lost_all = max(0, expected - self.got)
        fresh = max(0, lost_all - self.lost_before)
        count = len(self.groups)
        loss = fresh / max(1, fresh + count)
        if count:
            mean = sum(self.groups) / count
            rising = self.smooth is not None and mean - self.smooth > 0.004
            standing = mean - self.base > 0.06
            self.smooth = mean
            if standing and (rising or mean - self.base > 0.15):
                self.rate, self.hold = max(self.least, 0.85 * min(received, self.rate)), now + 0.4
            elif loss > 0.10:
                self.rate *= 1 - 0.5 * loss
            elif loss < 0.02 and now > self.hold:
                self.rate = min(self.rate * 1.08 ** (span * 2), max(1.5 * received, self.least) + 10_000)
        else:                                   # nothing came at all
            self.rate *= 0.8
        self.rate = min(self.most, max(self.least, self.rate))
        self.lost_before, self.groups, self.bytes, self.began = lost_all, [], 0, now
        return self.rate, loss


class Video:
    """One direction of a call's video. `layers`: rates that the far side (a relay) jumps between at random instead of adapting."""

    def __init__(self, call, direction, start=300_000, least=40_000, most=600_000, frames=20, layers=None, fixed=False, drops_frames=None, hard_buffer=0, path=None, key_every=8.0):
        self.call, self.simulator, self.direction = call, call.simulator, direction
        draw = self.simulator.random
        self.rate, self.frames, self.layers, self.fixed, self.drops, self.key_every = start, frames, layers, fixed, drops_frames, key_every
        self.controller = Controller(start, least, most)
        self.path = path or call.path
        up = direction == "sent"
        ends = (self.path.local, self.path.remote) if up else (self.path.remote, self.path.local)
        numbered = call.application not in ("skype", "tango", "telegram")
        self.ssrc = draw.getrandbits(32)
        self.stream = Stream(call.application, "video", "vp8", direction, *ends, self.ssrc if numbered else None, 90000, numbered)
        self.make = rtp(self.simulator, self.ssrc, 96, ABSENDER, 10) if numbered else {"skype": skype}.get(call.application, opaque)(self.simulator, self.ssrc, 96)
        self.send = self.path.send_up if up else self.path.send_down
        self.answer = self.path.send_down if up else self.path.send_up
        self.number, self.stamp, self.debt, self.turn, self.hard = draw.randrange(20000), draw.randrange(1 << 30), 0.0, 0, hard_buffer
        self.free = 0.0
        self.off = ()
        call.world.streams.append(self.stream)
        call.streams.append(self.stream)
        watch = "on_up" if up else "on_down"
        before = getattr(self.path, watch)

        def arrived(packet):
            if packet.stream is self.stream:
                self.controller.arrived(self.simulator.now, packet)
            before(packet)
        setattr(self.path, watch, arrived)
        self.controller.began = self.simulator.now
        self.simulator.after(draw.uniform(0.0, 0.1), self._frame)
        if not fixed and not layers:
            self.simulator.after(0.3, self._feedback)
        if layers:
            self._layer()

    def _layer(self):
        self.rate = self.simulator.random.choice(self.layers)
        self.simulator.after(self.simulator.random.uniform(3, 20), self._layer)

    def _feedback(self):
        if self.call.over:
            return
        rate, loss = self.controller.decide(self.simulator.now)
        body = struct.pack("!BBHII", 0x8F, 205, 5, 1, self.ssrc) + noise(self.simulator, 26)

        def heard(packet):
            self.rate = rate
        self.answer(body, "feedback", note=heard)
        if self.turn % 4 == 0:
            ending = noise(self.simulator, 62)
            self.answer(rtcp_report(1, self.ssrc, min(loss, 0.99), self.controller.lost_before, (self.controller.highest or 0), 90, 0, 0, 0, 0, ending), "rtcp")
        self.turn += 1
        self.simulator.after(self.simulator.random.uniform(0.22, 0.28), self._feedback)

    def _frame(self):
        now, draw = self.simulator.now, self.simulator.random
        if self.call.over:
            return
        step = 1 / self.frames
        self.simulator.after(step * draw.uniform(0.97, 1.03), self._frame)
        self.stamp += int(90000 * step)
        if any(begin <= now < end for begin, end in self.off):
            return
        if self.drops and draw.random() < self.drops:
            return
        self.debt = max(0.0, self.debt - self.rate * step / 8)
        size = self.rate * step / 8 * draw.lognormvariate(0, 0.25)
        if draw.random() < step / self.key_every:
            size *= 4
        if self.debt > self.rate * 0.4 / 8:     # behind: a frame is skipped
            return
        size = max(120, int(size))
        self.debt += max(0.0, size - self.rate * step / 8)
        if self.hard:                           # the encoder's own hard buffer: never above the rate over that many seconds
            self.free = max(self.free, now) + size * 8 / self.rate
            if self.free - now > self.hard:
                self.free -= size * 8 / self.rate
                return
        self._packets(size)

    def _packets(self, size):
        count = (size + 1099) // 1100
        pace = max(1e-4, min(0.004, 1100 * 8 / max(2.5 * self.rate, 1)))
        for index in range(count):
            part = size // count
            self.simulator.after(index * pace, self._send, part, index == count - 1, self.stamp)

    def _send(self, size, last, stamp):
        if not self.call.over:
            self.send(self.make(self.number, stamp, last, size), "video", self.stream, self.number, stamp)
            self.number += 1


def video(direction, **options):
    """For the option `also` of a call."""
    return lambda call: call.__dict__.setdefault("videos", []).append(Video(call, direction, **options))

"""Who talks when, and what a codec makes of it."""
import struct

from world.simulator import UDP, Packet

# name: clock in Hz, frame in s, RTP payload type, mean bytes of a frame, how it behaves
CODECS = {
    "g711u": (8000, 0.02, 0, 160, "constant"), "g711a": (8000, 0.02, 8, 160, "constant"), "g729": (8000, 0.02, 18, 20, "constant"),
    "g729d": (8000, 0.02, 18, 20, "discontinuous"), "opus-cbr": (48000, 0.02, 111, 80, "constant"), "opus": (48000, 0.02, 111, 70, "variable"),
    "opus-dtx": (48000, 0.02, 111, 70, "discontinuous"), "opus60": (48000, 0.06, 111, 130, "variable"), "silk": (16000, 0.02, 104, 52, "variable"),
    "silk60": (16000, 0.06, 120, 120, "variable"), "constant20": (48000, 0.02, 111, 60, "constant"), "g722": (8000, 0.02, 9, 160, "constant"),
}


class Talk:
    """Spurts and silences of one side; the other side mostly waits."""

    def __init__(self, simulator, share=0.5, spurt=1.8, never=()):
        self.simulator, self.share, self.spurt, self.never = simulator, share, spurt, never
        self.talking, self.until = simulator.random.random() < share, 0.0

    def at(self, now):
        while now >= self.until:
            self.talking = not self.talking
            mean = self.spurt if self.talking else self.spurt * (1 - self.share) / max(0.05, self.share)
            self.until = max(self.until, now - 10) + self.simulator.random.expovariate(1 / mean)
        return self.talking and not any(begin <= now < end for begin, end in self.never)


class Voice:
    """Sends one voice from `start` until `stop`; `send(payload, number, stamp)` takes the datagrams. `mute`: spans in which nothing is sent;
    `lag`: spans in which the machine is late and then sends all at once."""

    def __init__(self, simulator, codec, make, send, talk=None, start=0.0, stop=1e9, mute=(), drift=0.0, lag=(), quiet=False):
        self.quiet = quiet                      # discontinuous without comfort noise
        self.simulator, self.make, self.send, self.stop, self.mute, self.lag = simulator, make, send, stop, mute, lag
        self.clock, self.frame, _, self.mean, self.behaviour = CODECS[codec]
        self.talk = talk or Talk(simulator)
        draw = simulator.random
        self.number, self.stamp = draw.randrange(30000), draw.randrange(1 << 30)
        self.level, self.was, self.noise_at = 1.0, False, 0.0
        self.step = self.frame * (1 + drift)
        self.due = start
        self.running = True
        self.ended = None
        simulator.at(start, self._tick)

    def change(self, codec, make):
        """Another codec from now on."""
        self.clock, self.frame, _, self.mean, self.behaviour = CODECS[codec]
        self.make, self.step = make, self.frame

    def halt(self):
        self.running = False

    def _size(self, talking):
        if self.behaviour == "constant":
            return self.mean
        draw = self.simulator.random
        self.level += (draw.uniform(0.6, 1.5) - self.level) * 0.25
        if talking:
            return max(12, int(self.mean * self.level * draw.uniform(0.85, 1.2)))
        return max(8, int(self.mean * draw.uniform(0.25, 0.45)))

    def _tick(self):
        now = self.simulator.now
        if not self.running or self.due >= self.stop:
            self.ended = now
            return
        talking = self.talk.at(self.due)
        silent = any(begin <= self.due < end for begin, end in self.mute)
        if not silent and (talking or self.behaviour != "discontinuous"):
            self._emit(self._size(talking), not self.was and talking)
        elif not silent and not self.quiet and now - self.noise_at >= 0.4:
            self.noise_at = now
            self._emit(6 if self.clock == 48000 else 2, False)
        self.was = talking and not silent
        self.stamp += int(self.clock * self.frame)
        self.due += self.step
        late = max((end for begin, end in self.lag if begin <= self.due < end), default=0.0)
        self.simulator.at(max(self.due + self.simulator.random.uniform(0, 0.0008), late), self._tick)

    def insert(self, payload, stamp):
        """A packet of another kind in the same count."""
        self.send(payload, self.number, stamp)
        self.number += 1

    def _emit(self, size, marker):
        self.send(self.make(self.number, self.stamp, marker, size), self.number, self.stamp)
        self.number += 1


class Path:
    """A UDP five-tuple of a call: sends datagrams of its streams either way. `far` is the far end's own chain toward the line, `near` what
    stands before the far end's receiver (elements, or none)."""

    def __init__(self, network, call, local_port, server, server_port, far_up=None, on_up=None, on_down=None, host=None):
        self.network, self.call, self.host = network, call, host or network.client
        self.local, self.remote = (self.host, local_port), (server, server_port)
        self.far = far_up or network.down
        self.on_up, self.on_down = on_up or (lambda packet: None), on_down or (lambda packet: None)
        self.last_down = self.last_up = network.simulator.now
        network.hosts[(UDP, *self.local)] = self._down
        paths = network.__dict__.setdefault("paths", {})
        paths[(self.remote, self.local)] = self._up
        network.servers[(UDP, *self.remote)] = lambda packet: paths.get(((packet.target, packet.target_port), packet.flow[:2]), lambda _: None)(packet)

    def _down(self, packet):
        if packet.stream:
            self.last_down = self.network.simulator.now
        self.on_down(packet)

    def _up(self, packet):
        if packet.stream:
            self.last_up = self.network.simulator.now
        self.on_up(packet)

    def send_up(self, payload, label, stream=None, number=None, stamp=0, note=None):
        packet = Packet(*self.local, *self.remote, UDP, payload, label, self.call, stream, note)
        self._count(packet, stream, number, stamp)
        self.network.up(packet)

    def send_down(self, payload, label, stream=None, number=None, stamp=0, note=None):
        packet = Packet(*self.remote, *self.local, UDP, payload, label, self.call, stream, note)
        self._count(packet, stream, number, stamp)
        packet.sent = self.network.simulator.now
        self.far(packet)

    def _count(self, packet, stream, number, stamp):
        packet.number = (number, stamp)
        if stream:
            stream.sent += 1
            stream.sent_bytes += packet.size
            stream.sent_times.append(self.network.simulator.now)


def rtcp_report(ssrc, other, lost_share, lost, highest, jitter, ntp, stamp, packets, octets, sealed=b""):
    """Sender report with one report block (RFC 3550 6.4.1); `sealed`: what stands in place of its text and after it, in SRTCP."""
    block = struct.pack("!IIIIII", other, int(lost_share * 256) << 24 | max(0, min(lost, 0x7FFFFF)), highest & 0xFFFFFFFF, jitter, 0, 0)
    body = struct.pack("!IQIII", ssrc, ntp, stamp & 0xFFFFFFFF, packets, octets) + block
    head = struct.pack("!BBH", 0x81, 200, len(body) // 4)
    return head + body[:4] + sealed[:len(body) - 4] + sealed[-14:] if sealed else head + body

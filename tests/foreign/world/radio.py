"""Loss and pauses that a radio, a router or a machine leaves, blind to what a packet is."""
from world.network import Element


class RandomLoss(Element):
    def __init__(self, simulator, share, match=None):
        super().__init__(simulator)
        self.share, self.match, self.offered, self.dropped = share, match, 0, 0

    def put(self, packet):
        if self.match and not self.match(packet):
            return self.next(packet)
        self.offered += 1
        if self.simulator.random.random() < self.share:
            self.dropped += 1
            return None
        return self.next(packet)


class Bursts(Element):
    """Gilbert and Elliott in time: good spells of `good` s on the mean, bad ones of `bad` s in which `share` is lost."""

    def __init__(self, simulator, good, bad, share=0.8):
        super().__init__(simulator)
        self.means, self.share, self.state, self.until = (good, bad), share, 0, simulator.random.expovariate(1 / good)
        self.offered = self.dropped = 0

    def put(self, packet):
        draw = self.simulator.random
        while self.simulator.now > self.until:
            self.state = 1 - self.state
            self.until += draw.expovariate(1 / self.means[self.state])
        self.offered += 1
        if self.state and draw.random() < self.share:
            self.dropped += 1
            return
        self.next(packet)


class Pause(Element):
    """Nothing passes in the given spans [(from, to)]: lost, or `kept` until the span ends (at most `room` packets)."""

    def __init__(self, simulator, spans, kept=False, room=200):
        super().__init__(simulator)
        self.spans, self.kept, self.room, self.held = sorted(spans), kept, room, []
        for _, end in self.spans if kept else ():
            simulator.at(end, self._release)

    def put(self, packet):
        now = self.simulator.now
        if any(begin <= now < end for begin, end in self.spans):
            if self.kept and len(self.held) < self.room:
                self.held.append(packet)
            return
        self.next(packet)

    def _release(self):
        held, self.held = self.held, []
        for index, packet in enumerate(held):
            self.simulator.after(index * 0.0002, self.next, packet)


class Wifi(Element):
    """Frames wait for the air and leave in batches; now and then the air is bad for a while and a frame is given up."""

    def __init__(self, simulator, batch=0.002, busy=0.3, bad=(8.0, 0.4), loss=0.03):
        super().__init__(simulator)
        self.batch, self.busy, self.bad, self.loss = batch, busy, bad, loss
        self.free, self.state, self.until, self.dropped = 0.0, 0, simulator.random.expovariate(1 / bad[0]), 0

    def put(self, packet):
        now, draw = self.simulator.now, self.simulator.random
        while now > self.until:
            self.state = 1 - self.state
            self.until += draw.expovariate(1 / self.bad[self.state])
        if self.state and draw.random() < self.loss * 5 or draw.random() < self.loss / 10:
            self.dropped += 1
            return
        if now >= self.free:
            wait = draw.expovariate(1 / (self.batch * (6 if self.state else 1))) if draw.random() < self.busy else 0.0003
            self.free = now + wait
        self.simulator.at(self.free, self.next, packet)


class Orbit(Element):
    """Starlink: every 15 s another satellite: another delay, a short gap at the change."""

    def __init__(self, simulator, base=0.025, spread=0.02, gap=0.06):
        super().__init__(simulator)
        self.base, self.spread, self.gap = base, spread, gap
        self.phase, self.delays, self._last = simulator.random.uniform(0, 15), {}, 0.0

    def put(self, packet):
        turn, within = divmod(self.simulator.now + self.phase, 15.0)
        draw = self.simulator.random
        if within < self.gap and draw.random() < 0.7:
            return
        delay = self.delays.setdefault(turn, self.base + draw.uniform(0, self.spread)) + draw.expovariate(1 / 0.002)
        self._last = max(self._last, self.simulator.now + delay)
        self.simulator.at(self._last, self.next, packet)


def scans(duration, every, length, first):
    """The spans in which a client listens on other channels."""
    return [(first + index * every, first + index * every + length) for index in range(int(duration / every) + 1)]

"""What an operator may do to a call. Each takes `match`, a function that says whom it hits, and counts whom it hit."""
from world.network import Element
from world.simulator import ACK, FIN, RST, SYN, TCP, Packet


class Limit(Element):
    def __init__(self, simulator, match):
        super().__init__(simulator)
        self.match, self.offered, self.dropped, self.delayed = match, 0, 0, 0

    def put(self, packet):
        if not self.match(packet):
            return self.next(packet)
        self.offered += 1
        if self.passes(packet):
            return self.next(packet)
        self.dropped += 1
        return None

    def share(self):
        return self.dropped / max(1, self.offered)


class Policer(Limit):
    """A token bucket over IP bytes, full at first; `rate` in bit/s, a number or a function of time (None: no limit at that time)."""

    def __init__(self, simulator, match, rate, depth):
        super().__init__(simulator, match)
        self.rate = rate if callable(rate) else lambda now: rate
        self.depth, self.tokens, self.last = depth, depth, 0.0

    def passes(self, packet):
        now = self.simulator.now
        rate = self.rate(now)
        if rate is None:
            self.tokens, self.last = self.depth, now
            return True
        self.tokens = min(self.depth, self.tokens + (now - self.last) * rate / 8)
        self.last = now
        if packet.size > self.tokens:
            return False
        self.tokens -= packet.size
        return True


class Shaper(Limit):
    """A queue of its own of `rate` bit/s and `buffer` bytes for those it matches."""

    def __init__(self, simulator, match, rate, buffer):
        super().__init__(simulator, match)
        self.rate, self.buffer, self.free, self.waits = rate, buffer, 0.0, []

    def put(self, packet):
        if not self.match(packet):
            return self.next(packet)
        self.offered += 1
        now = self.simulator.now
        wait = max(0.0, self.free - now)
        if wait * self.rate / 8 + packet.size > self.buffer:
            self.dropped += 1
            return None
        self.free = max(self.free, now) + packet.size * 8 / self.rate
        self.waits.append(self.free - now)
        return self.simulator.at(self.free, self.next, packet)


class Quota(Limit):
    """So many bytes in each period; the rest of the period nothing."""

    def __init__(self, simulator, match, period, volume, phase=0.0):
        super().__init__(simulator, match)
        self.period, self.volume, self.phase, self.turn, self.used = period, volume, phase, None, 0

    def passes(self, packet):
        turn = int((self.simulator.now + self.phase) / self.period)
        if turn != self.turn:
            self.turn, self.used = turn, 0
        if self.used + packet.size > self.volume:
            return False
        self.used += packet.size
        return True


class RandomDrop(Limit):
    def __init__(self, simulator, match, probability):
        super().__init__(simulator, match)
        self.probability = probability

    def passes(self, packet):
        return self.simulator.random.random() >= self.probability


class Slow(Limit):
    """Delay and jitter for those it matches alone."""

    def __init__(self, simulator, match, delay, jitter, since=0.0):
        super().__init__(simulator, match)
        self.delay, self.jitter, self.since, self._last = delay, jitter, since, 0.0

    def put(self, packet):
        if not self.match(packet) or self.simulator.now < self.since:
            return self.next(packet)
        self.offered += 1
        when = self.simulator.now + self.delay + self.simulator.random.uniform(0, self.jitter)
        self._last = max(self._last, when)
        return self.simulator.at(self._last, self.next, packet)


class Ledger:
    """What the two directions of a killer share: flows and what they have used."""

    def __init__(self):
        self.flows, self.dead, self.times = {}, {}, []

    @staticmethod
    def key(packet):
        return min(packet.flow[:2], packet.flow[2:4]), max(packet.flow[:2], packet.flow[2:4]), packet.protocol


class Killer(Limit):
    """A flow is dead after a budget: `unit` packets, bytes or seconds. Both directions share the ledger; with `counts` False this
    direction does not use the budget, with `kills` False it passes on."""

    def __init__(self, simulator, match, ledger, unit, budget, counts=True, kills=True):
        super().__init__(simulator, match)
        self.ledger, self.unit, self.budget, self.counts, self.kills = ledger, unit, budget, counts, kills

    def passes(self, packet):
        key, now = self.ledger.key(packet), self.simulator.now
        used = self.ledger.flows.setdefault(key, [now, 0, 0])
        if key in self.ledger.dead:
            return not self.kills
        if self.counts:
            used[1] += 1
            used[2] += packet.size
        spent = {"packets": used[1], "bytes": used[2], "seconds": now - used[0]}[self.unit]
        if spent > self.budget:
            self.ledger.dead[key] = now
            self.ledger.times.append(now)
            return not self.kills
        return True


class Blackhole(Limit):
    """Flows that are alive at the given times die (`whole`: whatever runs in the next `length` s is dropped, old and new alike)."""

    def __init__(self, simulator, match, times, ledger, length=None):
        super().__init__(simulator, match)
        self.times, self.ledger, self.length = sorted(times), ledger, length

    def passes(self, packet):
        now = self.simulator.now
        if self.length is not None:
            return not any(time <= now < time + self.length for time in self.times)
        begun = self.ledger.flows.setdefault(self.ledger.key(packet), now)
        return not any(begun < time <= now for time in self.times)


class Matching(Limit):
    """Drops whatever matches."""

    def passes(self, packet):
        return False


class Forger(Limit):
    """Sees TCP packets that match `when(packet)` and sends resets to both ends (or to the client alone), a hop away."""

    def __init__(self, simulator, match, when, toward_client, toward_server, ttl=57, drop=False):
        super().__init__(simulator, match)
        self.when, self.toward_client, self.toward_server, self.ttl, self.drop, self.times = when, toward_client, toward_server, ttl, drop, []

    def put(self, packet):
        if packet.protocol == TCP and self.match(packet) and not packet.flags & (RST | SYN | FIN) and self.when(packet):
            self.times.append(self.simulator.now)
            back = Packet(packet.target, packet.target_port, packet.source, packet.source_port, TCP, b"", packet.label, flags=RST | ACK,
                          sequence=packet.acknowledgement, acknowledgement=packet.sequence + len(packet.payload), window=0)
            forth = Packet(packet.source, packet.source_port, packet.target, packet.target_port, TCP, b"", packet.label, flags=RST,
                           sequence=packet.sequence + len(packet.payload), window=0)
            back.ttl, forth.ttl = self.ttl, self.ttl
            self.simulator.after(0.003, self.toward_client, back)
            self.simulator.after(0.003, self.toward_server, forth)
            if self.drop:
                return None
        return self.next(packet)

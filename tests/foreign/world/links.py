"""Last miles. All of them innocent: none asks what a packet is."""
import collections

from world.network import Element


class Delay(Element):
    """Propagation with a little jitter; nothing overtakes unless `overtake` says so."""

    def __init__(self, simulator, seconds, jitter=0.0, overtake=False):
        super().__init__(simulator)
        self.seconds, self.jitter, self.overtake, self._last = seconds, jitter, overtake, 0.0

    def put(self, packet):
        when = self.simulator.now + self.seconds + (self.simulator.random.expovariate(1 / self.jitter) if self.jitter else 0)
        if not self.overtake:
            when = max(when, self._last)
            self._last = when
        self.simulator.at(when, self.next, packet)


class Fifo(Element):
    """A line of `rate` bit/s with a tail-drop queue of `buffer` bytes; `aqm` may be codel or pie; `rate` may be a function of time."""

    def __init__(self, simulator, rate, buffer, overhead=18, aqm=None):
        super().__init__(simulator)
        self.rate = rate if callable(rate) else lambda now: rate
        self.buffer, self.overhead, self.aqm = buffer, overhead, aqm
        self.waiting, self.backlog, self.busy = collections.deque(), 0, False
        self.offered = self.dropped = 0
        self._above, self._count, self._probability, self._updated, self._old = None, 0, 0.0, 0.0, 0.0

    def put(self, packet):
        self.offered += 1
        now = self.simulator.now
        if self.backlog + packet.size > self.buffer or self.aqm == "pie" and self._pie(now):
            self.dropped += 1
            return
        self.backlog += packet.size
        self.waiting.append((packet, now))
        if not self.busy:
            self._serve()

    def _pie(self, now):
        if now - self._updated > 0.015:
            delay = self.backlog * 8 / self.rate(now)
            change = 0.125 * (delay - 0.015) + 1.25 * (delay - self._old)
            scale = 0.02 if self._probability < 0.01 else 0.1 if self._probability < 0.1 else 1.0
            self._probability = min(1.0, max(0.0, self._probability + change * scale))
            self._old, self._updated = delay, now
        return self.backlog > 3000 and self.simulator.random.random() < self._probability

    def _codel(self, packet, since, now):
        if now - since < 0.005 or self.backlog < 1600:
            self._above, self._count = None, 0
            return False
        if self._above is None:
            self._above = now + 0.1
        if now < self._above:
            return False
        self._count += 1
        self._above = now + 0.1 / self._count ** 0.5
        return True

    def _serve(self):
        while self.waiting:
            packet, since = self.waiting.popleft()
            if self.aqm == "codel" and self._codel(packet, since, self.simulator.now):
                self.backlog -= packet.size
                self.dropped += 1
                continue
            self.busy = True
            rate = self.rate(self.simulator.now)
            self.simulator.after((packet.size + self.overhead) * 8 / max(rate, 100.0), self._done, packet)
            return
        self.busy = False

    def _done(self, packet):
        self.backlog -= packet.size
        self.next(packet)
        self._serve()


class FairQueue(Element):
    """A line that serves its flows in turn (fq): each has a queue of its own."""

    def __init__(self, simulator, rate, limit=60):
        super().__init__(simulator)
        self.rate, self.limit = rate, limit
        self.queues, self.order, self.busy, self.dropped = collections.defaultdict(collections.deque), collections.deque(), False, 0

    def put(self, packet):
        queue = self.queues[packet.flow]
        if len(queue) >= self.limit:
            self.dropped += 1
            return
        if not queue:
            self.order.append(packet.flow)
        queue.append(packet)
        if not self.busy:
            self._serve()

    def _serve(self):
        if not self.order:
            self.busy = False
            return
        self.busy = True
        flow = self.order.popleft()
        packet = self.queues[flow].popleft()
        if self.queues[flow]:
            self.order.append(flow)
        self.simulator.after((packet.size + 18) * 8 / self.rate, self._done, packet)

    def _done(self, packet):
        self.next(packet)
        self._serve()


class Trace(Element):
    """A link that may send 1500 bytes at each of the given times (ms), over and over: the format of cellular traces."""

    def __init__(self, simulator, times, buffer, offset=0.0):
        super().__init__(simulator)
        self.times, self.buffer = times, buffer
        self.length = max(times[-1], 1)
        self.waiting, self.backlog, self.dropped, self.credit = collections.deque(), 0, 0, 0
        self.round, self.index = 0, 0
        self._skip(offset * 1000)
        self.offset, self.armed = offset, False

    def _skip(self, milliseconds):
        self.round, rest = divmod(milliseconds, self.length)
        while self.index < len(self.times) - 1 and self.times[self.index] < rest:
            self.index += 1

    def _when(self):
        return (self.round * self.length + self.times[self.index]) / 1000 - self.offset

    def _step(self):
        self.index += 1
        if self.index == len(self.times):
            self.index, self.round = 0, self.round + 1

    def put(self, packet):
        if self.backlog + packet.size > self.buffer:
            self.dropped += 1
            return
        self.backlog += packet.size
        self.waiting.append([packet, packet.size])
        if not self.armed:
            while self._when() < self.simulator.now:
                self._step()
            self.armed = True
            self.simulator.at(self._when(), self._chance)

    def _chance(self):
        room = 1500
        while self.waiting and room > 0:
            entry = self.waiting[0]
            used = min(room, entry[1])
            entry[1] -= used
            room -= used
            if entry[1] == 0:
                self.waiting.popleft()
                self.backlog -= entry[0].size
                self.next(entry[0])
        self._step()
        if self.waiting:
            self.simulator.at(self._when(), self._chance)
        else:
            self.armed = False


class Turns(Element):
    """A line that may only send at set turns (LTE uplink grants, cable's request and grant): a wait of up to a period, plus a grant's delay."""

    def __init__(self, simulator, period, grant=0.0, chance_to_miss=0.0):
        super().__init__(simulator)
        self.period, self.grant, self.miss, self._last = period, grant, chance_to_miss, 0.0

    def put(self, packet):
        now = self.simulator.now
        turn = (int(now / self.period) + 1) * self.period + self.grant
        while self.simulator.random.random() < self.miss:
            turn += self.period
        self._last = max(self._last, turn)
        self.simulator.at(self._last, self.next, packet)

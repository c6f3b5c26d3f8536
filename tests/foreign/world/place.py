"""Where a capture is taken: a client, its home, its line, its resolver; and which calls and streams happened."""
import gzip
import pathlib

from world.links import Delay, FairQueue, Fifo, Trace, Turns
from world.network import Network
from world.radio import Wifi
from world.simulator import Simulator
from world.web import Browser, Resolver


def cellular(folder, simulator, name, way):
    """Times (ms) at which a cellular link could send: a recorded trace, or without the recordings one that we make up."""
    path = pathlib.Path(folder or "/nonexistent") / f"{name}.{way}.gz"
    if path.is_file():
        with gzip.open(path, "rt") as lines:
            return [int(line) for line in lines]
    draw, times, now, rate = simulator.random, [], 0.0, 300.0
    while now < 120_000:
        rate = min(1500.0, max(8.0, rate * draw.lognormvariate(0, 0.25)))
        until = now + 200
        if draw.random() < 0.01:
            now += draw.uniform(200, 1500)
        while now < until:
            times.append(int(now))
            now += draw.expovariate(rate / 1000)
    return times


class World:
    """`line` names the household's line; `rates` (up, down) bit/s; `limits` and `home` as Network's."""

    def __init__(self, seed, options, line="cable", rates=None, wifi=False, limits=None, home=None, buffers=None, aqm=None, extra=((), ()), client=None):
        self.simulator = simulator = Simulator(seed)
        draw = simulator.random
        self.traces = options.get("traces")
        self.calls, self.streams, self.notes = [], [], {}
        client = client or draw.choice(("192.168.1.23", "192.168.0.104", "10.0.0.7", "172.16.4.31"))
        made_limits = limits(simulator) if limits else ((), ())
        ends = home(simulator) if home else ((), ())
        if wifi:
            ends = ([Wifi(simulator), *ends[0]], [*ends[1], Wifi(simulator)])
        extra = extra(simulator) if callable(extra) else extra
        made = [[*extra[0], *self._line(line, rates, buffers, aqm, 0)], [*self._line(line, rates, buffers, aqm, 1), *extra[1]]]
        self.line = made
        self.network = Network(simulator, client, ends, made, made_limits)
        self.gateway = client.rsplit(".", 1)[0] + ".1"
        self.resolver = Resolver(self.network, self.gateway if draw.random() < 0.7 else "192.0.2.53")
        self.browsers = []
        self.network.tap.form = draw.choice(("pcap", "pcapng"))

    def _line(self, line, rates, buffers, aqm, down):
        simulator, draw = self.simulator, self.simulator.random
        wire = Delay(simulator, draw.uniform(0.008, 0.045), draw.uniform(0.0001, 0.0012))
        if line == "cellular":
            name = self.trace = getattr(self, "trace", None) or draw.choice(("ATT-LTE-driving-2016", "TMobile-LTE-short", "TMobile-UMTS-driving"))
            times = cellular(self.traces, simulator, name, "down" if down else "up")
            return [wire, Trace(simulator, times, (buffers or (150_000, 300_000))[down], draw.uniform(0, times[-1] / 1000))][::1 if down else -1]
        standard = {"cable": (10e6, 50e6), "dsl": (1e6, 12e6), "fibre": (50e6, 100e6), "slow": (0.5e6, 3e6), "lte": (8e6, 25e6), "fair": (2e6, 10e6), "starlink": (10e6, 60e6)}[line]
        rate = (rates or standard)[down]
        buffer = (buffers or (max(20_000, standard[0] * 0.02), max(40_000, standard[1] * 0.015)))[down]
        if line == "fair":
            return [FairQueue(simulator, rate), wire]
        queue = Fifo(simulator, rate, buffer, aqm=aqm)
        if line == "cable" and not down:
            return [Turns(simulator, draw.uniform(0.002, 0.006), 0.002), queue, wire]
        if line == "lte" and not down:
            return [Turns(simulator, draw.choice((0.005, 0.01)), 0.004, 0.05), queue, wire]
        if line == "starlink":
            from world.radio import Orbit
            return [queue, Orbit(simulator)] if not down else [Orbit(simulator), queue]
        return [queue, wire]

    def browse(self, start=0.5, stop=1e9, **options):
        browser = Browser(self.network, self.resolver, start, stop, **options)
        self.browsers.append(browser)
        return browser

    def run(self, until):
        self.simulator.run(until)
        self.duration = until

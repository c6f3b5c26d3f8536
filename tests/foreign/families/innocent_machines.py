"""Innocents: the client's machine and its capture."""
from families.common import ANY, NUMBERED, redialling, talk
from families.innocent_ends import busy, done
from truth import innocent
from world.radio import Pause


def i_suspend(draw):
    """The laptop sleeps in mid-call: nothing is sent, nothing received, for half a minute; then the call is over or goes on."""
    length = draw.length(100, 150)
    a, span = draw.random.uniform(25, 45), draw.random.uniform(10, 40)
    world = draw.world(line="cable", home=lambda simulator: ([Pause(simulator, [(a, a + span)])], [Pause(simulator, [(a, a + span)])]))
    tap = world.network.tap
    tap.miss = lambda now: a <= now < a + span
    call = talk(world, draw.random.choice(ANY), 3, length, mute_up=[(a, a + span)])
    redial = draw.random.random() < 0.5
    if redial:
        world.simulator.at(a + span + 1, lambda: call.finish("died") if call.path else None)
        world.simulator.at(a + span + 5, lambda: talk(world, call.application, world.simulator.now, length - a - span, server=call.server))
    world.browse(0.5, a - 1, size=(10_000, 60_000))
    world.browse(a + span + 1, length, size=(10_000, 60_000))
    world = done(world, length + 10)
    tap.missed = 0
    for stream in world.streams:
        stream.missed = 0
    return world, innocent(world, verdict="impaired", also=("clean", "insufficient"))


def i_clock_step(draw):
    """NTP sets the clock by seconds in mid-call, forward or back."""
    length = draw.length(60, 110)
    world = draw.world(line="cable")
    when, step = draw.random.uniform(20, 50), draw.random.choice((-1, 1)) * draw.random.choice((0.4, 2.0, 7.0, 3600.0))
    world.network.tap.clock = lambda now: now + (step if now > when else 0) + 4000
    talk(world, draw.random.choice(ANY), 3, length)
    busy(world, length)
    world = done(world, length)
    for stream in world.streams:
        stream.jitters = []
    return world, innocent(world, also=("insufficient",))


def i_clock_slew(draw):
    """NTP slews the clock by 500 ppm and back: delays seem to drift."""
    length = draw.length(90, 150)
    world = draw.world(line="cable")
    speed = draw.random.choice((-1, 1)) * draw.random.uniform(2e-4, 2e-3)
    world.network.tap.clock = lambda now: now + speed * min(max(0.0, now - 20), 50)
    talk(world, draw.random.choice(ANY), 3, length)
    busy(world, length)
    return done(world, length), innocent(world, also=("impaired",))


def i_short_snap(draw):
    """A capture of headers only (64 to 120 bytes of each packet)."""
    length = draw.length(60, 120)
    world = draw.world(line="cable")
    world.network.tap.snap = draw.random.choice((64, 68, 96, 120))
    talk(world, draw.random.choice(NUMBERED), 3, length)
    busy(world, length)
    return done(world, length), innocent(world, also=("insufficient",))


def i_starts_mid_call(draw):
    """The capture begins in mid-call and ends before the call does."""
    length = draw.length(80, 140)
    world = draw.world(line="cable", wifi=draw.random.random() < 0.4)
    world.network.tap.begin, world.network.tap.end = draw.random.uniform(15, 35), length - draw.random.uniform(2, 20)
    talk(world, draw.random.choice(ANY), 3, length)
    busy(world, length)
    return done(world, length), innocent(world, also=("insufficient", "impaired"))


def i_capture_misses(draw):
    """The capture misses packets, in bursts, while the disk is busy."""
    length = draw.length(70, 110)
    world, share = draw.world(line="cable"), draw.random.choice((0.01, 0.05, 0.15))
    spans = [(time, time + 0.4) for time in range(8, int(length), 9)]
    roll = draw.random.random
    world.network.tap.miss = lambda now: any(a <= now < b for a, b in spans) and roll() < min(1.0, share * 20) or roll() < share / 20
    talk(world, draw.random.choice(ANY), 3, length)
    world.browse(stop=length)
    return done(world, length), innocent(world, verdict="clean", also=("impaired", "insufficient"))


def i_slow_machine(draw):
    """Our machine is busy: it sends late and in bursts, for moments, and so does what it answers."""
    length = draw.length(60, 110)
    lag, now = [], 8.0
    while now < length:
        lag.append((now, now + draw.random.uniform(0.1, 0.9)))
        now += draw.random.uniform(3, 14)
    world = draw.world(line="cable")
    talk(world, draw.random.choice(ANY), 3, length, lag=lag)
    busy(world, length)
    return done(world, length), innocent(world, also=("impaired",))


def i_radio_sleeps(draw):
    """A battery-saving radio: when little moves, what comes waits for the next wake-up (100 to 320 ms) and comes all at once."""
    length, beat = draw.length(70, 120), draw.random.choice((0.1024, 0.2048, 0.32))
    world = draw.world(line="cable", home=lambda simulator: ([], [Sleeper(simulator, beat)]))
    talk(world, draw.random.choice(ANY), 3, length)
    busy(world, length, 0.5)
    return done(world, length), innocent(world, also=("impaired", "clean"))


class Sleeper(Pause):
    """Keeps what comes until the next beat for some seconds at a time."""

    def __init__(self, simulator, beat):
        super().__init__(simulator, [])
        self.beat, self.last = beat, 0.0

    def put(self, packet):
        now = self.simulator.now
        asleep = now % 23 > 9
        when = (int(now / self.beat) + 1) * self.beat if asleep else now
        self.last = max(self.last, when)
        self.simulator.at(self.last, self.next, packet)


def i_captured_at_reboot(draw):
    """The home's router restarts: everything is dead for 30 to 80 s, then the user calls again."""
    a, span = draw.random.uniform(30, 60), draw.random.uniform(30, 80)
    until = a + span + draw.length(30, 60)
    both = [(a, a + span)]
    world = draw.world(line="dsl", home=lambda simulator: ([Pause(simulator, both)], [Pause(simulator, both)]))
    redialling(world, draw.random.choice(("sip", "webrtc", "viber", "skype")), 3, until, (4, 10), patience=draw.random.uniform(5, 15))
    world.browse(stop=until, size=(20_000, 80_000))
    return done(world, until), innocent(world, verdict="impaired")


def i_address_renewed(draw):
    """DHCP gives the machine its address anew: a second or three of nothing, for all, on a beat; the call goes on."""
    length, every = draw.length(120, 170), draw.random.choice((30.0, 60.0))
    spans = [(time, time + draw.random.uniform(0.8, 3.0)) for time in [20 + index * every for index in range(6)]]
    world = draw.world(line="cable", home=lambda simulator: ([Pause(simulator, spans)], [Pause(simulator, spans)]))
    talk(world, draw.random.choice(ANY), 3, length)
    world.browse(stop=length, size=(30_000, 150_000), pause=(0.5, 3))
    return done(world, length), innocent(world, also=("impaired", "clean"))

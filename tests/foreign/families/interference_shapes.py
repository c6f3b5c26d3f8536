"""Interference of odder shape."""
from families.common import FLOW, MEDIA, NUMBERED, codec_of, of, redialling, talk
from families.innocent_ends import done
from families.interference_cuts import both
from families.interference_limits import control
from speech.video import video
from truth import interfered
from world.limits import Ledger, Limit, Matching, Slow


class Nth(Limit):
    """Drops each n-th packet."""

    def __init__(self, simulator, match, each):
        super().__init__(simulator, match)
        self.each = each

    def passes(self, packet):
        return self.offered % self.each != 0


class BanningKiller(Limit):
    """Each flow is dead after so many seconds, and for `ban` s after it whatever begins toward that host."""

    def __init__(self, simulator, match, ledger, seconds, ban):
        super().__init__(simulator, match)
        self.ledger, self.seconds, self.ban = ledger, seconds, ban

    def passes(self, packet):
        now, key = self.simulator.now, Ledger.key(packet)
        server = packet.target if packet.target.startswith("198.51") else packet.source
        banned = self.ledger.dead.get(server)
        begun = self.ledger.flows.setdefault(key, now)
        if key in self.ledger.dead or banned is not None and begun < banned + self.ban:
            return False
        if now - begun > self.seconds:
            self.ledger.dead[key] = self.ledger.dead[server] = now
            self.ledger.times.append(now)
            return False
        return True


def x_each_nth(draw):
    """Exactly each third to tenth packet of the voice toward us is dropped."""
    length, each = draw.length(60, 110), draw.random.choice((3, 4, 5, 10))
    world = draw.world(line="cable", limits=lambda simulator: ([], [Nth(simulator, of(*MEDIA), each)]))
    talk(world, draw.random.choice(NUMBERED), 3, length)
    there = control(draw, world, length, 0.9)
    done(world, length)
    return world, interfered(world, [{"kind": "selective_loss", "optional": not there, "either": "any"}, {"kind": "rate_cap", "direction": "received", "rate_bps": 1, "mechanism": "policer", "optional": True}],
                             there, also=("impaired", "suspected"), forbidden=("periodic_reset", "blocking", "injected_reset")), {"each": each}


def x_drop_large(draw):
    """Packets of the call above 400 bytes are dropped: voice passes, video never arrives."""
    length = draw.length(60, 90)
    media = of(*MEDIA)
    world = draw.world(line="cable", limits=lambda simulator: ([], [Matching(simulator, lambda packet: media(packet) and packet.size > 400)]))
    talk(world, "webrtc", 3, length, also=[video("received", most=600_000), video("sent", most=300_000)])
    there = control(draw, world, length, 0.9)
    done(world, length)
    return world, interfered(world, [{"kind": kind, "either": "any"} for kind in ("selective_loss", "one_way", "freeze", "outage", "loss")], there, also=("impaired", "suspected", "insufficient"),
                             hard=True, forbidden=("periodic_reset", "blocking", "injected_reset"))


def x_kill_on_video(draw):
    """The flow lives as voice; ten seconds after video begins in it, it is dead. The user calls again, with video again."""
    until, wait = draw.length(120, 170), draw.random.uniform(6, 14)
    begun, dead = {}, set()

    class OnVideo(Limit):
        def passes(self, packet):
            key, now = Ledger.key(packet), self.simulator.now
            if packet.label == "video":
                begun.setdefault(key, now)
            if key in begun and now - begun[key] > wait:
                dead.add(key)
            return key not in dead
    world = draw.world(line="cable", limits=both(lambda simulator: OnVideo(simulator, of(*FLOW))))
    calls = redialling(world, draw.random.choice(("webrtc", "whatsapp")), 3, until, (2, 10), patience=draw.random.uniform(4, 8), also=[video("received", most=400_000), video("sent", most=300_000)])
    there = control(draw, world, until, 0.9)
    done(world, until)
    findings = [{"kind": "dies_after", "either": "dead"}, {"kind": "periodic_reset", "either": "dead", "period_s": wait, "count": len(calls), "mechanism": "udp_blackhole"},
                {"kind": "freeze", "either": "dead"}, {"kind": "outage", "either": "dead"}]
    return world, interfered(world, findings, there, also=("suspected", "impaired"), forbidden=("rate_cap", "injected_reset")), {"after": wait, "calls": len(calls)}


def x_dies_and_banned(draw):
    """A flow is dead after 8 to 15 s, and its server for 30 s after: tries in between never begin."""
    until, seconds, ledger = draw.length(150, 180), draw.random.uniform(8, 15), Ledger()
    world = draw.world(line="cable", limits=both(lambda simulator: BanningKiller(simulator, of(*FLOW), ledger, seconds, 30.0)))
    calls = redialling(world, draw.random.choice(("sip", "webrtc", "viber", "teamspeak")), 3, until, (2, 8), patience=draw.random.uniform(4, 7), server="198.51.100.44", signs_in=False, checks=15)
    there = control(draw, world, until, 0.9)
    done(world, until)
    findings = [{"kind": kind, "either": "dead", **({"period_s": 40.0, "count": len(ledger.times), "mechanism": "udp_blackhole"} if kind == "periodic_reset" else {})}
                for kind in ("dies_after", "periodic_reset", "freeze", "outage", "blocking")]
    return world, interfered(world, findings, there, also=("suspected", "impaired"), forbidden=("rate_cap", "injected_reset")), {"seconds": seconds, "deaths": len(ledger.times), "calls": len(calls)}


class Scatter(Slow):
    """Each packet its own delay: they overtake."""

    def put(self, packet):
        if not self.match(packet) or self.simulator.now < self.since:
            return self.next(packet)
        return self.simulator.after(self.delay + self.simulator.random.uniform(0, self.jitter), self.next, packet)


def x_scattered(draw):
    """Each packet of the call alone is delayed by its own 0 to 250 ms: none is lost, none comes in time."""
    length = draw.length(60, 100)
    world = draw.world(line="cable", limits=lambda simulator: ([], [Scatter(simulator, of(*MEDIA), 0.0, draw.random.uniform(0.1, 0.25), 0.0)]))
    application = draw.random.choice(NUMBERED)
    talk(world, application, 3, length, codec=codec_of(draw.random, application))
    there = control(draw, world, length, 0.9)
    done(world, length)
    return world, interfered(world, [{"kind": "jitter", "either": "any"}, {"kind": "delay_step", "either": "any"}], there, also=("impaired", "suspected"), hard=True)

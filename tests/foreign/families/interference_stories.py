"""Interference: whole stories."""
from families.common import MEDIA, NUMBERED, codec_of, largest, of, offered, redialling
from families.innocent_ends import done
from families.interference_limits import cap, control
from speech.video import video
from truth import interfered
from world.limits import Blackhole, Ledger, Policer, Slow


def x_morocco(draw):
    """Skype video held to 256 kbit/s, then to 64, and cut on a beat (of minutes in life, of 100 s here); a user who calls again."""
    every = draw.random.choice((80.0, 100.0))
    when, until = draw.random.uniform(1.2, 2.2) * every, 4.6 * every
    held, ledger = [], Ledger()
    times = [every * index for index in range(1, 6)]
    depth = draw.random.uniform(6_000, 16_000)

    def limits(simulator):
        held.append(Policer(simulator, of(*MEDIA), lambda now: 256_000 if now < when else 64_000, depth))
        return [Blackhole(simulator, of(*MEDIA, "rtcp", "feedback", "start", "stun"), times, ledger)], [held[0], Blackhole(simulator, of(*MEDIA, "rtcp", "feedback", "start", "stun"), times, ledger)]
    world = draw.world(line="cable", limits=limits)
    redialling(world, draw.random.choice(("skype", "skype", "webrtc")), 3, until, (2, 20), patience=draw.random.uniform(4, 8), also=[video("received", most=800_000, start=250_000)])
    there = control(draw, world, until, 0.8, size=(60_000, 250_000), pause=(2, 8))
    done(world, until)
    findings = [cap(256_000, depth, either="cap"), cap(64_000, depth, either="cap"), {"kind": "periodic_reset", "period_s": every, "count": 4, "mechanism": "udp_blackhole", "optional": True},
                {"kind": "outage", "optional": True}, {"kind": "freeze", "optional": True}, {"kind": "dies_after", "optional": True}]
    return world, interfered(world, findings, there), {"every": every, "when": when, "dropped": held[0].share()}


def x_harassed(draw):
    """Policed a little and delayed a little, both on the call alone, with breaks of a few seconds: it is to be unpleasant, not impossible."""
    length = draw.length(90, 140)
    application = draw.random.choice(NUMBERED)
    codec = codec_of(draw.random, application)
    rate, bucket, held = offered(application, codec) * draw.random.uniform(0.6, 0.85), 4 * largest(application, codec), []

    def limits(simulator):
        held.append(Policer(simulator, of(*MEDIA), rate, bucket))
        return [], [held[0], Slow(simulator, of(*MEDIA), 0.08, 0.12)]
    world = draw.world(line="cable", wifi=draw.random.random() < 0.4, limits=limits)
    redialling(world, application, 3, length, codec=codec)
    there = control(draw, world, length)
    done(world, length)
    return world, interfered(world, [cap(rate, bucket)], there, binds=held[0].share(), also=("suspected",)), {"dropped": held[0].share()}


def x_after_a_minute(draw):
    """The first half minute is free; then each flow of the call is policed hard, and a new flow is free again: the user who redials hears well, for a while."""
    until, free = draw.length(120, 170), draw.random.uniform(15, 30)
    application = draw.random.choice(("sip", "webrtc", "whatsapp", "zoom"))
    codec = codec_of(draw.random, application)
    rate, bucket, begun, held = offered(application, codec) * draw.random.uniform(0.2, 0.5), 3 * largest(application, codec), {}, []
    media = of(*MEDIA)

    def old(simulator):
        def match(packet):
            return media(packet) and simulator.now - begun.setdefault(packet.flow, simulator.now) > free
        return match

    def limits(simulator):
        held.append(Policer(simulator, old(simulator), rate, bucket))
        return [], [held[0]]
    world = draw.world(line="cable", limits=limits)
    redialling(world, application, 3, until, (2, 6), lambda: free + draw.random.uniform(25, 50), True, codec=codec)
    there = control(draw, world, until)
    done(world, until)
    return world, interfered(world, [cap(rate, bucket)], there, also=("suspected",)), {"free": free, "dropped": held[0].share()}


def x_evening(draw):
    """A policer on all calls whose rate falls in three steps, as the evening fills: each fits the one before less well."""
    length = draw.length(120, 160)
    application = draw.random.choice(NUMBERED)
    codec = codec_of(draw.random, application)
    full, bucket, held = offered(application, codec), 4 * largest(application, codec), []
    shares = (0.9, 0.65, 0.4)
    rate = lambda now: full * shares[min(2, int(now / (length / 3)))]  # noqa: E731

    def limits(simulator):
        held.append(Policer(simulator, of(*MEDIA), rate, bucket))
        return [], [held[0]]
    world = draw.world(line="cable", limits=limits)
    redialling(world, application, 3, length, codec=codec)
    there = control(draw, world, length)
    done(world, length)
    return world, interfered(world, [cap(full * share, bucket, either="step") for share in shares[1:]], there, also=("suspected",), binds=held[0].share()), {"dropped": held[0].share()}

"""Interference: limits on how much of a call passes."""
from families.common import ANY, FLOW, MEDIA, NUMBERED, UNNUMBERED, all_udp, codec_of, largest, of, offered, talk
from families.innocent_ends import done
from speech.tunnels import TcpCall
from speech.video import video
from truth import interfered
from world.limits import Policer, Quota, RandomDrop, Shaper, Slow
from world.radio import RandomLoss


def downlink(holder, make, up=False):
    """A limit on what comes down (or goes up), kept in `holder` so that its counters can be read."""
    def build(simulator):
        element = make(simulator)
        holder.append(element)
        return ([element], []) if up else ([], [element])
    return build


def cap(rate, depth, mechanism="policer", application=None, direction="received", **more):
    row = {"kind": "rate_cap", "mechanism": mechanism, "direction": direction, "rate_bps": round(rate), **more}
    if depth:
        row["burst_bytes"] = round(depth)
    if application:
        row["application"] = application
    return row


def control(draw, world, length, chance=0.8, **size):
    """The web beside the call, for contrast; says whether there is any."""
    there = draw.random.random() < chance
    if there:
        world.browse(stop=length, **{"size": (30_000, 200_000), "pause": (1.0, 4.0), **size})
    return there


def policed(draw, applications, share, place=None, chance=0.8, depth=None, length=None, match=None, options=None):
    length = length or draw.length(60, 120)
    application = draw.random.choice(applications)
    codec = codec_of(draw.random, application)
    rate = offered(application, codec) * draw.random.uniform(*share)
    bucket = max((depth or draw.random.choice((1.5, 3.0, 8.0))) * largest(application, codec), largest(application, codec) * 1.2)
    held = []
    world = draw.world(**{"line": "cable", **(place or {})}, limits=downlink(held, lambda simulator: Policer(simulator, match or of(*MEDIA), rate, bucket)))
    talk(world, application, 3, length, codec=codec, **(options or {}))
    there = control(draw, world, length, chance)
    done(world, length)
    return world, interfered(world, [cap(rate, bucket)], there, binds=held[0].share()), {"rate": rate, "depth": bucket, "dropped": held[0].share(), "control": there}


def x_police_numbered(draw):
    """Numbered voice policed to 40 to 95 % of what is offered, web beside it."""
    return policed(draw, NUMBERED, (0.4, 0.95))


def x_police_unnumbered(draw):
    """Voice without numbers policed to 40 to 95 %."""
    return policed(draw, UNNUMBERED, (0.4, 0.95))


def x_police_harsh(draw):
    """Voice policed to 5 to 35 % of what is offered."""
    return policed(draw, ANY, (0.05, 0.35))


def x_police_stray(draw):
    """A policer and stray losses of the line on all (0.5 to 3 %)."""
    share = draw.random.uniform(0.005, 0.03)
    return policed(draw, ANY, (0.4, 0.9), {"extra": lambda simulator: ([], [RandomLoss(simulator, share)])})


def x_police_wifi(draw):
    """A policer before a Wi-Fi that batches, delays and loses."""
    return policed(draw, ANY, (0.4, 0.9), {"wifi": True})


def x_police_cellular(draw):
    """A policer before a real cellular link."""
    return policed(draw, NUMBERED, (0.35, 0.8), {"line": "cellular"})


def x_police_alone(draw):
    """A policer on the call and nothing else in the capture."""
    return policed(draw, ANY, (0.3, 0.85), chance=0.0)


def x_police_deep(draw):
    """A deep bucket: 2 to 6 s of voice before the first drop."""
    return policed(draw, NUMBERED, (0.4, 0.8), depth=draw.random.uniform(40, 120), length=draw.length(90, 150))


def x_police_all_udp(draw):
    """All UDP but names is policed; TCP is not."""
    return policed(draw, ANY, (0.3, 0.85), match=all_udp, chance=1.0)


def x_police_steps(draw):
    """A policer that begins, ends, or changes its rate in mid-call."""
    length = draw.length(90, 140)
    application = draw.random.choice(NUMBERED + ("skype",))
    codec = codec_of(draw.random, application)
    full = offered(application, codec)
    kind, when = draw.random.choice(("begins", "ends", "steps")), draw.random.uniform(0.3, 0.6) * length
    low, high = full * draw.random.uniform(0.3, 0.55), full * draw.random.uniform(0.65, 0.85)

    def rate(now):
        before = now < when
        return {"begins": None if before else low, "ends": low if before else None, "steps": high if before else low}[kind]
    held, bucket = [], 3 * largest(application, codec)
    world = draw.world(line="cable", limits=downlink(held, lambda simulator: Policer(simulator, of(*MEDIA), rate, bucket)))
    talk(world, application, 3, length, codec=codec)
    there = control(draw, world, length)
    done(world, length)
    findings = [cap(low, bucket)]
    if kind == "steps":
        findings = [cap(low, bucket, either="step"), cap(high, bucket, either="step")]
    return world, interfered(world, findings, there, binds=held[0].share()), {"kind": kind, "when": when, "dropped": held[0].share()}


def x_police_many_calls(draw):
    """Several calls at once share one bucket."""
    length, count = draw.length(70, 110), draw.random.randrange(2, 4)
    application = draw.random.choice(("sip", "webrtc", "whatsapp"))
    codec = codec_of(draw.random, application)
    rate = count * offered(application, codec) * draw.random.uniform(0.35, 0.8)
    held, bucket = [], 5 * largest(application, codec)
    world = draw.world(line="cable", limits=downlink(held, lambda simulator: Policer(simulator, of(*MEDIA), rate, bucket)))
    for index in range(count):
        talk(world, application, 3 + index * draw.random.uniform(0, 3), length, codec=codec, local=20000 + 100 * index, server=f"198.51.100.{20 + index}")
    there = control(draw, world, length)
    done(world, length)
    return world, interfered(world, [cap(rate, bucket)], there, binds=held[0].share()), {"rate": rate, "dropped": held[0].share()}


def x_police_sent(draw):
    """What we send is policed; here only the far end's reports show it."""
    length = draw.length(70, 110)
    application, codec = draw.random.choice((("sip", "g711a"), ("sip", "g729"), ("sip", "g722"), ("webrtc", "opus-cbr")))
    rate = offered(application, codec) * draw.random.uniform(0.3, 0.75)
    held, bucket = [], 3 * largest(application, codec)
    world = draw.world(line="cable", limits=downlink(held, lambda simulator: Policer(simulator, of(*MEDIA), rate, bucket), up=True))
    talk(world, application, 3, length, codec=codec)
    there = control(draw, world, length)
    done(world, length)
    return world, interfered(world, [dict(cap(rate, bucket, direction="sent"), optional=True)], there, also=("impaired", "suspected", *(() if application == "sip" else ("clean",))), hard=True), {"dropped": held[0].share()}


def shaped(draw, buffer):
    length = draw.length(70, 110)
    application = draw.random.choice(ANY)
    codec = codec_of(draw.random, application)
    rate = offered(application, codec) * draw.random.uniform(0.4, 0.95)
    room = max(rate / 8 * draw.random.uniform(*buffer), 1.5 * largest(application, codec))
    held = []
    world = draw.world(line="cable", limits=downlink(held, lambda simulator: Shaper(simulator, of(*MEDIA), rate, room)))
    talk(world, application, 3, length, codec=codec)
    there = control(draw, world, length)
    done(world, length)
    return world, interfered(world, [cap(rate, None, "shaper")], there, binds=held[0].share()), {"rate": rate, "room": room, "dropped": held[0].share()}


def x_shape_short(draw):
    """A shaper with 40 to 300 ms of queue on the voice alone."""
    return shaped(draw, (0.04, 0.3))


def x_shape_long(draw):
    """A shaper with 0.5 to 3 s of queue on the voice alone."""
    return shaped(draw, (0.5, 3.0))


def x_shape_video(draw):
    """Adaptive video in a shaper of its own, which it learns to fit."""
    length, rate = draw.length(70, 100), draw.random.uniform(100e3, 350e3)
    held = []
    world = draw.world(line="cable", limits=downlink(held, lambda simulator: Shaper(simulator, of(*MEDIA), rate, rate / 8 * draw.random.uniform(0.2, 1.0))))
    talk(world, draw.random.choice(("webrtc", "skype")), 3, length, also=[video("received", most=1_200_000)])
    there = control(draw, world, length)
    done(world, length)
    also = ("suspected", "impaired", "insufficient")
    waited = sorted(held[0].waits)[len(held[0].waits) * 3 // 4]
    return world, interfered(world, [cap(rate, None, "shaper")], there, also=also + (("clean",) if waited < 0.06 and held[0].share() < 0.01 else ()), hard=waited < 0.1), {"waited_p75": waited, "dropped": held[0].share()}


def x_quota(draw):
    """So many bytes in each period (0.5 to 10 s), then nothing until the next."""
    length = draw.length(80, 130)
    application = draw.random.choice(ANY)
    codec = codec_of(draw.random, application)
    period = draw.random.choice((0.5, 1.0, 2.0, 5.0, 10.0))
    rate = offered(application, codec) * draw.random.uniform(0.4, 0.85)
    held = []
    world = draw.world(line="cable", limits=downlink(held, lambda simulator: Quota(simulator, of(*MEDIA), period, rate * period / 8, draw.random.uniform(0, period))))
    talk(world, application, 3, length, codec=codec)
    there = control(draw, world, length)
    done(world, length)
    return world, interfered(world, [cap(rate, None, "quota")], there, binds=held[0].share()), {"period": period, "dropped": held[0].share()}


def x_on_off(draw):
    """A policer that is on for some seconds and off for some, on a beat."""
    length = draw.length(90, 140)
    on, off = draw.random.uniform(5, 20), draw.random.uniform(5, 20)
    application = draw.random.choice(NUMBERED)
    codec = codec_of(draw.random, application)
    rate = offered(application, codec) * draw.random.uniform(0.25, 0.6)
    held, bucket = [], 3 * largest(application, codec)
    world = draw.world(line="cable", limits=downlink(held, lambda simulator: Policer(simulator, of(*MEDIA), lambda now: rate if now % (on + off) < on else None, bucket)))
    talk(world, application, 3, length, codec=codec)
    there = control(draw, world, length)
    done(world, length)
    return world, interfered(world, [cap(rate, bucket)], there, binds=held[0].share(), also=("suspected",)), {"on": on, "off": off, "dropped": held[0].share()}


def x_random_drop(draw):
    """20 to 95 % of the call alone is dropped at random."""
    length, share = draw.length(60, 110), draw.random.uniform(0.2, 0.95)
    held = []
    world = draw.world(line="cable", limits=downlink(held, lambda simulator: RandomDrop(simulator, of(*MEDIA), share)))
    talk(world, draw.random.choice(NUMBERED), 3, length)
    there = control(draw, world, length, 0.9)
    done(world, length)
    return world, interfered(world, [{"kind": "selective_loss", "optional": not there}, {"kind": "loss", "optional": True}], there, also=("impaired", "suspected")), {"share": share}


def x_delay_added(draw):
    """150 to 700 ms of delay and up to as much jitter for the call alone, from some moment on."""
    length, delay = draw.length(70, 110), draw.random.uniform(0.15, 0.7)
    held = []
    since = draw.random.uniform(15, 30)
    world = draw.world(line="cable", limits=downlink(held, lambda simulator: Slow(simulator, of(*FLOW), delay, delay * draw.random.uniform(0, 1), since)))
    talk(world, draw.random.choice(("sip", "webrtc", "whatsapp", "zoom")), 3, length)
    there = control(draw, world, length, 0.9)
    done(world, length)
    return world, interfered(world, [{"kind": "delay_step", "optional": False}, {"kind": "jitter", "optional": True}], there, also=("impaired", "suspected"), hard=True), {"delay": delay}


def x_video_only(draw):
    """The video is policed, the voice of the same call is not."""
    length, rate = draw.length(70, 100), draw.random.uniform(80e3, 400e3)
    held = []
    world = draw.world(line="cable", limits=downlink(held, lambda simulator: Policer(simulator, of("video"), rate, draw.random.uniform(4_000, 20_000))))
    talk(world, draw.random.choice(("webrtc", "skype", "tango")), 3, length, also=[video("received", most=1_200_000)])
    there = control(draw, world, length)
    done(world, length)
    return world, interfered(world, [cap(rate, held[0].depth)], there, also=("suspected", "impaired"), binds=held[0].share()), {"rate": rate, "dropped": held[0].share()}


def x_video_policed(draw):
    """Adaptive audio and video through one policer: a sawtooth of growth and loss."""
    length, rate = draw.length(70, 100), draw.random.uniform(100e3, 400e3)
    held = []
    world = draw.world(line="cable", limits=downlink(held, lambda simulator: Policer(simulator, of(*FLOW), rate, draw.random.uniform(5_000, 40_000))))
    talk(world, draw.random.choice(("webrtc", "whatsapp", "skype")), 3, length, also=[video("received", most=1_500_000), video("sent", most=300_000)])
    there = control(draw, world, length)
    done(world, length)
    return world, interfered(world, [cap(rate, held[0].depth)], there, binds=held[0].share(), also=("suspected",)), {"rate": rate, "dropped": held[0].share()}


def x_tcp_voice(draw):
    """Voice over TCP policed below what it offers."""
    length = draw.length(70, 110)
    rate = 85_000 * draw.random.uniform(0.3, 0.8)
    held = []
    match = of("voice")
    world = draw.world(line="cable", limits=downlink(held, lambda simulator: Policer(simulator, match, rate, 6_000)))
    TcpCall(world, "mumble", 3, length, codec="opus-cbr", patience=30)
    there = control(draw, world, length)
    done(world, length)
    return world, interfered(world, [cap(rate, 6_000)], there, also=("suspected", "impaired"), binds=held[0].share()), {"rate": rate, "dropped": held[0].share()}

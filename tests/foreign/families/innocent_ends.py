"""Innocents: the far end, its line, its server."""
from families.common import ANY, NUMBERED, codec_of, everything, offered, redialling, talk
from speech.tunnels import TcpCall
from speech.video import video
from speech.voice import Talk
from truth import FORBIDDEN, REST, innocent
from world.limits import Policer
from world.links import Delay, Fifo
from world.network import chain
from world.radio import Bursts, Pause, RandomLoss


def far(world, *elements):
    """The far end's own chain toward us."""
    return chain(list(elements), world.network.down)


def busy(world, length, often=0.75):
    if world.simulator.random.random() < often:
        world.browse(stop=length, size=(15_000, 120_000))


def done(world, length):
    world.run(length + 14)
    return world


def i_far_loss(draw):
    """The far end's line loses at random or in bursts; ours is good. From here it looks as if the call alone were hit."""
    length = draw.length(60, 120)
    world, share = draw.world(line="cable"), draw.random.choice((0.02, 0.05, 0.1, 0.2))
    element = RandomLoss(world.simulator, share) if draw.random.random() < 0.5 else Bursts(world.simulator, 4.0, 4.0 * share * 1.3, 0.8)
    talk(world, draw.random.choice(ANY), 3, length, far_up=far(world, element))
    busy(world, length)
    return done(world, length), innocent(world, also=("suspected",))


def i_far_wifi(draw):
    """The far end sits on a bad Wi-Fi: batches, jitter, losses before the packets ever reach us."""
    from world.radio import Wifi
    length = draw.length(60, 110)
    world = draw.world(line="cable")
    talk(world, draw.random.choice(ANY), 3, length, far_up=far(world, Wifi(world.simulator, 0.006, 0.5, (5.0, 0.6), 0.1)))
    busy(world, length)
    return done(world, length), innocent(world)


def i_far_slow_uplink(draw):
    """The far end's video fills its own slow uplink: queue and tail drops at a fixed rate, on this call alone."""
    length, rate = draw.length(60, 90), draw.random.uniform(200e3, 900e3)
    world = draw.world(line="cable")
    talk(world, draw.random.choice(("webrtc", "skype", "tango")), 3, length, far_up=far(world, Fifo(world.simulator, rate, draw.random.uniform(8_000, 50_000))),
         also=[video("received", most=1_500_000), video("sent", most=300_000)])
    busy(world, length)
    return done(world, length), innocent(world, also=("suspected", "impaired"), forbidden=REST)


def i_far_plan(draw):
    """The far end's own plan is used up: its voice is policed at 64 kbit/s or less before it reaches us. No packet here can tell."""
    length = draw.length(60, 100)
    application = draw.random.choice(("sip", "webrtc", "zoom", "skype"))
    codec = "g711a" if application == "sip" else codec_of(draw.random, application)
    rate = min(64_000, 0.8 * offered(application, codec))
    world = draw.world(line="cable")
    talk(world, application, 3, length, codec=codec, far_up=far(world, Policer(world.simulator, everything, rate, 6_000)))
    busy(world, length)
    return done(world, length), innocent(world, also=("suspected", "interference"), forbidden=REST)


def i_far_upload(draw):
    """Somebody at the far end uploads in turns over the same uplink: waits of half a second, drops, then peace."""
    length = draw.length(70, 110)
    world = draw.world(line="cable")
    application = draw.random.choice(ANY)
    codec = codec_of(draw.random, application)
    rate, voice = draw.random.uniform(0.4e6, 1.2e6), offered(application, codec)
    spans = [(start, start + draw.random.uniform(4, 12)) for start in range(12, int(length), 22)]

    def left(now):
        return voice * draw.random.uniform(0.3, 1.2) if any(a <= now < b for a, b in spans) else rate
    talk(world, application, 3, length, codec=codec, far_up=far(world, Fifo(world.simulator, left, draw.random.uniform(3_000, 20_000)), Delay(world.simulator, 0.01, 0.001)))
    busy(world, length)
    return done(world, length), innocent(world, also=("suspected",), forbidden=REST)


def i_far_sleeps(draw):
    """The far end's phone goes to sleep now and then: nothing comes for seconds, then it goes on, counting from where it was."""
    length = draw.length(90, 150)
    spans, now = [], draw.random.uniform(15, 30)
    while now < length - 15:
        spans.append((now, now + draw.random.uniform(2, 9)))
        now = spans[-1][1] + draw.random.uniform(8, 40)
    world = draw.world(line="cable")
    talk(world, draw.random.choice(ANY), 3, length, mute_down=spans)
    busy(world, length)
    return done(world, length), innocent(world, verdict="impaired", also=("clean", "suspected", "insufficient"))


def i_far_tunnel(draw):
    """The far end drives through a tunnel: 4 to 20 s of nothing, once or twice; its numbers go on, so the packets were lost on its radio."""
    length = draw.length(90, 140)
    spans = [(time, time + draw.random.uniform(4, 20)) for time in (draw.random.uniform(20, length / 2), draw.random.uniform(length / 2 + 20, length))[:draw.random.randrange(1, 3)]]
    world = draw.world(line="cable")
    talk(world, draw.random.choice(NUMBERED), 3, length, far_up=far(world, Pause(world.simulator, spans)))
    busy(world, length)
    return done(world, length), innocent(world, verdict="impaired", also=("suspected",))


def i_far_dies(draw):
    """The far end's phone dies (battery); the user waits some seconds and hangs up. Once."""
    length = draw.length(50, 110)
    world, gone = draw.world(line="cable"), draw.random.uniform(5, 12)
    talk(world, draw.random.choice(("sip", "webrtc", "viber", "zoom")), 3, length, far_stops_early=gone, far_dead=True)
    busy(world, length + 10)
    return done(world, length), innocent(world, verdict="impaired", also=("suspected", "insufficient"))


def i_wakeup_calls(draw):
    """A wake-up service: the same announcement, then silence, and the user hangs up some seconds later; several times."""
    world, announcement = draw.world(line="cable"), draw.random.uniform(14, 32)
    count, start = draw.random.randrange(4, 7), 3.0
    early = [draw.random.uniform(1.0, 6.0) for _ in range(count)]
    for index in range(count):
        talk(world, "sip", start, announcement + early[index], far_stops_early=early[index], codec="g711a", talk_down=Talk(world.simulator, 0.95), server="198.51.100.44")
        start += announcement + early[index] + draw.random.uniform(8, 25)
    busy(world, start)
    return done(world, start), innocent(world, verdict="impaired", also=("clean", "suspected", "insufficient"))


def i_announcement_bye(draw):
    """The same service says goodbye itself: calls of one length, each ended by a BYE from the far end."""
    world, announcement, start = draw.world(line="cable"), draw.random.uniform(20, 45), 3.0
    for _ in range(draw.random.randrange(4, 7)):
        talk(world, "sip", start, announcement, ends="far_bye", codec="g711u", server="198.51.100.44")
        start += announcement + draw.random.uniform(6, 25)
    busy(world, start)
    return done(world, start), innocent(world)


def i_session_timer(draw):
    """SIP session timers (RFC 4028): nobody refreshes, so the far end says BYE after exactly Session-Expires; the user calls again."""
    world, expires = draw.world(line="cable"), draw.random.choice((90, 90, 120))
    until = expires * 3.5
    redialling(world, "sip", 3, until, (3, 12), lambda: expires, True, ends="far_bye", codec="g729", server="198.51.100.60",
               headers=(f"Session-Expires: {expires};refresher=uac", "Require: timer"))
    busy(world, until)
    return done(world, until), innocent(world)


def i_bot_each_minute(draw):
    """A monitoring bot calls on the minute, talks 20 to 40 s, hangs up."""
    world, length = draw.world(line="cable"), draw.random.choice((20, 30, 40))
    for index in range(5):
        talk(world, "sip", 4 + 60 * index, length - 4, codec="g711u", server="198.51.100.99")
    busy(world, 300)
    return done(world, 300), innocent(world)


def i_server_maintenance(draw):
    """One server resets all its connections at the hour, is away for half a minute, and comes back; others go on."""
    length, when = draw.length(90, 150), draw.random.uniform(35, 60)
    world, server = draw.world(line="cable"), "198.51.100.31"
    back = when + draw.random.uniform(8, 40)
    first = TcpCall(world, "mumble", 3, length, server=server)
    second = TcpCall(world, "mumble", 5, length, server=server, label="control") if draw.random.random() < 0.5 else None

    def shut():
        for call in (first, second):
            if call and call.alive and not call.over:
                call.remote.reset()
    world.simulator.at(when, shut)
    world.simulator.at(back, lambda: TcpCall(world, "mumble", world.simulator.now, length - back, server=server))
    for time in (when + 2, when + 5):
        world.simulator.at(time, lambda: TcpCall(world, "mumble", world.simulator.now, 1, server=server, connection={"refuse": "reset"}))
    busy(world, length)
    return done(world, length), innocent(world, verdict="impaired", also=("clean", "insufficient", "suspected"))


def i_dead_server(draw):
    """The user's provider is down: INVITEs, or first packets, are answered by nobody; the web is fine."""
    world, server = draw.world(line="cable"), "198.51.100.200"
    application = draw.random.choice(("sip", "teamspeak", "viber"))
    redialling(world, application, 3, 95, (4, 15), server=server)
    busy(world, 95, 1.0)
    silence(world, server)
    world.run(110)
    return world, innocent(world, verdict="impaired", also=("suspected", "insufficient"), forbidden=("rate_cap", "periodic_reset", "injected_reset"), findings=[{"kind": "blocking", "optional": True}])


def silence(world, address):
    """Nothing that is sent to the address arrives anywhere."""
    from world.network import Element

    class Gone(Element):
        def put(self, packet):
            if packet.target != address:
                self.next(packet)
    gone = Gone(world.simulator)
    last = world.line[0][-1]
    gone.next, last.next = last.next, gone.put


def i_two_far_ends(draw):
    """A conference by two calls at once; one friend's line is bad, the other's good."""
    length = draw.length(60, 110)
    world = draw.world(line="cable")
    application = draw.random.choice(("sip", "webrtc", "whatsapp"))
    talk(world, application, 3, length, far_up=far(world, RandomLoss(world.simulator, draw.random.choice((0.05, 0.12, 0.25)))), server="198.51.100.11", local=20000)
    talk(world, application, 5, length, server="198.51.100.12", local=21000)
    busy(world, length)
    return done(world, length), innocent(world, also=("suspected",))


def i_far_sender_skips(draw):
    """The far end's machine is overloaded: numbered frames that never leave it. Many short gaps, on this call alone."""
    length = draw.length(60, 110)
    world = draw.world(line="cable")
    spans, now = [], 5.0
    while now < length:
        spans.append((now, now + draw.random.uniform(0.04, 0.3)))
        now += draw.random.expovariate(1 / 2.5)
    talk(world, draw.random.choice(NUMBERED), 3, length, far_up=far(world, Pause(world.simulator, spans)))
    busy(world, length)
    return done(world, length), innocent(world, also=("suspected",), forbidden=FORBIDDEN)

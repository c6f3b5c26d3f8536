"""Innocents: traffic of odd shape, by nobody's will."""
from families.common import ANY, NUMBERED, OF_RTP_ONLY, codec_of, redialling, talk
from families.innocent_ends import busy, done, far
from speech.voice import Talk
from truth import REST, innocent
from world.links import Delay
from world.network import Element
from world.radio import Bursts, Pause
from world.simulator import Packet


def i_number_jumps(draw):
    """A relay or a transfer counts anew in mid-call: the numbers jump by hundreds or thousands, the sound has no gap."""
    length = draw.length(60, 110)
    world = draw.world(line="cable")
    call = talk(world, draw.random.choice(OF_RTP_ONLY), 3, length)

    def jump():
        if call.alive and not call.over:
            skipped = draw.random.choice((150, 700, 4000, 20000))
            call.voices[1].number += skipped
            call.streams[1].skipped += skipped
            call.voices[1].stamp += draw.random.randrange(1 << 20)
    for _ in range(draw.random.randrange(1, 3)):
        world.simulator.at(draw.random.uniform(15, length - 5), jump)
    busy(world, length)
    done(world, length)
    call.streams[1].jitters = []
    return world, innocent(world, verdict="clean", also=("insufficient",))


class Twice(Element):
    """A mesh or a mirror hands on some packets twice."""

    def __init__(self, simulator, share):
        super().__init__(simulator)
        self.share = share

    def put(self, packet):
        self.next(packet)
        if self.simulator.random.random() < self.share:
            self.simulator.after(0.0004, self.next, packet)


def i_duplicates(draw):
    """A mesh of access points delivers packets twice."""
    length, share = draw.length(60, 110), draw.random.choice((0.02, 0.3, 1.0))
    world = draw.world(line="cable", home=lambda simulator: ([], [Twice(simulator, share)]))
    talk(world, draw.random.choice(NUMBERED), 3, length)
    busy(world, length, 0.4)
    return done(world, length), innocent(world, also=("impaired",))


def i_overtaking(draw):
    """Two paths of different length: packets overtake one another; none is lost."""
    length = draw.length(60, 110)
    world = draw.world(line="cable", extra=lambda simulator: ([], [Delay(simulator, 0.005, draw.random.uniform(0.004, 0.02), True)]))
    talk(world, draw.random.choice(ANY), 3, length)
    busy(world, length)
    return done(world, length), innocent(world, also=("impaired",))


def i_bursty_sender(draw):
    """The far end's timer is coarse: six packets at once each 120 ms, or ten each 200 ms."""
    length, beat = draw.length(60, 110), draw.random.choice((0.06, 0.12, 0.2))
    world = draw.world(line="cable")
    held = []

    class Coarse(Element):
        def put(self, packet):
            now = self.simulator.now
            self.simulator.at((int(now / beat) + 1) * beat, self.next, packet)
    held.append(Coarse(world.simulator))
    talk(world, draw.random.choice(ANY), 3, length, far_up=far(world, held[0]))
    busy(world, length)
    return done(world, length), innocent(world, also=("impaired",))


def i_beeping(draw):
    """A device that speaks two seconds in every ten, on its clock, and sends nothing between: a beat in the traffic, none in the path."""
    length, every = draw.length(90, 150), draw.random.choice((5.0, 10.0, 15.0))
    world = draw.world(line="cable")
    quiet = [(index * every + 0.3 * every, (index + 1) * every) for index in range(40)]
    talk(world, draw.random.choice(NUMBERED), 3, length, mute_down=quiet, talk_down=Talk(world.simulator, 0.97))
    busy(world, length)
    return done(world, length), innocent(world, also=("impaired", "insufficient"))


def i_audio_steps_down(draw):
    """The far end's encoder goes from 64 to 24 kbit/s in mid-call, of its own will (battery): smaller packets, none lost."""
    length = draw.length(70, 110)
    world = draw.world(line="cable")
    application = draw.random.choice(("webrtc", "skype", "telegram", "viber"))
    call = talk(world, application, 3, length, codec="opus-cbr")

    def smaller():
        if call.alive:
            call.voices[1].mean = 34
    world.simulator.at(length / 2, smaller)
    busy(world, length)
    return done(world, length), innocent(world)


def i_free_tier(draw):
    """An application's free plan ends each call after the same time without a word; the user calls again."""
    world, limit = draw.world(line="cable"), draw.random.choice((40.0, 60.0))
    until = limit * 5.4
    redialling(world, draw.random.choice(("webrtc", "viber", "zoom")), 3, until, (2, 6), lambda: limit + draw.random.uniform(3, 6), True, far_stops_early=4.0, far_dead=True)
    busy(world, until)
    return done(world, until), innocent(world, verdict="impaired", also=("suspected", "interference"), forbidden=("rate_cap", "injected_reset"), findings=[{"kind": "periodic_reset", "optional": True,
                                        "period_s": limit, "count": 4, "mechanism": "udp_blackhole"}])


def i_moves_on(draw):
    """The call is moved in mid-call: a new port and another relay; the old flow just ends, the new one begins at once."""
    length = draw.length(70, 110)
    world = draw.world(line="cable")
    application = draw.random.choice(("webrtc", "whatsapp", "viber"))
    half = length * draw.random.uniform(0.35, 0.65)
    talk(world, application, 3, half, server="198.51.100.70", ends="stops")
    talk(world, application, 3 + half - 0.3, length - half, server="198.51.100.71", signs_in=False)
    busy(world, length)
    return done(world, length), innocent(world, also=("impaired",))


def i_wifi_to_lte(draw):
    """The phone leaves its Wi-Fi: the call's old flow dies, a second or three later it lives on from another address."""
    length = draw.length(70, 110)
    world = draw.world(line="cable")
    application, half = draw.random.choice(("webrtc", "whatsapp")), draw.random.uniform(25, 40)
    fade = [(half, half + 3.0)]
    world.line[1][-1].next = cut(world, fade, world.line[1][-1].next)
    first = talk(world, application, 3, length, server="198.51.100.70", ends="stops", signs_in=False)
    world.simulator.at(half + 1.0, lambda: first.finish("moved"))
    new = world.gateway.rsplit(".", 1)[0] + ".200"
    world.network.tap.addresses.add(new)

    def again():
        world.network.client = new
        talk(world, application, world.simulator.now, length - half - 3, server="198.51.100.70", signs_in=False)
    world.simulator.at(half + 3.0, again)
    for browser in [world.browse(0.5, half - 3)]:
        browser.host = world.network.client
    return done(world, length), innocent(world, verdict="impaired", also=("clean",))


def cut(world, spans, after):
    element = Pause(world.simulator, spans)
    element.next = after
    return element.put


def i_bluetooth(draw):
    """Bluetooth and Wi-Fi share an antenna: short losses on a beat of their own, for all that comes."""
    length = draw.length(60, 110)
    world = draw.world(line="fibre", wifi=True, home=lambda simulator: ([], [Bursts(simulator, 0.5, 0.012, 0.9)]))
    talk(world, draw.random.choice(ANY), 3, length)
    world.browse(stop=length, size=(20_000, 120_000))
    return done(world, length), innocent(world)


def i_own_reset(draw):
    """Our own machine resets its connections (a program is killed); a middlebox answers late packets with resets of its own. Once."""
    from speech.tunnels import TcpCall
    length = draw.length(60, 100)
    world = draw.world(line="cable")
    call = TcpCall(world, "mumble", 3, length)

    def kill():
        if call.alive and not call.over:
            client = call.client
            client.reset()
            call._finish("killed")
            late = Packet(*client.remote, *client.local, 6, b"", "voice", call, flags=4, sequence=(client.peer + 1 + client.expected) & 0xFFFFFFFF, window=0)
            late.ttl = 60
            world.simulator.after(0.03, world.network.down, late)
    world.simulator.at(length * 0.6, kill)
    busy(world, length)
    return done(world, length), innocent(world, verdict="clean", also=("impaired", "insufficient"))


def i_steady_film(draw):
    """A good call beside a film at a steady rate, and beside a download that the line's own queue drops from."""
    length = draw.length(60, 90)
    application = draw.random.choice(ANY)
    world = draw.world(line="dsl", rates=(1e6, 3e6), buffers=(30_000, draw.random.choice((15_000, 30_000, 60_000))))
    talk(world, application, 3, length, codec=codec_of(draw.random, application))
    world.browse(stop=length, size=(300_000, 800_000), pause=(0.2, 1.5))
    return done(world, length), innocent(world, forbidden=REST)

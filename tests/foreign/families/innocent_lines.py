"""Innocents: lines and radios. Whatever happens hits every packet alike."""
from families.common import ANY, NUMBERED, codec_of, everything, offered, talk
from speech.video import video
from truth import REST, innocent
from world.limits import Policer
from world.radio import Bursts, Pause, RandomLoss, scans
from world.web import Browser, fetch


def run(world, length):
    world.run(length + 12)
    return world


def i_cell_call(draw):
    """A call over a real cellular link, nothing else."""
    length = draw.length(60, 150)
    world = draw.world(line="cellular")
    talk(world, draw.random.choice(ANY), 3, length)
    return run(world, length), innocent(world, forbidden=REST)


def i_cell_download(draw):
    """A call over a real cellular link beside pages and a download: queues of seconds, losses of both."""
    length = draw.length(60, 110)
    world = draw.world(line="cellular", buffers=(60_000, draw.random.choice((60_000, 150_000, 400_000))))
    talk(world, draw.random.choice(ANY), 3, length)
    world.browse(size=(100_000, 1_500_000), pause=(3, 9), stop=length)
    return run(world, length), innocent(world, forbidden=REST)


def i_cell_video(draw):
    """Adaptive video both ways over a real cellular link."""
    length = draw.length(60, 90)
    world = draw.world(line="cellular", buffers=(80_000, 120_000))
    talk(world, "webrtc", 3, length, also=[video("sent", most=700_000), video("received", most=900_000)])
    if draw.random.random() < 0.5:
        world.browse(size=(20_000, 200_000), stop=length)
    return run(world, length), innocent(world, forbidden=REST)


def i_dsl_video_uplink(draw):
    """Adaptive video fills the slow uplink of a DSL line; the queue is the line's."""
    length = draw.length(60, 100)
    world = draw.world(line="dsl", rates=(draw.random.uniform(250e3, 700e3), 6e6), buffers=(draw.random.uniform(8_000, 60_000), 80_000))
    talk(world, "webrtc", 3, length, also=[video("sent", most=1_200_000), video("received", most=500_000)])
    world.browse(size=(20_000, 100_000), stop=length)
    return run(world, length), innocent(world, forbidden=REST)


def i_family_upload(draw):
    """Somebody else of the household uploads pictures over the same line: our sending waits, and is dropped, as all of the house."""
    length = draw.length(60, 110)
    world = draw.world(line="dsl", rates=(0.8e6, 10e6), buffers=(draw.random.uniform(15_000, 90_000), 100_000))
    talk(world, draw.random.choice(ANY), 3, length)
    Browser(world.network, None, 15, length - 10, size=(3_000, 5_000), pause=(1, 10), host=world.network.client.rsplit(".", 1)[0] + ".77", upload=900_000)
    world.browse(size=(10_000, 60_000), stop=length, pause=(4, 12))
    return run(world, length), innocent(world, forbidden=REST)


def i_family_download(draw):
    """Somebody else of the household downloads over the same line: tail drops of everything that comes down."""
    length = draw.length(60, 110)
    world = draw.world(line="dsl", rates=(1e6, draw.random.uniform(2e6, 8e6)), buffers=(30_000, draw.random.uniform(15_000, 90_000)))
    talk(world, draw.random.choice(ANY), 3, length)
    other = world.network.client.rsplit(".", 1)[0] + ".77"
    Browser(world.network, None, 12, length - 8, size=(1_500_000, 6_000_000), pause=(0.5, 6), host=other)
    if draw.random.random() < 0.6:
        world.browse(size=(10_000, 60_000), stop=length, pause=(4, 12))
    return run(world, length), innocent(world, forbidden=REST)


def i_plan_64k(draw):
    """A used-up plan: everything of this line is held to 64 (or 128) kbit/s, queue or policer."""
    length, rate = draw.length(60, 100), draw.random.choice((64_000, 64_000, 128_000))
    police = draw.random.random() < 0.5
    limits = (lambda simulator: ((Policer(simulator, everything, rate, 8000),), (Policer(simulator, everything, rate, 8000),))) if police else None
    world = draw.world(line="slow", rates=(rate, rate) if not police else None, buffers=(8_000, 12_000) if not police else None, limits=limits)
    talk(world, draw.random.choice(("sip", "webrtc", "skype", "whatsapp")), 3, length)
    world.browse(size=(4_000, 25_000), stop=length, pause=(3, 9))
    return run(world, length), innocent(world, forbidden=REST, findings=[{"kind": "rate_cap", "optional": True, "direction": "received",
                                        "mechanism": "policer" if police else "shaper", "rate_bps": rate, "burst_bytes": 8000}])


def i_router_device_limit(draw):
    """The home's router allows this device so much; other devices run free, unseen."""
    length, client, application = draw.length(60, 100), "192.168.1.23", draw.random.choice(ANY)
    codec = codec_of(draw.random, application)
    rate = max(16_000, offered(application, codec) * draw.random.uniform(0.5, 2.0))
    limits = (lambda simulator: ((), (Policer(simulator, lambda packet: packet.target == client, rate, draw.random.uniform(3_000, 20_000)),)))
    world = draw.world(line="cable", limits=limits, client=client)
    talk(world, application, 3, length, codec=codec)
    world.browse(size=(4_000, 40_000), stop=length, pause=(2, 6))
    Browser(world.network, None, 5, length, host="192.168.1.77", size=(500_000, 900_000))
    return run(world, length), innocent(world, forbidden=REST)


def i_aqm(draw):
    """A line whose queue is managed (CoDel, PIE) under our own upload and download."""
    length = draw.length(60, 100)
    world = draw.world(line="dsl", rates=(1e6, 5e6), buffers=(100_000, 200_000), aqm=draw.random.choice(("codel", "pie")))
    talk(world, draw.random.choice(ANY), 3, length)
    world.browse(size=(300_000, 1_500_000), pause=(0.5, 4), stop=length)
    Browser(world.network, None, 20, length, size=(3_000, 4_000), pause=(5, 15), upload=300_000)
    return run(world, length), innocent(world, forbidden=REST)


def i_fair_queue(draw):
    """A line that serves flows in turn: the call never waits, the download does and loses."""
    length = draw.length(60, 90)
    world = draw.world(line="fair")
    talk(world, draw.random.choice(ANY), 3, length)
    world.browse(size=(400_000, 1_500_000), pause=(0.5, 3), stop=length)
    return run(world, length), innocent(world, forbidden=REST)


def i_cable_jitter(draw):
    """Cable: requests and grants; some noise."""
    length = draw.length(60, 120)
    world = draw.world(line="cable", extra=lambda simulator: ([], [RandomLoss(simulator, draw.random.uniform(0, 0.004))]))
    talk(world, draw.random.choice(ANY), 3, length)
    world.browse(stop=length)
    return run(world, length), innocent(world)


def i_starlink(draw):
    """Every 15 s another satellite: the delay steps, a few packets go."""
    length = draw.length(80, 150)
    world = draw.world(line="starlink")
    talk(world, draw.random.choice(ANY), 3, length)
    if draw.random.random() < 0.6:
        world.browse(stop=length)
    return run(world, length), innocent(world, also=("impaired", "clean"))


def i_lte_grants(draw):
    """LTE: we may send only when granted; bursts of loss at the cell's edge."""
    length = draw.length(60, 120)
    world = draw.world(line="lte", extra=lambda simulator: ([], [Bursts(simulator, draw.random.uniform(5, 20), 0.25, 0.5)]))
    talk(world, draw.random.choice(ANY), 3, length)
    world.browse(stop=length, size=(20_000, 120_000))
    return run(world, length), innocent(world)


def i_wifi_scans(draw):
    """The laptop listens on other channels on a beat: a short pause for everything, each time."""
    length, every = draw.length(90, 150), draw.random.choice((10.0, 15.0, 20.0, 30.0))
    span, kept, first = draw.random.uniform(0.08, 0.6), draw.random.random() < 0.5, draw.random.uniform(0, every)

    def home(simulator):
        spans = scans(length + 10, every, span, first)
        return [Pause(simulator, spans, True)], [Pause(simulator, spans, kept)]
    world = draw.world(line="fibre", wifi=True, home=home)
    talk(world, draw.random.choice(ANY), 3, length)
    world.browse(stop=length, size=(20_000, 120_000))
    return run(world, length), innocent(world, also=("impaired", "clean"))


def i_handover(draw):
    """A phone between cells: pauses of up to 2 s at irregular times, kept or lost."""
    length = draw.length(80, 150)
    times = sorted(draw.random.uniform(5, length) for _ in range(draw.random.randrange(2, 7)))
    spans = [(time, time + draw.random.uniform(0.1, 2.0)) for time in times]
    kept = draw.random.random() < 0.4
    world = draw.world(line="lte", home=lambda simulator: ([Pause(simulator, spans, kept)], [Pause(simulator, spans, kept)]))
    talk(world, draw.random.choice(ANY), 3, length)
    world.browse(stop=length, size=(20_000, 120_000))
    return run(world, length), innocent(world)


def i_random_loss(draw):
    """A line that loses at random, of everything alike."""
    length, share = draw.length(60, 120), draw.random.choice((0.01, 0.03, 0.06, 0.12))
    world = draw.world(line="cable", extra=lambda simulator: ([], [RandomLoss(simulator, share)]))
    talk(world, draw.random.choice(ANY), 3, length)
    world.browse(stop=length, size=(10_000, 80_000))
    return run(world, length), innocent(world)


def i_quiet_loss(draw):
    """The same without any other traffic: to whom it happens can't be known."""
    length, share = draw.length(60, 120), draw.random.choice((0.02, 0.06, 0.2))
    burst = draw.random.random() < 0.5
    world = draw.world(line="cable", extra=lambda simulator: ([], [Bursts(simulator, 4.0, 4.0 * share * 1.5, 0.8) if burst else RandomLoss(simulator, share)]))
    talk(world, draw.random.choice(NUMBERED), 3, length)
    return run(world, length), innocent(world, also=("suspected",) if share > 0.1 else ())


def i_microwave(draw):
    """A microwave oven: half of each mains cycle (20 or 16.7 ms) is noise, for half a minute."""
    length, hertz = draw.length(70, 110), draw.random.choice((50, 60))

    class Oven(RandomLoss):
        def put(self, packet):
            now = self.simulator.now
            bad = 25 < now < 60 and (now * hertz) % 1 < 0.5
            if not (bad and self.simulator.random.random() < self.share):
                self.next(packet)
    world = draw.world(line="fibre", wifi=True, home=lambda simulator: ([], [Oven(simulator, 0.4)]))
    application = draw.random.choice(ANY)
    talk(world, application, 3, length, codec=codec_of(draw.random, application))
    world.browse(stop=length, size=(10_000, 80_000))
    return run(world, length), innocent(world)


def i_cloud_backup(draw):
    """Our own backup fills our own uplink in turns; the call's sending suffers, the far end says so."""
    length = draw.length(70, 110)
    world = draw.world(line="dsl", rates=(0.7e6, 10e6), buffers=(draw.random.uniform(10_000, 50_000), 100_000))
    talk(world, draw.random.choice(("sip", "webrtc", "zoom", "teamspeak")), 3, length)

    def turn():
        if world.simulator.now < length - 5:
            fetch(world.network, world.network.client, "192.0.2.200", "backup.example.com", 600, lambda ok: world.simulator.after(6, turn), upload=700_000)
    world.simulator.at(12, turn)
    return run(world, length), innocent(world, forbidden=REST)

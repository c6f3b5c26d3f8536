"""Interference: calls that are ended, die young, or lose one way."""
from families.common import ANY, FLOW, MEDIA, NUMBERED, of, redialling
from families.innocent_ends import done
from families.interference_limits import control
from speech.tunnels import TcpCall
from truth import interfered
from world.limits import Blackhole, Forger, Killer, Ledger, Matching


def both(make):
    """A pair of elements, one each way, from one function."""
    return lambda simulator: ([make(simulator)], [make(simulator)])


def dying(draw, unit, budget, until=None, applications=NUMBERED + ("skype",)):
    ledger, application = Ledger(), draw.random.choice(applications)
    until = until or draw.length(90, 150)
    world = draw.world(line="cable", limits=both(lambda simulator: Killer(simulator, of(*FLOW), ledger, unit, budget)))
    calls = redialling(world, application, 3, until, (2, 8), patience=draw.random.uniform(4, 8))
    there = control(draw, world, until, 0.9)
    done(world, until)
    few = len([call for call in calls if call.alive]) < 3
    findings = [{"kind": "dies_after", "mechanism": unit, "either": "dead"}, {"kind": "periodic_reset", "mechanism": "udp_blackhole", "either": "dead", "period_s": budget if unit == "seconds" else period(calls), "count": len(calls)},
                {"kind": "freeze", "either": "dead"}, {"kind": "outage", "either": "dead"}, {"kind": "blocking", "either": "dead"}, {"kind": "one_way", "optional": True}]
    return world, interfered(world, findings, there, also=("suspected", "impaired") if few else ("suspected",), hard=few, forbidden=("rate_cap", "injected_reset")), {
        "unit": unit, "budget": budget, "calls": len(calls), "dead": len(ledger.times)}


def period(calls):
    starts = [call.start for call in calls]
    gaps = [b - a for a, b in zip(starts, starts[1:])]
    return sorted(gaps)[len(gaps) // 2] if gaps else 1.0


def x_dies_packets(draw):
    """Every flow of the call is dead after 9 to 200 packets; the user calls again, the web lives."""
    return dying(draw, "packets", draw.random.choice((9, 15, 25, 40, 100, 200)))


def x_dies_bytes(draw):
    """Every flow of the call is dead after 8 to 400 kB."""
    return dying(draw, "bytes", draw.random.choice((8_000, 16_384, 50_000, 150_000)))


def x_dies_seconds(draw):
    """Every flow of the call is dead after 5 to 30 s."""
    return dying(draw, "seconds", draw.random.choice((5, 10, 20, 30)), draw.length(120, 180), ANY)


def x_cut_by_clock(draw):
    """On the network's clock, every 30 to 60 s, all flows of calls that are alive die; the user calls again after 1 to 30 s."""
    every, ledger = draw.random.choice((30.0, 40.0, 60.0)), Ledger()
    count = draw.random.randrange(5, 8)
    times, until = [10 + every * index for index in range(count)], 10 + every * count
    world = draw.world(line="cable", limits=both(lambda simulator: Blackhole(simulator, of(*FLOW), times, ledger)))
    slow = draw.random.random() < 0.4
    calls = redialling(world, draw.random.choice(ANY), 3, until, (3, 0.5 * every) if slow else (0.5, 3), patience=draw.random.uniform(4, 8))
    there = control(draw, world, until)
    done(world, until)
    cuts = [time for time in times if any(call.alive and call.media_at < time and (call.over or 1e9) > time for call in calls)]
    return world, interfered(world, cut_findings(every, len(cuts), "udp_blackhole"), there, also=("suspected",), hard=slow), {"every": every, "slow": slow, "cuts": len(cuts)}


def x_cut_by_age(draw):
    """Each call dies when it is 20 to 50 s old, whenever it began; redialled after 1 to 30 s."""
    age, ledger = draw.random.choice((20.0, 33.0, 50.0)), Ledger()
    until = age * draw.random.uniform(5.5, 6.5) + 60
    match = of(*MEDIA, "rtcp")
    world = draw.world(line="cable", limits=both(lambda simulator: Killer(simulator, match, ledger, "seconds", age)))
    slow = draw.random.random() < 0.5
    calls = redialling(world, draw.random.choice(("sip", "webrtc", "whatsapp", "skype", "viber")), 3, until, (5, 30) if slow else (0.5, 3), patience=draw.random.uniform(4, 8), rtcp=False)
    there = control(draw, world, until)
    done(world, until)
    deaths = sum(1 for call in calls if call.alive and call.over and call.over - call.media_at > age)
    findings = cut_findings(age, deaths, "udp_blackhole", "cut") + [{"kind": "dies_after", "mechanism": "seconds", "either": "cut"}]
    return world, interfered(world, findings, there, also=("suspected",), hard=deaths < 4), {"age": age, "slow": slow, "deaths": deaths}


def cut_findings(every, count, mechanism, either=None):
    rows = [{"kind": "periodic_reset", "period_s": every, "count": count, "mechanism": mechanism}, {"kind": "outage", "optional": True}, {"kind": "freeze", "optional": True},
            {"kind": "dies_after", "optional": True}]
    if either:
        rows[0]["either"] = either
        rows.pop()
    return rows


def x_forged_resets(draw):
    """Voice over TCP: forged resets to both ends (or to us alone) each time that the connection is so old."""
    age, reach = draw.random.choice((20.0, 30.0, 45.0)), draw.random.choice(("both", "client"))
    until = age * draw.random.uniform(4.6, 6.5)
    begun, holder = {}, []

    def when(packet):
        now = holder[0].simulator.now
        first = begun.setdefault(packet.flow, now)
        if now - first > age:
            begun[packet.flow] = 1e12
            return True
        return False
    world = draw.world(line="cable", limits=lambda simulator: ([], [Forger(simulator, of("voice"), when, lambda p: holder[0].network.down(p), lambda p: None)]))
    holder.append(world)
    forger = world.network.limits[1][0]

    def at_both(packet):
        # The packet that was seen comes down: its sender is the server, so what goes "back" goes to the server.
        if reach == "both":
            world.network._at_server(packet)
    forger.toward_server, forger.toward_client = world.network.down, at_both
    calls = []

    def dial(start):
        calls.append(TcpCall(world, "mumble", start, until - start, again, server="198.51.100.31"))

    def again(call, why):
        if why != "hung_up" and world.simulator.now < until - 8:
            dial(world.simulator.now + draw.random.uniform(1, 5))
    dial(3.0)
    there = control(draw, world, until)
    done(world, until)
    findings = [{"kind": "injected_reset", "either": "rst"}, {"kind": "periodic_reset", "mechanism": "tcp_rst", "period_s": age, "count": len(forger.times), "either": "rst"},
                {"kind": "outage", "optional": True}, {"kind": "freeze", "optional": True}]
    return world, interfered(world, findings, there, also=("suspected", "impaired") if len(forger.times) < 3 else ("suspected",), forbidden=("rate_cap", "blocking")), {
        "age": age, "reach": reach, "resets": len(forger.times)}


def x_one_way(draw):
    """From some moment on (or from the start) everything of the call's media toward us is dropped; what we send arrives."""
    length, since = draw.length(50, 100), draw.random.choice((0.0, 12.0, 25.0))
    media = of(*MEDIA)
    world = draw.world(line="cable", limits=lambda simulator: ([], [Matching(simulator, lambda packet: media(packet) and simulator.now > since)]))
    calls = redialling(world, draw.random.choice(("sip", "webrtc", "whatsapp")), 3, length, (2, 6), lambda: draw.random.uniform(25, 40), True)
    there = control(draw, world, length, 0.9)
    done(world, length)
    return world, interfered(world, [{"kind": "one_way", "either": "way"}, {"kind": "freeze", "either": "way"}, {"kind": "outage", "either": "way"}, {"kind": "dies_after", "either": "way"}], there,
                             also=("impaired", "suspected")), {"since": since, "calls": len(calls)}


def x_cut_all_hours(draw):
    """An application's UDP is dead for 10 s in every 45 s, old flows and new alike; it comes back by itself, on the same flow."""
    every, dead = draw.random.choice((30.0, 45.0)), draw.random.uniform(4, 12)
    times, until = [15 + every * index for index in range(5)], 15 + every * 5
    world = draw.world(line="cable", limits=both(lambda simulator: Blackhole(simulator, of(*FLOW), times, Ledger(), dead)))
    redialling(world, draw.random.choice(ANY), 3, until)
    there = control(draw, world, until)
    done(world, until)
    return world, interfered(world, cut_findings(every, 5, "udp_blackhole"), there, also=("suspected",)), {"every": every, "dead": dead}

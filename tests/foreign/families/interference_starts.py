"""Interference: calls that never begin."""
from families.common import of, redialling, talk
from families.innocent_ends import done
from families.interference_limits import control
from speech.tunnels import TcpCall
from truth import interfered
from world.limits import Forger, Limit, Matching
from world.simulator import TCP

NAMES = {"viber": "aloha.viber.com", "skype": "api.skype.com", "telegram": "web.telegram.org", "tango": "voice.tango.me", "whatsapp": "g.whatsapp.net", "zoom": "zoom.us"}


def starting(draw, labels, applications, healthy=0.4, way="down", until=None):
    """Packets of the labels never pass (`way`); tries go on; maybe a healthy call of another application beside them."""
    until = until or draw.length(70, 100)
    application = draw.random.choice(applications)
    match = of(*labels, application=application)
    world = draw.world(line="cable", limits=lambda simulator: ([], [Matching(simulator, match)]) if way == "down" else ([Matching(simulator, match)], []))
    calls = redialling(world, application, 4, until, (2, 8))
    beside = draw.random.random() < healthy
    if beside:
        talk(world, draw.random.choice([one for one in ("sip", "teamspeak", "viber") if one != application]), 8, until - 15)
    there = control(draw, world, until, 0.9)
    done(world, until)
    return world, interfered(world, [{"kind": "blocking", "mechanism": "no_reply", "application": application}], there or beside, also=("suspected", "impaired"), forbidden=("rate_cap", "injected_reset"),
                             applications=sorted({call.application for call in world.calls})), {"tries": len(calls), "healthy": beside}


def x_stun_silent(draw):
    """STUN checks of the call are never answered; other things work, maybe another call too."""
    return starting(draw, ("stun",), ("webrtc", "whatsapp"), way=draw.random.choice(("up", "down")))


def x_dtls_silent(draw):
    """STUN is answered, DTLS never."""
    return starting(draw, ("dtls",), ("webrtc",), way=draw.random.choice(("up", "down")))


def x_first_silent(draw):
    """The first packets of Viber, TeamSpeak or SIP are never answered."""
    return starting(draw, ("start", "signal", "audio"), ("viber", "teamspeak", "sip"), way="down")


def x_dns_forged(draw):
    """A forged "no such name", or a dead address, from the operator's resolver for one application."""
    until, application = draw.length(70, 100), draw.random.choice(("viber", "skype", "telegram", "tango"))
    way = draw.random.choice(("nxdomain", "address"))
    world = draw.world(line="cable")
    world.resolver.address = "192.0.2.53"
    world.network.servers[(17, "192.0.2.53", 53)] = world.resolver._serve
    name = NAMES[application]
    world.resolver.forge = lambda asked: ((3, None, 0.004) if way == "nxdomain" else (0, "10.10.34.35", 0.004)) if asked == name else None
    calls = redialling(world, application, 4, until, (3, 10), sign_in_server="10.10.34.35" if way == "address" else "198.51.100.7",
                       sign_in_options={"refuse": draw.random.choice(("silent", "reset"))} if way == "address" else {})
    there = control(draw, world, until, 0.95)
    done(world, until)
    return world, interfered(world, [{"kind": "blocking", "application": application}], there, also=("suspected", "impaired"), forbidden=("rate_cap", "periodic_reset")), {"way": way, "tries": len(calls)}


class NameSeen(Limit):
    """Remembers flows in whose first segment a name stood, and drops whatever of them follows, that segment included."""

    def __init__(self, simulator, name):
        super().__init__(simulator, lambda packet: packet.protocol == TCP)
        self.name, self.flows = name.encode(), set()

    def passes(self, packet):
        if self.name in packet.payload:
            self.flows.add(packet.flow)
        return packet.flow not in self.flows


def x_sni_reset(draw):
    """A reset after the ClientHello that names the application; other names pass."""
    until, application = draw.length(60, 90), draw.random.choice(("viber", "skype", "telegram", "tango", "zoom"))
    name, holder = NAMES[application].encode(), []
    drop = draw.random.random() < 0.5
    world = draw.world(line="cable", limits=lambda simulator: ([Forger(simulator, lambda packet: True, lambda packet: name in packet.payload, lambda p: holder[0].network.down(p),
                                                                      lambda p: holder[0].network._at_server(p), drop=drop)], []))
    holder.append(world)
    calls = redialling(world, application, 4, until, (2, 9))
    there = control(draw, world, until, 0.95)
    done(world, until)
    return world, interfered(world, [{"kind": "blocking", "application": application, "mechanism": "tcp_rst", "either": "sni"}, {"kind": "injected_reset", "either": "sni"}], there,
                             also=("suspected", "impaired"), forbidden=("rate_cap",)), {"tries": len(calls), "dropped": drop}


def x_sni_silent(draw):
    """After the ClientHello that names the application nothing passes any more."""
    until, application = draw.length(70, 100), draw.random.choice(("viber", "skype", "telegram", "tango", "zoom"))
    world = draw.world(line="cable", limits=lambda simulator: ([NameSeen(simulator, NAMES[application])], []))
    calls = redialling(world, application, 4, until, (2, 9))
    there = control(draw, world, until, 0.95)
    done(world, until)
    return world, interfered(world, [{"kind": "blocking", "application": application, "either": "sni"}, {"kind": "freeze", "either": "sni"}], there, also=("suspected", "impaired"),
                             forbidden=("rate_cap", "injected_reset")), {"tries": len(calls)}


class Freeze(Limit):
    """A TCP flow is frozen once it has brought so many bytes."""

    def __init__(self, simulator, match, budget):
        super().__init__(simulator, match)
        self.budget, self.used = budget, {}

    def passes(self, packet):
        self.used[packet.flow] = self.used.get(packet.flow, 0) + len(packet.payload)
        return self.used[packet.flow] <= self.budget


def x_tls_freeze(draw):
    """Voice in TLS is frozen after 15 to 20 kB, each connection; the web is not."""
    until, budget = draw.length(80, 120), draw.random.uniform(15_000, 20_000)
    world = draw.world(line="cable", limits=lambda simulator: ([], [Freeze(simulator, of("voice"), budget)]))
    calls = []

    def dial(start):
        calls.append(TcpCall(world, "mumble", start, until - start, again, server="198.51.100.31", patience=draw.random.uniform(6, 12)))

    def again(call, why):
        if why != "hung_up" and world.simulator.now < until - 8:
            dial(world.simulator.now + draw.random.uniform(1, 4))
    dial(3.0)
    there = control(draw, world, until, 0.95)
    done(world, until)
    findings = [{"kind": "dies_after", "mechanism": "bytes", "either": "dead"}, {"kind": "freeze", "either": "dead"}, {"kind": "outage", "either": "dead"},
                {"kind": "periodic_reset", "either": "dead", "period_s": 15.0, "count": len(calls), "mechanism": "silence"}, {"kind": "blocking", "either": "dead"}]
    return world, interfered(world, findings, there, also=("suspected", "impaired"), forbidden=("rate_cap",)), {"budget": budget, "calls": len(calls)}


def x_udp_blocked(draw):
    """The application's UDP is dropped, it falls back to TCP and lives there."""
    until, application = draw.length(80, 110), draw.random.choice(("webrtc", "whatsapp", "mumble"))
    match = of("stun", "start", "audio", application=application)
    world = draw.world(line="cable", limits=lambda simulator: ([Matching(simulator, lambda packet: match(packet) and packet.protocol != TCP)], []))
    server = "198.51.100.140"
    first = talk(world, application, 4, until, lambda call, why: TcpCall(world, application, world.simulator.now + 1, until - world.simulator.now, server=server, port=443 if application != "mumble"
                                                                         else 64738), server=server, checks=12)
    there = control(draw, world, until, 0.8)
    done(world, until)
    return world, interfered(world, [{"kind": "blocking", "mechanism": "no_reply", "application": application}], there, also=("suspected", "impaired", "insufficient"), hard=True), {"failed": first.failed}

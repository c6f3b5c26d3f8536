"""Innocents: networks that let little through, by their owner's will or by mistake."""
from families.common import redialling, talk
from families.innocent_ends import done
from truth import innocent
from world import tcp
from world.limits import Limit
from world.simulator import TCP, UDP


class Wall(Limit):
    """Lets through what `allows`; the rest is dropped or refused by ICMP."""

    def __init__(self, simulator, allows, network=None, refuse=False):
        super().__init__(simulator, lambda packet: not allows(packet))
        self.network, self.refuse = network, refuse

    def passes(self, packet):
        if self.refuse and self.network:
            self.network[0].refuse("192.168.1.1", packet)
        return False


def i_firewall_443(draw):
    """A hotel's or an office's network: only names, port 80 and port 443. Calls never begin, web does."""
    refuse, holder = draw.random.random() < 0.3, []
    allows = lambda packet: packet.target_port in (53, 80, 443) and (packet.protocol == TCP or packet.target_port == 53)  # noqa: E731
    world = draw.world(line="cable", home=lambda simulator: ([Wall(simulator, allows, holder, refuse)], []))
    holder.append(world.network)
    applications = draw.random.sample(("sip", "webrtc", "teamspeak", "viber", "whatsapp", "telegram"), draw.random.randrange(1, 3))
    for index, application in enumerate(applications):
        redialling(world, application, 3 + 20 * index, 100, (5, 20))

    def others():                                # a mail program and a game meet the same wall
        if world.simulator.now < 95:
            client, _ = tcp.connect(world.network, world.network.client, "192.0.2.150", draw.random.choice((993, 587, 5222, 22)))
            client.give_up = 3
            client.connect()
            world.simulator.after(25, others)
    world.simulator.at(5, others)
    world.browse(stop=100, size=(20_000, 120_000))
    return done(world, 100), innocent(world, verdict="impaired", also=("insufficient",), forbidden=("rate_cap", "periodic_reset", "injected_reset"), findings=[{"kind": "blocking", "optional": True}])


def i_guest_no_udp(draw):
    """A guest network that lets no UDP through but names: calls over UDP fail, games fail, QUIC fails, TCP of any port works."""
    allows = lambda packet: packet.protocol != UDP or packet.target_port == 53  # noqa: E731
    world = draw.world(line="cable", home=lambda simulator: ([Wall(simulator, allows)], []))
    redialling(world, draw.random.choice(("webrtc", "whatsapp", "sip", "viber")), 4, 90, (5, 20))
    from speech.voice import Path
    from world.web import noise
    for index in range(4):
        path = Path(world.network, None, 50000 + index, f"192.0.2.{60 + index}", 443)
        for repeat in range(3):
            world.simulator.at(6 + 18 * index + repeat, lambda path=path: path.send_up(b"\xc3\0\0\0\1\x08" + noise(world.simulator, 1240), "quic"))
    world.browse(stop=90, size=(20_000, 120_000))
    return done(world, 90), innocent(world, verdict="impaired", also=("insufficient", "suspected"), forbidden=("rate_cap", "periodic_reset", "injected_reset"),
                                     findings=[{"kind": "blocking", "optional": True}])


def i_parental_control(draw):
    """The home's own resolver lies about an application's name (no such name, or its own address): parental control."""
    world = draw.world(line="cable")
    application, way = draw.random.choice(("viber", "skype", "telegram", "tango")), draw.random.choice(("nxdomain", "own"))
    world.resolver.address = world.gateway
    world.network.servers[(UDP, world.gateway, 53)] = world.resolver._serve
    name = {"viber": "viber.com", "skype": "skype.com", "telegram": "telegram.org", "tango": "tango.me"}[application]
    world.resolver.forge = lambda asked: ((3, None, 0.002) if way == "nxdomain" else (0, "0.0.0.0", 0.002)) if name in asked else None
    redialling(world, application, 3, 80, (5, 15), sign_in_server="0.0.0.0" if way == "own" else "198.51.100.7", sign_in_options={"refuse": "silent"})
    world.browse(stop=80, size=(20_000, 120_000))
    return done(world, 80), innocent(world, verdict="impaired", also=("suspected", "insufficient"), forbidden=("rate_cap", "periodic_reset"), findings=[{"kind": "blocking", "optional": True}])


def i_broken_v6(draw):
    """IPv6 is announced but goes nowhere: every connection over it is tried first, unanswered; then all works over IPv4."""
    world, length = draw.world(line="cable"), draw.length(60, 100)
    own = "2001:db8:1::23"
    world.network.tap.addresses.add(own)
    targets = [f"2001:db8:{draw.random.randrange(10, 99)}::{index + 1}" for index in range(5)]

    def attempt():
        if world.simulator.now < length:
            target, port = draw.random.choice(targets), draw.random.choice((443, 443, 5061, 64738))
            client, _ = tcp.connect(world.network, own, target, port, refuse="silent")
            client.give_up = draw.random.randrange(1, 4)
            client.connect()
            world.simulator.after(draw.random.uniform(3, 9), attempt)
    world.simulator.at(2, attempt)
    talk(world, draw.random.choice(("sip", "webrtc", "whatsapp", "mumble")), 6, length)
    world.browse(stop=length)
    return done(world, length), innocent(world, also=("impaired",))


def i_resolver_down(draw):
    """The resolver dies for a while: no name is answered, sign-in and pages wait; who is connected already goes on talking."""
    world, length = draw.world(line="cable"), draw.length(70, 110)
    world.resolver.dead = lambda now: 20 < now < 60
    talk(world, "sip", 3, length)
    redialling(world, draw.random.choice(("viber", "skype", "webrtc")), 25, length, (3, 8), lambda: 20, local=30000)
    world.browse(stop=length, size=(20_000, 120_000))
    return done(world, length), innocent(world, verdict="impaired", also=("suspected", "insufficient"), forbidden=("rate_cap", "periodic_reset", "injected_reset"))


def i_portal(draw):
    """A captive portal: before sign-in every name leads to it and every other port is dropped; afterwards all is well and the call runs."""
    opened = draw.random.uniform(25, 45)
    length = opened + draw.length(40, 70)

    class Portal(Wall):
        def put(self, packet):
            if self.simulator.now > opened or packet.target_port == 53:
                return self.next(packet)
            return super().put(packet)
    world = draw.world(line="cable", home=lambda simulator: ([Portal(simulator, lambda packet: False)], []))
    world.resolver.forge = lambda name: (0, "192.168.1.1", 0.002) if world.simulator.now < opened else None
    redialling(world, draw.random.choice(("sip", "webrtc", "whatsapp")), 6, length, (3, 9))
    world.browse(stop=length, size=(10_000, 80_000))
    return done(world, length), innocent(world, verdict="impaired", also=("insufficient", "suspected"), forbidden=("rate_cap", "periodic_reset", "injected_reset"))


def i_peer_to_peer_blocked(draw):
    """A strict NAT: direct checks are never answered, the relay is used instead and the call runs well."""
    from speech import starts
    from speech.voice import Path
    world, length = draw.world(line="lte"), draw.length(60, 110)
    path = Path(world.network, None, 41000, "203.0.113.90", 50505)
    world.network.servers.pop((UDP, *path.remote), None)
    for index in range(30):
        world.simulator.at(3 + index * 0.2, lambda: path.send_up(starts.check(world.simulator, world.simulator.random.randbytes(12)), "stun"))
    talk(world, draw.random.choice(("webrtc", "whatsapp")), 4, length, server="198.51.100.130", port=3478)
    world.browse(stop=length)
    return done(world, length), innocent(world)

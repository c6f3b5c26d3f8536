"""Innocents: relays, tunnels, voice over TCP, senders with habits."""
from families.common import ANY, redialling, talk
from families.innocent_ends import busy, done
from speech import starts
from speech.streams import opaque
from speech.tunnels import TcpCall
from speech.voice import Path
from truth import innocent
from world.radio import Bursts, Pause, RandomLoss
from world.web import noise


def i_tcp_voice_wifi(draw):
    """Mumble's tunnel over a bad Wi-Fi: segments sent again, voice late, then all at once."""
    length = draw.length(60, 120)
    world = draw.world(line="cable", wifi=True, home=lambda simulator: ([], [Bursts(simulator, 4, 0.3, 0.7)]))
    TcpCall(world, "mumble", 3, length)
    busy(world, length)
    return done(world, length), innocent(world, also=("clean", "impaired"))


def i_tcp_voice_loss(draw):
    """Voice over TCP on a line that loses at random."""
    length, share = draw.length(60, 110), draw.random.choice((0.0, 0.01, 0.03))
    world = draw.world(line="dsl", extra=lambda simulator: ([], [RandomLoss(simulator, share)]))
    TcpCall(world, "mumble", 3, length)
    busy(world, length)
    return done(world, length), innocent(world, also=("clean", "impaired"))


def i_turn_lifetime(draw):
    """A client that forgets to refresh its TURN allocation: the relay falls silent when the lifetime that it told is over, each time."""
    world, lifetime = draw.world(line="cable"), draw.random.choice((60, 75, 90))
    until, server, port = lifetime * 3.6, "198.51.100.120", draw.random.choice((3478, 3478, 34780, 443))
    draw_bytes = world.simulator.random.randbytes

    def allocate(call_start):
        local = draw.random.randrange(20000, 60000)
        path = Path(world.network, None, local, server, port)
        transaction = draw_bytes(12)
        request = starts.stun(3, transaction, starts.attribute(0x0019, b"\x11\0\0\0") + starts.attribute(0x000D, lifetime.to_bytes(4, "big")), False)
        answer = starts.stun(0x0103, transaction, starts.mapped("198.51.100.121", 50000, 0x0016) + starts.mapped("203.0.113.9", local) + starts.attribute(0x000D, lifetime.to_bytes(4, "big")), False)
        began = {}

        def reply(packet):
            path.send_down(answer, "turn", note=lambda p: begin())

        def begin():
            if not began:
                began["at"] = world.simulator.now
                bind = draw_bytes(12)
                path.send_up(starts.stun(9, bind, starts.attribute(0x000C, b"\x40\0\0\0") + starts.mapped("203.0.113.77", 40000, 0x0012), False), "turn",
                             note=lambda p: path.send_down(starts.stun(0x0109, bind, b"", False), "turn"))
                speak(path, world.simulator.now)
        path.on_up = lambda packet: packet.note and packet.note(packet)
        path.on_down = lambda packet: packet.note and packet.note(packet)
        path.send_up(request, "turn", note=reply)

    def speak(path, begin):
        from speech.streams import Stream, rtp
        from speech.voice import Voice
        alive = {"over": False, "heard": begin}
        for index, direction in enumerate(("sent", "received")):
            ssrc = draw.random.getrandbits(32)
            ends = (path.local, path.remote) if not index else (path.remote, path.local)
            stream = Stream("webrtc", "audio", "opus", direction, *ends, ssrc, 48000)
            world.streams.append(stream)
            inner = rtp(world.simulator, ssrc, 111, b"\xbe\xde\0\1\x10\xff\0\0", 10)

            def make(number, stamp, marker, size, inner=inner):
                body = inner(number, stamp, marker, size)
                return b"\x40\0" + len(body).to_bytes(2, "big") + body

            def send(payload, number, stamp, index=index, stream=stream):
                if alive["over"] or index and world.simulator.now > begin + lifetime:
                    return
                (path.send_down if index else path.send_up)(payload, "audio", stream, number, stamp)
            Voice(world.simulator, "opus", make, send, None, begin + 0.1)

        def give_up():
            alive["over"] = True
            if world.simulator.now < until - 20:
                world.simulator.after(draw.random.uniform(1, 6), allocate, 0)
        world.simulator.at(begin + lifetime + draw.random.uniform(4, 9), give_up)
    world.simulator.at(3, allocate, 0)
    busy(world, until)
    return done(world, until), innocent(world, verdict="impaired", also=("clean", "insufficient", "suspected"), applications=["webrtc"])


def tunnel(world, start, stop, rekey, pause):
    """A WireGuard tunnel with a call inside: data both ways at a voice's rate; at each rekey a pause and a handshake."""
    path = Path(world.network, None, 51820, "203.0.113.50", 51820)
    draw = world.simulator.random
    keys = [draw.randbytes(4), draw.randbytes(4)]
    counters, quiet = [0, 0], []

    def beat(index, due):
        now = world.simulator.now
        if now > stop:
            return
        if not any(a <= now < b for a, b in quiet):
            size = (draw.randrange(100, 230) + 15) // 16 * 16
            body = b"\4\0\0\0" + keys[index] + counters[index].to_bytes(8, "little") + noise(world.simulator, size + 16)
            counters[index] += 1
            (path.send_down if index else path.send_up)(body, "tunnel")
        world.simulator.at(due + 0.02, beat, index, due + 0.02)

    def shake():
        now = world.simulator.now
        if now > stop:
            return
        quiet.append((now, now + pause))

        def greet():
            path.send_up(b"\1\0\0\0" + draw.randbytes(4) + noise(world.simulator, 140), "tunnel",
                         note=lambda p: path.send_down(b"\2\0\0\0" + draw.randbytes(8) + noise(world.simulator, 80), "tunnel"))
        world.simulator.at(now + max(0.0, pause - 0.15), greet)
        world.simulator.after(rekey, shake)
    path.on_up = lambda packet: packet.note and packet.note(packet)
    world.simulator.at(start, shake)
    for index in (0, 1):
        world.simulator.at(start + 0.5 + pause, beat, index, start + 0.5 + pause)


def i_vpn_rekey(draw):
    """Everything runs in a VPN, whose rekeying pauses it for a moment on a beat (every 60 or 120 s)."""
    world = draw.world(line="cable")
    until = draw.length(150, 190)
    tunnel(world, 2, until, draw.random.choice((30, 60)), draw.random.uniform(0.3, 2.5))
    world.run(until + 5)
    return world, innocent(world, verdict="insufficient", also=("clean", "impaired"), applications=["wireguard"])


def i_inside_vpn(draw):
    """A capture on the tunnel's own interface (raw IP): the VPN pauses on a beat, for call and web alike."""
    length, every, pause = draw.length(100, 160), draw.random.choice((30.0, 45.0)), draw.random.uniform(0.3, 2.5)
    spans = [(time, time + pause) for time in [draw.random.uniform(8, 20) + every * index for index in range(6)]]
    kept = draw.random.random() < 0.5
    world = draw.world(line="cable", home=lambda simulator: ([Pause(simulator, spans, kept)], [Pause(simulator, spans, kept)]))
    world.network.tap.link = 101
    talk(world, draw.random.choice(ANY), 3, length)
    world.browse(stop=length, size=(30_000, 150_000), pause=(0.5, 3))
    return done(world, length), innocent(world, also=("impaired", "clean"))


def i_nat_rebinding(draw):
    """The home's router forgets the call's mapping while both are silent; what the far end sends is lost until we send again."""
    length = draw.length(80, 140)
    a, span = draw.random.uniform(25, 40), draw.random.uniform(6, 12)
    world = draw.world(line="cable", home=lambda simulator: ([], [OnlyCalls(simulator, [(a + span - 4, a + span)])]))
    talk(world, draw.random.choice(("webrtc", "mumble", "teamspeak", "sip")), 3, length, mute_up=[(a, a + span)])
    busy(world, length, 1.0)
    return done(world, length), innocent(world, verdict="impaired", also=("suspected",))


class OnlyCalls(Pause):
    """Pauses what belongs to a call."""

    def put(self, packet):
        if packet.call is None:
            self.next(packet)
        else:
            super().put(packet)


def i_router_helper(draw):
    """A router's SIP helper garbles the media's address: our voice goes, none ever comes; the user hangs up and tries again."""
    world = draw.world(line="cable", home=lambda simulator: ([], [OnlyMedia(simulator, [(0, 1e9)])]))
    redialling(world, "sip", 3, 90, (4, 10), lambda: draw.random.uniform(8, 18), True, codec="g711a", server="198.51.100.61")
    busy(world, 90)
    return done(world, 90), innocent(world, verdict="impaired", also=("suspected", "insufficient"))


class OnlyMedia(Pause):
    def put(self, packet):
        if packet.label not in ("audio", "rtcp"):
            self.next(packet)
        else:
            super().put(packet)


def i_keep_alives(draw):
    """An application that is idle: keep-alives each 15 s for minutes, one short call between."""
    world = draw.world(line="cable")
    path = Path(world.network, None, 40100, "198.51.100.33", 4244)
    for index in range(14):
        world.simulator.at(2 + index * 15, lambda: path.send_up(noise(world.simulator, 12), "idle", note=lambda p: path.send_down(noise(world.simulator, 12), "idle")))
    path.on_up = lambda packet: packet.note and packet.note(packet)
    talk(world, draw.random.choice(("viber", "sip")), 60, draw.length(30, 60))
    busy(world, 200, 0.8)
    world.run(210)
    return world, innocent(world)


def i_game(draw):
    """No call at all: a game's UDP at 30 packets a second both ways, with losses on its server's side, and the web."""
    world, length = draw.world(line="cable"), draw.length(60, 100)
    path = Path(world.network, None, draw.random.randrange(20000, 60000), "198.51.100.150", 27015)
    make = opaque(world.simulator, 0, 0)

    def beat(up):
        if world.simulator.now < length:
            if up or world.simulator.random.random() > 0.1:
                (path.send_up if up else path.send_down)(make(0, 0, 0, draw.random.randrange(20, 300)), "game")
            world.simulator.after(0.033, beat, up)
    world.simulator.at(2, beat, True)
    world.simulator.at(2.01, beat, False)
    busy(world, length, 1.0)
    return done(world, length), innocent(world, verdict="insufficient", also=("impaired",), applications=[])


def i_quic_video(draw):
    """No call: a film over UDP 443 in bursts, beside pages; each burst fills the line's queue."""
    world, length = draw.world(line="dsl", rates=(1e6, 4e6)), draw.length(60, 90)
    path = Path(world.network, None, draw.random.randrange(20000, 60000), "192.0.2.99", 443)

    def burst(left):
        if world.simulator.now > length:
            return
        if left:
            path.send_down(b"\x4f" + noise(world.simulator, 1249), "quic")
            if left % 8 == 0:
                path.send_up(b"\x4a" + noise(world.simulator, 40), "quic")
            world.simulator.after(0.0016, burst, left - 1)
        else:
            world.simulator.after(draw.random.uniform(2, 5), burst, draw.random.randrange(100, 300))
    world.simulator.at(2, lambda: path.send_up(b"\xc3\0\0\0\1\x08" + noise(world.simulator, 1240), "quic"))
    world.simulator.at(2.1, burst, 150)
    busy(world, length, 1.0)
    return done(world, length), innocent(world, verdict="insufficient", also=("impaired",), applications=[])

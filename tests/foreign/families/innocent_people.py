"""Innocents: what people do, and what their applications do by design."""
from families.common import ANY, NUMBERED, codec_of, talk
from families.innocent_ends import busy, done
from speech.streams import Stream, rtp
from speech.video import video
from speech.voice import CODECS, Talk, Voice
from truth import REST, innocent


def i_hang_up(draw):
    """Ordinary calls, one after the other, hung up by either side."""
    world, start = draw.world(line="cable", wifi=draw.random.random() < 0.4), 3.0
    for _ in range(draw.random.randrange(1, 4)):
        length = draw.length(25, 60)
        application = draw.random.choice(ANY)
        talk(world, application, start, length, ends=draw.random.choice(("bye", "far_bye")))
        start += length + draw.random.uniform(6, 15)
    busy(world, start)
    return done(world, start), innocent(world)


def i_silent_call(draw):
    """Neither side says a word (discontinuous transmission), then the user hangs up."""
    length = draw.length(30, 80)
    world = draw.world(line="cable")
    application, codec = draw.random.choice((("webrtc", "opus-dtx"), ("teamspeak", "opus-dtx"), ("mumble", "opus-dtx"), ("sip", "g729d")))
    quiet = [(0, 1e9)]
    talk(world, application, 3, length, codec=codec, talk_up=Talk(world.simulator, never=quiet), talk_down=Talk(world.simulator, never=quiet if draw.random.random() < 0.6 else [(12, 1e9)]))
    busy(world, length)
    return done(world, length), innocent(world, verdict="clean", also=("insufficient", "impaired"))


def i_voice_mail(draw):
    """Voice mail: a greeting, then nothing comes any more while the user speaks and hangs up. Several short calls."""
    world, start = draw.world(line="cable"), 3.0
    for _ in range(draw.random.randrange(1, 5)):
        greeting, message = draw.random.uniform(6, 14), draw.random.uniform(5, 25)
        total = greeting + message
        talk(world, "sip", start, total, codec=draw.random.choice(("g711a", "g729")), far_stops_early=message if draw.random.random() < 0.6 else 0.0, talk_down=Talk(world.simulator, 0.9),
             talk_up=Talk(world.simulator, 0.7, never=[(start, start + greeting)]))
        start += total + draw.random.uniform(5, 20)
    busy(world, start)
    return done(world, start), innocent(world, also=("impaired", "clean", "insufficient", "suspected"))


def i_declined(draw):
    """The other side declines, twice or more; then one call is answered."""
    world, start = draw.world(line="cable"), 3.0
    for _ in range(draw.random.randrange(2, 5)):
        talk(world, "sip", start, 10, answer="declined", server="198.51.100.77")
        start += draw.random.uniform(8, 15)
    talk(world, "sip", start, 40, server="198.51.100.77")
    busy(world, start + 45)
    return done(world, start + 45), innocent(world)


def i_conference_leaving(draw):
    """A conference on one relay: voices come and go, each with its own SSRC; the last leave and the user waits before hanging up."""
    length = draw.length(80, 140)
    world = draw.world(line="cable", wifi=draw.random.random() < 0.3)

    def others(call):
        for _ in range(draw.random.randrange(2, 5)):
            ssrc = draw.random.getrandbits(32)
            stream = Stream("webrtc", "audio", "opus-dtx", "received", call.path.remote, call.path.local, ssrc, 48000)
            world.streams.append(stream)
            call.streams.append(stream)
            begin = world.simulator.now + draw.random.uniform(0, 40)

            def send(payload, number, stamp, stream=stream):
                if not call.over:
                    call.path.send_down(payload, "audio2", stream, number, stamp)
            Voice(world.simulator, "opus-dtx", rtp(world.simulator, ssrc, 111, b"\xbe\xde\0\1\x10\xff\0\0", 10), send, Talk(world.simulator, 0.3), begin, begin + draw.random.uniform(10, 70))
    talk(world, "webrtc", 3, length, codec="opus-dtx", also=[others], far_stops_early=draw.random.choice((0.0, 3.0, 8.0)))
    busy(world, length)
    return done(world, length), innocent(world, also=("clean", "impaired", "suspected"))


def i_music_on_hold(draw):
    """The far end puts us on hold: music without a pause from there, nothing from us; then talk again."""
    length = draw.length(70, 120)
    world = draw.world(line="cable")
    hold = (draw.random.uniform(15, 25), draw.random.uniform(40, 60))
    talk(world, "sip", 3, length, codec=draw.random.choice(("g711a", "g729", "g722")), mute_up=[hold], talk_down=Talk(world.simulator, 0.8))
    busy(world, length)
    return done(world, length), innocent(world)


def i_hold_silent(draw):
    """On hold without music: neither side sends for up to half a minute, the far end answers the re-INVITE, then talk goes on."""
    length = draw.length(70, 120)
    world = draw.world(line="cable")
    begin, end = draw.random.uniform(15, 25), draw.random.uniform(35, 55)
    call = talk(world, "sip", 3, length, codec="g711a", mute_up=[(begin, end)], mute_down=[(begin + 0.1, end + 0.1)])
    from speech.starts import sdp

    def again(direction):
        call.dialog.sequence += 1
        text = call.dialog.request("INVITE", sdp(world.network.client, call.local, call.kinds, direction))
        other = {"sendonly": "recvonly", "inactive": "inactive"}.get(direction, "sendrecv")
        call.signal.send_up(text, "signal", note=lambda: call.signal.send_down(call.dialog.response(200, "OK", "INVITE", sdp(call.server, call.port, call.kinds, other)), "signal",
                            note=lambda: call.signal.send_up(call.dialog.request("ACK"), "signal")))
    world.simulator.at(begin, again, "inactive")
    world.simulator.at(end - 0.2, again, "sendrecv")
    busy(world, length)
    return done(world, length), innocent(world, verdict="clean", also=("impaired",))


def i_muted(draw):
    """The user mutes for a while, and the far end too, later; the applications stop sending."""
    length = draw.length(70, 120)
    world = draw.world(line="cable")
    a, b = draw.random.uniform(10, 20), draw.random.uniform(45, 55)
    talk(world, draw.random.choice(("webrtc", "mumble", "teamspeak", "sip")), 3, length, mute_up=[(a, a + 15)], mute_down=[(b, b + draw.random.uniform(5, 15))])
    busy(world, length)
    return done(world, length), innocent(world, verdict="clean", also=("impaired", "suspected"))


def i_codec_change(draw):
    """The codec changes in mid-call: another payload type, size, and maybe packet time."""
    length = draw.length(60, 100)
    world = draw.world(line="cable")
    first, second = draw.random.sample(("g711a", "g711u", "g729", "g722"), 2)
    call = talk(world, "sip", 3, length, codec=first)

    def change():
        for index, voice in enumerate(call.voices):
            voice.change(second, rtp(world.simulator, call.streams[index].ssrc, CODECS[second][2]))
    world.simulator.at(length / 2, change)
    busy(world, length)
    return done(world, length), innocent(world)


def i_key_presses(draw):
    """Keys pressed for a menu: telephone events (RFC 4733) in the same stream, their numbers in turn, the time standing still."""
    length = draw.length(60, 90)
    world = draw.world(line="cable")
    call = talk(world, "sip", 3, length, codec="g711a")
    import struct

    def press(index, count):
        if not call.alive or call.over:
            return
        voice = call.voices[index]
        if count == 0:
            voice.mute = [(world.simulator.now, world.simulator.now + 0.26)]
            call.__dict__["key_stamp"] = voice.stamp
        ended = count >= 10
        payload = struct.pack("!BBHIIBBH", 0x80, 101 | (0x80 if count == 0 else 0), voice.number & 0xFFFF, call.key_stamp & 0xFFFFFFFF, call.streams[index].ssrc, 5,
                              10 | (0x80 if ended else 0), min(count, 10) * 160 + 160)
        voice.insert(payload, call.key_stamp)
        if count < 12:
            world.simulator.after(0.02, press, index, count + 1)
    for time in range(12, int(length) - 5, draw.random.randrange(5, 11)):
        world.simulator.at(time, press, draw.random.randrange(2), 0)
    busy(world, length)
    return done(world, length), innocent(world)


def i_sfu_layers(draw):
    """A relay switches between simulcast layers at random: the received rate jumps from 600 to 250 to 100 kbit/s and back."""
    length = draw.length(60, 90)
    world = draw.world(line="cable")
    talk(world, "webrtc", 3, length, also=[video("received", layers=(100_000, 250_000, 600_000)), video("sent", most=400_000)])
    busy(world, length)
    return done(world, length), innocent(world)


def i_fixed_video(draw):
    """The far end's encoder is set to a fixed rate (256, 384 kbit/s), with a hard buffer: the video never exceeds it, frames are dropped by the sender."""
    length, rate = draw.length(60, 90), draw.random.choice((128_000, 256_000, 384_000))
    world = draw.world(line="cable")
    application = draw.random.choice(("webrtc", "skype", "tango"))
    talk(world, application, 3, length, also=[video("received", start=rate, fixed=True, hard_buffer=draw.random.choice((0.3, 0.8)), frames=15)])
    busy(world, length)
    return done(world, length), innocent(world)


def i_frame_dropper(draw):
    """The far end's camera is weak: frames are left out at random, others come late; numbers have no gap."""
    length = draw.length(60, 90)
    world = draw.world(line="cable")
    talk(world, draw.random.choice(("webrtc", "skype")), 3, length, also=[video("received", drops_frames=0.35, fixed=True, start=draw.random.choice((200_000, 400_000)))])
    busy(world, length)
    return done(world, length), innocent(world)


def i_video_off_on(draw):
    """The far end turns its camera off and on again; the voice goes on."""
    length = draw.length(70, 100)
    world = draw.world(line="cable")

    def start(call):
        from speech.video import Video
        one = Video(call, "received", most=500_000)
        one.off = [(draw.random.uniform(15, 25), draw.random.uniform(35, 60))]
    talk(world, "webrtc", 3, length, also=[start])
    busy(world, length)
    return done(world, length), innocent(world)


def i_walkie_talkie(draw):
    """Push to talk: both sides send nothing at all between spurts, for up to half a minute."""
    length = draw.length(90, 150)
    world = draw.world(line="cable", wifi=draw.random.random() < 0.3)
    application = draw.random.choice(("mumble", "teamspeak"))
    quiet = []
    now = 5.0
    while now < length:
        quiet.append((now, now + draw.random.uniform(5, 25)))
        now = quiet[-1][1] + draw.random.uniform(2, 9)
    talk(world, application, 3, length, codec="opus", mute_up=quiet, mute_down=[(b, b + 6) for _, b in quiet] + [(a, a + 3) for a, _ in quiet])
    busy(world, length)
    return done(world, length), innocent(world, also=("insufficient", "clean", "impaired"))


def i_good_call(draw):
    """Nothing at all: the control of controls."""
    length = draw.length(60, 150)
    application = draw.random.choice(ANY)
    world = draw.world(line=draw.random.choice(("cable", "fibre", "dsl")))
    talk(world, application, 3, length, codec=codec_of(draw.random, application))
    busy(world, length, 0.6)
    return done(world, length), innocent(world)


def i_ice_losers(draw):
    """WebRTC tries several pairs; all but one are never answered (private addresses of the far end), the call runs."""
    length = draw.length(50, 100)
    world = draw.world(line="cable")
    from speech import starts
    from speech.voice import Path

    for index in range(draw.random.randrange(2, 6)):
        path = Path(world.network, None, 40000 + 2 * index, f"10.{draw.random.randrange(1, 200)}.0.{draw.random.randrange(2, 250)}", draw.random.randrange(20000, 60000))
        world.network.servers.pop((17, *path.remote), None)
        for count in range(draw.random.randrange(5, 14)):
            world.simulator.at(3 + count * 0.35 + index * 0.05, lambda path=path: path.send_up(starts.check(world.simulator, world.simulator.random.randbytes(12)), "stun"))
    talk(world, draw.random.choice(("webrtc", "whatsapp")), 3.2, length)
    busy(world, length)
    return done(world, length), innocent(world)


def i_many_numbered(draw):
    """Good calls of each numbered application beside a slow, lossless line's own queue."""
    length = draw.length(60, 90)
    world = draw.world(line="slow", buffers=(40_000, 60_000))
    talk(world, draw.random.choice(NUMBERED), 3, length)
    busy(world, length, 1.0)
    return done(world, length), innocent(world, forbidden=REST)

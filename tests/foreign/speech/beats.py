"""What a call repeats while it lives: consent checks, reports, pings."""
from speech import starts
from speech.voice import Path, rtcp_report
from world.web import noise


def consent(call):
    """Checks of both sides, as ICE keeps its consent fresh (RFC 7675)."""
    draw, path, simulator = call.simulator.random, call.path, call.simulator

    def ours():
        if not call.over:
            transaction = draw.randbytes(12)
            path.send_up(starts.check(simulator, transaction), "stun", note=lambda p: path.send_down(starts.checked(simulator, transaction, *path.local), "stun"))
            simulator.after(draw.uniform(2.0, 3.0), ours)

    def theirs():
        if not call.over:
            transaction = draw.randbytes(12)
            path.send_down(starts.check(simulator, transaction, False), "stun", note=lambda p: path.send_up(starts.checked(simulator, transaction, *path.remote), "stun"))
            simulator.after(draw.uniform(2.0, 3.0), theirs)
    ours()
    simulator.after(0.02, theirs)


def lost(state):
    gone = max(0, state["last"] - (state["first"] or 0) + 1 - state["got"]) if state["got"] else 0
    return gone, min(0.99, gone / max(1, state["got"] + gone))


def report(call):
    """RTCP both ways; the far end tells what it lost of ours. Not SIP's is enciphered."""
    if call.over:
        return
    ours, theirs, simulator = call.streams[0], call.streams[1], call.simulator
    sealed = noise(simulator, 62) if call.application != "sip" else b""
    ntp = int((simulator.now + 3_900_000_000) * (1 << 32))
    path = call.path
    if call.application == "sip":
        path = call.control = getattr(call, "control", None) or Path(call.network, call, call.local + 1, call.server, call.port + 1, call.options.get("far_up"))
    gone, share = lost(call.received)
    path.send_up(rtcp_report(ours.ssrc, theirs.ssrc, share, gone, call.received["last"], 40, ntp, call.voices[0].stamp, ours.sent, ours.sent_bytes, sealed), "rtcp")
    gone, share = lost(call.heard)
    path.send_down(rtcp_report(theirs.ssrc, ours.ssrc, share, gone, call.heard["last"], 40, ntp, call.voices[1].stamp, theirs.sent, theirs.sent_bytes, sealed), "rtcp")
    simulator.after(simulator.random.uniform(3.5, 6.5), report, call)


def mumble_pings(call):
    """Pings in the enciphered channel, in the count of the voice."""
    if not call.over:
        for voice in call.voices:
            if voice.running:
                voice.insert(voice.make(voice.number, 0, False, 2), voice.stamp)
        call.simulator.after(5.0, mumble_pings, call)

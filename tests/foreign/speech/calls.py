"""A call from the first name looked up to the last packet."""
from speech import beats, starts
from speech.streams import ABSENDER, Stream, mumble, opaque, rtp, skype, teamspeak_down, teamspeak_up, telegram, viber, zoom
from speech.voice import CODECS, Path, Talk, Voice
from world.web import noise

# application: codecs, server port, names of its sign-in, formats up and down
APPLICATIONS = {
    "sip": (("g711a", "g711u", "g729", "g729d", "g722"), None, None, None), "webrtc": (("opus", "opus-dtx", "opus-cbr"), None, "meet.example.org", None),
    "whatsapp": (("silk60", "silk"), 3478, "g.whatsapp.net", None), "skype": (("silk", "constant20"), None, "api.skype.com", (skype, skype)),
    "viber": (("silk", "opus-cbr"), 7985, "aloha.viber.com", (viber, viber)), "telegram": (("opus", "opus60"), 599, "web.telegram.org", (telegram, telegram)),
    "tango": (("opus-cbr", "silk"), None, "voice.tango.me", (opaque, opaque)), "teamspeak": (("opus-dtx", "opus"), 9987, None, (teamspeak_up, teamspeak_down)),
    "mumble": (("opus-dtx", "opus"), 64738, None, (mumble, mumble)), "zoom": (("opus", "opus-cbr"), 8801, "zoom.us", (zoom(0), zoom(4))),
}
UNNUMBERED = ("skype", "telegram", "tango")
OF_RTP = ("sip", "webrtc", "whatsapp")


class Call:
    """Options: codec, server, port, talk (up, down), mute (up, down) spans, far_up (chain of the far end's sending), far_loss (share of ours that the
    far end never gets), patience (s of silence before the client gives up), ends ('bye', 'far_bye', 'stops'), signs_in, drift, answered,
    direct (no check), video (a function called with the call when media begins), rtcp. `ended(call, why)` is told."""

    def __init__(self, world, application, start, length, ended=lambda call, why: None, **options):
        self.world, self.network, self.simulator = world, world.network, world.network.simulator
        self.application, self.start, self.length, self.ended, self.options = application, start, length, ended, options
        draw = self.simulator.random
        codecs, port, self.name, self.formats = APPLICATIONS[application]
        self.codec = options.get("codec") or draw.choice(codecs)
        self.server = options.get("server") or f"198.51.100.{draw.randrange(10, 250)}"
        self.port = options.get("port") or port or draw.randrange(10000, 60000)
        self.local = options.get("local") or draw.randrange(16384, 32000) // 2 * 2
        self.alive, self.media_at, self.over, self.failed = False, None, None, False
        self.streams, self.voices, self.path = [], [], None
        self.received, self.heard = {"got": 0, "first": None, "last": 0}, {"got": 0, "first": None, "last": 0}
        world.calls.append(self)
        self.simulator.at(start, self._begin)

    # -- beginning ---------------------------------------------------------------------------------
    def _begin(self):
        if self.name and self.options.get("signs_in", True) and self.world.resolver:
            address = self.options.get("sign_in_server", "198.51.100.7")
            self.world.resolver.ask(self.name, address, lambda answer: self._sign_in(address), lambda code: self._fail("dns"))
        else:
            self._ring()

    def _sign_in(self, address):
        from world.web import fetch
        self.simulator.after(self.simulator.random.uniform(8, 14), lambda: None if self.path or self.over else self._give_up_signing())
        self.signed = fetch(self.network, self.network.client, address, self.name, 4000, lambda ok: self._ring() if ok else self._fail("tls"), "signin", call=self,
                            **self.options.get("sign_in_options", {}))

    def _give_up_signing(self):
        self.signed[0].reset()
        self._fail("tls")

    def _fail(self, why):
        if not self.failed and not self.over:
            self.failed, self.over = True, self.simulator.now
            self.ended(self, why)

    def _ring(self):
        if self.over:
            return
        self.path = Path(self.network, self, self.local, self.server, self.port, self.options.get("far_up"), self._at_far_end, self._at_client)
        if self.application == "sip":
            self._invite()
        elif self.application in ("webrtc", "whatsapp"):
            self._check(0)
        else:
            self._first(0)

    def _at_client(self, packet):
        if packet.note and not self.over:
            packet.note(packet)
        self._count(self.received, packet)

    def _at_far_end(self, packet):
        if packet.note:
            packet.note(packet)
        self._count(self.heard, packet)

    @staticmethod
    def _count(state, packet):
        if packet.stream and packet.label == "audio":
            number = packet.number[0]
            state["got"] += 1
            state["first"] = number if state["first"] is None else state["first"]
            state["last"] = max(state["last"], number)

    # -- SIP ---------------------------------------------------------------------------------------
    def _invite(self):
        proxy = self.options.get("proxy", self.server)
        self.dialog = starts.Dialog(self.simulator, self.network.client, proxy)
        self.signal = Path(self.network, self, 5060, proxy, 5060, None, lambda p: p.note and p.note(), lambda p: p.note and p.note())
        kind = CODECS[self.codec][2]
        self.kinds = [kind, 101]
        self.rung = False
        offer = self.dialog.request("INVITE", starts.sdp(self.network.client, self.local, self.kinds), answered=False)
        self._ask(offer, lambda: self._rings(), 0, lambda: self.rung or self.over)

    def _ask(self, text, heard, tries, done):
        if done():
            return
        if tries == 6:
            self._fail("no_reply")
            return
        self.signal.send_up(text, "signal", note=heard)
        self.simulator.after(0.5 * 2 ** tries, self._ask, text, heard, tries + 1, done)

    def _rings(self):
        if self.rung or self.over:
            return
        self.rung = True
        answer = self.options.get("answer", "ok")
        self.signal.send_down(self.dialog.response(100, "Trying", "INVITE"), "signal", note=lambda: None)
        self.simulator.after(0.2, self.signal.send_down, self.dialog.response(180, "Ringing", "INVITE"), "signal")
        if answer == "declined":
            self.simulator.after(3.0, lambda: (self.signal.send_down(self.dialog.response(486, "Busy Here", "INVITE"), "signal", note=self._declined)))
            return
        body = starts.sdp(self.server, self.port, self.kinds)
        text = self.dialog.response(200, "OK", "INVITE", body, self.options.get("headers", ()))
        self.simulator.after(self.simulator.random.uniform(1, 3), self._pick_up, text, 0)

    def _pick_up(self, text, tries):
        if not self.alive and not self.over and tries < 7:
            self.signal.send_down(text, "signal", note=self._answered)
            self.simulator.after(0.5 * 2 ** tries, self._pick_up, text, tries + 1)

    def _answered(self):
        if not self.alive and not self.over:
            self.signal.send_up(self.dialog.request("ACK"), "signal")
            self._media()

    def _declined(self):
        self.signal.send_up(self.dialog.request("ACK"), "signal")
        self.over = self.simulator.now
        self.ended(self, "declined")

    # -- STUN, DTLS --------------------------------------------------------------------------------
    def _check(self, tries):
        if self.alive or self.over or getattr(self, "checked", False):
            return
        if tries > self.options.get("checks", 40):
            self._fail("stun")
            return
        transaction = self.simulator.random.randbytes(12)

        def at_far(packet):
            self.path.send_down(starts.checked(self.simulator, transaction, *self.path.local), "stun", note=lambda p: self._chosen())
        self.path.send_up(starts.check(self.simulator, transaction), "stun", note=at_far)
        self.simulator.after(min(0.5, 0.05 * 1.3 ** tries), self._check, tries + 1)

    def _chosen(self):
        if getattr(self, "checked", False):
            return
        self.checked = True
        beats.consent(self)
        if self.application == "webrtc":
            self.flights, self.shaken = starts.dtls_flights(self.simulator), False
            self._hello(starts.dtls_hello(self.simulator), 0)
        else:
            self._media()

    def _hello(self, hello, tries):
        if self.shaken or self.over:
            return
        if tries > 7:
            self._fail("dtls")
            return
        first, second, last = self.flights

        def at_far(packet):
            self.path.send_down(first, "dtls", note=lambda p: self.path.send_up(second, "dtls", note=lambda q: self.path.send_down(last, "dtls", note=finished)))

        def finished(packet):
            if not self.shaken:
                self.shaken = True
                self._media()
        self.path.send_up(hello, "dtls", note=at_far)
        self.simulator.after(0.4 * 1.7 ** tries, self._hello, hello, tries + 1)

    def _first(self, tries):
        if self.alive or self.over:
            return
        if tries > 8:
            self._fail("no_reply")
            return
        exchange = starts.first_packets(self.simulator, self.application)

        def step(index):
            if index >= len(exchange):
                if not self.alive and not self.over:
                    self._media()
                return
            up, data = exchange[index]
            label = "stun" if self.options.get("opaque_start") else "start"
            (self.path.send_up if up else self.path.send_down)(data, label, note=lambda p: step(index + 1))
        step(0)
        self.simulator.after(1.0, self._first, tries + 1)

    # -- media -------------------------------------------------------------------------------------
    def _media(self):
        self.alive, self.media_at = True, self.simulator.now
        stop = self.media_at + self.length
        draw, options = self.simulator.random, self.options
        talk_up = options.get("talk_up") or Talk(self.simulator, 0.45)
        talk_down = options.get("talk_down") or Talk(self.simulator, 0.55)
        ssrcs = draw.getrandbits(32), draw.getrandbits(32)
        clock, _, kind, _, _ = CODECS[self.codec]
        for index, direction in enumerate(("sent", "received")):
            ends = (self.path.local, self.path.remote)
            numbered = self.application in OF_RTP
            stream = Stream(self.application, "audio", self.codec, direction, ends[index], ends[1 - index], ssrcs[index] if numbered else None, clock,
                            self.application not in UNNUMBERED)
            make = self._format(index, ssrcs[index], kind)
            send = self.path.send_down if index else self.path.send_up
            stop_at = stop if not index else stop - options.get("far_stops_early", 0.0)
            voice = Voice(self.simulator, self.codec, make, self._sender(send, stream), talk_down if index else talk_up, self.media_at + draw.uniform(0, 0.1), stop_at,
                          options.get("mute_down" if index else "mute_up", ()), options.get("drift", draw.gauss(0, 2e-5)) if index else 0.0, options.get("lag", ()) if not index else (), self.application in ("mumble", "teamspeak"))
            self.streams.append(stream)
            self.voices.append(voice)
            self.world.streams.append(stream)
        if self.application in OF_RTP and options.get("rtcp", True):
            beats.report(self)
        for start in options.get("also", ()):
            start(self)
        if options.get("far_dead"):
            self.simulator.at(stop - options["far_stops_early"], self._far_end_dies)
        self.simulator.at(stop, self._stop)
        if options.get("patience"):
            self._watch()
        if self.application == "mumble":
            beats.mumble_pings(self)

    def _far_end_dies(self):
        """Nothing answers there any more: no voice, no reports, no STUN."""
        for path in (self.path, getattr(self, "control", None), getattr(self, "signal", None) if self.options["far_dead"] == "all" else None):
            if path:
                path.far = lambda packet: None

    def _format(self, index, ssrc, kind):
        if self.application == "sip":
            return rtp(self.simulator, ssrc, kind)
        if self.application in OF_RTP:
            kind = 120 if self.application == "whatsapp" else kind
            return rtp(self.simulator, ssrc, kind, ABSENDER if self.application == "webrtc" else b"\xde\xbe\0\1\x10\xff\0\0", 10)
        return self.formats[index](self.simulator, ssrc, kind)

    def _sender(self, send, stream):
        def emit(payload, number, stamp):
            if not self.over:
                send(payload, "audio", stream, number, stamp)
        return emit

    def _watch(self):
        if self.over:
            return
        if self.simulator.now - self.path.last_down > self.options["patience"]:
            self.finish("died")
            return
        self.simulator.after(0.5, self._watch)

    # -- end ---------------------------------------------------------------------------------------
    def _stop(self):
        self.finish("hung_up")

    def finish(self, why):
        """The call is over for the client, and soon for the far end."""
        if self.over:
            return
        self.over = self.simulator.now
        for voice in self.voices:
            voice.halt()
        ends = self.options.get("ends", "bye")
        if self.application == "sip" and hasattr(self, "signal") and ends != "stops":
            self.dialog.sequence += 1
            if ends == "far_bye" and why == "hung_up":
                self.signal.send_down(self.dialog.bye_of_far_end(), "signal", note=lambda: self.signal.send_up(self.dialog.response(200, "OK", "BYE"), "signal"))
            else:
                self._bye(0)
        elif self.application == "webrtc" and ends != "stops":
            self.path.send_up(starts.dtls(21, 1, noise(self.simulator, 26), 1), "dtls")
        self.ended(self, why)

    def _bye(self, tries):
        def confirmed():
            self.bye_heard = True
        if tries < 5 and not getattr(self, "bye_heard", False):
            self.signal.send_up(self.dialog.request("BYE"), "signal", note=lambda: self.signal.send_down(self.dialog.response(200, "OK", "BYE"), "signal", note=confirmed))
            self.simulator.after(0.5 * 2 ** tries, self._bye, tries + 1)

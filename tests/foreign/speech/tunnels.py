"""Voice over TCP (Mumble's tunnel, a call in TLS), and the control connection beside Mumble's UDP."""
from speech.streams import Stream
from speech.voice import CODECS, Talk, Voice
from world.web import noise, record, secure


class TcpCall:
    """Voice in TLS records both ways. Dies when the connection does; `ended(call, why)` is told."""

    def __init__(self, world, application, start, length, ended=lambda call, why: None, port=64738, name="voice.example.net", codec=None, server=None, talk_up=None,
                 talk_down=None, label="voice", connection=None, patience=None):
        self.world, self.network, self.simulator = world, world.network, world.network.simulator
        self.application, self.start, self.length, self.ended, self.port, self.name, self.label = application, start, length, ended, port, name, label
        draw = self.simulator.random
        self.codec, self.server = codec or draw.choice(("opus", "opus-dtx", "opus-cbr")), server or f"198.51.100.{draw.randrange(10, 250)}"
        self.talks, self.connection, self.patience = (talk_up, talk_down), connection or {}, patience
        self.over, self.media_at, self.alive, self.streams, self.voices = None, None, False, [], []
        self.failed = False
        world.calls.append(self)
        self.simulator.at(start, self._begin)

    def _begin(self):
        self.client, self.remote = secure(self.network, self.network.client, self.server, self.port, self.name, self.label, self._ready, self._closed, call=self, **self.connection)

    def _ready(self, client, remote):
        self.alive, self.media_at, self.heard = True, self.simulator.now, self.simulator.now
        stop = self.media_at + self.length
        local, far = client.local, (self.server, self.port)
        for index, direction in enumerate(("sent", "received")):
            ends = (local, far) if not index else (far, local)
            stream = Stream(self.application, "audio", self.codec, direction, *ends, None, None, False)
            stream.tunnelled = True
            self.streams.append(stream)
            end = remote if index else client

            def send(payload, number, stamp, end=end):
                if not self.over and len(end.out) < 60_000:
                    end.send(payload)
            talk = self.talks[index] or Talk(self.simulator, 0.5)
            self.voices.append(Voice(self.simulator, self.codec, lambda number, stamp, marker, size: record(23, noise(self.simulator, size + 33)), send, talk, self.media_at + 0.1, stop))
        client.on_data = self._hear
        self.simulator.at(stop, self._stop)
        self._ping()
        if self.patience:
            self._watch()

    def _hear(self, data):
        self.heard = self.simulator.now

    def _watch(self):
        if self.over:
            return
        if self.simulator.now - self.heard > self.patience:
            self._finish("died")
            self.client.reset()
            return
        self.simulator.after(0.5, self._watch)

    def _ping(self):
        if not self.over:
            self.client.send(record(23, noise(self.simulator, 45)))
            self.remote.send(record(23, noise(self.simulator, 45)))
            self.simulator.after(5.0, self._ping)

    def _stop(self):
        if not self.over:
            self._finish("hung_up")
            self.client.close()

    def _closed(self, why):
        self._finish(why)

    def _finish(self, why):
        if self.over is None:
            self.over = self.simulator.now
            for voice in self.voices:
                voice.halt()
            self.ended(self, why)


def mumble_control(world, server, start, stop, call=None):
    """Mumble's control connection beside its UDP."""
    def ready(client, remote):
        def ping():
            if world.simulator.now < stop and client.state == "open":
                client.send(record(23, noise(world.simulator, 60)))
                remote.send(record(23, noise(world.simulator, 60)))
                world.simulator.after(5.0, ping)
            elif client.state == "open":
                client.close()
        remote.send(record(23, noise(world.simulator, 5000)))
        ping()
    world.simulator.at(start, lambda: secure(world.network, world.network.client, server, 64738, "voice.example.net", "control", ready, call=call))

"""Names, TLS and pages: what else a machine does."""
import struct

from world import tcp
from world.simulator import UDP, Packet

SITES = ["www.example.org", "cdn.example.net", "static.example.com", "news.example.org", "img.example.net", "mail.example.com", "video.example.org",
         "shop.example.com", "maps.example.net", "api.example.org"]
NOISE = {}


def noise(simulator, size):
    """Bytes without pattern, from one block drawn once, so that captures pack well."""
    block = NOISE.get(simulator)
    if block is None:
        NOISE.clear()
        block = NOISE[simulator] = simulator.random.randbytes(16384)
    if size > 8192:
        return (block * (size // 16384 + 1))[:size]
    start = simulator.random.randrange(8192)
    return block[start:start + size]


def name_bytes(name):
    return b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"


def question(identity, name, kind=1):
    return struct.pack("!HHHHHH", identity, 0x0100, 1, 0, 0, 0) + name_bytes(name) + struct.pack("!HH", kind, 1)


def answer(identity, name, address, code=0, kind=1):
    rows = 0 if address is None else 1
    head = struct.pack("!HHHHHH", identity, 0x8180 | code, 1, rows, 0, 0) + name_bytes(name) + struct.pack("!HH", kind, 1)
    if address is None:
        return head
    data = bytes(int(part) for part in address.split("."))
    return head + struct.pack("!HHHIH", 0xC00C, kind, 1, 300, 4) + data


class Resolver:
    """The home's or the operator's name server; `forge(name)` may give (code, address, seconds) in place of the truth."""

    def __init__(self, network, address):
        self.network, self.address, self.forge, self.dead, self.book = network, address, lambda name: None, lambda now: False, {}
        self.pending = {}
        network.servers[(UDP, address, 53)] = self._serve

    def _serve(self, packet):
        if self.dead(self.network.simulator.now):
            return
        identity, name, kind, address, host = packet.note
        forged = self.forge(name)
        code, given, wait = forged if forged else (0, address, self.network.simulator.random.uniform(0.001, 0.03))
        if kind == 28 and not forged:
            given = None
        reply = Packet(self.address, 53, host, packet.source_port, UDP, answer(identity, name, given, code, kind), "dns", note=(identity, code, given))
        self.network.simulator.after(wait, self.network.down, reply)

    def ask(self, name, address, then, failed=lambda code: None, host=None, kind=1, tries=3):
        """Asks for a name whose true address is known to the world; calls then(address) or failed(code)."""
        network, simulator = self.network, self.network.simulator
        host, port, identity = host or network.client, network.new_port(), simulator.random.randrange(65536)
        state = {"done": False, "tries": 0}

        def reply(packet):
            if state["done"]:
                return
            state["done"] = True
            _, code, given = packet.note
            (then(given) if code == 0 and given else failed(code))

        network.hosts[(UDP, host, port)] = reply

        def send():
            if state["done"]:
                return
            if state["tries"] == tries:
                state["done"] = True
                failed(None)
                return
            state["tries"] += 1
            network.up(Packet(host, port, self.address, 53, UDP, question(identity, name, kind), "dns", note=(identity, name, kind, address, host)))
            simulator.after(2.0 if state["tries"] > 1 else 1.0, send)
        send()


def record(kind, body, version=0x0303):
    return struct.pack("!BHH", kind, version, len(body)) + body


def client_hello(simulator, name):
    def extension(kind, body):
        return struct.pack("!HH", kind, len(body)) + body
    host = name.encode()
    extensions = (extension(0, struct.pack("!HBH", len(host) + 3, 0, len(host)) + host) + extension(10, b"\0\4\0\x1d\0\x17") +
                  extension(13, b"\0\4\4\3\x08\x04") + extension(43, b"\x04\x03\x04\x03\x03") + extension(51, b"\0\x24\0\x1d\0\x20" + simulator.random.randbytes(32)))
    body = b"\3\3" + simulator.random.randbytes(32) + b"\x20" + simulator.random.randbytes(32) + b"\0\6\x13\1\x13\2\xc0\x2f" + b"\1\0" + struct.pack("!H", len(extensions)) + extensions
    return record(22, b"\1" + struct.pack("!I", len(body))[1:] + body, 0x0301)


def server_hello(simulator):
    extensions = b"\0\x2b\0\2\3\4" + b"\0\x33\0\x24\0\x1d\0\x20" + simulator.random.randbytes(32)
    body = b"\3\3" + simulator.random.randbytes(32) + b"\x20" + simulator.random.randbytes(32) + b"\x13\1\0" + struct.pack("!H", len(extensions)) + extensions
    return record(22, b"\2" + struct.pack("!I", len(body))[1:] + body) + record(20, b"\1") + record(23, noise(simulator, 3100))


def tls_records(simulator, size):
    out = bytearray()
    while size > 0:
        part = min(size, 16000)
        out += record(23, noise(simulator, part + 17))
        size -= part
    return bytes(out)


def secure(network, host, server, port, name, label, ready, closed=lambda why: None, call=None, **options):
    """Connects, shakes hands in TLS and calls ready(client_end, server_end)."""
    simulator = network.simulator
    client, remote = tcp.connect(network, host, server, port, label, call, **options)
    state = {"stage": 0, "got": 0}

    def server_data(data):
        if state["stage"] == 0:
            state["stage"] = 1
            remote.send(server_hello(simulator))

    def client_data(data):
        state["got"] += len(data)
        if state["stage"] == 1 and state["got"] > 3200:
            state["stage"] = 2
            client.send(record(20, b"\1") + record(23, noise(simulator, 53)))
            ready(client, remote)

    client.on_open = lambda: client.send(client_hello(simulator, name))
    client.on_data, remote.on_data, client.on_close = client_data, server_data, closed
    client.connect()
    return client, remote


def fetch(network, host, server, name, size, done=lambda ok: None, label="web", port=443, upload=0, **options):
    """One page or file over TLS."""
    simulator = network.simulator
    state = {"got": 0}

    def ready(client, remote):
        def got(data):
            state["got"] += len(data)
            if state["got"] >= size:
                client.close()
                if not state.get("done"):
                    state["done"] = True
                    done(True)

        def asked(data):
            state["asked"] = state.get("asked", 0) + len(data)
            if state["asked"] >= upload and not state.get("answered"):
                state["answered"] = True
                remote.send(tls_records(simulator, size))
        client.on_data, remote.on_data = got, asked
        client.send(tls_records(simulator, upload or simulator.random.randrange(300, 900)))

    def closed(why):
        if not state.get("done"):
            state["done"] = True
            done(False)
    return secure(network, host, server, port, name, label, ready, closed, **options)


class Browser:
    """Opens pages: a name, a connection, so many bytes, a while of reading."""

    def __init__(self, network, resolver, start, stop, size=(30_000, 250_000), pause=(2.0, 7.0), host=None, servers=None, upload=0, label="web", options=None):
        self.network, self.resolver, self.stop, self.size, self.pause, self.host = network, resolver, stop, size, pause, host or network.client
        self.servers = servers or [f"192.0.2.{network.simulator.random.randrange(10, 240)}" for _ in range(5)]
        self.upload, self.label, self.options, self.pages, self.failed = upload, label, options or {}, 0, 0
        network.simulator.at(start, self.page)

    def page(self):
        simulator = self.network.simulator
        if simulator.now > self.stop:
            return
        name, server = simulator.random.choice(SITES), simulator.random.choice(self.servers)
        if self.resolver and simulator.random.random() < 0.6:
            self.resolver.ask(name, server, lambda address: self._get(name, server), lambda code: self._done(False), host=self.host)
        else:
            self._get(name, server)

    def _get(self, name, server):
        fetch(self.network, self.host, server, name, self.network.simulator.random.randrange(*self.size), self._done, self.label, upload=self.upload, **self.options)

    def _done(self, ok):
        self.pages += ok
        self.failed += not ok
        self.network.simulator.after(self.network.simulator.random.uniform(*self.pause), self.page)

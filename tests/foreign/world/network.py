"""Who is connected to whom: the client behind its home and line, the servers beyond."""
from world.capture import Tap
from world.simulator import ICMP, TCP, UDP, Packet
from world.wire import unreachable


class Element:
    """Something packets pass through. It hands on what survives by `self.next`."""

    def __init__(self, simulator):
        self.simulator, self.next = simulator, None

    def put(self, packet):
        self.next(packet)


def chain(elements, end):
    """Joins elements; returns what to call with a packet at the chain's beginning."""
    following = end
    for element in reversed(elements):
        element.next = following
        following = element.put
    return following


class Network:
    """`home` is the client's own last hop (Wi-Fi, phone tethering), `line` the household's line, `limits` what an operator does to it,
    each a pair (up, down) of lists of elements. Other hosts of the household enter behind `home` and are never in the capture."""

    def __init__(self, simulator, client, home=((), ()), line=((), ()), limits=((), ())):
        self.simulator, self.client = simulator, client
        self.tap = Tap(simulator, client)
        self.hosts, self.servers = {}, {}
        self._port = simulator.random.randrange(32768, 60000)
        self.limits = limits
        self._line_up = chain([*line[0], *limits[0]], self._at_server)
        self._home_up = chain(list(home[0]), self._line_up)
        self._to_client = chain(list(home[1]), self._at_client)
        self._down = chain([*limits[1], *line[1]], self._leave_line)

    def new_port(self):
        while True:
            self._port = 32768 + (self._port - 32768 + self.simulator.random.randrange(1, 40)) % 28000
            if not any((protocol, self.client, self._port) in self.hosts for protocol in (UDP, TCP)):
                return self._port

    def up(self, packet):
        """From a host of the household."""
        packet.sent = self.simulator.now
        if packet.source in self.tap.addresses:
            self.tap.see(packet, True)
            self._home_up(packet)
        else:
            self._line_up(packet)

    def down(self, packet):
        """From a server, at the far side of the line."""
        packet.sent = packet.sent or self.simulator.now
        self._down(packet)

    def _leave_line(self, packet):
        (self._to_client if packet.target in self.tap.addresses else self._at_client)(packet)

    def _at_client(self, packet):
        if packet.ttl == 64:
            packet.ttl = 44 + hash_of(packet.source) % 14
        if packet.target in self.tap.addresses:
            self.tap.see(packet, False)
        receiver = self.hosts.get((packet.protocol, packet.target, packet.target_port))
        if receiver:                             # a machine takes a moment
            self.simulator.after(0.00006, receiver, packet)

    def _at_server(self, packet):
        receiver = self.servers.get((packet.protocol, packet.target, packet.target_port)) or self.servers.get((packet.protocol, packet.target, None))
        if receiver:
            receiver(packet)

    def refuse(self, router, packet, code=13):
        """A router's ICMP answer to a packet of the client."""
        answer = Packet(router, 0, packet.source, 0, ICMP, unreachable(router, packet, code), "icmp")
        self.simulator.after(0.004, self.down, answer)


def hash_of(text):
    return sum(text.encode()) * 7919

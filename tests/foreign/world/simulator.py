"""The clock of the simulated world and what travels in it."""
import heapq
import random


class Simulator:
    """A queue of things that happen at a time, in seconds from the start of the world."""

    def __init__(self, seed):
        self.now = 0.0
        self.random = random.Random(seed)
        self._queue = []
        self._count = 0

    def at(self, time, action, *arguments):
        self._count += 1
        heapq.heappush(self._queue, (max(time, self.now), self._count, action, arguments))

    def after(self, delay, action, *arguments):
        self.at(self.now + delay, action, *arguments)

    def run(self, until):
        queue = self._queue
        while queue and queue[0][0] <= until:
            self.now, _, action, arguments = heapq.heappop(queue)
            action(*arguments)
        self.now = until


UDP, TCP, ICMP, ICMP6 = 17, 6, 1, 58
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


class Packet:
    """One IP packet. `label` says what it is to the world (audio, video, rtcp, signal, stun, dtls, web, ...), `call` whose it is,
    `stream` the media stream that it belongs to, `note` what its receiver learns of it without parsing."""
    __slots__ = ("source", "source_port", "target", "target_port", "protocol", "payload", "sequence", "acknowledgement", "flags",
                 "window", "options", "label", "call", "stream", "note", "ttl", "size", "sent", "number", "bad_checksum")

    def __init__(self, source, source_port, target, target_port, protocol, payload, label, call=None, stream=None, note=None, flags=0,
                 sequence=0, acknowledgement=0, window=65535, options=b""):
        self.source, self.source_port, self.target, self.target_port = source, source_port, target, target_port
        self.protocol, self.payload, self.label, self.call, self.stream, self.note = protocol, payload, label, call, stream, note
        self.flags, self.sequence, self.acknowledgement, self.window, self.options = flags, sequence, acknowledgement, window, options
        self.ttl, self.sent, self.number, self.bad_checksum = 64, 0.0, None, False
        head = 40 if ":" in source else 20
        self.size = head + len(payload) + (20 + len(options) if protocol == TCP else 8 if protocol == UDP else 0)

    @property
    def flow(self):
        return self.source, self.source_port, self.target, self.target_port, self.protocol

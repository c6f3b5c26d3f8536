"""TCP as far as a capture shows it: handshake, ACK clock, slow start, fast retransmit, timeouts, FIN, RST."""
import struct

from world.simulator import ACK, FIN, PSH, RST, SYN, TCP, Packet

MSS = 1440
SYN_OPTIONS = struct.pack("!BBHBBBB", 2, 4, MSS, 1, 3, 3, 7) + b"\x01\x01\x04\x02\x01"[:4]


class End:
    """One end of a connection. `emit` takes a packet; callbacks: on_open(), on_data(bytes), on_close(why)."""

    def __init__(self, simulator, emit, source, source_port, target, target_port, label="web", call=None):
        self.simulator, self.emit, self.label, self.call = simulator, emit, label, call
        self.local, self.remote = (source, source_port), (target, target_port)
        self.initial = simulator.random.randrange(1 << 32)
        self.out, self.una, self.next, self.highest = bytearray(), 0, 0, 0   # offsets into the stream; `out` begins at una
        self.window, self.threshold, self.duplicates, self.recover = 10.0 * MSS, 1e9, 0, -1
        self.round_trip, self.variance, self.timing = None, 0.0, None
        self.backoff, self.timer, self.tries = 1.0, 0, 0
        self.state = "closed"
        self.peer, self.expected, self.early = 0, 0, {}
        self.fin_wanted = self.fin_sent = False
        self.unacked = 0
        self.on_open = self.on_data = self.on_close = lambda *_: None
        self.retransmitted = 0
        self.give_up = 6

    # -- sending -----------------------------------------------------------------------------------
    def _packet(self, flags, payload=b"", offset=None, options=b""):
        self.unacked = 0
        at = (self.initial + 1 + (self.next if offset is None else offset)) & 0xFFFFFFFF
        self.emit(Packet(*self.local, *self.remote, TCP, bytes(payload), self.label, self.call, flags=flags, sequence=at,
                         acknowledgement=(self.peer + 1 + self.expected) & 0xFFFFFFFF if flags & ACK else 0,
                         window=502 if not flags & SYN else 64240, options=options))

    def connect(self):
        self.state = "asking"
        self._syn()

    def _syn(self):
        if self.state not in ("asking", "answering"):
            return
        if self.tries > self.give_up:
            return self._end("timeout")
        self._packet(SYN | (ACK if self.state == "answering" else 0), offset=-1, options=SYN_OPTIONS)
        if self.state == "answering":           # the peer's own retransmission repeats ours
            return None
        self.tries += 1
        return self.simulator.after(2 ** (self.tries - 1), self._syn)

    def send(self, data):
        self.out += data
        if self.state == "open":
            self._push()

    def close(self):
        self.fin_wanted = True
        if self.state == "open":
            self._push()
        elif self.state == "asking":
            self.state = "gone"

    def reset(self):
        if self.state in ("open", "answering"):
            self._packet(RST | ACK)
        self.state = "gone"

    def _push(self):
        end = self.una + len(self.out)
        while self.next < end and self.next - self.una + MSS <= self.window:
            size = min(MSS, end - self.next)
            start = self.next - self.una
            if self.timing is None:
                self.timing = (self.next + size, self.simulator.now)
            self._packet(ACK | (PSH if self.next + size == end else 0), self.out[start:start + size])
            self.next += size
            self.highest = max(self.highest, self.next)
            self._arm()
        if self.fin_wanted and not self.fin_sent and self.next == end:
            self.fin_sent = True
            self._packet(FIN | ACK)
            self._arm()

    def _arm(self):
        self.timer += 1
        wait = max(0.25, (self.round_trip or 0.4) + 4 * self.variance) * self.backoff
        self.simulator.after(wait, self._expire, self.timer)

    def _expire(self, timer):
        if timer != self.timer or self.state != "open" or not (self.out or self.fin_sent):
            return
        self.backoff = min(64, self.backoff * 2)
        self.tries += 1
        if self.tries > 8:
            return self._end("timeout")
        self.threshold, self.window = max(2 * MSS, (self.next - self.una) / 2), MSS
        self.duplicates, self.recover, self.timing = 0, -1, None
        if self.out:
            self.next = self.una
            self.fin_sent = False
            self.retransmitted += 1
            return self._push()
        self._packet(FIN | ACK)
        return self._arm()

    def _resend_first(self):
        self.retransmitted += 1
        self.timing = None
        if self.out:
            self._packet(ACK | PSH, self.out[:MSS], offset=self.una)

    # -- receiving ---------------------------------------------------------------------------------
    def receive(self, packet):
        if self.state in ("gone", "closed") and not packet.flags & SYN:
            if self.state == "gone" and not packet.flags & RST and packet.payload:
                self.emit(Packet(*self.local, *self.remote, TCP, b"", self.label, self.call, flags=RST, sequence=packet.acknowledgement, window=0))
            return
        if packet.flags & RST:
            if self.state != "gone":
                self._end("reset")
            return
        if packet.flags & SYN:
            self._shake(packet)
            return
        if self.state == "answering":
            self.state, self.tries = "open", 0
            self.on_open()
        if self.state != "open":
            return
        self._acknowledged((packet.acknowledgement - self.initial - 1) & 0xFFFFFFFF, packet)
        if packet.payload or packet.flags & FIN:
            self._take((packet.sequence - self.peer - 1) & 0xFFFFFFFF, packet)

    def _shake(self, packet):
        self.peer = packet.sequence
        if packet.flags & ACK:
            if self.state == "asking":
                self.state, self.tries = "open", 0
                self._packet(ACK)
                self.on_open()
                self._push()
            else:
                self._packet(ACK)
        elif self.state in ("closed", "answering"):
            self.state = "answering"
            self._syn()

    def _acknowledged(self, offset, packet):
        if offset > 0x7FFFFFFF:
            return
        fin = 1 if self.fin_sent else 0
        if offset > self.highest + fin:
            return
        if offset > self.una:
            fresh = min(offset, self.una + len(self.out)) - self.una
            del self.out[:fresh]
            self.una += fresh
            self.next = max(self.next, self.una)
            self.backoff, self.tries = 1.0, 0
            if self.timing and offset >= self.timing[0]:
                self._measure(self.simulator.now - self.timing[1])
                self.timing = None
            if self.recover >= 0 and offset < self.recover:
                self._resend_first()
            else:
                if self.recover >= 0:
                    self.window, self.recover = self.threshold, -1
                self.window += fresh if self.window < self.threshold else MSS * fresh / self.window
            self.duplicates = 0
            if self.out or self.fin_sent and offset < self.una + 1:
                self._arm()
            else:
                self.timer += 1
        elif offset == self.una and not packet.payload and self.next > self.una and not packet.flags & FIN:
            self.duplicates += 1
            if self.duplicates == 3 and self.recover < 0:
                self.threshold = max(2 * MSS, (self.next - self.una) * 0.7)
                self.window, self.recover = self.threshold, self.next
                self._resend_first()
        self._push()

    def _measure(self, sample):
        if self.round_trip is None:
            self.round_trip, self.variance = sample, sample / 2
        else:
            self.variance += (abs(sample - self.round_trip) - self.variance) / 4
            self.round_trip += (sample - self.round_trip) / 8

    def _take(self, offset, packet):
        if offset > 0x7FFFFFFF or offset < self.expected:
            self._packet(ACK)
            return
        self.early[offset] = (packet.payload, packet.flags & FIN)
        if offset > self.expected:
            self._packet(ACK)
            return
        ended = False
        self.unacked += 1
        while self.expected in self.early and not ended:
            data, ended = self.early.pop(self.expected)
            self.expected += len(data) + (1 if ended else 0)
            if data:
                self.on_data(data)
        if self.state != "open":
            return
        if self.unacked >= 2 or ended or self.early:
            self._packet(ACK)
        elif self.unacked:
            self.simulator.after(0.04, self._late)
        if ended:
            self.fin_wanted = True
            self._push()
            self._end("closed")

    def _late(self):
        if self.unacked and self.state == "open":
            self._packet(ACK)

    def _end(self, why):
        if self.state == "gone":
            return
        self.state = "gone"
        self.timer += 1
        self.on_close(why)


def connect(network, host, server, port, label="web", call=None, far=None, refuse=None, local_port=None):
    """A client end and its server end, joined through the network. `far` is the server's own chain toward us. The server end answers on
    SYN unless `refuse`: 'silent' or 'reset'."""
    local = local_port or network.new_port()
    down = far or network.down
    client = End(network.simulator, network.up, host, local, server, port, label, call)
    network.hosts[(TCP, host, local)] = client.receive
    remote = End(network.simulator, down, server, port, host, local, label, call)
    client.other, remote.other = remote, client

    def at_server(packet):
        if refuse == "silent":
            return
        if refuse == "reset":
            down(Packet(server, port, host, packet.source_port, TCP, b"", label, call, flags=RST | ACK, acknowledgement=packet.sequence + 1, window=0))
            return
        remote.receive(packet)

    listeners = network.__dict__.setdefault("listeners", {})
    listeners[(server, port, host, local)] = at_server
    network.servers[(TCP, server, port)] = lambda packet: listeners.get((packet.target, packet.target_port, packet.source, packet.source_port), lambda _: None)(packet)
    return client, remote

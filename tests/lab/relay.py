#!/usr/bin/env python3
"""A line in userspace: forwards frames between the interfaces `left` and `right` with delay, jitter, loss and a rate.

usage: relay.py '{"delay_ms": 15, …}'    each value for both ways, or [to the right, to the left]
         delay_ms, jitter_ms     one way; order is kept
         loss                    probability of a single loss
         burst_loss, burst_stay  probability to begin a burst of losses, and to stay in it (Gilbert)
         rate_bps, queue_bytes   a line of this rate with a drop-tail queue: everything shares it
         shape_bps, shape_queue_bytes, shape_bucket_bytes   the same for UDP alone, its rate over IP bytes: a shaper of calls
       relay.py --no-offload IF  switches IF's checksum and segmentation offloads off: frames go as on a real wire
"""
import fcntl
import heapq
import json
import random
import select
import socket
import struct
import sys
import time

SIOCETHTOOL = 0x8946
OFFLOADS = (0x17, 0x19, 0x1F, 0x22, 0x24, 0x2C)   # ETHTOOL_STXCSUM, SSG, STSO, SUFO, SGSO, SGRO (linux/ethtool.h)
PACKET_OUTGOING = 4


def without_offload(interface):
    import array
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for command in OFFLOADS:
            value = array.array("B", struct.pack("II", command, 0))
            try:
                fcntl.ioctl(control, SIOCETHTOOL, struct.pack("16sP", interface.encode(), value.buffer_info()[0]))
            except OSError:
                pass   # not every kernel has every one


class Line:
    def __init__(self, options, way, out):
        def value(name):
            given = options.get(name, 0)
            return given[way] if isinstance(given, list) else given
        self.delay, self.jitter = value("delay_ms") / 1e3, value("jitter_ms") / 1e3
        self.loss, self.burst_loss, self.burst_stay = value("loss"), value("burst_loss"), value("burst_stay")
        self.rate, self.queue = value("rate_bps"), value("queue_bytes") or 30_000
        self.random, self.out = random.Random(7 + way), out
        self.in_burst, self.free_at, self.last = False, 0.0, 0.0
        self.shape_rate, self.shape_queue = value("shape_bps"), value("shape_queue_bytes") or 6_000
        self.shape_bucket, self.shape_free_at = value("shape_bucket_bytes") or 1_600, 0.0

    def shaped(self, now, size):
        """When the shaper lets a packet of `size` go; None: its queue is full. A full bucket lies `bucket` bytes in the past."""
        start = max(self.shape_free_at, now - self.shape_bucket * 8 / self.shape_rate)
        done = start + size * 8 / self.shape_rate
        if (done - now) * self.shape_rate / 8 > self.shape_queue:
            return None
        self.shape_free_at = done
        return max(now, done)

    def due(self, now, size, udp=False):
        """When a frame that came now goes on; None: never."""
        if udp and self.shape_rate and (now := self.shaped(now, size)) is None:
            return None
        if self.random.random() < (self.burst_stay if self.in_burst else self.burst_loss):
            self.in_burst = True
            return None
        self.in_burst = False
        if self.random.random() < self.loss:
            return None
        if self.rate:
            start = max(now, self.free_at)
            if (start - now) * self.rate / 8 > self.queue:
                return None
            self.free_at = start + size * 8 / self.rate
            now = self.free_at
        self.last = max(self.last, now + self.delay + self.random.expovariate(1) * self.jitter if self.jitter else now + self.delay)
        return self.last


def main():
    if sys.argv[1] == "--no-offload":
        without_offload(sys.argv[2])
        return
    options = json.loads(sys.argv[1])
    ends = []
    for name in ("left", "right"):
        end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        end.bind((name, 0))
        end.setblocking(False)
        ends.append(end)
    lines = {ends[0]: Line(options, 0, ends[1]), ends[1]: Line(options, 1, ends[0])}
    waiting, number = [], 0
    print("ready", flush=True)
    while True:
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, out, frame = heapq.heappop(waiting)
            try:
                out.send(frame)
            except OSError:
                pass   # a full device queue drops, as any line's
        readable, _, _ = select.select(ends, [], [], max(0, waiting[0][0] - time.monotonic()) if waiting else None)
        for end in readable:
            try:
                frame, source = end.recvfrom(65536)
            except OSError:
                continue
            if source[2] == PACKET_OUTGOING:
                continue
            due = lines[end].due(time.monotonic(), len(frame) - 14, frame[12:14] == b"\x08\x00" and frame[23] == socket.IPPROTO_UDP)
            if due is not None:
                number += 1
                heapq.heappush(waiting, (due, number, lines[end].out, frame))


if __name__ == "__main__":
    main()

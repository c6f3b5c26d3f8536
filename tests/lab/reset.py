#!/usr/bin/env python3
"""Forges TCP resets, as a middlebox would: watches a port in the router and every so often resets both ends.

usage: reset.py INTERFACE PORT PERIOD_SECONDS
"""
import socket
import struct
import sys
import time


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def forge(out, source, destination, source_port, destination_port, sequence):
    segment = struct.pack("!HHIIBBHHH", source_port, destination_port, sequence, 0, 0x50, 0x04, 0, 0, 0)
    sum_of = checksum(source + destination + struct.pack("!BBH", 0, 6, len(segment)) + segment)
    segment = segment[:16] + struct.pack("!H", sum_of) + segment[18:]
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 121, 6, 0, source, destination)   # the kernel adds id and checksum
    out.sendto(header + segment, (socket.inet_ntoa(destination), 0))


def main():
    interface, port, period = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    sniffer.bind((interface, 0))
    out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    due, begun, forged = time.monotonic() + period, time.monotonic(), 0
    print("ready", flush=True)
    while True:
        packet = sniffer.recv(2048)
        header = (packet[0] & 15) * 4
        if packet[9] != 6 or time.monotonic() < due:
            continue
        source_port, destination_port, sequence, acknowledged, offset, flags = struct.unpack("!HHIIBB", packet[header:header + 14])
        length = struct.unpack("!H", packet[2:4])[0] - header - (offset >> 4) * 4
        if port not in (source_port, destination_port) or flags & 0x07 or not flags & 0x10 or length <= 0:
            continue
        source, destination = packet[12:16], packet[16:20]
        forge(out, source, destination, source_port, destination_port, (sequence + length) & 0xFFFFFFFF)
        forge(out, destination, source, destination_port, source_port, acknowledged)
        forged += 1
        due = begun + (forged + 1) * period
        print(f"forged {forged}", flush=True)


if __name__ == "__main__":
    main()

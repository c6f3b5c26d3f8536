"""Packets as bytes: Ethernet, IPv4, IPv6, UDP, TCP, ICMP."""
import ipaddress
import struct

from world.simulator import ICMP6, TCP, UDP

ADDRESSES = {}


def packed(address):
    if address not in ADDRESSES:
        ADDRESSES[address] = ipaddress.ip_address(address).packed
    return ADDRESSES[address]


def checksum(data):
    """RFC 1071, by the modulus: the ones' complement sum is the remainder of the division by 65535."""
    if len(data) % 2:
        data += b"\0"
    total = int.from_bytes(data, "big") % 65535
    return (65535 - total) & 0xFFFF


def transport(packet, pseudo):
    body = packet.payload
    if packet.protocol == UDP:
        head = struct.pack("!HHH", packet.source_port, packet.target_port, 8 + len(body))
        value = checksum(pseudo + head + b"\0\0" + body) or 0xFFFF
        return head + struct.pack("!H", value) + body
    if packet.protocol == TCP:
        offset = (20 + len(packet.options)) // 4
        head = struct.pack("!HHIIBBH", packet.source_port, packet.target_port, packet.sequence & 0xFFFFFFFF, packet.acknowledgement & 0xFFFFFFFF,
                           offset << 4, packet.flags, packet.window)
        value = checksum(pseudo + head + b"\0\0\0\0" + packet.options + body) ^ (0x5A5A if packet.bad_checksum else 0)
        return head + struct.pack("!HH", value, 0) + packet.options + body
    head = body[:2] + b"\0\0" + body[4:]
    return body[:2] + struct.pack("!H", checksum((pseudo if packet.protocol == ICMP6 else b"") + head)) + body[4:]


def internet(packet, identity):
    source, target = packed(packet.source), packed(packet.target)
    length = packet.size - (40 if len(source) == 16 else 20)
    if len(source) == 16:
        body = transport(packet, source + target + struct.pack("!II", length, packet.protocol))
        return struct.pack("!IHBB", 0x60000000, length, packet.protocol, packet.ttl) + source + target + body
    body = transport(packet, source + target + struct.pack("!BBH", 0, packet.protocol, length))
    head = struct.pack("!BBHHHBBH", 0x45, 0, packet.size, identity & 0xFFFF, 0x4000, packet.ttl, packet.protocol, 0) + source + target
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


def unreachable(router, packet, code):
    """The body of an ICMP destination unreachable about a packet that was sent."""
    return struct.pack("!BBHI", 3, code, 0, 0) + internet(packet, 1)[:28]


def ethernet(packet, identity, ours, theirs, sent):
    head = (theirs + ours) if sent else (ours + theirs)
    return head + (b"\x86\xdd" if ":" in packet.source else b"\x08\x00") + internet(packet, identity)

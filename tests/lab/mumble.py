#!/usr/bin/env python3
"""A Mumble client without sound: signs in over TLS and sends Opus-shaped voice by UDP (OCB2-AES128) or in the tunnel.

usage: mumble.py HOST NAME SECONDS [tunnel]     prints "ready" when signed in, and at the end what it sent and received
Protocol: docs of Mumble 1.3 (control messages over TLS: u16 type, u32 length, protobuf; voice: CryptState).
"""
import json
import os
import random
import selectors
import signal
import socket
import ssl
import struct
import sys
import time

VERSION, UDP_TUNNEL, AUTHENTICATE, PING, SERVER_SYNC, CRYPT_SETUP = 0, 1, 2, 3, 5, 15
SERVER_INI = """database={folder}/murmur.sqlite
port=64738
autobanAttempts=0
bandwidth=130000
users=10
welcometext=lab
bonjour=False
"""


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def field(number, value):
    """A protobuf field: an integer or a string."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(message):
    at, out = 0, {}

    def read():
        nonlocal at
        result = shift = 0
        while True:
            byte = message[at]
            at += 1
            result |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return result
    while at < len(message):
        key = read()
        if key & 7 == 2:
            length = read()
            out[key >> 3] = message[at:at + length]
            at += length
        elif key & 7 == 0:
            out[key >> 3] = read()
        else:
            at += 8 if key & 7 == 1 else 4
    return out


def voice_varint(number):
    """Mumble's own variable-length integers in voice packets."""
    if number < 0x80:
        return bytes([number])
    if number < 0x4000:
        return struct.pack("!H", number | 0x8000)
    if number < 0x200000:
        return bytes([number >> 16 | 0xC0]) + struct.pack("!H", number & 0xFFFF)
    return b"\xF0" + struct.pack("!I", number)


class Crypt:
    """OCB2 with AES-128 as Mumble uses it; only sealing, for what comes back is merely counted."""

    def __init__(self, key, nonce):
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
        self.aes = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
        self.nonce = bytearray(nonce)

    @staticmethod
    def double(block):
        number = int.from_bytes(block, "big") << 1
        return ((number & (1 << 128) - 1) ^ (0x87 if number >> 128 else 0)).to_bytes(16, "big")

    @staticmethod
    def xor(one, two):
        return bytes(a ^ b for a, b in zip(one, two))

    def seal(self, plain):
        for at in range(16):   # little-endian increment
            self.nonce[at] = (self.nonce[at] + 1) & 0xFF
            if self.nonce[at]:
                break
        delta, total, out = self.aes.update(bytes(self.nonce)), bytes(16), b""
        while len(plain) > 16:
            block, plain = plain[:16], plain[16:]
            delta = self.double(delta)
            out += self.xor(delta, self.aes.update(self.xor(delta, block)))
            total = self.xor(total, block)
        delta = self.double(delta)
        pad = self.aes.update(self.xor(delta, (len(plain) * 8).to_bytes(16, "big")))
        block = plain + pad[len(plain):]
        total = self.xor(total, block)
        out += self.xor(pad, block)[:len(plain)]
        delta = self.xor(delta, self.double(delta))
        return bytes([self.nonce[0]]) + self.aes.update(self.xor(delta, total))[:3] + out


class Client:
    def __init__(self, host, name, tunnel):
        self.host, self.name, self.tunnel = host, name, tunnel
        self.counts = {"sent": 0, "received_udp": 0, "received_tunnel": 0, "reconnects": 0}
        self.random, self.sequence, self.crypt = random.Random(name), 0, None

    def connect(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.tcp = context.wrap_socket(socket.create_connection((self.host, 64738), timeout=5))
        self.buffer, self.crypt, synchronised = b"", None, False
        self.send(VERSION, field(1, 0x010304) + field(2, "lab") + field(3, "lab"))
        self.send(AUTHENTICATE, field(1, self.name) + field(5, 1))
        while not (synchronised and self.crypt):
            for kind, message in self.messages(self.tcp.recv(16384)):
                if kind == CRYPT_SETUP:
                    setup = fields(message)
                    self.crypt = Crypt(setup[1], setup[2])
                synchronised = synchronised or kind == SERVER_SYNC
        self.tcp.setblocking(False)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.connect((self.host, 64738))
        self.udp.setblocking(False)

    def send(self, kind, message):
        self.tcp.sendall(struct.pack("!HI", kind, len(message)) + message)

    def messages(self, data):
        if not data:
            raise ConnectionError("closed")
        self.buffer += data
        while len(self.buffer) >= 6:
            kind, length = struct.unpack("!HI", self.buffer[:6])
            if len(self.buffer) < 6 + length:
                return
            message, self.buffer = self.buffer[6:6 + length], self.buffer[6 + length:]
            yield kind, message

    def speak(self):
        size = 70 + self.random.randrange(20)   # about 32 kbit/s of Opus
        self.sequence += 2                      # counted in 10 ms frames
        packet = b"\x80" + voice_varint(self.sequence) + voice_varint(size) + b"\x78" + self.random.randbytes(size - 1)
        self.counts["sent"] += 1
        if self.tunnel:
            self.send(UDP_TUNNEL, packet)
        else:
            self.udp.send(self.crypt.seal(packet))

    def ping(self):
        if not self.tunnel:
            microseconds = time.time_ns() // 1000   # the client's clock, as a 64-bit number
            self.udp.send(self.crypt.seal(b"\x20\xF4" + struct.pack("!Q", microseconds)))
        self.send(PING, field(1, int(time.monotonic() * 1000)))

    def receive(self):
        try:
            while True:
                data = self.tcp.recv(16384)
                for kind, _ in self.messages(data):
                    self.counts["received_tunnel"] += kind == UDP_TUNNEL
        except (ssl.SSLWantReadError, BlockingIOError):
            pass
        try:
            while True:
                self.counts["received_udp"] += len(self.udp.recv(2048)) > 40
        except (BlockingIOError, ConnectionRefusedError):
            pass

    def talk(self, until):
        with selectors.DefaultSelector() as selector:
            selector.register(self.tcp, selectors.EVENT_READ)
            selector.register(self.udp, selectors.EVENT_READ)
            next_voice = next_ping = time.monotonic()
            while (now := time.monotonic()) < until:
                if now >= next_ping:
                    self.ping()
                    next_ping += 5
                if now >= next_voice:
                    self.speak()
                    next_voice = max(next_voice + 0.02, now - 0.1)
                if selector.select(max(0, min(next_voice, next_ping) - time.monotonic())):
                    self.receive()


def need_cryptography():
    try:
        import cryptography  # noqa: F401
    except ImportError:
        import lab
        lab.skip("python3-cryptography is not installed")


def start_server(lab, who="server"):
    """mumble-server in a namespace of the lab."""
    folder = lab.folder / "murmur"   # murmurd writes there as a user of its own
    folder.mkdir()
    folder.chmod(0o777)
    ini = folder / "murmur.ini"
    ini.write_text(SERVER_INI.format(folder=folder))
    return lab.start(who, ["murmurd", "-fg", "-ini", str(ini)], wait_for="Server listening on")


def main():
    host, name, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    client = Client(host, name, "tunnel" in sys.argv[4:])
    signal.signal(signal.SIGINT, lambda *_: (print(json.dumps(client.counts), flush=True), os._exit(0)))
    client.connect()
    print("ready", flush=True)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            client.talk(end)
        except (OSError, ConnectionError):
            time.sleep(0.7)   # as the real client: sign in again
            while time.monotonic() < end:
                try:
                    client.connect()
                    client.counts["reconnects"] += 1
                    break
                except OSError:
                    time.sleep(1)
    print(json.dumps(client.counts), flush=True)


if __name__ == "__main__":
    main()

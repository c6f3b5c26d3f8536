#!/usr/bin/env python3
"""Other traffic of the same minutes. usage: web.py serve ADDRESS PORT | web.py read ADDRESS PORT SECONDS KILOBYTES EVERY_SECONDS
(EVERY_SECONDS 0: one greedy download after the other)"""
import socket
import socketserver
import struct
import sys
import time


class Page(socketserver.BaseRequestHandler):
    def handle(self):
        (size,) = struct.unpack("!I", self.request.recv(4))
        self.request.sendall(b"\x55" * size)


def main():
    address = (sys.argv[2], int(sys.argv[3]))
    if sys.argv[1] == "serve":
        socketserver.ThreadingTCPServer.allow_reuse_address = True
        with socketserver.ThreadingTCPServer(address, Page) as server:
            server.daemon_threads = True
            print("ready", flush=True)
            server.serve_forever()
    seconds, kilobytes, every = (float(word) for word in sys.argv[4:7])
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.create_connection(address, timeout=10) as page:
            page.sendall(struct.pack("!I", int(kilobytes * 1000)))
            while page.recv(65536) and time.monotonic() < end:
                pass
        time.sleep(every)


if __name__ == "__main__":
    main()

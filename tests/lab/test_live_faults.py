"""What goes wrong during a live capture: kill -9, an interface that vanishes, a full disk, a flood, a second Ctrl-C."""
import os
import signal
import socket
import subprocess
import sys
import time

from live_lab import Lab, offline, run


def killed(program):
    with Lab() as lab:
        recording = lab.path("killed.pcapng")
        process = lab.watch(program, "-w", recording)
        lab.rtp(4)
        process.kill()
        process.wait()
        packets = offline(program, recording)["captures"][0]["packets"]
        assert packets >= 2 * 50 * 3, f"kill -9 lost more than a second: {packets} of 400 packets are left"
        print("kill -9:", packets, "of 400 packets kept")


def vanished(program):
    with Lab() as lab:
        recording = lab.path("vanished.pcapng")
        process = lab.watch(program, "-w", recording)
        lab.rtp(2)
        run("ip", "-n", lab.b, "link", "del", "cw0")
        status, told = lab.stop(process, None, 30)
        live = lab.live()["captures"][0]
        assert status == 0, (status, told)
        assert live["packets"] >= 200 and live["problems"], live
        assert offline(program, recording)["captures"][0]["packets"] == live["packets"]
        print("interface deleted:", live["problems"])


def full_disk(program):
    with Lab() as lab:
        small = lab.path("small")
        os.mkdir(small)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], check=False).returncode != 0:
            print("full disk: not tried, nothing can be mounted here")
            return
        try:
            process = lab.watch(program, "-w", os.path.join(small, "full.pcapng"))
            lab.rtp(4)
            status, told = lab.stop(process)
            live = lab.live()["captures"][0]
            assert status == 0 and live["packets"] >= 400 and live["problems"], (status, live)
            assert "recording ends" in told, told
            kept = offline(program, os.path.join(small, "full.pcapng"))["captures"][0]["packets"]
            assert kept > 50, kept
            print("full disk:", kept, "of", live["packets"], "packets recorded")
        finally:
            run("umount", small, check=False)


def flood(program):
    with Lab() as lab:
        process = lab.watch(program, "-w", lab.path("flood.pcapng"), "-B", "4096")
        sent = 5 * 50_000

        def send():
            sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            begin = time.monotonic()
            for number in range(sent):
                sender.sendto(b"\x80\x00" + (number & 0xffff).to_bytes(2, "big") + bytes(60), ("10.77.0.2", 50000))
                if number % 500 == 0:
                    time.sleep(max(0.0, begin + number / 50_000 - time.monotonic()))
            print(f"flood: {sent / (time.monotonic() - begin):.0f} packets/s")

        lab.child(lab.a, send)
        time.sleep(1.0)
        status, _ = lab.stop(process, seconds=120)
        live = lab.live()["captures"][0]
        assert status == 0, status
        # Besides the flood: a few ICMP complaints and neighbour look-ups.
        counted = live["packets"] + live["dropped_by_capture"]
        assert sent <= counted <= sent + 2000, (sent, live["packets"], live["dropped_by_capture"])
        replayed = offline(program, lab.path("flood.pcapng"))["captures"][0]
        assert (replayed["packets"], replayed["dropped_by_capture"]) == (live["packets"], live["dropped_by_capture"])
        print("flood: received", counted, "delivered", live["packets"], "dropped", live["dropped_by_capture"])


def signals(program):
    with Lab() as lab:
        for number in (signal.SIGTERM, signal.SIGHUP):
            process = lab.watch(program)
            status, told = lab.stop(process, number)
            assert status == 0 and lab.live()["verdict"]["class"] == "insufficient", (status, told)
        for arguments, status in ((["-i", "nowhere"], 3), (["-i", "cw0", "-f", "udp port"], 2), (["-i", "cw0", "-a", "duration:x"], 2)):
            done = subprocess.run(["ip", "netns", "exec", lab.b, program, "watch", *arguments], check=False,
                                  capture_output=True, text=True)
            assert done.returncode == status and "cannot" in done.stderr, (arguments, done)


for test in (killed, vanished, full_disk, flood, signals):
    test(sys.argv[1])

"""What goes wrong during a live capture: kill -9, an interface that goes down or vanishes, another address, a full disk, the helper
killed, readers that leave, signals."""
import fcntl
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import time

from live_lab import Lab, children, offline, result_of, run


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


def link_down(program):
    """The link goes down in mid-call and comes back: told, and the capture goes on."""
    with Lab() as lab:
        recording = lab.path("down.pcapng")
        process = lab.watch(program, "-w", recording)
        lab.rtp(2)
        before = lab.crossed()
        run("ip", "-n", lab.b, "link", "set", "cw0", "down")
        time.sleep(2.5)
        run("ip", "-n", lab.b, "link", "set", "cw0", "up")
        lab.rtp(2)
        lab.quiet()
        status, told = lab.stop(process)
        live = lab.live()
        capture = live["captures"][0]
        assert status == 0 and capture["packets"] >= before + 190, (status, capture)
        assert [problem.split(": ")[-1][:14] for problem in capture["problems"]] == ["nothing comes in"[:14], "the link is up again"[:14]], capture["problems"]
        assert "link is down" in told and "up again" in told, told
        assert live["verdict"]["class"] != "interference", live["verdict"]
        assert result_of(live) == result_of(offline(program, recording))
        print("link down:", capture["problems"])


def address_changed(program):
    with Lab() as lab:
        recording = lab.path("address.pcapng")
        process = lab.watch(program, "-w", recording)
        lab.rtp(2)
        run("ip", "-n", lab.b, "addr", "add", "10.77.0.3/24", "dev", "cw0")
        run("ip", "-n", lab.b, "addr", "del", "10.77.0.2/24", "dev", "cw0")
        lab.rtp(1)   # nobody is there
        run("ip", "-n", lab.b, "addr", "add", "10.77.0.2/24", "dev", "cw0")
        lab.rtp(2)
        status, told = lab.stop(process)
        live = lab.live()
        assert status == 0 and live["captures"][0]["packets"] >= 400 and live["verdict"]["class"] != "interference", (status, told)
        assert result_of(live) == result_of(offline(program, recording))
        print("address changed:", live["captures"][0]["packets"], "packets")


def helper_gone(program):
    """Not only nDPI's worker but also what would start it anew is killed: the call is measured all the same."""
    with Lab() as lab:
        process = lab.watch(program, "-w", lab.path("helper.pcapng"))
        for warden in children(process.pid):
            os.kill(warden, signal.SIGKILL)
        lab.rtp(3)
        status, told = lab.stop(process)
        live = lab.live()
        assert status == 0, told
        assert [stream["packets"] for stream in live["streams"]] == [150, 150], live["streams"]
        replayed = offline(program, lab.path("helper.pcapng"))
        assert live["streams"] == replayed["streams"] and live["verdict"] == replayed["verdict"]


def killers(program):
    """The datagrams that crash and hang nDPI, from the network: the call beside them is whole."""
    samples = sorted((pathlib.Path(__file__).resolve().parents[3] / "shared" / "hostile").glob("6[13]_*.pcap"))
    if not samples:
        print("nDPI's killers: no ../shared/hostile")
        return
    with Lab() as lab:
        process = lab.watch(program, "-w", lab.path("killers.pcapng"))

        def send():
            sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            for sample in samples:
                content = sample.read_bytes()
                frame = content[40:40 + struct.unpack_from("<I", content, 32)[0]]
                ip = frame[14:]
                udp = ip[(ip[0] & 15) * 4:]
                port, = struct.unpack_from("!H", udp, 2)
                for _ in range(3):
                    sender.sendto(udp[8:], ("10.77.0.2", port))

        lab.rtp(1)
        lab.child(lab.a, send)
        lab.rtp(2)
        status, told = lab.stop(process)
        live, replayed = lab.live(), offline(program, lab.path("killers.pcapng"))
        assert status == 0, told
        calls = [stream for stream in live["streams"] if stream["dst"] == "10.77.0.2:50000"]
        assert [stream["packets"] for stream in calls] == [150, 150] and not any(stream["lost"] for stream in calls), calls
        assert result_of(live) == result_of(replayed)
        assert live["captures"][0]["anomalies"].get("ndpi_crashed"), live["captures"][0]["anomalies"]
        print("nDPI's killers, live:", live["captures"][0]["anomalies"])


def readers_gone(program):
    """Whoever reads stderr or stdout leaves: the capture and its recording go on, and a lost result is told."""
    with Lab() as lab:
        words = f"{program} watch -i cw0 -a duration:3 -w {lab.path('gone.pcapng')} --format json > {lab.path('gone.json')}"
        shell = lab.start(lab.b, "bash", "-c", f"({words}; echo $? > {lab.path('gone.status')}) 2>&1 | head -1", stdout=subprocess.PIPE)
        lab.rtp(4)
        shell.communicate(timeout=30)
        lab.wait_for(lab.path("gone.status"))
        with open(lab.path("gone.status"), encoding="utf-8") as file:
            assert file.read().strip() == "0"
        with open(lab.path("gone.json"), encoding="utf-8") as file:
            packets = json.load(file)["captures"][0]["packets"]
        assert packets == offline(program, lab.path("gone.pcapng"))["captures"][0]["packets"] >= 250
        for closed in (">&-", "> /dev/full", "<&- >&-", "<&- >&- 2>&-"):
            recording = lab.path("closed.pcapng")
            done = lab.inside(lab.b, "bash", "-c", f"{program} watch -i cw0 -a duration:1 -w {recording} {closed}")
            assert done.returncode == 1, (closed, done)
            assert "2>" in closed or "cannot write the result" in done.stderr, (closed, done)
            assert offline(program, recording)["captures"][0]["problems"] == []   # the result isn't in the recording
            os.unlink(recording)


def reader_stuck(program):
    """Nobody reads what the program says, and the pipe is full: packets are taken all the same, and Ctrl-C ends it."""
    with Lab() as lab:
        read, write = os.pipe()
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
        process = lab.start(lab.b, program, "watch", "-i", "cw0", "--format", "json", "-w", lab.path("stuck.pcapng"),
                            stdout=open(lab.path("live.json"), "wb"), stderr=write)
        os.close(write)
        assert b"watching" in os.read(read, 100)
        os.write(open_again(read), bytes(4000))
        lab.rtp(5)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert lab.live()["captures"][0]["packets"] >= 500
        os.close(read)


def open_again(read):
    """The writing end of the pipe that is read from."""
    return os.open(f"/proc/self/fd/{read}", os.O_WRONLY | os.O_NONBLOCK)


def signals(program):
    with Lab() as lab:
        for number in (signal.SIGTERM, signal.SIGHUP):
            process = lab.watch(program)
            status, told = lab.stop(process, number)
            assert status == 0 and lab.live()["verdict"]["class"] == "insufficient", (status, told)
        # A second Ctrl-C may come before the verdict is printed: at whatever time, the recording is whole.
        for pause in (0, 0.001, 0.01, 0.05):
            recording = lab.path(f"twice{pause}.pcapng")
            process = lab.watch(program, "-w", recording)
            lab.rtp(1)
            process.send_signal(signal.SIGINT)
            time.sleep(pause)
            status, told = lab.stop(process)
            assert status in (0, -signal.SIGINT), (status, told)
            assert offline(program, recording)["captures"][0]["packets"] >= 100 and not offline(program, recording)["captures"][0]["problems"]


for test in (killed, vanished, link_down, address_changed, full_disk, helper_gone, killers, readers_gone, reader_stuck, signals):
    test(sys.argv[1])

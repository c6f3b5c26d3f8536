"""Every packet is accounted for: what crossed the link = what was delivered + what the capture says it lost; and a ring of
files tells the same as the capture itself, drops included."""
import os
import signal
import sys

from live_lab import Lab, offline, result_of


def exact(live, surely, at_most):
    """`surely`: crossed the link while the capture ran; `at_most`: with what the kernel may have asked (ARP) just before or after."""
    counted = live["packets"] + live["dropped_by_capture"]
    assert surely <= counted <= at_most <= surely + 8, \
        f"{surely} to {at_most} packets crossed the link, {live['packets']} delivered + {live['dropped_by_capture']} dropped = {counted}"


def flooded(program):
    """50,000 packets a second. CALLWITNESS_FLOOD_SECONDS=60 for the whole bar."""
    seconds = int(os.environ.get("CALLWITNESS_FLOOD_SECONDS", "4"))
    with Lab() as lab:
        lab.silence()
        before = lab.quiet()
        process = lab.watch(program, "-w", lab.path("flood.pcapng"))
        opened = lab.crossed()
        rate = lab.flood(50_000 * seconds, 50_000, 50)
        closing = lab.quiet()
        with open(f"/proc/{process.pid}/stat", encoding="utf-8") as file:
            ticks = file.read().rsplit(")", 1)[1].split()[11:13]
        status, _ = lab.stop(process, seconds=120)
        live = lab.live()
        capture = live["captures"][0]
        assert status == 0, status
        exact(capture, closing - opened, lab.quiet() - before)
        replayed = offline(program, lab.path("flood.pcapng"))
        assert (replayed["captures"][0]["packets"], replayed["captures"][0]["dropped_by_capture"]) == (capture["packets"], capture["dropped_by_capture"])
        assert result_of(live) == result_of(replayed), "live and replayed differ after a flood"
        print(f"flood of {seconds} s: sent {rate:.0f} packets/s, delivered {capture['packets']}, dropped {capture['dropped_by_capture']};"
              f" {sum(map(int, ticks)) / os.sysconf('SC_CLK_TCK'):.1f} s of CPU")


def stopped(program):
    """The reader stands still while a buffer of 1 MiB overflows."""
    with Lab() as lab:
        lab.silence()
        before = lab.quiet()
        process = lab.watch(program, "-w", lab.path("stopped.pcapng"), "-B", "1024")
        opened = lab.crossed()
        process.send_signal(signal.SIGSTOP)
        lab.flood(30_000, 30_000)
        process.send_signal(signal.SIGCONT)
        closing = lab.quiet()
        status, told = lab.stop(process)
        live = lab.live()
        capture = live["captures"][0]
        assert status == 0 and capture["dropped_by_capture"] > 10_000, (status, capture)
        assert "lost by this capture itself" in told, told
        assert "capture_loss" in {finding["kind"] for finding in live["findings"]}, live["findings"]
        assert live["verdict"]["class"] != "interference", live["verdict"]
        exact(capture, closing - opened, lab.quiet() - before)
        replayed = offline(program, lab.path("stopped.pcapng"))
        assert replayed["captures"][0]["dropped_by_capture"] == capture["dropped_by_capture"]
        assert result_of(live) == result_of(replayed), "live and replayed differ after drops"
        print("reader stopped: delivered", capture["packets"], "dropped", capture["dropped_by_capture"])


def in_a_ring(program):
    """Files of 500 kB, with drops in the midst: together they are the capture."""
    with Lab() as lab:
        folder = lab.path("ring")
        os.mkdir(folder)
        os.chmod(folder, 0o777)
        process = lab.watch(program, "-w", os.path.join(folder, "r.pcapng"), "-B", "1024", "-b", "filesize:500")
        lab.rtp(2)
        process.send_signal(signal.SIGSTOP)
        lab.flood(20_000, 30_000)
        process.send_signal(signal.SIGCONT)
        lab.rtp(2)
        lab.flood(8_000, 10_000)
        lab.quiet()
        status, told = lab.stop(process)
        live, replayed = lab.live(), offline(program, folder)
        assert status == 0, told
        assert len(replayed["captures"]) >= 4, sorted(os.listdir(folder))
        assert sum(capture["packets"] for capture in replayed["captures"]) == live["captures"][0]["packets"]
        assert sum(capture["dropped_by_capture"] for capture in replayed["captures"]) == live["captures"][0]["dropped_by_capture"] > 1000
        assert result_of(live) == result_of(replayed), "live and its ring differ"
        print("ring:", len(replayed["captures"]), "files, dropped", live["captures"][0]["dropped_by_capture"])


def bounded_ring(program):
    """Only the newest files are kept, by size and by time."""
    for limit, traffic in (("filesize:100", lambda lab: lab.flood(4_000, 4_000)), ("duration:1", lambda lab: lab.rtp(5))):
        with Lab() as lab:
            folder = lab.path("ring")
            os.mkdir(folder)
            os.chmod(folder, 0o777)
            process = lab.watch(program, "-w", os.path.join(folder, "r.pcapng"), "-b", limit, "-b", "files:2")
            traffic(lab)
            status, told = lab.stop(process)
            names = sorted(os.listdir(folder))
            assert status == 0 and len(names) == 2 and names[0] > "r_00001.pcapng", (limit, names, told)
            kept = offline(program, folder)["captures"]
            assert all(capture["packets"] > 0 and not capture["problems"] for capture in kept), kept
            print("ring of two:", limit, names)


for test in (flooded, stopped, in_a_ring, bounded_ring):
    test(sys.argv[1])

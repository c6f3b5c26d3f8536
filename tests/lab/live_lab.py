"""Two network namespaces and a link between them, a sender of RTP, and the program watching; for the live tests."""
import ctypes
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

SKIP = 77
# A leak check needs ptrace, which a confined process rightly refuses.
os.environ["ASAN_OPTIONS"] = "detect_leaks=0"


def skip(why):
    print("skipped:", why)
    sys.exit(SKIP)


def run(*words, check=True):
    return subprocess.run(words, check=check, capture_output=True, text=True)


class Lab:
    """`a` and `b` are namespaces; cw0 in each is the link: 10.77.0.1 and 10.77.0.2."""

    def __enter__(self):
        if os.geteuid() != 0:
            skip("needs root for network namespaces")
        tag = str(os.getpid())
        self.a, self.b = "cwa" + tag, "cwb" + tag
        self.processes = []
        self.folder = tempfile.TemporaryDirectory(prefix="callwitness-lab-")
        os.chmod(self.folder.name, 0o755)
        try:
            run("ip", "netns", "add", self.a)
            run("ip", "netns", "add", self.b)
            run("ip", "-n", self.a, "link", "add", "cw0", "type", "veth", "peer", "name", "cw0", "netns", self.b)
            for space, address in ((self.a, "10.77.0.1/24"), (self.b, "10.77.0.2/24")):
                run("ip", "-n", space, "addr", "add", address, "dev", "cw0")
                run("ip", "-n", space, "link", "set", "cw0", "up")
                run("ip", "-n", space, "link", "set", "lo", "up")
        except (subprocess.CalledProcessError, FileNotFoundError) as error:
            self.__exit__()
            skip(f"network namespaces can't be made here: {getattr(error, 'stderr', error)}")
        return self

    def __exit__(self, *_):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        for space in (self.a, self.b):
            run("ip", "netns", "del", space, check=False)
        self.folder.cleanup()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def start(self, space, *words, **options):
        process = subprocess.Popen(["ip", "netns", "exec", space, *words], **options)
        self.processes.append(process)
        return process

    def watch(self, program, *words):
        """Starts the program in namespace b and returns it once it captures."""
        process = self.start(self.b, program, "watch", "-i", "cw0", "--format", "json", *words,
                             stdout=open(self.path("live.json"), "wb"), stderr=subprocess.PIPE)
        line = process.stderr.readline().decode()
        assert "watching" in line, line + process.stderr.read().decode()
        return process

    def live(self):
        with open(self.path("live.json"), encoding="utf-8") as file:
            return json.load(file)

    def stop(self, process, number=signal.SIGINT, seconds=60):
        if number is not None:
            process.send_signal(number)
        _, told = process.communicate(timeout=seconds)
        return process.returncode, told.decode()

    def inside(self, space, *words, **options):
        """Runs words in the namespace to their end."""
        return subprocess.run(["ip", "netns", "exec", space, *words], check=False, capture_output=True, text=True, **options)

    def counter(self, space, name):
        """What the kernel itself counts on the link's end in the namespace: rx_packets, tx_packets …"""
        return int(self.inside(space, "cat", f"/sys/class/net/cw0/statistics/{name}").stdout)

    def crossed(self):
        """Packets that a capture in b could have had so far."""
        return self.counter(self.b, "rx_packets") + self.counter(self.b, "tx_packets")

    @staticmethod
    def wait_for(path, seconds=20):
        end = time.monotonic() + seconds
        while not os.path.exists(path) or os.path.getsize(path) == 0:
            assert time.monotonic() < end, f"{path} never came"
            time.sleep(0.05)

    def flood(self, packets, rate, streams=10):
        """RTP from a to b, `rate` packets a second; returns how many a second it was."""
        done = self.inside(self.a, os.path.abspath(sys.argv[2]), "10.77.0.2", "50000", str(packets), str(rate), str(streams))
        assert done.returncode == 0, done
        return float(done.stdout.split()[1])

    def silence(self):
        """No neighbour discovery: then only what a test sends crosses the link."""
        for space in (self.a, self.b):
            self.inside(space, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")

    def quiet(self):
        """Waits until nothing crosses the link; returns how much has."""
        for _ in range(100):
            before = self.crossed()
            time.sleep(0.3)
            if self.crossed() == before:
                return before
        raise AssertionError("the link never fell silent")

    def in_namespace(self, space):
        """Moves this process (use in a forked child) into the namespace."""
        with open(f"/run/netns/{space}") as handle:
            if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), 0x40000000) != 0:
                raise OSError(ctypes.get_errno(), "setns")

    def child(self, space, work):
        """Runs `work` in a forked process in the namespace and waits for it."""
        process = os.fork()
        if process == 0:
            try:
                self.in_namespace(space)
                work()
                os._exit(0)
            except BaseException as error:  # pylint: disable=broad-except
                print("in the namespace:", error, file=sys.stderr)
                os._exit(1)
        _, status = os.waitpid(process, 0)
        assert status == 0, "the traffic could not be sent"

    def rtp(self, seconds, lose_every=0):
        """Both directions of a 50-packets-a-second G.711 call."""
        def call():
            ends = []
            for port, ssrc in ((40000, 0x11111111), (40002, 0x22222222)):
                sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                sender.bind(("10.77.0.1", port))
                ends.append((sender, ssrc))
            begin = time.monotonic()
            for number in range(seconds * 50):
                pause = begin + number * 0.02 - time.monotonic()
                if pause > 0:
                    time.sleep(pause)
                for sender, ssrc in ends:
                    if lose_every and number % lose_every == lose_every - 1:
                        continue
                    header = struct.pack("!BBHII", 0x80, 0, number & 0xffff, number * 160, ssrc)
                    sender.sendto(header + bytes(160), ("10.77.0.2", 50000))
        self.child(self.a, call)


def offline(program, path):
    done = run(program, "analyze", path, "--format", "json", check=False)
    assert done.returncode in (0, 4), done.stderr
    return json.loads(done.stdout)


def result_of(analysis):
    """All of an analysis but where its packets came from."""
    return {key: value for key, value in analysis.items() if key not in ("captures", "tool", "provenance")}


def status_of(process, wanted):
    with open(f"/proc/{process}/status", encoding="utf-8") as file:
        fields = dict(line.rstrip("\n").split(":", 1) for line in file)
    return {name: fields[name].strip() for name in wanted}


def children(process):
    with open(f"/proc/{process}/task/{process}/children", encoding="utf-8") as file:
        return [int(word) for word in file.read().split()]

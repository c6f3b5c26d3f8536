"""A small internet of network namespaces for the lab's tests: client - air - router - server.

The router forwards (so TTLs fall as they should) and holds whatever interferes: nftables, tc, forged resets. The air
between client and router is relay.py: delay, jitter, loss, a slow line. Captures are taken at the client's and the
server's interfaces; the client's is what a user of callwitness would have.
"""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
CLIENT, SERVER, WEB = "10.77.1.2", "10.77.2.2", "10.77.2.3"   # the web is another host than the call
PROGRAM = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 and sys.argv[1][:1] != "-" else None


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def need(*programs):
    for program in programs:
        if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            skip(f"{program} is not installed")


def sh(command, check=True, **more):
    result = subprocess.run(command, shell=isinstance(command, str), capture_output=True, text=True, check=False, **more)
    if check and result.returncode != 0:
        raise RuntimeError(f"{command}: {result.stderr.strip() or result.stdout.strip()}")
    return result.stdout


class Lab:
    """with Lab(air={"delay_ms": 15}) as lab: lab.start("client", "baresip …")"""

    def __init__(self, air=None):
        os.environ["PATH"] += ":/usr/sbin:/sbin"
        need("ip", "tcpdump")
        self.name = f"cw{os.getpid()}"
        self.air = {"delay_ms": 12, "jitter_ms": 1} | (air or {})
        self.processes, self.stack = [], contextlib.ExitStack()
        self.folder = pathlib.Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="cwlab-")))
        self.folder.chmod(0o755)

    def space(self, who):
        return f"{self.name}{who}"

    def __enter__(self):
        if os.geteuid() != 0:
            skip("network namespaces need root")
        probe = subprocess.run(["ip", "netns", "add", self.space("client")], capture_output=True, text=True)
        if probe.returncode != 0:
            skip(f"no network namespaces here: {probe.stderr.strip()}")
        self.stack.callback(self.remove_spaces)
        try:
            self.build()
        except BaseException:
            self.stack.close()
            raise
        return self

    def build(self):
        for who in ("air", "router", "server"):
            sh(["ip", "netns", "add", self.space(who)])
        self.link("client", "eth0", "air", "left", f"{CLIENT}/24", None)
        self.link("air", "right", "router", "below", None, "10.77.1.1/24")
        self.link("router", "above", "server", "eth0", "10.77.2.1/24", f"{SERVER}/24")
        self.run("client", "ip route add default via 10.77.1.1")
        self.run("server", "ip route add default via 10.77.2.1")
        self.run("server", f"ip addr add {WEB}/24 dev eth0")
        self.run("router", "sysctl -qw net.ipv4.ip_forward=1")
        self.relay = self.start("air", [sys.executable, str(HERE / "relay.py"), json.dumps(self.air)], wait_for="ready")

    def link(self, one, one_name, two, two_name, one_address, two_address):
        sh(f"ip -n {self.space(one)} link add {one_name} type veth peer name {two_name} netns {self.space(two)}")
        for who, name, address in ((one, one_name, one_address), (two, two_name, two_address)):
            self.run(who, [sys.executable, str(HERE / "relay.py"), "--no-offload", name])   # whole frames, true checksums
            if address:
                self.run(who, f"ip addr add {address} dev {name}")
            self.run(who, f"ip link set {name} up")
            self.run(who, "ip link set lo up")

    def run(self, who, command, check=True):
        words = command.split() if isinstance(command, str) else command
        return sh(["ip", "netns", "exec", self.space(who), *words], check=check)

    def start(self, who, command, wait_for=None, **more):
        words = command.split() if isinstance(command, str) else command
        log = open(self.folder / f"{len(self.processes)}-{pathlib.Path(words[0]).name}.log", "wb")
        process = subprocess.Popen(["ip", "netns", "exec", self.space(who), *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   start_new_session=True, **more)
        process.log = pathlib.Path(log.name)
        log.close()
        self.processes.append(process)
        if wait_for:
            self.wait(lambda: wait_for in process.log.read_text(errors="replace"), 10, f"{words[0]}: no '{wait_for}': {process.log}", process)
        return process

    @staticmethod
    def wait(condition, seconds, what, process=None):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end or (process and process.poll() not in (None, 0)):
                text = process.log.read_text(errors="replace")[-2000:] if process else ""
                raise RuntimeError(f"waited in vain for {what}\n{text}")
            time.sleep(0.05)

    def capture(self, who, snap_length=0):
        path = self.folder / f"{who}.pcap"
        process = self.start(who, ["tcpdump", "-i", "eth0", "-U", "-n", "-s", str(snap_length), "-Z", "root", "-w", str(path)], wait_for="listening on")
        process.capture = path
        return process

    def stop(self, process, number=signal.SIGINT, timeout=15):
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        return process.returncode

    def police(self, rate_bps, burst_bytes, direction="received", match="meta l4proto udp"):
        """nftables' limit, a token bucket over IP bytes."""
        interface = "below" if direction == "received" else "above"
        self.nft(f'oifname "{interface}" {match} limit rate over {rate_bps // 8} bytes/second burst {burst_bytes} bytes counter drop')

    def nft(self, rule):
        self.run("router", "nft add table ip interference")
        self.run("router", ["nft", "add chain ip interference forward { type filter hook forward priority 0; }"])
        self.run("router", ["nft", f"add rule ip interference forward {rule}"])

    def allow_everything(self):
        self.run("router", "nft flush ruleset")

    def shape(self, rate_bps, limit_bytes=6000):
        """tc tbf towards the client; its tokens count Ethernet frames."""
        try:
            self.run("router", f"tc qdisc add dev below root tbf rate {rate_bps} burst 1600 limit {limit_bytes}")
        except RuntimeError as error:
            skip(f"this kernel has no tbf: {error}")

    def forge_resets(self, port, period_s):
        return self.start("router", [sys.executable, str(HERE / "reset.py"), "below", str(port), str(period_s)], wait_for="ready")

    def remove_spaces(self):
        for process in reversed(self.processes):
            self.stop(process, signal.SIGTERM, 5)
        for who in ("client", "air", "router", "server"):
            subprocess.run(["ip", "netns", "del", self.space(who)], capture_output=True, check=False)

    def __exit__(self, *failure):
        if failure[0] not in (None, SystemExit):
            for process in self.processes:
                text = process.log.read_text(errors="replace")[-1500:]
                if text.strip():
                    print(f"--- {process.log.name}\n{text}")
        self.stack.close()


def analyze(capture, *options):
    """The program's JSON of a capture."""
    result = subprocess.run([PROGRAM, "analyze", "--format", "json", *options, str(capture)], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise AssertionError(f"callwitness analyze: status {result.returncode}: {result.stderr}")
    return json.loads(result.stdout)


def rtp_by_tshark(capture, *more):
    """(source, destination, ssrc) -> (packets, lost), as tshark counts them in a capture without wraps or reordering."""
    need("tshark")
    lines = sh(["tshark", "-r", str(capture), "-n", "-q", *more, "-z", "rtp,streams"])
    streams = {}
    for words in (line.split() for line in lines.splitlines()):
        if len(words) > 9 and words[6].startswith("0x"):
            streams[(f"{words[2]}:{words[3]}", f"{words[4]}:{words[5]}", words[6].lower())] = (int(words[8]), int(words[9]))
    return streams


def expect(condition, message):
    if not condition:
        raise AssertionError(message)

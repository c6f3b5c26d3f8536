"""tcpdump's and dumpcap's flags do what they do there; what can't be done is said in one line, with the status for it."""
import json
import os
import subprocess
import sys

from live_lab import Lab, offline


def watch(lab, program, *words, prefix=()):
    """The program to its end, while a call goes on."""
    process = subprocess.Popen(["ip", "netns", "exec", lab.b, *prefix, program, "watch", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lab.rtp(2)
    out, told = process.communicate(timeout=30)
    return process.returncode, out, told


def limits(program):
    with Lab() as lab:
        asked = ("-i", "cw0", "--format", "json", "-q")
        status, out, told = watch(lab, program, *asked, "-c", "25", "-w", lab.path("c.pcapng"))
        assert status == 0 and json.loads(out)["captures"][0]["packets"] == 25, (status, told)
        assert offline(program, lab.path("c.pcapng"))["captures"][0]["packets"] == 25
        status, out, told = watch(lab, program, *asked, "-a", "duration:1", "udp", "dst", "port", "50000")
        packets = json.loads(out)["captures"][0]["packets"]
        assert status == 0 and 60 <= packets <= 130, (status, packets, told)
        status, out, told = watch(lab, program, *asked, "-a", "filesize:20", "-w", lab.path("a.pcapng"))
        size = os.path.getsize(lab.path("a.pcapng"))
        assert status == 0 and 20_000 <= size < 22_000, (status, size, told)
        status, out, told = watch(lab, program, *asked, "-n", "-s", "96", "-B", "2048", "-a", "duration:2", "-f", "udp dst port 50000", "-w", lab.path("s.pcapng"))
        live = json.loads(out)
        assert status == 0 and live["captures"][0]["truncated_packets"] == live["captures"][0]["packets"] > 100, (status, told)
        lost = [stream["lost"] for stream in live["streams"]]
        assert len(lost) == 2 and not any(lost), lost   # 96 bytes hold the RTP header
        assert offline(program, lab.path("s.pcapng"))["streams"] == live["streams"]
        print("-c, -a, -s, -B, -n, -f and a trailing filter: as asked")


def users(program):
    with Lab() as lab:
        os.chmod(lab.folder.name, 0o777)
        status, _, told = watch(lab, program, "-i", "cw0", "-a", "duration:1", "-Z", "daemon", "-w", lab.path("z.pcapng"))
        import pwd
        assert status == 0 and os.stat(lab.path("z.pcapng")).st_uid == pwd.getpwnam("daemon").pw_uid, (status, told)
        status, _, told = watch(lab, program, "-i", "cw0", "-a", "duration:1", prefix=("setpriv", "--reuid=nobody", "--clear-groups"))
        assert status == 3 and "no permission to capture" in told and "sudo" in told, (status, told)
        listed = lab.inside(lab.b, program, "watch", "-D")
        assert listed.returncode == 0 and "cw0 [up] 10.77.0.2" in listed.stdout, listed
        number = next(line.split(".")[0] for line in listed.stdout.splitlines() if ".cw0 " in line)
        status, out, told = watch(lab, program, "-i", number, "-a", "duration:1", "--format", "json")
        assert status == 0 and json.loads(out)["captures"][0]["file"] == "cw0", (status, told)
        print("-Z, nobody, -D and -i NUMBER: as asked")


def refusals(program):
    with Lab() as lab:
        lab.inside(lab.b, "ip", "link", "add", "down0", "type", "veth", "peer", "name", "down1")
        link = lab.path("link.pcapng")
        os.symlink(lab.path("elsewhere"), link)
        open(lab.path("there.pcapng"), "wb").close()
        for words, status, hints in (
                (("-i", "nowhere"), 3, ("nowhere", "watch -D")), (("-i", "down0"), 3, ("down0", "ip link set down0 up")),
                (("-i", "cw0", "-f", "udp port"), 2, ("udp port", "pcap-filter")), (("-i", "cw0", "udp", "prt", "5060"), 2, ("udp prt 5060",)),
                (("-i", "cw0", "-a", "duration:x"), 2, ("duration:x",)), (("-i", "cw0", "-a", "moons:3"), 2, ("moons:3",)),
                (("-i", "cw0", "-b", "files:3", "-w", lab.path("x")), 2, ("filesize",)), (("-i", "cw0", "-b", "filesize:9"), 2, ("-w FILE",)),
                (("-i", "cw0", "-c", "-1"), 2, ("-c",)), (("-i", "cw0", "-Z", "no-such-user"), 2, ("no-such-user",)),
                (("-i", "cw0", "-w", link), 1, (link,)), (("-i", "cw0", "-w", lab.path("there.pcapng")), 1, ("another name",)),
                (("-i", "cw0", "-w", lab.path("no/such/folder.pcapng")), 1, ("folder",)), (("capture.pcap",), 2, ("analyze",))):
            done = lab.inside(lab.b, program, "watch", *words, timeout=20)
            lines = done.stderr.splitlines()
            assert done.returncode == status and len(lines) == 1 and lines[0].startswith("callwitness: cannot "), (words, done)
            assert all(hint in lines[0] for hint in hints) and not done.stdout, (words, done)
        assert not os.path.exists(lab.path("elsewhere")), "a recording went through a link"
        done = lab.inside(lab.b, "sh", "-c", f"ulimit -n 10; exec {program} watch -i cw0 -a duration:1")
        assert done.returncode == 1 and "ulimit -n" in done.stderr and len(done.stderr.splitlines()) == 1, done
        print("refusals: one line each, with what to do")


def reading(program):
    with Lab() as lab:
        watch(lab, program, "-i", "cw0", "-c", "100", "-q", "-w", lab.path("r.pcapng"))
        answers = [subprocess.run([program, *words], check=False, capture_output=True).stdout for words in
                   (("analyze", lab.path("r.pcapng"), "--format", "json"), ("analyze", "-r", lab.path("r.pcapng"), "--format", "json"),
                    ("watch", "-r", lab.path("r.pcapng"), "--format", "json"), ("watch", "--format", "json", "-r", lab.path("r.pcapng"), "udp or not udp"))]
        assert answers[0] == answers[1] == answers[2] and json.loads(answers[3])["captures"] == json.loads(answers[0])["captures"]
        print("-r: the same as analyze")


for test in (limits, users, refusals, reading):
    test(sys.argv[1])

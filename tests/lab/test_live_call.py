"""A call watched live: same result as its recording; privileges gone; the helper killed costs nothing."""
import os
import shutil
import signal
import struct
import subprocess
import sys
import time

from live_lab import Lab, children, offline, result_of, status_of


def main(program):
    with Lab() as lab:
        recording = lab.path("call.pcapng")
        process = lab.watch(program, "-w", recording, "-a", "duration:60")
        told = status_of(process.pid, ["CapEff", "CapPrm", "CapBnd", "NoNewPrivs", "Seccomp", "Uid"])
        assert int(told["CapEff"], 16) == int(told["CapPrm"], 16) == int(told["CapBnd"], 16) == 0, told
        assert told["NoNewPrivs"] == "1" and told["Seccomp"] == "2", told
        assert told["Uid"].split()[0] != "0", told
        lab.rtp(4, lose_every=10)
        for warden in children(process.pid):
            for worker in children(warden):
                confined = status_of(worker, ["CapEff", "NoNewPrivs", "Seccomp", "Uid"])
                assert int(confined["CapEff"], 16) == 0 and confined["Seccomp"] == "2", confined
                os.kill(worker, signal.SIGKILL)
        lab.rtp(3)
        time.sleep(0.5)
        status, _ = lab.stop(process)
        assert status == 0, status
        live, replayed = lab.live(), offline(program, recording)
        assert result_of(live) == result_of(replayed), "live and replayed differ"
        assert live["captures"][0]["packets"] == replayed["captures"][0]["packets"] >= 600
        assert live["captures"][0]["dropped_by_capture"] == replayed["captures"][0]["dropped_by_capture"] == 0
        assert os.stat(recording).st_mode & 0o777 == 0o600
        losses = [stream["lost"] for stream in live["streams"] if stream["loss_basis"] == "sequence"]
        assert losses and sum(losses) >= 2 * 19, losses
        print("streams:", len(live["streams"]), "lost:", losses, "verdict:", live["verdict"]["class"])


def by_file_capabilities(program):
    """An ordinary user whose program has the capabilities, as `setcap` gives them: neither it nor its helpers keep any."""
    with Lab() as lab:
        own = lab.path("callwitness")
        shutil.copy(program, own)
        os.chmod(own, 0o755)
        net_raw_and_admin, revision_2_effective = 1 << 13 | 1 << 12, 0x02000001
        try:
            os.setxattr(own, "security.capability", struct.pack("<IIIII", revision_2_effective, net_raw_and_admin, net_raw_and_admin, 0, 0))
        except OSError as error:
            print("file capabilities: not tried,", error)
            return
        process = lab.start(lab.b, "setpriv", "--reuid=nobody", "--clear-groups", own, "watch", "-i", "cw0", "--format", "json",
                            stdout=open(lab.path("live.json"), "wb"), stderr=subprocess.PIPE)
        line = process.stderr.readline()
        if b"watching" not in line:   # a file system mounted without them
            print("file capabilities: not tried,", line.decode())
            return
        lab.rtp(1)
        wardens = children(process.pid)
        everyone = [process.pid, *wardens, *(worker for warden in wardens for worker in children(warden))]
        assert len(everyone) == 3, everyone
        for each in everyone:
            told = status_of(each, ["CapEff", "CapPrm", "NoNewPrivs", "Seccomp"])
            assert int(told["CapEff"], 16) == int(told["CapPrm"], 16) == 0 and told["NoNewPrivs"] == "1" and told["Seccomp"] == "2", told
        status, told = lab.stop(process)
        assert status == 0 and lab.live()["captures"][0]["packets"] >= 100, (status, told)
        print("file capabilities: given up by all three processes")


main(sys.argv[1])
by_file_capabilities(sys.argv[1])

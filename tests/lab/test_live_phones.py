"""A real call between two phones (baresip), watched live at the caller while packets get lost on the way: the live result is that
of its recording, and both count what tshark counts."""
import json
import signal
import subprocess
import time

import baresip
import lab as lab_module
from lab import PROGRAM, expect
from live_lab import result_of

LOSS = 0.05


def main():
    with lab_module.Lab(air={"loss": [LOSS, LOSS]}) as lab:
        recording, result = lab.folder / "live.pcapng", lab.folder / "live.json"
        lab.folder.chmod(0o777)   # whoever the program becomes writes there
        with open(result, "wb") as out:
            watching = subprocess.Popen(["ip", "netns", "exec", lab.space("client"), PROGRAM, "watch", "-i", "eth0", "--format", "json", "-w", recording],
                                        stdout=out, stderr=subprocess.PIPE, text=True)
        try:
            expect("watching" in watching.stderr.readline(), "the program doesn't watch")
            client, server = baresip.call(lab)
            time.sleep(10)
            client.hang_up()
            server.hang_up()
            watching.send_signal(signal.SIGINT)
            _, told = watching.communicate(timeout=60)
        finally:
            watching.kill()
        expect(watching.returncode == 0, told)
        live, replayed = json.loads(result.read_text()), lab_module.analyze(recording)
        expect(result_of(live) == result_of(replayed), "live and replayed differ")
        ours = {(stream["src"], stream["dst"], stream["ssrc"]): (stream["packets"], stream["lost"]) for stream in live["streams"]}
        theirs = lab_module.rtp_by_tshark(recording)
        expect(ours == theirs and len(ours) == 2, f"streams as we count them {ours}, as tshark does {theirs}")
        lost = sum(lost for _, lost in ours.values())
        expect(lost > 0, "nothing was lost on the way: the comparison would say nothing")
        expect({call["application"] for call in live["calls"]} == {"sip"} and live["calls"][0]["ended_by"] == "bye", live["calls"])
        rows = [line for line in told.splitlines() if line.startswith("rtp ")]
        expect(len(rows) >= 7, f"no line a second for the call: {told}")
        print("packets, lost, as tshark counts them:", ours, "verdict:", live["verdict"]["class"])


main()

#!/usr/bin/env python3
"""Real calls with one known thing done to them on the way; what callwitness says of the client's capture must be right.

usage: scenarios.py PROGRAM NAME…      runs these; exits 77 with a word why where root or software are missing
       scenarios.py PROGRAM --all      every one, one after the other
       scenarios.py --list             the short ones, which ctest runs
"""
import contextlib
import dataclasses
import signal
import sys
import time

import baresip
import lab as lab_module
import mumble
import webrtc
from lab import SERVER, WEB, expect

FINE, BAD, CAPPED = {"clean", "insufficient"}, {"impaired", "clean", "insufficient"}, {"interference", "impaired"}


@dataclasses.dataclass
class Scenario:
    application: str
    seconds: float
    verdicts: set
    findings: tuple = ()              # (kind, mechanism or None): one of them must be among the findings
    call: str = "sip"                 # sip, mumble, mumble_tunnel, webrtc_audio, webrtc_video
    air: dict = dataclasses.field(default_factory=dict)
    interfere: object = None          # f(lab): before the call begins
    during: object = None             # f(lab): in its midst
    rate_bps: int = 0
    greedy: bool = False              # a download that takes all it can
    short: bool = False               # in ctest


def blackhole(block_s, every_s, times):
    def during(lab):
        for _ in range(times):
            time.sleep(every_s - block_s)
            lab.nft("ip protocol udp drop")
            time.sleep(block_s)
            lab.allow_everything()
        time.sleep(every_s / 2)
    return during


SCENARIOS = {
    "sip-clean": Scenario("sip", 25, FINE, short=True),
    "sip-policed": Scenario("sip", 50, CAPPED, (("rate_cap", "policer"),), interfere=lambda lab: lab.police(56_000, 3_000), rate_bps=56_000, short=True),
    "sip-shaped": Scenario("sip", 60, CAPPED, (("rate_cap", "shaper"), ("rate_cap", "policer")), interfere=lambda lab: lab.shape(64_000)),
    "sip-blackholed": Scenario("sip", 0, CAPPED, (("periodic_reset", None), ("outage", None)), during=blackhole(8, 25, 4)),
    "sip-congested": Scenario("sip", 50, BAD, air={"rate_bps": 900_000, "queue_bytes": 30_000}, greedy=True),
    "sip-wifi": Scenario("sip", 50, BAD, air={"jitter_ms": 6, "burst_loss": 0.004, "burst_stay": 0.7}),
    "mumble-clean": Scenario("mumble", 25, FINE, call="mumble", short=True),
    "mumble-policed": Scenario("mumble", 60, CAPPED, (("rate_cap", "policer"),), call="mumble", interfere=lambda lab: lab.police(36_000, 3_000), rate_bps=36_000),
    "mumble-shaped": Scenario("mumble", 60, CAPPED, (("rate_cap", None),), call="mumble", interfere=lambda lab: lab.shape(36_000)),
    "mumble-reset": Scenario("mumble", 82, CAPPED, (("injected_reset", None), ("periodic_reset", "tcp_rst")), call="mumble_tunnel",
                             interfere=lambda lab: lab.forge_resets(64738, 16)),
    "mumble-blackholed": Scenario("mumble", 0, CAPPED, (("periodic_reset", None), ("outage", None)), call="mumble", during=blackhole(8, 25, 4)),
    "mumble-congested": Scenario("mumble", 50, BAD, call="mumble", air={"rate_bps": 900_000, "queue_bytes": 30_000}, greedy=True),
    "webrtc-audio-clean": Scenario("webrtc", 25, FINE, call="webrtc_audio", short=True),
    "webrtc-audio-policed": Scenario("webrtc", 60, CAPPED, (("rate_cap", None),), call="webrtc_audio", interfere=lambda lab: lab.police(24_000, 3_000)),
    "webrtc-video-clean": Scenario("webrtc", 40, BAD, call="webrtc_video"),
    "webrtc-video-policed": Scenario("webrtc", 90, CAPPED, (("rate_cap", None),), call="webrtc_video", interfere=lambda lab: lab.police(200_000, 16_000)),
    "webrtc-video-shaped": Scenario("webrtc", 90, {"interference", "impaired", "clean", "insufficient"}, call="webrtc_video", interfere=lambda lab: lab.shape(200_000, 20_000)),
    "webrtc-audio-blackholed": Scenario("webrtc", 0, CAPPED, (("periodic_reset", None), ("outage", None)), call="webrtc_audio", during=blackhole(12, 40, 4)),
    "webrtc-video-congested": Scenario("webrtc", 60, BAD, call="webrtc_video", air={"rate_bps": 2_000_000, "queue_bytes": 60_000}, greedy=True),
}


@contextlib.contextmanager
def the_call(lab, kind, seconds):
    """The call goes on while the body runs; `seconds` is how long that will be, at most."""
    if kind == "sip":
        client, server = baresip.call(lab)
        yield
        client.hang_up()
        time.sleep(0.3)
        server.hang_up()
    elif kind.startswith("mumble"):
        lab_module.need("murmurd")
        mumble.need_cryptography()
        mumble.start_server(lab)
        command = [sys.executable, mumble.__file__, SERVER]
        mode = ["tunnel"] if kind == "mumble_tunnel" else []
        people = [lab.start(who, [*command, name, str(seconds + 5), *mode], wait_for="ready") for who, name in (("client", "amina"), ("server", "bernard"))]
        yield
        for person in people:
            lab.stop(person, signal.SIGINT)
    else:
        call = webrtc.Call(lab, video=kind == "webrtc_video")
        yield
        call.end()


def perform(scenario, keep=None):
    """Runs the scenario; returns the paths of the client's and the server's captures. `keep`: a folder to copy them to."""
    with lab_module.Lab(scenario.air) as lab:
        web = [sys.executable, str(lab_module.HERE / "web.py")]
        lab.start("server", [*web, "serve", WEB, "8443"], wait_for="ready")
        captures = [lab.capture(who) for who in ("client", "server")]
        if scenario.interfere:
            scenario.interfere(lab)
        seconds = scenario.seconds or 150
        with the_call(lab, scenario.call, seconds):
            lab.start("client", [*web, "read", WEB, "8443", str(seconds - 2), *(("4000", "0") if scenario.greedy else ("150", "4"))])
            if scenario.during:
                scenario.during(lab)
            else:
                time.sleep(scenario.seconds)
        for capture in captures:
            lab.stop(capture)
        yield lab, [capture.capture for capture in captures]


def judge(name, scenario):
    for _, (client, server) in perform(scenario):
        analysis = lab_module.analyze(client)
        verdict, findings = analysis["verdict"], analysis["findings"]
        told = [(finding["kind"], finding["mechanism"], finding["rate_bps"]) for finding in findings]
        print(f"{name}: {verdict['class']} ({verdict['key']}); findings {told}")
        applications = {call["application"] for call in analysis["calls"]}
        expect(scenario.application in applications, f"applications of the calls: {applications}, not {scenario.application}")
        expect(verdict["class"] in scenario.verdicts, f"verdict {verdict['class']}, not one of {scenario.verdicts}: {verdict['summary']}")
        if verdict["class"] == "interference":
            expect(any((kind, mechanism) in scenario.findings or (kind, None) in scenario.findings for kind, mechanism, _ in told),
                   f"findings {told}, none of {scenario.findings}")
        rates = [rate for kind, _, rate in told if kind == "rate_cap" and rate]
        if scenario.rate_bps and rates:
            expect(min(abs(rate / scenario.rate_bps - 1) for rate in rates) <= 0.03, f"caps {rates}, not {scenario.rate_bps}")
        if scenario.call == "sip":
            compare_with_tshark(analysis, client)


def compare_with_tshark(analysis, capture):
    ours = {(stream["src"], stream["dst"], stream["ssrc"]): (stream["packets"], stream["lost"]) for stream in analysis["streams"]}
    theirs = lab_module.rtp_by_tshark(capture)
    expect(ours == theirs, f"streams as we count them {ours}, as tshark does {theirs}")


def main():
    words = sys.argv[1:]
    if words == ["--list"]:
        print("\n".join(name for name, scenario in SCENARIOS.items() if scenario.short))
        return
    wrong = []
    for name in SCENARIOS if words[1:] == ["--all"] else words[1:]:
        try:
            judge(name, SCENARIOS[name])
        except (AssertionError, RuntimeError) as error:
            print(f"{name}: WRONG: {error}", flush=True)
            wrong.append(name)
    sys.exit(f"wrong: {', '.join(wrong)}" if wrong else 0)


if __name__ == "__main__":
    main()

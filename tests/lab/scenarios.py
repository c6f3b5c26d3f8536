#!/usr/bin/env python3
"""Real calls with one known thing done to them on the way; what callwitness says of the client's capture must be right.

usage: scenarios.py PROGRAM NAME…      runs these; exits 77 with a word why where root or software are missing
       scenarios.py PROGRAM --all      every one, one after the other
       scenarios.py --list             the short ones, which ctest runs
options: --keep FOLDER                 keeps FOLDER/NAME-{client,server}.pcap
"""
import argparse
import dataclasses
import pathlib
import shutil
import sys
import time

import judging
import lab as lab_module
from calls import the_call
from lab import WEB

# What may be said. A clean call is never impaired by our own words; a hurt one is never clean; and only what was
# interfered with is ever called interference.
FINE, BAD, INTERFERED = ("clean",), ("impaired", "clean"), ("interference",)
POLICER, SHAPER = ("rate_cap", "policer"), ("rate_cap", "shaper")
CUT = (("periodic_reset", "udp_blackhole"), ("periodic_reset", "silence"), ("outage", None))


@dataclasses.dataclass
class Scenario:
    application: str
    seconds: float
    verdicts: tuple
    findings: tuple = ()              # (kind, mechanism or None): one of them must be among the findings
    call: str = "sip"                 # calls.CALLS
    air: dict = dataclasses.field(default_factory=dict)
    interfere: object = None          # f(lab): before the call begins
    during: object = None             # f(lab, people): in its midst
    direction: str = None             # of the finding
    rate_bps: int = 0
    greedy: bool = False              # a download that takes all it can
    web: bool = True                  # pages meanwhile, for contrast, as on any computer
    short: bool = False               # in ctest


def blackhole(block_s, every_s, times):
    def during(lab, _):
        for _ in range(times):
            time.sleep(every_s - block_s)
            lab.nft("ip protocol udp drop")
            time.sleep(block_s)
            lab.allow_everything()
        time.sleep(every_s / 2)
    return during


def policed(application, seconds, rate_bps, burst_bytes, **more):
    return Scenario(application, seconds, INTERFERED, (POLICER,), interfere=lambda lab: lab.police(rate_bps, burst_bytes),
                    direction="received", rate_bps=rate_bps, **more)


def shaped(application, seconds, rate_bps, queue_bytes, findings=(SHAPER,), **more):
    """UDP alone goes through a shaper towards the client; pages don't, so the line itself isn't slow."""
    return Scenario(application, seconds, INTERFERED, findings, air={"shape_bps": [0, rate_bps], "shape_queue_bytes": queue_bytes},
                    direction="received", rate_bps=rate_bps, **more)


def congested(application, seconds, rate_bps=900_000, queue_bytes=30_000, **more):
    return Scenario(application, seconds, BAD, air={"rate_bps": rate_bps, "queue_bytes": queue_bytes}, greedy=True, **more)


def cut_off(application, block_s, every_s, **more):
    return Scenario(application, 0, INTERFERED, CUT, during=blackhole(block_s, every_s, 4), **more)


SCENARIOS = {
    "sip-clean": Scenario("sip", 25, FINE, short=True),
    "linphone-clean": Scenario("sip", 20, FINE, call="linphone", short=True),
    "sip-policed": policed("sip", 50, 56_000, 3_000, short=True),
    "sip-shaped": shaped("sip", 60, 64_000, 6_000),
    "sip-slow-line": Scenario("sip", 60, BAD, interfere=lambda lab: lab.shape(64_000)),
    "sip-blackholed": cut_off("sip", 8, 25),
    "sip-congested": congested("sip", 50),
    "sip-wifi": Scenario("sip", 50, BAD, air={"jitter_ms": 6, "burst_loss": 0.004, "burst_stay": 0.7}),
    "mumble-clean": Scenario("mumble", 25, FINE, call="mumble", short=True),
    "mumble-policed": policed("mumble", 60, 36_000, 3_000, call="mumble"),
    "mumble-shaped": shaped("mumble", 60, 36_000, 6_000, call="mumble"),
    "mumble-slow-line": Scenario("mumble", 60, BAD, call="mumble", interfere=lambda lab: lab.shape(36_000)),
    "mumble-reset": Scenario("mumble", 82, INTERFERED, (("injected_reset", None), ("periodic_reset", "tcp_rst")), call="mumble_tunnel",
                             interfere=lambda lab: lab.forge_resets(64738, 16)),
    "mumble-blackholed": cut_off("mumble", 8, 25, call="mumble"),
    "mumble-congested": congested("mumble", 50, call="mumble"),
    "webrtc-audio-clean": Scenario("webrtc", 25, FINE, call="webrtc_audio", short=True),
    "webrtc-audio-policed": policed("webrtc", 60, 24_000, 3_000, call="webrtc_audio"),
    "webrtc-audio-shaped": shaped("webrtc", 60, 24_000, 6_000, call="webrtc_audio"),
    "webrtc-audio-blackholed": cut_off("webrtc", 12, 40, call="webrtc_audio"),
    "webrtc-audio-congested": congested("webrtc", 50, call="webrtc_audio"),
    "webrtc-video-clean": Scenario("webrtc", 40, FINE, call="webrtc_video"),
    "webrtc-video-policed": policed("webrtc", 90, 200_000, 16_000, call="webrtc_video"),
    "webrtc-video-shaped": shaped("webrtc", 90, 120_000, 12_000, call="webrtc_video"),
    "webrtc-video-blackholed": cut_off("webrtc", 12, 40, call="webrtc_video"),
    "webrtc-video-congested": congested("webrtc", 60, 2_000_000, 60_000, call="webrtc_video"),
}


def perform(scenario):
    """Runs the scenario; yields the lab and the paths of the client's and the server's captures."""
    with lab_module.Lab(scenario.air) as lab:
        web = [sys.executable, str(lab_module.HERE / "web.py")]
        lab.start("server", [*web, "serve", WEB, "8443"], wait_for="ready")
        captures = [lab.capture(who) for who in ("client", "server")]
        if scenario.interfere:
            scenario.interfere(lab)
        seconds = scenario.seconds or 200
        with the_call(lab, scenario.call, seconds) as people:
            if scenario.web:
                lab.start("client", [*web, "read", WEB, "8443", str(seconds - 2), *(("4000", "0") if scenario.greedy else ("150", "4"))])
            if scenario.during:
                scenario.during(lab, people)
            else:
                time.sleep(scenario.seconds)
        for capture in captures:
            lab.stop(capture)
        yield lab, [capture.capture for capture in captures]


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(name for name, scenario in SCENARIOS.items() if scenario.short))
        return
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("program")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--keep", type=pathlib.Path)
    options = parser.parse_intermixed_args()
    wrong = []
    for name in SCENARIOS if options.all else options.names:
        try:
            for _, (client, server) in perform(SCENARIOS[name]):
                if options.keep:
                    options.keep.mkdir(parents=True, exist_ok=True)
                    for end in (client, server):
                        shutil.copy(end, options.keep / f"{name}-{end.name}")
                print(judging.judge(name, SCENARIOS[name], client), flush=True)
        except (AssertionError, RuntimeError) as error:
            print(f"WRONG: {error}", flush=True)
            wrong.append(name)
    sys.exit(f"wrong: {', '.join(wrong)}" if wrong else 0)


if __name__ == "__main__":
    main()

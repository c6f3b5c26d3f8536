#!/usr/bin/env python3
"""measure.py CALLWITNESS PACKETS WORK DOCUMENT: what run.sh says, with WORK/make_capture built."""
import datetime
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import time

ROUNDS = 3
PROGRAM, PACKETS, WORK, DOCUMENT = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
MEMORY_LIMIT_MIB, COLLISION_LIMIT, TENFOLD_LIMIT, LIVE_FLOWS = 512, 3, 12, 200_000
CALL_PACKETS = 5_000    # of each stream of the call that make_capture puts into a flood


def capture(name, kind, *numbers):
    path = os.path.join(WORK, name)
    subprocess.run([os.path.join(WORK, "make_capture"), kind, path, *map(str, numbers)], check=True)
    with open(path, "rb") as file:    # into the page cache
        while file.read(1 << 24):
            pass
    return path


def family(pid):
    """The process and all that it started."""
    found = [pid]
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children") as children:
                for child in children.read().split():
                    found += family(int(child))
    except OSError:
        pass    # it has just ended
    return found


def memory_kib(pid):
    """Its share of the memory that it has: what two processes share counts half for each."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as lines:
            return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    except OSError:
        return 0


class Run:
    def __init__(self, command, output=os.devnull, watch_memory=True):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begin = time.monotonic()
        with open(output, "wb") as to:
            process = subprocess.Popen(command, stdout=to, stderr=subprocess.DEVNULL)
            peak = 0
            while process.poll() is None:
                if watch_memory:
                    peak = max(peak, sum(map(memory_kib, family(process.pid))))
                time.sleep(0.05)
        self.wall = time.monotonic() - begin
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        self.peak_mib = peak / 1024
        if process.returncode != 0:
            sys.exit(f"{command[0]} ended with {process.returncode}")


def analyze(path):
    return [PROGRAM, "analyze", "--format", "json", path]


def side_by_side(commands):
    """Every command in turns, so that a busy minute strikes all alike. Reading the memory's maps costs the watched
    process time, so that is done in one more turn."""
    runs = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            runs[name].append(Run(command, watch_memory=False))
    return {name: (statistics.median(run.processor for run in all_runs), min(run.wall for run in all_runs),
                   Run(commands[name]).peak_mib) for name, all_runs in runs.items()}


def speed():
    everything, tenth = capture("all.pcap", "calls", PACKETS, 1000), capture("tenth.pcap", "calls", PACKETS // 10, 1000)
    whole = side_by_side({
        "callwitness analyze --format json": analyze(everything),
        "ndpiReader -i": ["ndpiReader", "-i", everything],
        "tcpdump -w /dev/null": ["tcpdump", "-r", everything, "-w", os.devnull],
    })
    os.remove(everything)
    part = side_by_side({"callwitness, a tenth of it": analyze(tenth)})
    tshark = Run(["tshark", "-q", "-r", tenth, "-o", "rtp.heuristic_rtp:TRUE", "-z", "rtp,streams"])
    os.remove(tenth)
    rows = {**whole, **part, "tshark -z rtp,streams, a tenth of it": (tshark.processor, tshark.wall, tshark.peak_mib)}
    measure = whole["ndpiReader -i"][0]
    tenths = ("a tenth",)
    lines = ["| program | processor seconds | of ndpiReader's | seconds | peak MiB |", "|---|---|---|---|---|"]
    for name, (processor, wall, peak) in rows.items():
        ratio = "" if any(word in name for word in tenths) else f"{processor / measure:.2f}"
        lines.append(f"| {name} | {processor:.2f} | {ratio} | {wall:.2f} | {peak:.0f} |")
    growth = whole["callwitness analyze --format json"][0] / part["callwitness, a tenth of it"][0]
    lines += ["", f"Ten times the packets take {growth:.1f} times the processor time (bar: {TENFOLD_LIMIT})."]
    return lines


def flood(kind, flows):
    path = capture("flood.pcap", kind, flows)
    output = os.path.join(WORK, "flood.json")
    run = Run(analyze(path), output)
    os.remove(path)
    with open(output) as text:
        told = json.load(text)
    anomalies = told["captures"][0]["anomalies"]
    evicted = sum(count for name, count in anomalies.items() if name.startswith("flow_evicted"))
    call = [stream["packets"] for stream in told["streams"]]
    if call != [CALL_PACKETS, CALL_PACKETS]:
        sys.exit(f"{kind} {flows}: the call in the flood has streams of {call} packets, not two of {CALL_PACKETS}")
    if flows > LIVE_FLOWS and evicted < flows - LIVE_FLOWS:
        sys.exit(f"{kind} {flows}: only {evicted} evictions were told")
    what = "UDP datagrams" if kind == "udp" else "TCP SYNs"
    return run.peak_mib, f"| {flows:,} lone {what} and a call | {run.processor:.2f} | {run.peak_mib:.0f} | {evicted:,} |"


def floods():
    lines = ["| flood | processor seconds | peak MiB, all processes | evictions told |", "|---|---|---|---|"]
    worst = 0
    for kind in ("udp", "syn"):
        for flows in (1_000_000, 5_000_000):
            peak, line = flood(kind, flows)
            worst = max(worst, peak)
            lines.append(line)
    paths = {kind: capture(kind + ".pcap", kind, LIVE_FLOWS) for kind in ("uniform", "collide")}
    runs = side_by_side({kind: analyze(path) for kind, path in paths.items()})
    lines += ["", f"The most is {worst:.0f} MiB (bar: {MEMORY_LIMIT_MIB}). Both streams of the call are whole in each.",
              f"{LIVE_FLOWS:,} flows whose keys meet in one bucket of a plain sum or xor take "
              f"{runs['collide'][0] / runs['uniform'][0]:.2f} times the processor time of random keys (bar: {COLLISION_LIMIT})."]
    return lines


def main():
    day = datetime.date.today().isoformat()
    lines = [f"{PACKETS:,} packets of 1,000 calls, {os.cpu_count()} processors, {day}; processor seconds: median of {ROUNDS} "
             f"runs in turns; seconds: the best; load average then {os.getloadavg()[0]:.1f}.", "", *speed(), "", *floods()]
    table = "\n".join(lines)
    print(table)
    with open(DOCUMENT) as file:
        text = file.read()
    begin, end = "<!-- tables -->\n", "<!-- end of tables -->\n"
    if begin not in text or end not in text:
        sys.exit(f"{DOCUMENT}: the lines {begin.strip()} and {end.strip()} are missing")
    text = re.sub(f"{begin}.*{end}", lambda _: begin + table + "\n" + end, text, flags=re.DOTALL)
    with open(DOCUMENT, "w") as file:
        file.write(text)


main()

#!/bin/sh
# Times callwitness against tcpdump, ndpiReader and (on a tenth) tshark on a made capture, in one run.
# usage: tests/bench/run.sh CALLWITNESS [PACKETS] [OUTPUT.md]
set -eu
program=$1
packets=${2:-10000000}
output=${3:-docs/performance.md}
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
c++ -O2 -std=c++20 "$here/make_capture.cpp" -o "$work/make"
"$work/make" "$work/all.pcap" "$packets"
"$work/make" "$work/tenth.pcap" $((packets / 10))
cat "$work/all.pcap" > /dev/null

measure() {  # name, command ...: seconds and kilobytes
  name=$1
  shift
  python3 - "$name" "$@" <<'PYTHON'
import resource, subprocess, sys, time
begin = time.monotonic()
subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
wall = time.monotonic() - begin
use = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"| {sys.argv[1]} | {wall:.2f} | {use.ru_utime + use.ru_stime:.2f} | {use.ru_maxrss // 1024} |")
PYTHON
}
{
  echo "# Performance"
  echo
  echo "Written by tests/bench/run.sh: $packets packets, 1,000 calls both ways, $(nproc) processors, $(date -u +%F)."
  echo
  echo "| program | seconds | processor seconds | peak MiB of one process |"
  echo "|---|---|---|---|"
  measure "callwitness analyze" "$program" analyze --format json "$work/all.pcap"
  measure "tcpdump -w /dev/null" tcpdump -r "$work/all.pcap" -w /dev/null
  measure "ndpiReader -i" ndpiReader -i "$work/all.pcap"
  measure "callwitness, a tenth" "$program" analyze --format json "$work/tenth.pcap"
  measure "tshark -z rtp,streams, a tenth" tshark -q -r "$work/tenth.pcap" -o rtp.heuristic_rtp:TRUE -z rtp,streams
} | tee "$output"

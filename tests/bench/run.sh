#!/bin/sh
# Measures callwitness beside tcpdump, ndpiReader and tshark on made captures, and its memory under floods, in one run;
# writes the tables of docs/performance.md anew. The captures (4 GB) go to $TMPDIR and are removed.
# usage: tests/bench/run.sh CALLWITNESS [PACKETS] [FILE.md]
set -eu
program=$(realpath "$1")
packets=${2:-10000000}
here=$(dirname "$(realpath "$0")")
document=${3:-$here/../../docs/performance.md}
for tool in c++ python3 tcpdump ndpiReader tshark; do
  command -v "$tool" > /dev/null || { echo "$0: $tool is missing (ndpiReader: package libndpi-bin)" >&2; exit 1; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
c++ -O2 -std=c++20 "$here/make_capture.cpp" -o "$work/make_capture"
python3 "$here/measure.py" "$program" "$packets" "$work" "$document"

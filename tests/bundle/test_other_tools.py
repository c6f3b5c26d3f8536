#!/usr/bin/env python3
"""The bundle is what it says to tools that aren't ours: sha256sum, minisign, unzip, tshark; every display filter is valid.

usage: tests/bundle/test_other_tools.py PROGRAM
"""
import json
import os
import shutil
import subprocess
import sys

from support import PCAPS, SKIPPED, Folder, check, finish, for_each_capture, run

TOOLS = ("sha256sum", "minisign", "tshark", "unzip")


def told_by(*command, cwd=None):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, cwd=cwd)


def check_seals(program, folder):
    bundle = folder / "sealed"
    run(program, "key", "new", folder / "key")
    made = run(program, "report", PCAPS / "sip-policed-48k" / "capture.pcap.gz", "-o", bundle, "--bundle", folder / "sealed.zip", "--key", folder / "key")
    check(made.returncode == 0, made.stderr)
    sums = told_by("sha256sum", "--strict", "-c", "manifest-sha256.txt", "tagmanifest-sha256.txt", cwd=bundle)
    check(sums.returncode == 0, f"sha256sum: {sums.stderr}")
    for key in (folder / "key.pub", bundle / "signer.pub"):
        signed = told_by("minisign", "-Vm", bundle / "tagmanifest-sha256.txt", "-p", key)
        check(signed.returncode == 0, f"minisign -V with {key.name}: {signed.stderr}")
    (folder / "unpacked").mkdir()
    check(told_by("unzip", "-q", folder / "sealed.zip", "-d", folder / "unpacked").returncode == 0, "unzip")
    check(told_by("diff", "-r", bundle, folder / "unpacked" / "sealed").returncode == 0, "the zip holds what the folder holds")
    information = dict(line.split(": ", 1) for line in (bundle / "bag-info.txt").read_text().splitlines())
    payload = [path for path in (bundle / "data").rglob("*") if path.is_file()]
    check(information.get("Payload-Oxum") == f"{sum(path.stat().st_size for path in payload)}.{len(payload)}", f"Payload-Oxum: {information}")
    check(information.get("Bagging-Date") == "2025-11-24", f"Bagging-Date: {information}")
    again = run(program, "report", PCAPS / "sip-policed-48k" / "capture.pcap.gz", "--bundle", folder / "again" / "sealed.zip", "--key", folder / "key")
    check(again.returncode == 1, "a zip in a folder that isn't there")
    (folder / "again").mkdir()
    run(program, "report", PCAPS / "sip-policed-48k" / "capture.pcap.gz", "--bundle", folder / "again" / "sealed.zip", "--key", folder / "key")
    check((folder / "again" / "sealed.zip").read_bytes() == (folder / "sealed.zip").read_bytes(), "the same capture gives the same zip, byte for byte")
    check([p.name for p in (folder / "again").iterdir()] == ["sealed.zip"], "without -o only the zip is left")


def check_packets(program, folder, capture):
    bundle = folder / "bundle"
    made = run(program, "report", capture, "-o", bundle)
    check(made.returncode == 0, f"{capture.name}: {made.stderr}")
    check("differently" not in made.stderr, f"{capture.name}: {made.stderr}")
    evidence = bundle / "data" / "evidence.pcapng"
    analysis = json.loads((bundle / "data" / "analysis.json").read_text())
    read = told_by("tshark", "-r", evidence, "-T", "fields", "-e", "frame.number", "-e", "frame.comment")
    lines = [line.split("\t", 1) for line in read.stdout.splitlines()]
    check(read.returncode == 0 and len(lines) == analysis["bundle"]["packets"], f"{capture.name}: tshark reads {len(lines)} packets: {read.stderr}")
    comments = {int(number): comment for number, comment in lines if comment.strip()}
    for number, finding in enumerate(analysis["findings"]):
        frames = finding["evidence"]["frames"]
        check(len(frames) == len(finding["evidence"]["packets"]), f"{capture.name}: {finding['id']} lost packets")
        unmarked = [frame for frame in frames if f"callwitness {finding['id']}:" not in comments.get(frame, "")]
        check(not unmarked, f"{capture.name}: {finding['id']}: packets without a comment: {unmarked[:5]}")
        marked = {frame for frame, comment in comments.items() if f"callwitness {finding['id']}:" in comment}
        check(marked == set(frames), f"{capture.name}: {finding['id']}: its comment is at {len(marked)} packets, not at {len(set(frames))}")
        if number == 0:   # the page's filter for it: the same for all but the name
            found = told_by("tshark", "-r", evidence, "-Y", f'frame.comment contains "callwitness {finding["id"]}:"', "-T", "fields", "-e", "frame.number")
            check(found.returncode == 0 and {int(frame) for frame in found.stdout.split()} == marked, f"{capture.name}: {finding['id']}: the comment's filter finds other packets")
        shown = told_by("tshark", "-r", evidence, "-Y", finding["display_filter"] or "frame", "-T", "fields", "-e", "frame.number")
        check(shown.returncode == 0 and shown.stdout.strip(), f"{capture.name}: {finding['id']}: filter {finding['display_filter']!r}: {shown.stderr}")
    verified = run(program, "verify", bundle)
    check(verified.returncode == 0, f"{capture.name}: {verified.stderr}")
    return len(analysis["findings"])


def main():
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        print("skipped: not installed:", ", ".join(missing))
        sys.exit(SKIPPED)
    os.environ["SOURCE_DATE_EPOCH"] = "1764000000"   # bag-info.txt tells the day: two zips made around midnight would differ
    with Folder() as folder:
        check_seals(sys.argv[1], folder)
        findings = sum(for_each_capture(folder, lambda capture, own: check_packets(sys.argv[1], own, capture)))
    check(findings > 3, f"only {findings} findings were looked at")
    print(f"{findings} findings, their packets and filters read by tshark")
    finish()


if __name__ == "__main__":
    main()

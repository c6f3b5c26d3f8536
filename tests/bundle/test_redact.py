#!/usr/bin/env python3
"""A redacted capture gives the same verdict, findings and numbers, and holds no address, name or number of the original.

usage: tests/bundle/test_redact.py PROGRAM
"""
import gzip
import ipaddress
import json
import shutil
import subprocess
import sys

from support import PCAPS, Folder, check, finish, for_each_capture, run

# What tells who: their values are hunted for in the copy.
NAMES = ("dns.qry.name", "dns.resp.name", "dns.cname", "tls.handshake.extensions_server_name", "sip.from.user", "sip.to.user", "sip.from.addr",
         "sip.to.addr", "sip.Call-ID", "sip.User-Agent", "sip.contact.user", "sdp.owner.username", "sdp.session_name", "stun.att.username",
         "stun.att.software", "stun.att.realm", "rtcp.sdes.text", "x509sat.uTF8String", "x509sat.printableString", "dhcp.option.hostname")
ADDRESSES = ("ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "dns.a", "dns.aaaa", "stun.att.ipv4", "sdp.connection_info.address", "eth.src", "eth.dst")
# Say where or which, and so must differ between the two analyses.
NAMING = {"src", "dst", "endpoints", "target", "host", "display_filter", "local", "remote", "ndpi"}   # ndpi: what another program says of invented addresses
SERVICES = ("tango.me", "viber.com", "skype.com", "zoom.us", "whatsapp.net", "teamspeak.com", "mumble.info", "ventrilo.com")
SHORTEST = 4   # a hunted name of fewer letters turns up by chance


def fields(capture, names):
    """All values of these fields, by field."""
    command = ["tshark", "-n", "-r", str(capture), "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=|"]
    for name in names:
        command += ["-e", name]
    read = subprocess.run(command, capture_output=True, text=True, check=False, errors="replace")
    values = {name: set() for name in names}
    for line in read.stdout.splitlines():
        for name, part in zip(names, line.split("\t")):
            values[name].update(value for value in part.split("|") if value)
    return values


def of(values, names):
    return set().union(*(values[name] for name in names))


def names_nobody(address):
    if ":" in address and address.count(":") == 5 and len(address) == 17:   # a MAC
        return address in ("ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00")
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return True
    return parsed.is_multicast or parsed.is_loopback or parsed.is_unspecified or address.startswith("0.") or address == "255.255.255.255"


def differences(told, found, place=""):
    if isinstance(told, dict) and isinstance(found, dict):
        for key in sorted(set(told) | set(found)):
            if key not in NAMING:
                yield from differences(told.get(key), found.get(key), f"{place}.{key}")
    elif isinstance(told, list) and isinstance(found, list):
        if len(told) != len(found):
            yield f"{place}: {len(told)} became {len(found)}"
        for index, (one, other) in enumerate(zip(told, found)):
            yield from differences(one, other, f"{place}[{index}]")
    elif told != found:
        yield f"{place}: {told!r} became {found!r}"


def analysis_of(program, capture):
    whole = json.loads(run(program, "analyze", capture, "--format", "json").stdout)
    return {part: whole.get(part) for part in ("verdict", "findings", "calls", "streams", "attempts", "controls")}


def addresses_left(original, copy):
    addresses = {address for address in of(original, ADDRESSES) if not names_nobody(address)}
    text = copy.read_bytes().lower()
    left = sorted(addresses & of(fields(copy, ADDRESSES), ADDRESSES))
    return left + [address + " as text" for address in sorted(addresses) if address.lower().encode() in text]


def names_left(original, copy):
    """Names but for the domains of known services: that a call went to Tango is the evidence."""
    text = copy.read_bytes().lower().replace(b"callwitness", b"")
    for name in sorted(of(original, NAMES)):
        name = name.lower().strip(".")
        service = next((domain for domain in SERVICES if name == domain or name.endswith("." + domain)), "")
        private = name[:len(name) - len(service)].strip(".")
        if len(private) >= SHORTEST and private.strip("-x_ ") and private.encode() in text:
            yield name


def check_capture(program, folder, capture):
    copy = folder / "copy.pcapng"
    said = run(program, "redact", capture, copy)
    check(said.returncode == 0 and not said.stderr, f"{capture}: {said.returncode} {said.stderr}")
    for line in list(differences(analysis_of(program, capture), analysis_of(program, copy)))[:5]:
        check(False, f"{capture}: {line}")
    if shutil.which("tshark") is not None:
        plain = folder / "plain"
        plain.write_bytes(gzip.decompress(capture.read_bytes()) if capture.suffix == ".gz" else capture.read_bytes())
        original = fields(plain, NAMES + ADDRESSES)
        for name in names_left(original, copy):
            check(False, f"{capture}: {name!r} is still in the copy")
        left = addresses_left(original, copy)
        if left:   # a pseudonym of one host may by chance be another's address; a leak is there again with another key
            copy.unlink()
            run(program, "redact", capture, copy)
            left = sorted(set(left) & set(addresses_left(original, copy)))
        check(not left, f"{capture}: {left[:5]}")
    made = run(program, "report", "--anonymize", capture, "-o", folder / "bundle")
    check(made.returncode == 0 and not made.stderr, f"{capture}: an anonymised bundle: {made.returncode} {made.stderr}")


def main():
    program = sys.argv[1]
    if shutil.which("tshark") is None:
        print("no tshark: the copies are not searched for addresses and names")
    with Folder() as folder:
        checked = for_each_capture(folder, lambda capture, own: check_capture(program, own, capture))
        # A folder is read twice like a file; what comes through a pipe can't be, and that is said.
        own = PCAPS / "mumble-udp" / "capture.pcap.gz"
        folded = run(program, "redact", own.parent, folder / "folded.pcapng")
        check(folded.returncode == 0 and not folded.stderr, f"a folder: {folded.stderr}")
        piped = subprocess.run([program, "redact", "-", str(folder / "piped.pcapng")], input=own.read_bytes(), capture_output=True, check=False)
        check(piped.returncode == 0 and b"only once" in piped.stderr and (folder / "piped.pcapng").is_file(), f"a pipe: {piped.returncode} {piped.stderr}")
        check(run(program, "redact", own, folder / "piped.pcapng").returncode == 1, "an output that is there already")
        missing = run(program, "redact", folder / "none", folder / "copy")
        check(missing.returncode == 3 and not (folder / "copy").exists(), f"a capture that isn't there: {missing.returncode} {missing.stderr}")
    print(f"{len(checked)} captures and their copies")
    finish()


if __name__ == "__main__":
    main()

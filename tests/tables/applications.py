#!/usr/bin/env python3
"""Writes docs/applications.md: what the labels, nDPI 4.2 (ndpiReader) and we say of the corpus's voice captures.
usage: applications.py CLASSIFY_TABLE [OUTPUT]
"""
import pathlib
import re
import subprocess
import sys

from corpus import CALLS, CORPUS, KEYS, ROOT, Said, labels

HEAD = """# Applications on real captures

Written by tests/tables/applications.py: the public captures in ../shared/corpus/ndpi whose labels (of the newest nDPI) name a voice or
call application or a tunnel; what nDPI 4.2 as Debian 12 ships it says (`ndpiReader -i FILE`), and what callwitness says, with its
confidence. A call in bold. tests/tables/test_corpus.py asserts the last column, that no call is found in the captures
without voice, and that no flow is named with 0.95 and more what the labels don't name.

i3d.pcap holds Discord: its IP discovery (00 01 00 46 and the answer 00 02 00 46 with our address) and its pings (13 37 ca fe); i3D.net
runs servers for it. The labels name the host, we the application.

Why some that look like calls aren't in bold:

- snapchat_call.pcapng ends as its call begins: QUIC, 27 enciphered RTCP reports, one RTP packet.
- telegram_videocall.pcapng has two seconds of enciphered datagrams between the peers after ICE. There is no header to be read, and the
  cadence wants at least 50 packets at a steady pace.
- teamspeak3.pcap: 13 packets of one client's handshake, one way only; the other 576 are a server that signs in to the public list, in a day.
- mumble.pcapng (pings of the server list), stun_zoom.pcapng (ICE and DTLS handshakes, 1.3 s), google_meet.pcapng (the web page),
  discord_mid_flow.pcap (keep-alives), whatsapp.pcap (chat, one way only), viber's and LINE's TCP: nobody speaks.
- dtls_certificate_fragments.pcap: six packets, named by the server's certificate.

## The rungs of a start that can be seen

A start is told by the rung at which it ended (`attempts` in the JSON: `stage` and, finer, `step`), how often and with how many packets it was
asked, which host asked whom, and what came back. What each application shows on the way:

| application | rungs, in order | why no more |
|---|---|---|
| whatsapp | look_up; connection; message (its own hello) or client_hello; allocation (0x4000) at several relays; datagrams | media keys come over the sign-in: no greeting |
| viber | look_up; connection (5242, 4244) or client_hello; datagrams (7985 and others) | |
| telegram | look_up; connection; datagrams to its relays (by their published addresses) | an unanswered peer tag alone has no sure format |
| signal, google_meet, jitsi, discord, messenger, webrtc and other ICE | look_up; client_hello; stun_request or allocation; stun_check; dtls_hello (Signal: none, its keys come over the sign-in) | inside a relay's tunnel the checks are the relay's answers |
| skype, skype_teams | look_up; client_hello; allocation, stun_check; datagrams | the classic Skype's hello has no reply of its own format |
| zoom | look_up; client_hello; datagrams (8801 to 8810), or all over TLS | |
| facetime, line, kakaotalk, imo, wechat, snapchat, webex, tango | look_up; client_hello; datagrams, where their format or their address' name tells whose | |
| sip | request (REGISTER, INVITE, OPTIONS: each its own), connection of SIP over TCP (5060, 5061) | in TLS only connection and client_hello |
| iax2, teamspeak, mumble, ventrilo | look_up; connection and client_hello (Mumble; Ventrilo's connection only); datagrams | |
| h323, mgcp, skinny | connection where the server's name tells | |
| rtp alone | datagrams | no signalling was seen |

An ICMP message (IPv4 and IPv6) about any of these packets ends its rung as `prohibited` or `refused`; "no way to that host" is noted and ends
nothing. Checks and requests that lose while another pair of the session works are listed with `superseded`; they are no failures.

## What is told of each capture

| capture | labels (packets) | nDPI 4.2 (packets) | callwitness |
|---|---|---|---|
"""
SHOWN_BY_NDPI = 4


def ndpi_says(file):
    run = subprocess.run(["ndpiReader", "-i", CORPUS / "ndpi" / file], capture_output=True, text=True, errors="replace", check=False)
    part = run.stdout.split("Detected protocols:")[-1].split("Protocol statistics:")[0]
    found = re.findall(r"^\s+(\S+)\s+packets: (\d+)", part, re.M)
    return ", ".join(f"{name} ({packets})" for name, packets in sorted(found, key=lambda row: -int(row[1]))[:SHOWN_BY_NDPI])


def we_say(said):
    calls = {}
    for key, confidence in said.calls:
        calls[key] = max(calls.get(key, 0), confidence)
    parts = [f"**{key} {confidence:.2f}**" for key, confidence in sorted(calls.items())]
    parts += [f"{key} {confidence:.2f}" for key, confidence in sorted(said.flows.items()) if key not in calls]
    parts += [f"{key} (tried)" for key in sorted(said.attempts - set(said.flows) - set(calls))]
    return ", ".join(parts) or "-"


def main():
    rows = []
    for file, told in sorted(labels().items()):
        ours = [(label, packets) for label, packets in told if label in KEYS]
        if ours:
            named = ", ".join(f"{label} ({packets})" for label, packets in ours)
            rows.append(f"| {file} | {named} | {ndpi_says(file)} | {we_say(Said(sys.argv[1], file))} |")
    output = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "docs" / "applications.md"
    output.write_text(HEAD + "\n".join(rows) + "\n")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Applications of real captures: named where a label names them, calls found where they are, and none where there are none.
usage: test_corpus.py CLASSIFY_TABLE   exit 77: ../shared/corpus isn't there
"""
import sys

from corpus import CALLS, CORPUS, KEYS, MAY_CALL, Said, labels

# Labels that are not met, and why. One that is met after all fails the test, so that the list stays true.
UNNAMED = {
    ("FAX-Call-t38-CA-TDM-SIP-FB-1.pcap", "RTP"): "the stream is the SIP call's and named so",
    ("skinny.pcap", "RTP"): "the streams are the Skinny calls' and named so",
    ("sip.pcap", "RTP"): "the stream is the SIP call's and named so",
    ("synscan.pcap", "IPSec"): "a port scan",
}
CALL_NOT_FOUND = {
    ("snapchat_call.pcapng", "SnapchatCall"): "QUIC and the RTCP of a call that is being set up, a single RTP packet at the end",
    ("telegram_videocall.pcapng", "TelegramVoip"): "two seconds of enciphered datagrams after ICE, less than the cadence needs",
}


def main():
    if not CORPUS.is_dir():
        print("skipped: ../shared/corpus is not here")
        return 77
    wrong, checked, without_voice = [], 0, 0
    for file, rows in sorted(labels().items()):
        said = Said(sys.argv[1], file)
        wanted = {KEYS[label] for label, _ in rows if label in KEYS}
        for label, _ in rows:
            if label not in KEYS:
                continue
            checked += 1
            named = KEYS[label] in said.names()
            if named == ((file, label) in UNNAMED):
                wrong.append(f"{file}: {label}: {'named after all' if named else 'not named'}; said {sorted(said.names())}")
            if label in CALLS:
                found = said.has_media(KEYS[label])
                if found == ((file, label) in CALL_NOT_FOUND) and (file, label) not in UNNAMED:
                    wrong.append(f"{file}: {label}: {'a call after all' if found else 'no call'}; said {said.calls}")
        if not any(label in MAY_CALL for label, _ in rows):
            without_voice += 1
            if said.calls:
                wrong.append(f"{file}: calls invented: {said.calls}")
        # A sure label must be right.
        for key, confidence in said.flows.items():
            if confidence >= 0.95 and key not in wanted:
                wrong.append(f"{file}: says {key} with {confidence}, the labels don't")
    print(f"{checked} labels, {without_voice} captures without voice, {len(wrong)} wrong")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

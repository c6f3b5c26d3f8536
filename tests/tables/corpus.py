"""What the newest nDPI's labels of ../shared/corpus/ndpi ask of us, and what the classifier says. Shared by the table and the test."""
import collections
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORPUS = ROOT.parent / "shared" / "corpus"

# Labels of voice and call applications, and of tunnels, by our keys. A label in CALLS is of media: a call must be found.
KEYS = {
    "Skype_TeamsCall": "skype_teams", "Skype_Teams": "skype_teams", "Teams": "skype_teams", "Viber": "viber", "ViberVoip": "viber",
    "TeamSpeak": "teamspeak", "Mumble": "mumble", "WhatsApp": "whatsapp", "WhatsAppCall": "whatsapp", "WhatsAppFiles": "whatsapp",
    "FacebookMessenger": "messenger", "SignalVoip": "signal", "Telegram": "telegram", "TelegramVoip": "telegram", "GoogleMeet": "google_meet",
    "GoogleCall": "google_meet", "Zoom": "zoom", "Discord": "discord", "i3D": "discord", "Line": "line", "LineCall": "line",
    "KakaoTalk": "kakaotalk", "WeChat": "wechat", "Snapchat": "snapchat", "SnapchatCall": "snapchat", "SIP": "sip", "RTSP": "rtsp",
    "H323": "h323", "MGCP": "mgcp", "CiscoSkinny": "skinny", "RTP": "rtp", "WireGuard": "wireguard", "OpenVPN": "openvpn", "IPSec": "ipsec",
}
CALLS = {"Skype_TeamsCall", "ViberVoip", "WhatsAppCall", "SignalVoip", "TelegramVoip", "GoogleCall", "LineCall", "SnapchatCall", "RTP"}
# Media that may rightly be shown as a call though no label says so.
MAY_CALL = CALLS | {"Discord", "i3D", "Telegram", "Zoom", "Viber", "SIP"}


def labels():
    """file -> [(label, packets)]"""
    rows = collections.defaultdict(list)
    for line in (CORPUS / "ndpi_labels.tsv").read_text().splitlines()[1:]:
        file, label, packets, _, _ = line.split("\t")
        rows[file].append((label, int(packets)))
    return rows


class Said:
    """What the classifier makes of one capture."""

    def __init__(self, program, file):
        self.flows, self.calls, self.attempts, self.streams = {}, [], set(), set()
        run = subprocess.run([program, CORPUS / "ndpi" / file], capture_output=True, text=True, errors="replace", timeout=300, check=False)
        for line in run.stdout.splitlines():
            parts = line.split("\t")
            if len(parts) < 3:
                continue
            if parts[1] == "flow":
                key, confidence = parts[2].rsplit(":", 1)
                self.flows[key] = max(self.flows.get(key, 0), float(confidence))
            elif parts[1] == "call":
                self.calls.append((parts[2], float(parts[3])))
            elif parts[1] == "attempt":
                self.attempts.add(parts[2])
            elif parts[1] == "stream":
                self.streams.add(parts[2])

    def names(self):
        return set(self.flows) | {key for key, _ in self.calls} | self.attempts | self.streams

    def has_media(self, key):
        """A call of that application; an unnamed RTP stream may belong to any."""
        return any(name == key or key == "rtp" for name, _ in self.calls)

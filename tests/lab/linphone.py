"""Two linphonecs (Debian's linphone-cli) without sound cards: a tone out of a file, with their own choice of codec."""
import math
import shlex
import struct
import wave

import lab as lab_module

CONFIG = """[sip]
sip_port=5060
sip_tcp_port=0
sip_tls_port=0
guess_hostname=0
contact="{who}" <sip:{who}@{address}>
register_only_when_network_is_up=0
keepalive_period=60000

[rtp]
audio_rtp_port=7078
video_rtp_port=9078

[sound]
echocancellation=0

[video]
enabled=0
display=0
capture=0

[net]
mtu=1300
firewall_policy=0
"""


class Phone:
    def __init__(self, lab, who, address):
        lab_module.need("linphonec")
        self.lab, self.who, self.folder = lab, who, lab.folder / f"linphone-{who}"
        (self.folder / ".local/share/linphone").mkdir(parents=True)   # without its database it starts but halfway
        (self.folder / "linphonerc").write_text(CONFIG.format(who=who, address=address))
        with wave.open(str(self.folder / "tone.wav"), "wb") as tone:
            tone.setparams((1, 2, 8000, 0, "NONE", ""))
            second = b"".join(struct.pack("<h", int(8000 * math.sin(2 * math.pi * 400 * n / 8000))) for n in range(8000))
            tone.writeframes(second * 300)
        self.commands = self.folder / "commands"
        self.commands.write_text("")
        self.process = None

    def start(self, answers=False):
        """It reads its commands from a file that grows: a terminal's worth."""
        folder = shlex.quote(str(self.folder))
        line = f"export HOME={folder}; tail -n +1 -f {folder}/commands | exec linphonec -c {folder}/linphonerc -d 1 -l {folder}/log {'-a' if answers else ''}"
        self.process = self.lab.start(self.who, ["sh", "-c", line], wait_for="linphonec>")
        self.tell("soundcard use files")
        self.tell(f"play {self.folder}/tone.wav")
        return self

    def tell(self, command):
        with self.commands.open("a") as commands:
            commands.write(command + "\n")

    def hang_up(self):
        self.tell("terminate")

    def said(self, words):
        return words in self.process.log.read_text(errors="replace")


def call(lab):
    server = Phone(lab, "server", lab_module.SERVER).start(answers=True)
    client = Phone(lab, "client", lab_module.CLIENT).start()
    client.tell(f"call sip:server@{lab_module.SERVER}")
    lab.wait(lambda: client.said("connected") and server.said("connected"), 15, "the call", client.process)
    return client, server

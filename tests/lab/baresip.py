"""Two baresips without sound cards: a tone in, nothing out."""
import math
import signal
import struct
import wave

import lab as lab_module

CONFIG = """poll_method epoll
sip_listen {address}:5060
audio_source aufile,{folder}/tone.wav
audio_player aubridge,nowhere
audio_alert aubridge,nowhere
ausrc_srate 8000
statmode_default off
rtp_tos 184
rtp_ports {ports}
rtcp_mux no
jitter_buffer_delay 5-10
rtp_timeout 0
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module aubridge.so
module_tmp account.so
module_app menu.so
"""


class Phone:
    def __init__(self, lab, who, address, ports="20000-20100", answers=False):
        lab_module.need("baresip")
        self.lab, self.who, self.folder = lab, who, lab.folder / f"baresip-{who}"
        self.folder.mkdir(exist_ok=True)
        (self.folder / "config").write_text(CONFIG.format(address=address, ports=ports, folder=self.folder))
        with wave.open(str(self.folder / "tone.wav"), "wb") as tone:   # longer than any call here: aufile doesn't repeat it
            tone.setparams((1, 2, 8000, 0, "NONE", ""))
            second = b"".join(struct.pack("<h", int(8000 * math.sin(2 * math.pi * 400 * n / 8000))) for n in range(8000))
            tone.writeframes(second * 900)
        (self.folder / "accounts").write_text(
            f"<sip:{who}@{address}>;regint=0;audio_codecs=PCMU/8000/1" + (";answermode=auto" if answers else "") + "\n")
        (self.folder / "contacts").write_text("")
        self.process = None

    def start(self, *commands):
        words = ["baresip", "-4", "-v", "-f", str(self.folder)]
        for command in commands:
            words += ["-e", command]
        self.process = self.lab.start(self.who, words, wait_for="baresip is ready")
        return self

    def said(self, words):
        return words in self.process.log.read_text(errors="replace")

    def hang_up(self):
        """baresip answers an interrupt with BYE and ends."""
        return self.lab.stop(self.process, signal.SIGINT)


def call(lab):
    """A call from the client to the server; returns both phones once media flow."""
    server = Phone(lab, "server", lab_module.SERVER, answers=True).start()
    client = Phone(lab, "client", lab_module.CLIENT).start(f"/dial sip:server@{lab_module.SERVER}")
    lab.wait(lambda: client.said("Call established") and server.said("Call established"), 10, "the call", client.process)
    return client, server

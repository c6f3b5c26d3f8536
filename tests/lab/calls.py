"""The calls of the lab's scenarios: which software, how it begins, how it ends."""
import contextlib
import signal
import sys
import time

import baresip
import lab as lab_module
import linphone as linphone_module
import mumble
import webrtc


@contextlib.contextmanager
def sip(lab, seconds):
    client, server = baresip.call(lab)
    yield client, server
    client.hang_up()
    time.sleep(0.3)
    server.hang_up()


@contextlib.contextmanager
def linphone(lab, seconds):
    client, server = linphone_module.call(lab)
    yield client, server
    client.hang_up()
    lab.wait(lambda: server.said(" ended"), 10, "the end of the call", server.process)
    time.sleep(0.3)


@contextlib.contextmanager
def mumble_call(lab, seconds, *mode):
    lab_module.need("murmurd")
    mumble.need_cryptography()
    mumble.start_server(lab)
    command = [sys.executable, mumble.__file__, lab_module.SERVER]
    people = [lab.start(who, [*command, name, str(seconds + 5), *mode], wait_for="ready") for who, name in (("client", "amina"), ("server", "bernard"))]
    yield people
    for person in people:
        lab.stop(person, signal.SIGINT)


@contextlib.contextmanager
def webrtc_call(lab, seconds, video):
    call = webrtc.Call(lab, video=video)
    yield call
    call.end()


CALLS = {
    "sip": sip,
    "linphone": linphone,
    "mumble": mumble_call,
    "mumble_tunnel": lambda lab, seconds: mumble_call(lab, seconds, "tunnel"),
    "webrtc_audio": lambda lab, seconds: webrtc_call(lab, seconds, False),
    "webrtc_video": lambda lab, seconds: webrtc_call(lab, seconds, True),
}


def the_call(lab, kind, seconds):
    """The call goes on while the body runs; `seconds` is how long that will be, at most. Yields who takes part."""
    return CALLS[kind](lab, seconds)

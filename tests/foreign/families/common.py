"""What the families share."""
import random

from speech.calls import APPLICATIONS, Call
from speech.tunnels import mumble_control
from speech.voice import CODECS
from world.place import World
from world.simulator import UDP

MEDIA = ("audio", "video")
FLOW = ("audio", "video", "rtcp", "feedback", "stun", "dtls", "start", "signal")
NUMBERED = ("sip", "webrtc", "whatsapp", "viber", "teamspeak", "mumble", "zoom")
OF_RTP_ONLY = ("sip", "webrtc", "whatsapp")
UNNUMBERED = ("skype", "telegram", "tango")
ANY = NUMBERED + UNNUMBERED


class Draw:
    """One capture to make: its dice and the options of the run."""

    def __init__(self, family, seed, options):
        self.random = random.Random(f"{family}/{seed}")
        self.options = options
        self.seed = self.random.getrandbits(60)

    def world(self, **place):
        return World(self.seed, self.options, **place)

    def length(self, least=60, most=120):
        return self.random.uniform(least, most)


def talk(world, application, start, length, ended=lambda call, why: None, **options):
    call = Call(world, application, start, length, ended, **options)
    if application == "mumble":
        mumble_control(world, call.server, max(0.0, start - 1), start + length + 3, call)
    return call


def redialling(world, application, start, until, wait=(1.0, 5.0), length=None, after_hangup=False, **options):
    """Calls again after each death until `until`. Returns the list of the calls, which grows."""
    made, draw = [], world.simulator.random

    def dial(when):
        span = (length or (lambda: until - when))()
        made.append(talk(world, application, when, max(5.0, min(span, until - when)), again, **options))

    def again(call, why):
        when = world.simulator.now + draw.uniform(*wait)
        if (why != "hung_up" or after_hangup) and when < until - 3:
            dial(when)
    dial(start)
    return made


def offered(application, codec):
    """IP bit/s that a voice offers on the mean."""
    _, frame, _, mean, behaviour = CODECS[codec]
    head = 28 + {"sip": 12, "webrtc": 30, "whatsapp": 30, "skype": 11, "viber": 16, "telegram": 48, "tango": 22, "teamspeak": 15, "mumble": 9, "zoom": 52}[application]
    talking = mean * {"constant": 1.0, "variable": 0.7, "discontinuous": 1.0}[behaviour]
    share = 0.55 if behaviour == "discontinuous" else 1.0
    return (talking + head) * 8 / frame * share


def largest(application, codec):
    _, _, _, mean, behaviour = CODECS[codec]
    return int(mean * (1.0 if behaviour == "constant" else 1.5)) + 90


def of(*labels, application=None):
    """Matches packets of calls with one of the labels."""
    wanted = labels or FLOW
    return lambda packet: packet.call is not None and packet.label in wanted and (application is None or packet.call.application == application)


def all_udp(packet):
    return packet.protocol == UDP and packet.label != "dns"


def everything(packet):
    return True


def codec_of(draw, application):
    return draw.choice(APPLICATIONS[application][0])

"""The truth of a capture, in the terms of the product's classes, from what really happened in the world."""

FORBIDDEN = ("rate_cap", "periodic_reset", "blocking", "injected_reset")
REST = FORBIDDEN[1:]                           # where a line's own rate, or a plan's, may be told as one
UNREADABLE = ("skype", "telegram", "tango")


def spans_silent(stream, floor=1.0):
    """Longest pause of a received stream between packets that were sent closer together than that."""
    sent, seen = stream.sent_times, stream.arrivals
    if not seen:
        return sent[-1] - sent[0] if len(sent) > 1 else 0.0
    marks = [seen[0], *seen, max(seen[-1], sent[-1])]
    longest = 0.0
    for before, after in zip(marks, marks[1:]):
        if after - before > max(longest, floor):
            longest = max(longest, sum(min(b - a, 0.5) for a, b in zip(sent, sent[1:]) if before <= a <= after))
    return longest


def quality(world):
    """Worst loss share on the way (received, sent), longest silence on the way, worst mean jitter in ms, media seconds."""
    worst = {"received": 0.0, "sent": 0.0}
    silence, jitter, seconds = 0.0, 0.0, 0.0
    for call in world.calls:
        heard = getattr(call, "heard", {"got": 0})
        if call.application == "sip" and heard["got"] and call.streams:   # only plain reports tell it
            worst["sent"] = max(worst["sent"], max(0, heard["last"] - heard["first"] + 1 - heard["got"]) / max(1, call.streams[0].sent))
    for stream in world.streams:
        if stream.sent < 20:
            continue
        lo, hi = world.network.tap.begin, world.network.tap.end
        if stream.direction == "received":
            sent = sum(lo <= time < hi - 0.2 for time in stream.sent_times) or 1
            worst["received"] = max(worst["received"], (sent - stream.captured - stream.missed) / sent)
            silence = max(silence, spans_silent(stream) if lo == 0 and hi > 1e8 else 0.0)
            if stream.jitters:
                jitter = max(jitter, sum(stream.jitters) / len(stream.jitters))
        seconds = max(seconds, (stream.last or 0) - (stream.first or 0))
    return worst, silence, jitter, seconds


def innocent(world, verdict=None, also=(), findings=(), forbidden=FORBIDDEN, hard=False, applications=None):
    """`verdict` None: by the quality of the calls. `also`: what else is defensible from this one end."""
    worst, silence, jitter, seconds = quality(world)
    loss, extra = worst["received"], set(also)
    if verdict is None:
        verdict = "impaired" if loss >= 0.005 or silence > 1.0 or worst["sent"] >= 0.05 else "clean"
        if verdict == "impaired" and loss < 0.03 and silence < 2.5 and worst["sent"] < 0.05:
            extra.add("clean")
        if verdict == "clean" and (loss > 0.0005 or silence > 0.3 or jitter > 5 or worst["sent"] > 0.002):
            extra.add("impaired")
    if seconds < 30 or any(getattr(stream, "tunnelled", False) for call in world.calls for stream in call.streams) or not world.streams:
        extra.add("insufficient")
    if any(call.application in UNREADABLE for call in world.calls) and verdict == "clean":
        extra.add("insufficient")               # losses without numbers may stay unread
    return document(world, verdict, extra - {verdict}, list(findings), list(forbidden), hard, applications)


def interfered(world, findings, control, also=(), hard=False, applications=None, forbidden=None, binds=None):
    """`binds`: the share that was dropped, None where the limit is no dropper. Below 2 % nobody need notice."""
    if binds is not None and binds < 0.02:
        findings = [dict(finding, optional=True) for finding in findings]
        return innocent(world, also=("clean", "impaired", "suspected", "interference"), findings=findings, forbidden=(), applications=applications)
    extra = set(also) | (set() if control else {"suspected"})
    if binds is not None and binds < 0.04:
        extra |= {"impaired"}
    named = {finding["kind"] for finding in findings}
    if forbidden is None:
        forbidden = [kind for kind in FORBIDDEN if kind not in named]
    return document(world, "interference", extra, list(findings), list(forbidden), hard or binds is not None and binds < 0.04, applications)


def document(world, verdict, also, findings, forbidden, hard, applications):
    named = applications if applications is not None else sorted({call.application for call in world.calls})
    return {"verdict": verdict, "also_ok": sorted(also), "findings": findings, "applications": named, "hard": hard, "forbidden_kinds": forbidden}


def whole(world, name, path, truth, notes):
    """The document beside the capture."""
    worst, silence, jitter, _ = quality(world)
    told = [stream.told() for stream in world.streams if stream.captured and not getattr(stream, "tunnelled", False)]
    observed = {"packets": len(world.network.tap.frames), "capture_drops": world.network.tap.missed, "loss_received": round(worst["received"], 5),
                "loss_sent": round(worst["sent"], 5), "silence_s": round(silence, 3), "jitter_ms": round(jitter, 3),
                "pages": sum(browser.pages for browser in world.browsers), "pages_failed": sum(browser.failed for browser in world.browsers),
                "calls": [{"application": call.application, "start": round(call.start, 3), "established": call.alive, "over": call.over and round(call.over, 3)} for call in world.calls],
                "notes": {**world.notes, **notes}}
    return {"id": name, "file": path.name, "title": name.rsplit("-", 2)[0], "client": world.network.client, "duration_s": world.duration, "truth": truth, "streams": told,
            "observed": observed}

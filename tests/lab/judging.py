"""Whether what callwitness says of a scenario's capture is right: class, mechanism, direction, rate; one line a scenario."""
import lab as lab_module
from lab import expect

RATE_TOLERANCE = 0.02   # of the cap


def judge(name, scenario, client):
    """The line `name | expected | told | right`; AssertionError with the same line where it is wrong."""
    analysis = lab_module.analyze(client)
    verdict, findings = analysis["verdict"], analysis["findings"]
    told = [f"{finding['kind']}/{finding['mechanism']}" + (f" {finding['direction']}" if finding["direction"] else "")
            + (f" {finding['rate_bps'] / 1000:.2f} kbit/s" if finding["rate_bps"] else "")
            + (f" every {finding['period_s']:.1f} s" if finding["period_s"] else "") for finding in findings if finding["kind"] != "benign_timer"]
    line = f"{name} | {expected(scenario)} | {verdict['class']} {verdict['rung'] or ''} {verdict['confidence']:.2f}: {', '.join(told) or '-'}"
    wrong = list(mistakes(scenario, analysis, verdict, findings))
    if scenario.call.startswith("sip"):
        wrong += compare_with_tshark(analysis, client)
    expect(not wrong, f"{line} | {'; '.join(wrong)}")
    return f"{line} | right"


def expected(scenario):
    words = " or ".join(scenario.verdicts)
    if scenario.findings:
        words += ": " + " or ".join(kind + (f"/{mechanism}" if mechanism else "") for kind, mechanism in scenario.findings)
    return words + (f" {scenario.direction}" if scenario.direction else "") + (f" {scenario.rate_bps / 1000:g} kbit/s" if scenario.rate_bps else "")


def mistakes(scenario, analysis, verdict, findings):
    applications = {call["application"] for call in analysis["calls"]}
    if scenario.application not in applications:
        yield f"applications of the calls: {applications or 'none'}"
    if verdict["class"] not in scenario.verdicts:
        yield f"{verdict['class']}: {verdict['summary']}"
    if verdict["class"] != "interference" or "interference" not in scenario.verdicts:
        return
    right = [finding for finding in findings if any(finding["kind"] == kind and mechanism in (None, finding["mechanism"]) for kind, mechanism in scenario.findings)]
    if not right:
        yield "another mechanism"
        return
    if scenario.direction and scenario.direction not in {finding["direction"] for finding in right}:
        yield "another direction"
    if scenario.rate_bps and min(abs((finding["rate_bps"] or 0) / scenario.rate_bps - 1) for finding in right) > RATE_TOLERANCE:
        yield f"the rate is more than {RATE_TOLERANCE:.0%} off"


def compare_with_tshark(analysis, capture):
    ours = {(stream["src"], stream["dst"], stream["ssrc"]): (stream["packets"], stream["lost"]) for stream in analysis["streams"]}
    theirs = lab_module.rtp_by_tshark(capture)
    if ours != theirs:
        yield f"streams as we count them {ours}, as tshark does {theirs}"

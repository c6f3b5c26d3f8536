"""The pages that are looked at: every kind, in every language, with tame and with hostile contents."""
import json

from support import PCAPS, ROOT, check, run

LANGUAGES = ("en", "fr", "ar")
HOSTILE = "\"><script>document.title='executed'</script><img src=x onerror=\"document.title='executed'\">' onload='x \u202e\u2066 &amp; {{x}} </style>"


def write(path, text):
    path.write_text(text)
    return path


def hostile(document):
    """Every text of an analysis that a stranger may have written, but those that are read as numbers, times and known words."""
    words = {"class", "key", "rung", "kind", "mechanism", "direction", "status", "media", "metric", "stage", "outcome", "ended_by", "schema_version", "transport",
             "reason_key", "id", "call", "src", "dst", "start_time", "end_time", "first_time", "last_time"}
    if isinstance(document, dict):
        return {key: value if key in words else hostile(value) for key, value in document.items()}
    if isinstance(document, list):
        return [hostile(value) for value in document]
    return HOSTILE if isinstance(document, str) else document


def make_pages(program, folder):
    """Golden pages, a real one, the story of three observations, and one of a forged analysis."""
    pages = sorted((ROOT / "tests" / "golden").glob("report.*.html"))
    captures = {name: PCAPS / name / "capture.pcap.gz" for name in ("sip-clean", "sip-policed-48k", "mumble-tunnel-reset", "chromium-video")}
    for language in LANGUAGES:
        told = run(program, "report", "--lang", language, "--each", f"June={captures['sip-clean']}", f"November={captures['sip-policed-48k']}",
                   f"VPN <b>={captures['mumble-tunnel-reset']}", "-o", folder / f"story.{language}")
        check(told.returncode == 0, told.stderr)
        pages.append(folder / f"story.{language}" / "data" / "report.html")
    for name in ("mumble-tunnel-reset", "chromium-video"):
        page = folder / f"{name}.html"
        run(program, "analyze", captures[name], "--format", "html", "-o", page)
        pages.append(page)
    tame = run(program, "analyze", captures["mumble-tunnel-reset"], "--format", "json").stdout
    forged = write(folder / "forged.json", json.dumps(hostile(json.loads(tame))))
    told = run(program, "report", forged, "-o", folder / "forged")
    check(told.returncode == 0, told.stderr)
    pages.append(folder / "forged" / "data" / "report.html")
    return pages

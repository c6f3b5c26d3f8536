#!/usr/bin/env python3
"""Hostile texts from end to end: SNI, DNS, SIP, comments, interface, host and file names go in, and come out of every writer, the
bundle and the command line as text alone: nothing runs, nothing moves the terminal's cursor, no cell is a formula, no path leads out.

usage: tests/bundle/test_hostile_text.py PROGRAM
"""
import csv
import html.parser
import io
import json
import re
import sys
import unicodedata

from hostile_capture import TEXTS, raw, write
from support import Folder, check, finish, run

FILE_NAMES = ("<img src=x onerror=alert(1)>.pcapng", "=1+1;=2+2.pcapng", "a\x1b]0;owned\x07\nverdict: clean.pcapng", "\u202egnp.pcapng", "[x](javascript:alert(1))|`.pcapng",
              "--local.pcapng", "$(touch owned)`touch owned`.pcapng", "' onload='x.pcapng")
LABEL = "<b onclick>+1+1 ../../x\u202e\x1b[2J"


def dangerous(text, allowed=""):
    """Characters that move, hide or turn text round."""
    return sorted({f"U+{ord(c):04X}" for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs") and c not in allowed + "\n"})


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.bad, self.text = [], []

    def handle_starttag(self, tag, attributes):
        allowed = {"html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section", "article", "h1", "h2", "h3", "p", "ul", "ol", "li", "dl", "dt", "dd", "div",
                   "span", "table", "thead", "tbody", "tr", "th", "td", "a", "b", "i", "br", "code", "pre", "bdi", "figure", "figcaption", "svg", "g", "line", "path", "rect", "text"}
        if tag not in allowed:
            self.bad.append(tag)
        for name, value in attributes:
            if name.startswith("on") or name in ("src", "style") or (name == "href" and not re.fullmatch(r"#[a-z0-9]+|\d\d/report\.html", value or "")):
                self.bad.append(f"{tag} {name}={value}")

    def handle_data(self, data):
        self.text.append(data)


def check_html(page, where):
    tags = Tags()
    tags.feed(page)
    check(not tags.bad, f"{where}: {tags.bad[:5]}")
    check(not dangerous(page), f"{where}: {dangerous(page)}")
    return "".join(tags.text)


def check_csv(text, where):
    check(not dangerous(text, "\r"), f"{where}: {dangerous(text, chr(13))}")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    check(len({len(row) for row in rows}) == 1, f"{where}: rows of different lengths")
    for separator in ",;\t":   # as whoever opens it may have set; with another separator quotes in mid-cell don't hold
        cells = (cell for row in rows for cell in row) if separator == "," else (cell for line in text.splitlines() for cell in line.split(separator))
        for cell in cells:
            naked = unicodedata.normalize("NFKC", cell).strip().strip('"')
            check(naked[:1] not in tuple("=+-@|%") or re.fullmatch(r"-?[\d.e+-]+", naked), f"{where}: a cell that may run, parted by {separator!r}: {cell[:60]!r}")


def check_markdown(text, where):
    check(not dangerous(text), f"{where}: {dangerous(text)}")
    check(not re.search(r"<[a-zA-Z!/]", text), f"{where}: markup in Markdown")
    check(not re.search(r"(?<!\\)\]\(", text), f"{where}: a link in Markdown")


def check_writers(program, folder, capture):
    where = repr(capture.name)
    forms = {}
    for form in ("text", "json", "ndjson", "csv", "markdown", "html"):
        told = run(program, "analyze", "--format", form, "--", capture)
        check(told.returncode == 0, f"{where} {form}: {told.returncode} {told.stderr[:200]}")
        check(not dangerous(told.stderr), f"{where} {form}: on standard error {dangerous(told.stderr)}")
        forms[form] = told.stdout
    check(not dangerous(forms["text"]), f"{where} text: {dangerous(forms['text'])}")
    check_csv(forms["csv"], where + " csv")
    check_markdown(forms["markdown"], where + " markdown")
    page = check_html(forms["html"], where + " html")
    document = json.loads(forms["json"])
    for form in ("json", "ndjson"):
        check(not dangerous(forms[form]), f"{where} {form}: {dangerous(forms[form])}")
    for line in forms["ndjson"].splitlines():
        json.loads(line)
    return document, page


def check_told(document, page):
    """It did come through: whole in the JSON, encoded on the page."""
    targets = " ".join(attempt["target"] for attempt in document["attempts"])
    for wanted in ("<script>", "=cmd|'/c calc'", "\x1b[2", "\u202egnp.exe", "[here](javascript:alert(1))", "../../../../tmp/escaped"):
        check(wanted.lower() in targets.lower(), f"{wanted!r} did not come through: the test proves nothing")
    check("<script>alert('%s')</script>" in page, "the page doesn't show the name's markup as text")
    comments = document["captures"][0]["comments"]
    check(TEXTS["markup"] in comments and TEXTS["turning"] in comments, f"the section's comments: {comments}")


def check_bundle(program, folder, capture, *options):
    bundle = folder / "bundle"
    inside = set(folder.rglob("*"))
    made = run(program, "report", *options, f"{LABEL}={capture}", f"again={capture}", "-o", bundle, "--each", "--bundle", folder / "bundle.zip")
    check(made.returncode == 0, f"report of {capture.name!r}: {made.stderr[:300]}")
    check(not dangerous(made.stdout + made.stderr), f"report of {capture.name!r}: {dangerous(made.stdout + made.stderr)}")
    for path in bundle.rglob("*"):
        check(re.fullmatch(r"[A-Za-z0-9._/-]+", str(path.relative_to(bundle))), f"a path of the bundle: {path}")
        if path.suffix == ".html":
            check_html(path.read_text(), f"{path.relative_to(bundle)} of {capture.name!r}")
    outside = {path for path in folder.rglob("*") if bundle not in path.parents} - inside - {bundle, folder / "bundle.zip"}
    check(not outside, f"written beside the bundle: {outside}")
    verified = run(program, "verify", folder / "bundle.zip")
    check(verified.returncode == 0, f"verify of {capture.name!r}: {verified.stderr[:300]}")
    if "--anonymize" in options:
        evidence = b"".join(path.read_bytes() for path in bundle.rglob("*") if path.is_file())
        for name in ("markup", "formula", "turning", "path"):
            check(raw(TEXTS[name])[:20] not in evidence, f"anonymised, but {TEXTS[name][:20]!r} is still there")
    import shutil
    shutil.rmtree(bundle)
    (folder / "bundle.zip").unlink()


def main():
    program = sys.argv[1]
    with Folder() as folder:
        for i, name in enumerate(FILE_NAMES):
            capture = folder / name
            write(capture)
            document, page = check_writers(program, folder, capture)
            if i == 0:
                check_told(document, page)
            check_bundle(program, folder, capture)
            capture.unlink()
        write(folder / "plain.pcapng")
        check_bundle(program, folder, folder / "plain.pcapng", "--anonymize")
        for arguments in (("analyze", folder / "missing\x1b[2J\u202e.pcap"), ("verify", folder / "missing\x1b[2J"), ("compare", "--baseline", "\x1b[2J", "--suspect", "\x1b]0;x\x07"),
                          ("analyze", "--format", "\x1b[2J", folder / "plain.pcapng"), ("redact", folder / "none\x1b[2J", folder / "copy")):
            told = run(program, *arguments)
            check(told.returncode != 0 and not dangerous(told.stdout + told.stderr), f"{arguments[0]}: the terminal is sent {dangerous(told.stdout + told.stderr)}")
    finish()


if __name__ == "__main__":
    main()

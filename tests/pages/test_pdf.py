#!/usr/bin/env python3
"""`report --pdf` prints the page, sealed with the rest; without a Chromium it says so.

usage: tests/pages/test_pdf.py PROGRAM
"""
import os
import shutil
import subprocess
import sys

from browser import chromium
from support import PCAPS, Folder, check, finish, run


def main():
    program = sys.argv[1]
    chromium()
    with Folder() as folder:
        capture = PCAPS / "sip-policed-48k" / "capture.pcap.gz"
        for language, word in (("en", "throttling"), ("fr", "bridage")):
            bundle = folder / language
            made = run(program, "report", capture, "--pdf", "--lang", language, "-o", bundle)
            check(made.returncode == 0, f"{language}: {made.stderr}")
            pdf = bundle / "data" / "report.pdf"
            check(pdf.is_file() and pdf.read_bytes()[:5] == b"%PDF-" and pdf.stat().st_size > 20_000, f"{language}: no PDF")
            check(pdf.is_file() and pdf.stat().st_mode & 0o077 == 0, f"{language}: others may read it")
            check("data/report.pdf" in (bundle / "manifest-sha256.txt").read_text(), f"{language}: not in the manifest")
            check(run(program, "verify", bundle).returncode == 0, f"{language}: verify")
            if shutil.which("pdftotext"):
                text = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=False).stdout
                for wanted in (word, "203.0.113.40", "kbit/s", "SHA-256"):
                    check(wanted in text, f"{language}: {wanted} isn't in the PDF's text")
                check(0 < text.count("\f") < 12, f"{language}: {text.count(chr(12))} pages")
        none = subprocess.run([program, "report", capture, "--pdf", "-o", folder / "none"], capture_output=True, text=True, check=False, env={**os.environ, "PATH": str(folder)})
        check(none.returncode == 1 and "Chromium" in none.stderr and "install" in none.stderr, f"without Chromium: {none.returncode} {none.stderr}")
    finish()


if __name__ == "__main__":
    main()

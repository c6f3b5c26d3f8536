"""Headless Chromium for the tests of pages: no network, a profile of its own, thrown away."""
import os
import shutil
import subprocess
import sys
import tempfile

from support import SKIPPED

SECONDS = 120


def chromium():
    """Its path, or the test is skipped."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    print("skipped: no Chromium is installed")
    sys.exit(SKIPPED)


def run_page(page, *arguments):
    """What Chromium prints for the file `page`."""
    with tempfile.TemporaryDirectory(prefix="callwitness-test-", ignore_cleanup_errors=True) as profile:
        command = [chromium(), "--headless", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run",
                   "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={profile}", *arguments, page.resolve().as_uri()]
        if os.geteuid() == 0:
            command.insert(1, "--no-sandbox")   # Chromium refuses to sandbox itself for root
        return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=SECONDS).stdout

"""What the tests of evidence bundles share: running the program, and a small bundle to work on."""
import concurrent.futures
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PCAPS = ROOT / "pcaps"
CASES = ROOT.parent / "shared" / "cases"
SKIPPED = 77
failures = []


def captures():
    """The project's own captures, and the shared cases where they stand beside it."""
    own = sorted(PCAPS.glob("*/capture.pcap.gz"))
    if not CASES.is_dir():
        print("no ../shared/cases: only the project's own captures are used")
        return own
    return own + sorted(path for path in [*CASES.glob("*.pcap*"), *CASES.glob("real/*.pcap*")])


WORKERS = 2   # as CMakeLists.txt tells ctest


def for_each_capture(folder, work):
    """What `work(capture, folder of its own)` gives for every capture, several at a time: most of it is waiting for other programs."""
    def one(numbered):
        number, capture = numbered
        own = folder / f"of-{number}"
        own.mkdir()
        try:
            return work(capture, own)
        finally:
            shutil.rmtree(own, ignore_errors=True)
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(one, enumerate(captures())))


def run(program, *arguments, cwd=None):
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=cwd, errors="replace")


def check(true, what):
    if not true:
        failures.append(what)
        print("FAILED:", what)


def finish():
    print("failed: %d" % len(failures) if failures else "all good")
    sys.exit(1 if failures else 0)


class Folder:
    """A temporary folder, removed afterwards."""

    def __enter__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="callwitness-test-"))
        return self.path

    def __exit__(self, *unused):
        shutil.rmtree(self.path, ignore_errors=True)

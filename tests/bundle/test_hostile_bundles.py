#!/usr/bin/env python3
"""What a stranger may send for a bundle is refused with exit status 5 and a reason: quickly, without a crash, and with nothing
written outside the temporary folder nor left in it.

usage: tests/bundle/test_hostile_bundles.py PROGRAM
"""
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import zipfile

from support import PCAPS, Folder, check, finish, run
from test_flips import reseal

SECONDS = 120        # hanging fails the test
MOST_LINES = 110     # a hundred differences and a few words


def verify(program, folder, bundle):
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    try:
        result = subprocess.run([program, "verify", str(bundle)], capture_output=True, text=True, errors="replace", check=False, timeout=SECONDS,
                                env={**os.environ, "TMPDIR": str(temporary)})
    except subprocess.TimeoutExpired:
        check(False, f"{bundle.name}: still running after {SECONDS} s")
        raise
    check(not any(temporary.iterdir()), f"{bundle.name}: left in the temporary folder: {list(temporary.iterdir())}")
    check(result.stderr.count("\n") <= MOST_LINES, f"{bundle.name}: {result.stderr.count(chr(10))} lines on standard error")
    return result


def refused(program, folder, bundle, what, word):
    result = verify(program, folder, bundle)
    check(result.returncode == 5 and word in result.stderr, f"{what}: {result.returncode} {result.stderr[:300]}")


def forged(folder, bundle, name, change):
    """A copy whose analysis.json `change` has rewritten, sealed again."""
    copy = folder / name
    shutil.copytree(bundle, copy)
    path = copy / "data" / "analysis.json"
    path.write_text(change(path.read_text()))
    reseal(copy)
    return copy


def with_part(key, value):
    def change(text):
        document = json.loads(text)
        document[key] = value
        return json.dumps(document)
    return change


def check_analyses(program, folder, bundle):
    deep = "[" * 500_000 + "]" * 500_000
    nested = forged(folder, bundle, "nested", lambda text: text.replace('"findings": ', f'"more": {deep}, "findings": ', 1))
    refused(program, folder, nested, "half a million lists in each other", "nested deeper")
    inside = forged(folder, bundle, "inside", lambda text: text.replace('"verdict": ', '"verdict": ' + '{"a":' * 40 + "1" + "}" * 40 + ', "verdict_": ', 1))
    refused(program, folder, inside, "a verdict forty objects deep", "nested deeper")
    for name, verdict in (("list", []), ("text", "clean"), ("number", 7), ("nothing", None)):
        refused(program, folder, forged(folder, bundle, "verdict-" + name, with_part("verdict", verdict)), f"a verdict that is a {name}", "no analysis of schema")
    many = forged(folder, bundle, "many", with_part("findings", [{"kind": "loss"}] * 20_000))
    refused(program, folder, many, "20,000 findings", "more findings")
    others = forged(folder, bundle, "others", with_part("findings", [{"kind": "loss"}] * 5_000))
    refused(program, folder, others, "5,000 findings that the packets don't give", "5000")
    for name, text in (("empty", ""), ("binary", "\x01\x02\x03"), ("half", '{"schema_version": "1.0", "verdict": {"cl')):
        refused(program, folder, forged(folder, bundle, name, lambda unused, text=text: text), f"an analysis that is {name}", "analysis.json")


def check_manifests(program, folder, bundle):
    for name, line_of in (("twice", lambda first: first), ("twice-otherwise", lambda first: first.replace("  data/", "  data/./")),
                          ("outside", lambda first: first.replace("  data/", "  ../")), ("absolute", lambda first: first[:64] + "  /etc/passwd")):
        copy = folder / name
        shutil.copytree(bundle, copy)
        manifest = copy / "manifest-sha256.txt"
        first = manifest.read_text().splitlines()[0]
        reseal(copy)
        manifest.write_text(manifest.read_text() + line_of(first) + "\n")
        reseal_tags(copy)
        refused(program, folder, copy, f"a manifest that lists a file {name}", "listed twice" if name == "twice" else "is not 'hash  name'")
    copy = folder / "long"
    shutil.copytree(bundle, copy)
    reseal(copy)
    (copy / "manifest-sha256.txt").write_text("x\n" * 300_000)
    reseal_tags(copy)
    refused(program, folder, copy, "300,000 lines", "more than")
    copy = folder / "lines"
    shutil.copytree(bundle, copy)
    reseal(copy)
    (copy / "manifest-sha256.txt").write_text("x\n" * 5_000)
    reseal_tags(copy)
    refused(program, folder, copy, "5,000 lines that are none", "the first 100")


def reseal_tags(copy):
    import hashlib
    tags = ["bag-info.txt", "bagit.txt", "manifest-sha256.txt"]
    (copy / "tagmanifest-sha256.txt").write_text("".join(f"{hashlib.sha256((copy / t).read_bytes()).hexdigest()}  {t}\n" for t in tags))


def check_devices(program, folder, bundle):
    for name in ("manifest-sha256.txt", "tagmanifest-sha256.txt", "data/evidence.pcapng", "data/analysis.json", "tagmanifest-sha256.txt.minisig", "data/extra"):
        for kind, make in (("a named pipe", os.mkfifo), ("a link to a device", lambda path: os.symlink("/dev/zero", path)),
                           ("a link out", lambda path: os.symlink("/etc/hostname", path)), ("a socket", make_socket)):
            copy = folder / "device"
            shutil.copytree(bundle, copy)
            path = copy / name
            path.unlink(missing_ok=True)
            make(path)
            refused(program, folder, copy, f"{name}: {kind}", "")
            shutil.rmtree(copy)
    loop = folder / "loop"
    shutil.copytree(bundle, loop)
    os.symlink("..", loop / "data" / "again")
    refused(program, folder, loop, "a folder that holds itself", "not a regular file")
    result = run(program, "verify", "/dev/null")
    check(result.returncode in (3, 5), f"verify /dev/null: {result.returncode}")
    os.mkfifo(folder / "fifo.zip")
    result = verify(program, folder, folder / "fifo.zip")
    check(result.returncode in (3, 5), f"verify of a named pipe: {result.returncode}")


def make_socket(path):
    import socket
    with socket.socket(socket.AF_UNIX) as made:
        here = os.getcwd()
        os.chdir(path.parent)   # a socket's name is short
        try:
            made.bind(path.name)
        finally:
            os.chdir(here)


def zip_of(path, entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, content in entries:
            archive.writestr(info, content)
    return path


def special(name, mode):
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info


def check_archives(program, folder):
    names = ("../escaped", "bundle/../../escaped", "/tmp/callwitness-escaped", "bundle\\..\\..\\escaped", "C:\\escaped", "bundle/a\nb", "bundle/caf\u00e9",
             "bundle/" + "d/" * 40 + "deep", "bundle/" + "n" * 600, "bundle/./x", "")
    for number, name in enumerate(names):
        archive = zip_of(folder / f"name{number}.zip", [("bundle/bagit.txt", "x"), (zipfile.ZipInfo(name), "y")])
        refused(program, folder, archive, f"an entry named {name[:40]!r}", "leads elsewhere")
    check(not (folder / "escaped").exists() and not pathlib.Path("/tmp/callwitness-escaped").exists(), "an entry was written outside")
    for kind, mode, content in (("symlink", 0o120777, "/etc/passwd"), ("device", 0o020666, ""), ("pipe", 0o010666, ""), ("socket", 0o140777, "")):
        archive = zip_of(folder / f"{kind}.zip", [("bundle/bagit.txt", "x"), (special("bundle/data", mode), content)])
        refused(program, folder, archive, f"an entry that is a {kind}", "no plain file")
    refused(program, folder, zip_of(folder / "under.zip", [("bundle/x", "file"), ("bundle/x/y", "below a file")]), "a file that is a folder, too", "")
    with zipfile.ZipFile(folder / "double.zip", "w") as archive:
        import warnings
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for content in ("one", "two"):
                archive.writestr("bundle/bagit.txt", content)
    refused(program, folder, folder / "double.zip", "the same name twice", "")
    refused(program, folder, zip_of(folder / "crowd.zip", [(f"bundle/{i}", "") for i in range(10_050)]), "10,050 entries", "too many")
    (folder / "text.zip").write_text("no archive")
    refused(program, folder, folder / "text.zip", "a text called .zip", "no whole zip archive")


def check_bombs(program, folder):
    honest = zip_of(folder / "honest.zip", [("bundle/bagit.txt", "x"), ("bundle/data/zeros", bytes(120 << 20))])
    refused(program, folder, honest, "120 MiB of zeros in 120 KiB, as declared", "far more")
    # The same, but both headers say 1,000 bytes.
    data = bytearray(honest.read_bytes())
    size = struct.pack("<I", 120 << 20)
    changed = 0
    while (at := data.find(size)) >= 0:
        data[at:at + 4] = struct.pack("<I", 1000)
        changed += 1
    check(changed == 2, f"the size stands {changed} times in the archive")
    lying = folder / "lying.zip"
    lying.write_bytes(data)
    refused(program, folder, lying, "120 MiB of zeros, declared as 1,000 bytes", "")


def main():
    program = sys.argv[1]
    with Folder() as folder:
        made = run(program, "report", PCAPS / "mumble-udp" / "capture.pcap.gz", "-o", folder / "bundle")
        check(made.returncode == 0, f"making a bundle: {made.stderr}")
        check(verify(program, folder, folder / "bundle").returncode == 0, "the untouched bundle")
        check_analyses(program, folder, folder / "bundle")
        check_manifests(program, folder, folder / "bundle")
        check_devices(program, folder, folder / "bundle")
        check_archives(program, folder)
        check_bombs(program, folder)
    finish()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""One changed byte anywhere in a bundle fails `verify` with exit status 5 and a reason; nothing changed passes.

usage: tests/bundle/test_flips.py PROGRAM
Every byte of the small files is too much for a test: of each file the first, the last and some sampled bytes are changed.
"""
import random
import shutil
import sys

from support import PCAPS, Folder, check, finish, run

SAMPLES = 20


def flip(path, offset, bit):
    data = bytearray(path.read_bytes())
    data[offset] ^= bit
    path.write_bytes(data)


def flips_of(folder, random_source):
    """(file, offset) at every kind of place."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        size = path.stat().st_size
        places = {0, size - 1, *(random_source.randrange(size) for _ in range(SAMPLES))}
        if path.name.endswith((".txt", ".minisig", ".pub")):
            text = path.read_bytes()
            places |= {i for i, byte in enumerate(text) if byte in b"\n:="}            # separators and padding
            places |= {i - 1 for i, byte in enumerate(text) if byte in b"=" and i > 0}  # base64's spare bits
        for offset in sorted(places):
            yield path, offset


def check_folder(program, bundle, key):
    whole = run(program, "verify", bundle)
    check(whole.returncode == 0, f"an untouched bundle: {whole.returncode} {whole.stderr}")
    check("signed by the key RW" in whole.stdout, f"who signed is not told: {whole.stdout}")
    check(run(program, "verify", "--key", key, bundle).returncode == 0, "an untouched bundle with the signer's key")
    count = 0
    for path, offset in flips_of(bundle, random.Random(3)):
        bit = 1 << (offset % 8)
        flip(path, offset, bit)
        result = run(program, "verify", bundle)
        check(result.returncode == 5 and result.stderr.strip(), f"{path.name} byte {offset} bit {bit}: {result.returncode} {result.stderr!r} {result.stdout!r}")
        flip(path, offset, bit)
        count += 1
    check(count > 150, f"only {count} changes")
    check(run(program, "verify", bundle).returncode == 0, "the bundle, put right again")
    print(f"{count} changed bytes, each refused")


def check_forgeries(program, bundle, other_key):
    check(run(program, "verify", "--key", other_key, bundle).returncode == 5, "another signer's key")
    (bundle / "data" / "extra.txt").write_text("x")
    check(run(program, "verify", bundle).returncode == 5, "a file that no manifest names")
    (bundle / "data" / "extra.txt").unlink()
    saved = (bundle / "tagmanifest-sha256.txt.minisig").read_bytes()
    (bundle / "tagmanifest-sha256.txt.minisig").unlink()
    check(run(program, "verify", bundle).returncode == 5, "the signature taken away")
    (bundle / "tagmanifest-sha256.txt.minisig").write_bytes(saved)


def check_zip(program, folder, archive):
    check(run(program, "verify", archive).returncode == 0, "an untouched zip")
    random_source = random.Random(4)
    data = archive.read_bytes()
    size = len(data)
    directory = data.index(b"PK\x01\x02")      # from here on every byte: all of it is the zip's own
    headers = [at + i for at in starts_of(data, b"PK\x03\x04") for i in range(60)]
    places = sorted({0, size - 1, *headers, *range(directory, size, 3), *(random_source.randrange(size) for _ in range(150))})
    for offset in places:
        changed = bytearray(data)
        changed[offset] ^= 1 << (offset % 8)
        copy = folder / "changed.zip"
        copy.write_bytes(changed)
        result = run(program, "verify", copy)
        check(result.returncode == 5 and result.stderr.strip(), f"zip byte {offset} of {size}: {result.returncode} {result.stderr}")
        copy.unlink()
    for what, changed in (("a byte behind it", data + b"x"), ("a byte before it", b"x" + data), ("its end cut", data[:-1])):
        copy = folder / "changed.zip"
        copy.write_bytes(changed)
        check(run(program, "verify", copy).returncode == 5, f"zip: {what}")
        copy.unlink()
    print(f"zip: {len(places)} changed bytes, each refused")
    # A zip that somebody else packed of the same folder has no seal, and passes by what is in it.
    foreign = shutil.make_archive(str(folder / "foreign"), "zip", folder, "bundle")
    check(run(program, "verify", foreign).returncode == 0, "the folder, zipped by another program")


def starts_of(data, signature):
    at = data.find(signature)
    while at >= 0:
        yield at
        at = data.find(signature, at + 1)


def main():
    program = sys.argv[1]
    with Folder() as folder:
        for name in ("key", "other"):
            check(run(program, "key", "new", folder / name).returncode == 0, "making a key")
        made = run(program, "report", PCAPS / "mumble-udp" / "capture.pcap.gz", "-o", folder / "bundle", "--bundle", folder / "bundle.zip", "--key", folder / "key")
        check(made.returncode == 0, f"making a bundle: {made.stderr}")
        check_folder(program, folder / "bundle", folder / "key.pub")
        check_forgeries(program, folder / "bundle", folder / "other.pub")
        check_zip(program, folder, folder / "bundle.zip")
        # A forger who seals again without the key: the numbers are recomputed, so a changed one is still told.
        forged = folder / "forged"
        shutil.copytree(folder / "bundle", forged)
        analysis = forged / "data" / "analysis.json"
        analysis.write_text(analysis.read_text().replace('"class": "clean"', '"class": "interference"'))
        reseal(forged)
        result = run(program, "verify", forged)
        check(result.returncode == 5 and "verdict.class" in result.stderr, f"a forged verdict, sealed again: {result.returncode} {result.stderr}")
    finish()


def reseal(bundle):
    import hashlib
    for name in ("signer.pub", "tagmanifest-sha256.txt.minisig"):
        (bundle / name).unlink(missing_ok=True)
    digest = lambda path: hashlib.sha256(path.read_bytes()).hexdigest()
    payload = sorted(p for p in (bundle / "data").rglob("*") if p.is_file())
    (bundle / "manifest-sha256.txt").write_text("".join(f"{digest(p)}  {p.relative_to(bundle)}\n" for p in payload))
    tags = ["bag-info.txt", "bagit.txt", "manifest-sha256.txt"]
    (bundle / "tagmanifest-sha256.txt").write_text("".join(f"{digest(bundle / t)}  {t}\n" for t in tags))


if __name__ == "__main__":
    main()

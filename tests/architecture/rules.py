#!/usr/bin/env python3
"""The rules of the house that a machine can check; exits 1 and names file and line where one is broken.

usage: tests/architecture/rules.py [ROOT]
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
ROOT = ROOT if ROOT.is_dir() else ROOT.parents[2]
ROOMS = ["capture", "classify", "metrics", "report", "app"]           # each may include itself and those before it
# Third parties live behind a .cpp; the one exception is the Result type.
THIRD_PARTY = re.compile(r'[<"](pcap|ndpi|boost/|openssl/|nlohmann/|CLI/|fmt/|mustache|kainjow|zlib|zstd|lzma|seccomp|sqlite3|ncurses)')
ALLOWED_IN_HEADERS = ("boost/system/result.hpp",)
LINE_LIMIT, REASON = 400, re.compile(r"(over|beyond|more than) 400 lines", re.IGNORECASE)
MACHINE_PATH = re.compile(r"/(home/[a-z]\w*|work/(main|wt|shared|\.library)|Users/[A-Za-z]\w*)\b")
DEF_LISTS = {"classify/applications.def": "classify/applications", "metrics/detectors.def": "metrics/detectors"}
TEXT = {".cpp", ".hpp", ".py", ".sh", ".cmake", ".txt", ".md", ".json", ".def", ".html", ".1", ""}
SKIPPED = {".git", "build", "node_modules"}

errors = []


def fault(path, line, text):
    errors.append(f"{path.relative_to(ROOT)}:{line}: {text}")


def files():
    for path in sorted(ROOT.rglob("*")):
        if path.is_file() and not SKIPPED & set(path.relative_to(ROOT).parts) and path.suffix in TEXT:
            yield path


def check_includes(path, lines):
    room = path.relative_to(ROOT).parts[0]
    if room not in ROOMS:
        return
    in_list = path.relative_to(ROOT).parent.as_posix() in DEF_LISTS.values()
    for number, line in enumerate(lines, 1):
        match = re.match(r'\s*#\s*include\s*([<"][^>"]+)', line)
        if not match:
            continue
        included = match.group(1)[1:]
        target = included.split("/")[0]
        if target in ROOMS and ROOMS.index(target) > ROOMS.index(room):
            fault(path, number, f"{room} includes {included}: includes point upstream only ({' <- '.join(ROOMS)})")
        if path.suffix == ".hpp" and THIRD_PARTY.match(match.group(1)) and included not in ALLOWED_IN_HEADERS:
            fault(path, number, f"a third party's header in one of ours: {included}")
        if in_list and path.suffix == ".cpp" and pathlib.PurePosixPath(included).parent.as_posix() in DEF_LISTS.values() \
                and included.endswith(".hpp") and (ROOT / pathlib.Path(included).with_suffix(".cpp")).exists() \
                and pathlib.Path(included).stem != path.stem and pathlib.Path(included).stem in listed(included):
            fault(path, number, f"a plug-in includes its neighbour {included}")


def listed(member):
    folder = pathlib.PurePosixPath(member).parent.as_posix()
    return {name for def_file, place in DEF_LISTS.items() if place == folder for name in def_names(ROOT / def_file)}


def def_names(path):
    return re.findall(r"^[A-Z]+\(([a-z0-9_]+)\)", path.read_text(), re.MULTILINE)


def check_lists():
    for def_file, folder in DEF_LISTS.items():
        path = ROOT / def_file
        names = def_names(path)
        for name in {name for name in names if names.count(name) > 1}:
            fault(path, 1, f"{name} stands twice")
        for name in names:
            if not (ROOT / folder / f"{name}.cpp").exists():
                fault(path, 1, f"{name} has no file {folder}/{name}.cpp")
        for file in sorted((ROOT / folder).glob("*.cpp")):
            # helpers that plug-ins share have a header of their own; a plug-in has none
            if file.stem not in names and not file.with_suffix(".hpp").exists():
                fault(file, 1, f"not in {def_file}: nobody builds it")


def main():
    for path in files():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        if path.suffix in (".cpp", ".hpp"):
            check_includes(path, lines)
        if path.suffix in (".cpp", ".hpp", ".py", ".sh") and len(lines) > LINE_LIMIT and not REASON.search("\n".join(lines[:12])):
            fault(path, 1, f"{len(lines)} lines; over {LINE_LIMIT} a file says at its head why")
        for number, line in enumerate(lines, 1):
            if path != pathlib.Path(__file__).resolve() and MACHINE_PATH.search(line):
                fault(path, number, f"a path of somebody's machine: {MACHINE_PATH.search(line).group(0)}")
    check_lists()
    print("\n".join(errors) if errors else "rules of the house: kept")
    sys.exit(1 if errors else 0)


if __name__ == "__main__":
    main()

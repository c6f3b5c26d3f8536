#!/usr/bin/env python3
"""Shows that rules.py catches what it says: breaks each rule in a small tree and expects the complaint."""
import pathlib
import subprocess
import sys
import tempfile

RULES = pathlib.Path(__file__).with_name("rules.py")
GOOD = {
    "capture/a.hpp": '#include <boost/system/result.hpp>\n#include "capture/b.hpp"\n',
    "metrics/c.cpp": '#include "classify/d.hpp"\n#include <fmt/core.h>\n',
    "classify/applications.def": "// list\nAPPLICATION(skype)\n",
    "classify/applications/skype.cpp": "",
    "metrics/detectors.def": "",
}
BROKEN = {
    "includes point upstream": {"capture/x.cpp": '#include "classify/d.hpp"\n'},
    "third party's header": {"report/x.hpp": "#include <nlohmann/json.hpp>\n"},
    "says at its head why": {"app/x.cpp": "int a;\n" * 401},
    "has no file": {"classify/applications.def": "APPLICATION(skype)\nAPPLICATION(viber)\n"},
    "nobody builds it": {"metrics/detectors/cap.cpp": ""},
    "somebody's machine": {"docs/x.md": "see /ho" + "me/somebody/x\n"},
}


def run(changes):
    with tempfile.TemporaryDirectory() as root:
        for name, text in {**GOOD, **changes}.items():
            path = pathlib.Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return subprocess.run([sys.executable, RULES, root], capture_output=True, text=True)


failed = False
if run({}).returncode != 0:
    failed = True
    print("a good tree is refused:", run({}).stdout)
for words, changes in BROKEN.items():
    result = run(changes)
    if result.returncode != 1 or words not in result.stdout:
        failed = True
        print(f"not caught: {words}; said: {result.stdout}{result.stderr}")
sys.exit(1 if failed else 0)

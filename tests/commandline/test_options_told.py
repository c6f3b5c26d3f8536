#!/usr/bin/env python3
"""What --help offers is in the manual page and both completions, and nothing else is offered there.

usage: test_options_told.py CALLWITNESS SOURCE_DIR"""
import pathlib
import re
import subprocess
import sys
import unittest

TOOL, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2])
COMMANDS = re.findall(r"^COMMAND\((\w+)\)", (SOURCE / "app/commands.def").read_text(), re.MULTILINE)


def options_of(command):
    words = ["key", "new"] if command == "key" else [command]
    text = subprocess.run([TOOL, *words, "--help"], capture_output=True, text=True, check=True).stdout
    lines = re.findall(r"^  (-[-\w,]+)", text, re.MULTILINE)
    return {option for line in lines for option in line.split(",")}


def offered_by_bash(command):
    words = ["callwitness", command, "-"]
    script = (f"source {SOURCE}/packaging/completions/callwitness.bash; COMP_WORDS=({' '.join(words)}); "
              f"COMP_CWORD={len(words) - 1}; _callwitness; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
    return set(subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.split())


def offered_by_zsh(command):
    """The arrays that the command's case names, and what stands there itself; read as text, zsh need not be there."""
    text = (SOURCE / "packaging/completions/_callwitness").read_text().replace("\\\n", " ")
    case = re.search(rf"^    {command}\) (.*?) ;;$", text, re.MULTILINE) or re.search(r"^    \*\) (.*?) ;;$", text, re.MULTILINE)
    told = case.group(1)
    for name in re.findall(r"\$(\w+)", told):
        told += re.search(rf"^  {name}=\((.*?)\)$", text, re.MULTILINE | re.DOTALL).group(1)
    found = re.findall(r"'\*?(--?[\w-]+)\[", told)
    for group in re.findall(r"\{(-[-\w,]+)\}", told):
        found += group.split(",")
    return set(found)


class OptionsTold(unittest.TestCase):
    def test_manual_names_every_option(self):
        page = (SOURCE / "docs/callwitness.1").read_text().replace("\\-", "-")
        told = set(re.findall(r"(?<![\w-])(--?[A-Za-z][\w-]*)", page))
        described = page[page.index(".SH COMMANDS"):page.index(".SH OPTIONS")]
        for command in COMMANDS:
            self.assertEqual(options_of(command) - told, set(), f"{command}: not in docs/callwitness.1")
            self.assertRegex(described, rf"(?m)^\.B[RI]? \"?{command}\b", f"{command} is not described")

    def test_bash_offers_what_help_offers(self):
        for command in COMMANDS:
            self.assertEqual(offered_by_bash(command), options_of(command), command)

    def test_zsh_offers_what_help_offers(self):
        for command in COMMANDS:
            self.assertEqual(offered_by_zsh(command), options_of(command), command)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

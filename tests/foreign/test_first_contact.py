#!/usr/bin/env python3
"""A small draw of the foreign families with a fixed seed: the product prints valid documents, accuses no innocent, calls nothing clean that is not.

  test_first_contact.py PROGRAM [--seed N] [--all]
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import generate
import scorer

# Short ones of each kind: lines, far ends, people, machines, networks, oddities; limits, cuts, starts.
TINY = ("i_good_call", "i_random_loss", "i_cell_call", "i_wifi_scans", "i_plan_64k", "i_far_loss", "i_far_slow_uplink", "i_hang_up", "i_muted", "i_key_presses", "i_sfu_layers", "i_clock_step",
        "i_capture_misses", "i_address_renewed", "i_number_jumps", "i_duplicates", "i_tcp_voice_loss", "i_parental_control", "x_police_numbered", "x_police_unnumbered", "x_police_harsh", "x_shape_short",
        "x_random_drop", "x_cut_by_clock", "x_forged_resets", "x_dies_bytes", "x_sni_reset", "x_tls_freeze")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--all", action="store_true", help="each family")
    options = parser.parse_args()
    wrong = []
    with tempfile.TemporaryDirectory(prefix="foreign-") as folder:
        for family in generate.FAMILIES if options.all else TINY:
            generate.make((family, options.seed, 0, folder, {"traces": None}))
        first = sorted(pathlib.Path(folder).glob("i_good_call*.gz"))[0]
        before = first.read_bytes()
        generate.make(("i_good_call", options.seed, 0, folder, {"traces": None}))
        if first.read_bytes() != before:
            wrong.append("the same seed made another capture")
        rows = scorer.score(options.program, folder, 2)
    for row in rows:
        if row["trouble"]:
            wrong.append(f"{row['id']}: {row['trouble']}")
        wrong += [f"{row['id']}: {key.replace('_', ' ')}, said {row['said']} for {row['truth']}" for key in ("false_accusation", "false_clean") if row.get(key)]
    schema = subprocess.run([options.program, "schema"], capture_output=True)
    if schema.returncode:
        wrong.append("callwitness schema failed")
    print("\n".join(scorer.summary(rows) + wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

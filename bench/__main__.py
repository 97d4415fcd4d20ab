"""The command line: which rows, how long; the table, and the file of results."""

import argparse
import sys
import time
import traceback
from importlib import import_module

from bench.figures import Measured
from bench.machine import busy_share
from bench.options import Options
from bench.table import table

MEASUREMENTS = ("closed",)
"""The modules of bench/measurements/, in the order in which they run."""
_LOADED = 0.1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure battle on this machine.")
    parser.add_argument("--rounds", type=int, help="interleaved rounds (default 9; 2 with --quick)")
    parser.add_argument("--seconds", type=float, help="seconds of each load (default 2; 1 with --quick)")
    parser.add_argument("--only", help=f"comma-separated: {', '.join(MEASUREMENTS)}")
    parser.add_argument("--requests", type=int, help="requests of the long run (default 10 million)")
    parser.add_argument("--analysed", type=int, help="requests of the analysis (default 10 million)")
    parser.add_argument("--quick", action="store_true", help="short and rough, under two minutes: does it work?")
    return parser.parse_args()


def _options(chosen: argparse.Namespace) -> Options:
    usual = Options(2, 1, 300_000, 300_000, quick=True) if chosen.quick else Options(9, 2, 10_000_000, 10_000_000)
    return Options(
        chosen.rounds or usual.rounds,
        chosen.seconds or usual.seconds,
        chosen.requests or usual.requests,
        chosen.analysed or usual.analysed,
        quick=chosen.quick,
    )


def main() -> int:
    """Measure what was asked for. 0 when all could be measured, whatever the figures; 1 otherwise."""
    chosen = _parse()
    options = _options(chosen)
    wanted = chosen.only.split(",") if chosen.only else list(MEASUREMENTS)
    if unknown := set(wanted) - set(MEASUREMENTS):
        sys.exit(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(MEASUREMENTS)}")
    busy = busy_share()
    loaded = busy > _LOADED
    print(f"machine: {busy:.0%} busy with other things" + ("; THE FIGURES ARE UNDER LOAD" if loaded else ""))
    print(f"{options.rounds} rounds of {options.seconds:g} s\n")
    measured: dict[str, Measured] = {}
    failed = []
    for name in wanted:
        begun = time.monotonic()
        try:
            measured[name] = import_module(f"bench.measurements.{name}").measure(options)
        except Exception:  # noqa: BLE001  (the other rows are still worth having)
            traceback.print_exc()
            failed.append(name)
            continue
        print(f"{name} ({time.monotonic() - begun:.0f} s)")
        print(table(measured[name].rows) + "\n", flush=True)
    if failed:
        print(f"could not be measured: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

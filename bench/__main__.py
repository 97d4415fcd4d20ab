"""The command line: which rows, how long; the table, and the file of results."""

import argparse
import math
import sys
import time
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import TypeVar

from bench.figures import Measured
from bench.machine import busy_share
from bench.options import Options
from bench.results import save
from bench.table import table

USUAL = ("closed", "open", "truth", "endurance", "analysis", "start", "provider", "workers")
"""The modules of bench/measurements/, in the order in which they run."""
WHEN_NAMED = ("alternatives",)
"""Those that run only when --only names them."""
_LOADED = 0.05
_Number = TypeVar("_Number", int, float)


def main() -> int:
    """Measure what was asked for. 0 when all could be measured, whatever the figures; 1 otherwise."""
    chosen = _parse()
    options = _options(chosen)
    wanted = tuple(chosen.only.split(",")) if chosen.only else USUAL
    busy = busy_share()
    print(f"This machine is {busy:.0%} busy with other things" + (_warning() if busy > _LOADED else "."))
    print(f"{options.rounds} interleaved rounds of {options.seconds:g} s; medians and ranges.\n", flush=True)
    measured = {name: one for name in wanted if (one := _measured(name, options)) is not None}
    path = save(measured, options, busy, whole=tuple(measured) == USUAL and not chosen.quick)
    rows = [row for one in measured.values() for row in one.rows]
    marks = [row.mark for row in rows if row.target]
    print(f"{marks.count('met')} targets met, {marks.count('not met')} not met, {marks.count('skipped')} skipped")
    print(f"written to {path}")
    if failed := [name for name in wanted if name not in measured]:
        print(f"could not be measured: {', '.join(failed)}")
        return 1
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure battle on this machine.")
    parser.add_argument("--rounds", type=_positive(int), help="interleaved rounds (default 9; 2 with --quick)")
    parser.add_argument("--seconds", type=_positive(float), help="seconds of each load (default 2; 1 with --quick)")
    parser.add_argument(
        "--only", metavar="ROW,…", help=f"of {', '.join(USUAL + WHEN_NAMED)} (default all but the last)"
    )
    parser.add_argument("--requests", type=_positive(int), help="requests of the long run (default 10 million)")
    parser.add_argument("--analysed", type=_positive(int), help="requests of the analysis (default 10 million)")
    parser.add_argument("--quick", action="store_true", help="short and rough, under two minutes: does it work?")
    chosen = parser.parse_args()
    unknown = set((chosen.only or USUAL[0]).split(",")) - {*USUAL, *WHEN_NAMED}
    if unknown:
        parser.error(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(USUAL + WHEN_NAMED)}")
    return chosen


def _positive(kind: type[_Number]) -> Callable[[str], _Number]:
    def positive(text: str) -> _Number:
        value = kind(text)
        if not 1 <= value < math.inf:
            raise argparse.ArgumentTypeError(f"{text!r} must be 1 or more")
        return value

    return positive


def _options(chosen: argparse.Namespace) -> Options:
    usual = Options(2, 1, 300_000, 300_000) if chosen.quick else Options(9, 2, 10_000_000, 10_000_000)
    return Options(
        chosen.rounds or usual.rounds,
        chosen.seconds or usual.seconds,
        chosen.requests or usual.requests,
        chosen.analysed or usual.analysed,
    )


def _warning() -> str:
    return ": the figures are under load, and targets that are not met say little."


def _measured(name: str, options: Options) -> Measured | None:
    """One measurement, printed; None when it could not be made, and the other rows are still worth having."""
    begun = time.monotonic()
    try:
        measured: Measured = import_module(f"bench.measurements.{name}").measure(options)
    except Exception:  # noqa: BLE001  (whatever it was)
        traceback.print_exc()
        return None
    print(f"{name} ({time.monotonic() - begun:.0f} s)")
    print(table(measured.rows) + "\n", flush=True)
    return measured


if __name__ == "__main__":
    sys.exit(main())

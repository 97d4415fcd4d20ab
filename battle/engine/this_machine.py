"""Which machine this is, for calibrations."""

import os
import platform
import sys
from contextlib import suppress
from pathlib import Path

import battle
from battle.core.calibration import Machine
from battle.system.event_loop import loop_kind
from battle.system.timer import timer_is_precise


def this_machine() -> Machine:
    """What decides how fast the load generator is here."""
    return Machine(
        cpu=_cpu(),
        cores=usable_cores(),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        battle=battle.__version__,
        loop=loop_kind(),
        precise_timer=timer_is_precise(),
    )


def usable_cores() -> int:
    """The cores that this process may run on."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()

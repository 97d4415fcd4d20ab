"""Other event loops and another setting of malloc, each against the worker as it is; only when asked for by name."""

import sys
from importlib.util import find_spec
from pathlib import Path

from battle.engine.execution import worker_command
from bench.figures import Measured, Row, ratios
from bench.options import Options
from bench.peers import CONNECTIONS
from bench.server import nginx
from bench.worker import CHECKED, Load, send

_LOOPS = ("rloop", "aiofastnet")
_MALLOC = ("MALLOC_MMAP_THRESHOLD_=4000000", "MALLOC_TRIM_THRESHOLD_=100000000")
_OTHER_LOOP = [sys.executable, "-P", str(Path(__file__).parent.parent / "other_loop.py")]
_PATTERN = {"kind": "users", "users": CONNECTIONS}


def measure(options: Options) -> Measured:
    """Each round: the worker as it is, then each alternative that is installed."""
    absent = [name for name in _LOOPS if find_spec(name) is None]
    commands = {"as it is": worker_command(), "malloc": ["env", *_MALLOC, *worker_command()]}
    commands |= {name: [*_OTHER_LOOP, name] for name in _LOOPS if name not in absent}
    commands |= {f"{name}, malloc": ["env", *_MALLOC, *_OTHER_LOOP, name] for name in _LOOPS if name not in absent}
    rounds = []
    with nginx() as server:
        for _ in range(options.rounds):
            sent = {
                name: send(Load(server.port, CHECKED, _PATTERN, options.seconds, command=command))
                for name, command in commands.items()
            }
            rounds.append({name: {"per_s": one.ok_per_s, "cpu_us": one.cpu_us} for name, one in sent.items()})
    rows = [Row("as it is", "req/s", [one["as it is"]["per_s"] for one in rounds])]
    for name in list(commands)[1:]:
        for figure, what in (("per_s", "req/s"), ("cpu_us", "CPU")):
            ours, usual = ([one[which][figure] for one in rounds] for which in (name, "as it is"))
            rows.append(Row(f"{what}: {name} ÷ as it is", "×", ratios(ours, usual)))
    rows += [Row(f"{name} ÷ as it is", "×", skipped=f"{name} is not installed (pip install {name})") for name in absent]
    return Measured(rows, rounds)

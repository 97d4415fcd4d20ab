"""Other event loops and another setting of malloc, each against the worker as it is; only when asked for by name."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from battle.engine.execution import worker_command
from battle.errors import SetupError
from bench.figures import Measured, Row, ratios
from bench.options import Options
from bench.peers import CONNECTIONS
from bench.server import Server, nginx
from bench.worker import CHECKED, Load, send

_AS_IT_IS = "as it is"
_MALLOC = ("env", "MALLOC_MMAP_THRESHOLD_=4000000", "MALLOC_TRIM_THRESHOLD_=100000000")
_LOOPS = ("rloop", "aiofastnet", "rloop+aiofastnet")
_OTHER_LOOP = (sys.executable, "-P", str(Path(__file__).parent.parent / "other_loop.py"))
_COMMANDS = {
    _AS_IT_IS: worker_command(),
    "malloc": [*_MALLOC, *worker_command()],
    **{loop: [*_OTHER_LOOP, loop] for loop in _LOOPS},
    **{f"{loop}, malloc": [*_MALLOC, *_OTHER_LOOP, loop] for loop in _LOOPS},
}


def measure(options: Options) -> Measured:
    """Each round: the worker as it is, then each alternative that can be started here."""
    with nginx() as server:
        reasons = {name: _why_not(name, server) for name in _COMMANDS}
        chosen = [name for name, reason in reasons.items() if reason is None]
        rounds = [{name: _round(name, server, options.seconds) for name in chosen} for _ in range(options.rounds)]
    rows = [Row(_AS_IT_IS, "req/s", [one[_AS_IT_IS]["per_s"] for one in rounds])]
    for name, reason in list(reasons.items())[1:]:
        for figure, what in (("per_s", "req/s"), ("cpu_us", "CPU")):
            values = () if reason else ratios(*([one[which][figure] for one in rounds] for which in (name, _AS_IT_IS)))
            rows.append(Row(f"{what}: {name} ÷ {_AS_IT_IS}", "×", values, skipped=reason))
    return Measured(rows, rounds)


def _why_not(name: str, server: Server) -> str | None:
    """Why an alternative cannot be measured: a package is missing, or the worker does not run with it."""
    for package in ("rloop", "aiofastnet"):
        if package in name and find_spec(package) is None:
            return f"{package} is not installed (pip install {package})"
    try:
        _round(name, server, 0.1)
    except (SetupError, RuntimeError, OSError) as error:
        return f"the worker does not run with it: {_last_line(error)}"
    return None


def _last_line(error: Exception) -> str:
    log = getattr(error, "log", None) or str(error)
    return str(log).strip().splitlines()[-1]


def _round(name: str, server: Server, seconds: float) -> dict[str, Any]:
    pattern = {"kind": "users", "users": CONNECTIONS}
    sent = send(Load(server.port, CHECKED, pattern, seconds, command=_COMMANDS[name]))
    return {"per_s": sent.ok_per_s, "cpu_us": sent.cpu_us}

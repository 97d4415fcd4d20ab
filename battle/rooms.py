"""The rooms that kinds live in, filled by importing them.

Rooms are named here, one by one, and a room by looking into its folder: dropping a file into a room is all that a new
kind needs. Third parties enter theirs through entry points of the same names. Apart from `app`, since a load worker
starts with two of them and nothing else: it is on the way to the first request.
"""

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from battle.core.component import build_again, kinds
from battle.core.scenario import rebuild

SCENARIO_ROOMS = ("load", "protocols", "chaos", "providers", "proxies")
"""The folders under battle/ that hold one kind a file, and that scenarios choose from."""
REPORTERS = "reporters"
_ENTRY_POINT = {"chaos": "battle.faults"}


def import_room(room: str) -> None:
    """Import every kind of a room, battle's own and those that other packages offer."""
    package = importlib.import_module(f"battle.{room}")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"battle.{room}.{module.name}")
    for entry in _offered().select(group=_ENTRY_POINT.get(room, f"battle.{room}")):
        entry.load()


@cache
def _offered() -> Any:
    """What all installed packages offer, read once; its type is another one from Python 3.12 on."""
    return entry_points()


@cache
def load_rooms() -> None:
    """Import every kind that a scenario can choose, once, so that the scenario model knows them."""
    from battle.analysis import catalogue  # noqa: F401, PLC0415  (enters the indicators)

    for room in SCENARIO_ROOMS:
        import_room(room)
    rebuild()


@cache
def load_worker_rooms() -> None:
    """Import the kinds that a load worker is told of, once: it is sent the workload alone, and no proxy."""
    from battle.proxies import none  # noqa: F401, PLC0415  (the proxy of a scenario that names none)

    import_room("load")
    import_room("protocols")
    rebuild()


@cache
def load_reporters() -> None:
    """Import every reporter, once; apart, since only what is over is reported."""
    import_room(REPORTERS)
    build_again(kinds(REPORTERS).values())

"""The command: `battle …` and `python -m battle …`."""

import gc
import sys
from pathlib import Path

_OBJECTS = 50_000


def main() -> None:
    """Run the command line; a load worker skips it, since its start is on the way to the first request."""
    gc.set_threshold(_OBJECTS)  # importing makes no garbage, and looking for it every 700 objects takes its time
    if len(sys.argv) == 3 and sys.argv[1] == "_worker":  # noqa: PLR2004  (the word and the socket)
        from battle.engine.worker import main as work  # noqa: PLC0415
        from battle.rooms import load_worker_rooms  # noqa: PLC0415

        load_worker_rooms()
        work(Path(sys.argv[2]))
        return
    from battle.cli.main import run  # noqa: PLC0415  (a worker needs none of it)

    run()


if __name__ == "__main__":
    main()

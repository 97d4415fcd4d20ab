"""The guardian: a process that outlives the coordinator and undoes what it left.

It reads its standard input, a pipe that only the coordinator holds. A line "done" ends it quietly; the end of the pipe
without that line means that the coordinator is gone, even by SIGKILL: then it plays the undo journal and ends whatever
still carries the run's mark.

    python -m battle.system.guardian UNDO_JOURNAL RUN_ID
"""

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

_RUSH_S = 2.0
"""While a run starts, others need the processor more."""


class Guardian:
    """The coordinator's end of the guardian."""

    def __init__(self, journal: Path, run_id: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "battle.system.guardian", str(journal), run_id],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def dismiss(self) -> None:
        """Say that all is undone, and wait for its end."""
        self._process.communicate(b"done\n", timeout=10)


def watch(journal: Path, run_id: str) -> None:
    """Wait for the coordinator's end and clean up after it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    select.select([sys.stdin], [], [], _RUSH_S)
    from battle.system import groups, undo  # noqa: PLC0415  (slow to import: not in the rush, and before it is needed)

    while line := sys.stdin.readline():
        if line.strip() == "done":
            return
    done, failed = undo.play(journal)
    try:
        done += [f"ended pid {pid}, which had left its group" for pid in groups.end_marked(run_id)]
    except TimeoutError as error:
        failed.append(str(error))
    with journal.open("a") as file:
        file.write(json.dumps({"by": "guardian", "pid": os.getpid(), "done": done, "failed": failed}) + "\n")


if __name__ == "__main__":
    watch(Path(sys.argv[1]), sys.argv[2])

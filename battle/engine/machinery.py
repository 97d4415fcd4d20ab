"""What must be there before anything is started: the undo journal, the guardian, and a place for sockets."""

import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from battle.system.guardian import Guardian
from battle.system.launching import ProcessLauncher
from battle.system.undo import TEMPORARY_PREFIX, UndoJournal


@asynccontextmanager
async def machinery(
    undo_path: Path, run_id: str, all_mended: Callable[[], bool]
) -> AsyncIterator[tuple[ProcessLauncher, Path]]:
    """A launcher of processes that cannot be orphaned, and a directory with a short path that is emptied at the end.

    The undo journal is closed as done only when `all_mended` says so too.
    """
    journal = UndoJournal(undo_path, run_id)
    guardian = Guardian(undo_path, run_id)
    launcher = ProcessLauncher(journal, run_id)
    socket_dir = Path(tempfile.gettempdir()) / f"{TEMPORARY_PREFIX}{run_id[-6:]}-{os.getpid()}"
    step = launcher.write_undo({"do": "remove_tree", "path": str(socket_dir)})
    socket_dir.mkdir()
    clean = False
    try:
        yield launcher, socket_dir
        clean = True
    except BaseException:
        clean = True  # contexts inside have been left; what they could not end is still in the journal
        raise
    finally:
        for path in socket_dir.iterdir():
            path.unlink(missing_ok=True)
        socket_dir.rmdir()
        launcher.undone(step)
        with suppress(OSError):
            journal.close(all_undone=clean and all_mended())
        guardian.dismiss()

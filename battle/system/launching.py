"""Starting processes so that none of them can be orphaned.

A child waits at a gate before it becomes the program: a shell that reads one line. Its process group is written to
the undo journal first, then the line is sent. When the coordinator dies in between, the shell reads the end of the
pipe and exits. Every child carries the run's mark in its environment.
"""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio

from battle.core.units import NS_PER_S
from battle.errors import SetupError
from battle.system.groups import MARK, end_group, members, started_at
from battle.system.undo import UndoJournal

_GATE = 'read -r _ || exit 0; exec "$@"'
_POLL_S = 0.01


class LaunchedProcess:
    """A child in a process group of its own (core.ports.processes.Child)."""

    def __init__(self, process: "subprocess.Popen[bytes]", name: str, log: Path, journal: UndoJournal) -> None:
        self._process = process
        self._name = name
        self._log = log
        self._journal = journal
        self._started = started_at(process.pid)
        self._step = journal.write({"do": "end_group", "pid": process.pid, "started": self._started, "name": name})
        self.write_line("go")

    @property
    def pid(self) -> int:
        """Process id, and process group id."""
        return self._process.pid

    @property
    def started(self) -> float:
        """When it started, for undo steps."""
        return self._started

    @property
    def status(self) -> int | None:
        """How it ended: exit code, or minus the signal; None while it runs."""
        return self._process.poll()

    def send_signal(self, number: int) -> None:
        """Signal the process; nothing happens when it is gone."""
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    def signal_group(self, number: int) -> None:
        """Signal every process of its group; nothing happens when they are gone."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def write_line(self, line: str) -> None:
        """Write a line to its standard input. Raises BrokenPipeError when it is gone."""
        stdin = self._process.stdin
        if stdin is None:
            raise BrokenPipeError(self._name)
        stdin.write(line.encode() + b"\n")
        stdin.flush()

    async def wait(self) -> int:
        """Wait for its end; gives the status."""
        if hasattr(os, "pidfd_open"):
            with suppress(ProcessLookupError):
                descriptor = os.pidfd_open(self._process.pid)
                try:
                    await anyio.wait_readable(descriptor)
                finally:
                    os.close(descriptor)
        while (status := self.status) is None:  # noqa: ASYNC110  (no event tells of it here)
            await anyio.sleep(_POLL_S)
        return status

    async def end(self, grace_ns: int = 2 * NS_PER_S) -> None:
        """End the whole process group: SIGCONT and SIGTERM, after the grace SIGKILL. Raises TimeoutError."""
        if self.status is None or members(self.pid):
            self.signal_group(signal.SIGTERM)
            self.signal_group(signal.SIGCONT)
            with anyio.move_on_after(grace_ns / NS_PER_S, shield=True):
                await self.wait()
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(end_group, self.pid, self._started)
            self._process.wait()
            if self._process.stdin:
                with suppress(BrokenPipeError):
                    self._process.stdin.close()
            self.forget()

    def forget(self) -> None:
        """Note in the undo journal that nothing of it is left; a journal on a full disk keeps the harmless step."""
        with suppress(OSError):
            self._journal.undone(self._step)

    def last_lines(self, count: int = 15) -> str:
        """The end of what it printed."""
        try:
            return "\n".join(self._log.read_text(errors="replace").splitlines()[-count:])
        except OSError:
            return ""


class ProcessLauncher:
    """Starts children of one run (core.ports.processes.Launcher)."""

    def __init__(self, journal: UndoJournal, run_id: str) -> None:
        self._journal = journal
        self._run_id = run_id

    async def start(
        self, argv: list[str], *, name: str, log: Path, env: dict[str, str] | None = None, cwd: Path | None = None
    ) -> LaunchedProcess:
        """Start a process behind the gate. Its output is appended to `log`. Raises SetupError."""
        environment = {**os.environ, **(env or {}), MARK: self._run_id}
        try:
            with log.open("ab") as output:
                process = subprocess.Popen(  # noqa: ASYNC220  (takes about a millisecond)
                    ["/bin/sh", "-c", _GATE, "battle-gate", *argv],
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    cwd=cwd,
                    start_new_session=True,
                )
        except OSError as error:
            raise SetupError(f"{name} cannot be started: {error.strerror or error}: {argv[0]}") from error
        try:
            return LaunchedProcess(process, name, log, self._journal)
        except OSError as error:
            process.communicate()  # the gate sees the end of its input, and exits
            why = f"its undo cannot be written: {error.strerror or error}"
            raise SetupError(f"{name} is not started, since {why}") from error

    def write_undo(self, step: dict[str, Any]) -> int:
        """Write an undo step to disk before the thing is done; gives its number. Raises OSError."""
        return self._journal.write(step)

    def undone(self, number: int) -> None:
        """Note that this step was carried out."""
        with suppress(OSError):
            self._journal.undone(number)

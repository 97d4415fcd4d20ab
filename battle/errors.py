"""Every error battle raises on purpose, and the exit code each one ends in.

BattleError                     70  something battle did not foresee
├── UsageError                   2  the command line asks for what cannot be
│   ├── ScenarioError            2  the scenario has mistakes; carries all of them
│   └── EvidenceError            2  a stored run is missing, incomplete or damaged
├── SetupError                   4  a component did not start
│   └── MissingDependency        4  a package or binary is absent; the hint says how to get it
├── RollbackError                5  something may still be disturbed
└── Stopped                    130  a signal ended the run (143 for SIGTERM)
"""

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path


class ExitCode(IntEnum):
    """How `battle` ends; the only place where these numbers are written down."""

    PASS = 0
    FAIL = 1
    USAGE = 2
    INCONCLUSIVE = 3
    SETUP_FAILED = 4
    ROLLBACK_FAILED = 5
    INTERNAL = 70
    INTERRUPTED = 130
    TERMINATED = 143


class BattleError(Exception):
    """The root of all errors raised on purpose. `hint` says what to do about it."""

    exit_code: ExitCode = ExitCode.INTERNAL

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(BattleError):
    """The command line asks for something that cannot be."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a scenario: where it stands, what is wrong and what to do. Line and column count from 1."""

    message: str
    file: Path | None = None
    line: int | None = None
    column: int | None = None
    hint: str | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        text = f"{place}: {self.message}" if place else self.message
        return f"{text} ({self.hint})" if self.hint else text


class ScenarioError(UsageError):
    """A scenario with mistakes; `problems` holds all of them, in the order of the file."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class EvidenceError(UsageError):
    """A stored run that is missing, incomplete or damaged."""


class SetupError(BattleError):
    """A component did not start. `log` holds its last lines."""

    exit_code = ExitCode.SETUP_FAILED

    def __init__(self, message: str, *, hint: str | None = None, log: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.log = log


class MissingDependency(SetupError):  # noqa: N818  (named for what it reports)
    """A package or a binary is absent."""


class RollbackError(BattleError):
    """An undo failed or could not be verified: something may still be disturbed."""

    exit_code = ExitCode.ROLLBACK_FAILED


class Stopped(BattleError):  # noqa: N818  (not a failure: somebody asked)
    """A signal ended the run before its end."""

    def __init__(self, signal_name: str) -> None:
        super().__init__(f"stopped by {signal_name}")
        self.signal_name = signal_name
        self.exit_code = ExitCode.TERMINATED if signal_name == "SIGTERM" else ExitCode.INTERRUPTED

"""All runs under one directory: making a new one, finding one again, listing them."""

import difflib
import errno
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from battle.core.verdict import Verdict
from battle.errors import EvidenceError, SetupError, UsageError
from battle.store.reading import StoredEvidence, read_head
from battle.store.run_dir import RunDir
from battle.store.writing import reason

LATEST = "latest"
_RUN_ID = re.compile(r"\d{8}T\d{6}Z-[a-z0-9-]+-[0-9a-f]{6}")
_SLUG_CHARS = 40
_USER_CAN_MEND = {errno.EEXIST, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EROFS}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of `battle list`. `problem` says why there is no verdict."""

    run_dir: RunDir
    scenario: str
    started_at: str
    verdict: Verdict | None = None
    ended: str | None = None
    problem: str | None = None

    @property
    def run_id(self) -> str:
        """The run's name."""
        return self.run_dir.run_id


class Store:
    """The directory that holds the runs, `reports/` unless the user says otherwise."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def create(self, name: str, now: datetime, random_hex: str) -> RunDir:
        """Make the directory of a new run of the scenario with this name.

        `now` dates it, `random_hex` (6 digits) sets it apart from runs of the same second. Raises UsageError when the
        place cannot be written, SetupError when the disk is full or failing.
        """
        run_id = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{slug(name)}-{random_hex}"
        run_dir = RunDir(self.root / run_id)
        try:
            run_dir.raw_dir.mkdir(parents=True)
        except OSError as error:
            message = f"the run directory {run_dir.path} could not be made: {reason(error)}"
            kind = UsageError if error.errno in _USER_CAN_MEND else SetupError
            raise kind(message, hint=self._remedy(error)) from error
        return run_dir

    def _remedy(self, error: OSError) -> str:
        in_the_way = next(
            (part for part in (self.root, *self.root.parents) if part.exists() and not part.is_dir()), None
        )
        if in_the_way is not None:
            return f"{in_the_way} is a file; move it away, or choose another directory with --out"
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            return f"make {self.root} writable, or choose another directory with --out"
        return "choose another directory with --out"

    def find(self, wanted: str) -> RunDir:
        """The run that a text names: "latest", a run id, the beginning of one or its last digits, or a path.

        Raises EvidenceError with the nearest known runs.
        """
        if wanted == LATEST:
            return self._latest()
        run_ids = self.run_ids()
        if wanted in run_ids:
            return RunDir(self.root / wanted)
        if wanted and (path := _run_path(Path(wanted))) is not None:
            return RunDir(path)
        matches = [run_id for run_id in run_ids if wanted and (run_id.startswith(wanted) or run_id.endswith(wanted))]
        if len(matches) == 1:
            return RunDir(self.root / matches[0])
        if matches:
            raise EvidenceError(f"{wanted!r} names {len(matches)} runs", hint=f"one of: {', '.join(matches[:5])}")
        raise EvidenceError(f"there is no run {wanted!r} in {self.root}", hint=_suggest(wanted, run_ids))

    def load(self, wanted: str | RunDir) -> StoredEvidence:
        """What a run left for its judgement. Raises EvidenceError."""
        return (self.find(wanted) if isinstance(wanted, str) else wanted).load()

    def list(self) -> tuple[Entry, ...]:
        """All runs, the newest first. A damaged one is listed with its problem."""
        return tuple(_entry(RunDir(self.root / run_id)) for run_id in self.run_ids())

    def run_ids(self) -> tuple[str, ...]:
        """The names of all runs, the newest first."""
        return tuple(sorted(self._run_ids(), reverse=True))

    def _run_ids(self) -> Iterator[str]:
        try:
            for path in self.root.iterdir():
                if _RUN_ID.fullmatch(path.name) and path.is_dir():
                    yield path.name
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise EvidenceError(f"{self.root} cannot be read: {reason(error)}") from error

    def _latest(self) -> RunDir:
        link = self.root / LATEST
        if link.is_dir():
            return RunDir(link.resolve())
        if link.is_file() and (self.root / (named := link.read_text().strip())).is_dir() and named:
            return RunDir(self.root / named)
        run_ids = self.run_ids()
        if not run_ids:
            raise EvidenceError(
                f"there are no runs in {self.root}", hint="start one: battle run scenarios/failover.yaml"
            )
        return RunDir(self.root / run_ids[0])


def slug(name: str) -> str:
    """A scenario's name as part of a run id: lower-case letters, digits and hyphens, never empty."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_SLUG_CHARS].rstrip("-") or "run"


def _run_path(path: Path) -> Path | None:
    """The run directory that a path names, itself or one of its files."""
    directory = path.parent if path.is_file() else path
    is_run = any((directory / name).is_file() for name in ("run.json", "scenario.yaml", "events.jsonl", "undo.jsonl"))
    return directory.resolve() if path.exists() and is_run else None


def _suggest(wanted: str, run_ids: tuple[str, ...]) -> str:
    if wanted and Path(wanted).is_dir():
        return f"{wanted} is a directory, but it holds neither run.json nor scenario.yaml"
    if not run_ids:
        return "there are no runs yet; start one: battle run scenarios/failover.yaml"
    near = [run_id for run_id in run_ids if wanted and wanted in run_id] or difflib.get_close_matches(wanted, run_ids)
    return f"did you mean {' or '.join(near[:3])}?" if near else f"the newest is {run_ids[0]}; battle list shows all"


def _entry(run_dir: RunDir) -> Entry:
    moment, _, rest = run_dir.run_id.partition("-")
    started_at = re.sub(r"(....)(..)(..)T(..)(..)(..)Z", r"\1-\2-\3T\4:\5:\6Z", moment)
    name = rest.rpartition("-")[0]
    if not run_dir.run_path.exists():
        return Entry(run_dir, name, started_at, problem="ended before it was judged")
    try:
        head = read_head(run_dir.run_path)
        return Entry(run_dir, head["scenario"]["name"], head["started_at"], Verdict(head["verdict"]), head.get("ended"))
    except EvidenceError as error:
        return Entry(run_dir, name, started_at, problem=error.message.removeprefix(f"{run_dir.path}/"))
    except (KeyError, TypeError, ValueError):
        return Entry(run_dir, name, started_at, problem="run.json is damaged: it names no scenario or verdict")

"""Reading a run directory back, and saying clearly what is missing or damaged."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from pydantic import ValidationError

from battle.core.journal import Event
from battle.core.record_source import RecordSource
from battle.core.records import ATTEMPT, REQUEST
from battle.core.run import SCHEMA_VERSION, Run
from battle.errors import EvidenceError
from battle.store.record_files import RecordFile, damaged
from battle.store.writing import reason


@dataclass(frozen=True, slots=True)
class StoredEvidence:
    """Everything that a run left for its judgement. The records stay on the disk, to be read piece by piece."""

    run_id: str
    scenario_text: str
    requests: RecordSource
    attempts: RecordSource
    events: list[Event]


def read_evidence(path: Path) -> StoredEvidence:
    """The evidence in a run directory. Raises EvidenceError."""
    run_json = path / "run.json"
    if run_json.exists():
        _check_version(run_json, _read_object(run_json))
    return StoredEvidence(
        path.name,
        read_text(path / "scenario.yaml"),
        _read_records(path / "requests.npy", REQUEST),
        _read_records(path / "attempts.npy", ATTEMPT),
        read_events(path / "events.jsonl"),
    )


def read_run(path: Path) -> Run:
    """The document run.json. Raises EvidenceError."""
    content = _read_object(path)
    _check_version(path, content)
    try:
        return Run.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        raise damaged(path, f"{place}: {first['msg']}") from error


def read_head(path: Path) -> dict[str, Any]:
    """run.json as it stands, only its version checked. Raises EvidenceError."""
    content = _read_object(path)
    _check_version(path, content)
    return content


def read_text(path: Path) -> str:
    """A text file of the run. Raises EvidenceError."""
    try:
        return _read(path).decode()
    except UnicodeDecodeError as error:
        raise damaged(path, "it is not text in UTF-8") from error


def read_events(path: Path) -> list[Event]:
    """The journal. Raises EvidenceError, also when its last line was cut off."""
    content = _read(path)
    *lines, rest = content.split(b"\n")
    if rest:
        raise damaged(path, f"it ends in the middle of line {len(lines) + 1}")
    events = []
    for number, line in enumerate(lines, 1):
        try:
            events.append(Event.from_json(orjson.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise damaged(path, f"line {number} is no event ({error})") from error
    return events


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise EvidenceError(f"{path} is missing", hint=_what_is_missing(path)) from error
    except OSError as error:
        raise EvidenceError(f"{path} cannot be read: {reason(error)}") from error


def _what_is_missing(path: Path) -> str:
    if path.name == "run.json":
        return f"the run was ended before it was judged; judge what it left: battle judge {path.parent.name}"
    return "the run was ended before it was saved, or the file was deleted; without it the run cannot be judged"


def _read_object(path: Path) -> dict[str, Any]:
    try:
        content = orjson.loads(_read(path))
    except orjson.JSONDecodeError as error:
        raise damaged(path, f"it is not JSON ({error})") from error
    if not isinstance(content, dict):
        raise damaged(path, "it is not a JSON object")
    return content


def _check_version(path: Path, content: dict[str, Any]) -> None:
    version = content.get("schema_version")
    if not isinstance(version, int):
        raise damaged(path, "it has no schema_version")
    if version > SCHEMA_VERSION:
        raise EvidenceError(
            f"{path} was written by a newer battle: its schema is {version}, this one reads up to {SCHEMA_VERSION}",
            hint="pip install --upgrade battle",
        )


def _read_records(path: Path, layout: np.dtype[np.void]) -> RecordFile:
    try:
        return RecordFile(path, layout)
    except FileNotFoundError as error:
        raise EvidenceError(f"{path} is missing", hint=_what_is_missing(path)) from error
    except OSError as error:
        raise EvidenceError(f"{path} cannot be read: {reason(error)}") from error

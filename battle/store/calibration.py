"""The calibration of the load generator, stored beside the runs: reports/calibration.json."""

from pathlib import Path

import orjson
from pydantic import ValidationError

from battle.core.calibration import Calibration
from battle.errors import UsageError
from battle.store.writing import reason, write_bytes

FILE_NAME = "calibration.json"


def make_place(root: Path) -> None:
    """Make the directory, before an effort that would be in vain without it. Raises UsageError."""
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{root} cannot be made: {reason(error)}", hint="choose another place with --out") from error


def save_calibration(root: Path, found: Calibration) -> Path:
    """Write it, in place of the one before; gives its path. Raises SaveError."""
    path = root / FILE_NAME
    write_bytes(path, orjson.dumps(found.model_dump(mode="json"), option=orjson.OPT_INDENT_2) + b"\n")
    return path


def load_calibration(root: Path) -> Calibration | None:
    """The stored one; None when there is none, or none that this version can read."""
    try:
        return Calibration.model_validate_json((root / FILE_NAME).read_bytes())
    except (OSError, ValidationError):
        return None

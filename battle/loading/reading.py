"""Bytes on disk -> text, with a clear word for everything that is not a scenario."""

from pathlib import Path

from battle.loading.mistakes import Mistakes
from battle.loading.nodes import Mark

MAX_BYTES = 1_000_000


def read_text(path: Path, mistakes: Mistakes, asked_at: Mark | None = None) -> str:
    """The text of a scenario file. Raises ScenarioError; `asked_at` is the place that names the file, if any."""
    mark = asked_at or Mark(path, 1, 1)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        message, hint = _why_not(path, error)
        if asked_at is None:
            mistakes.add_usage(message, hint)
        else:
            mistakes.add(mark, message, hint)
        raise mistakes.error() from error
    except ValueError as error:
        mistakes.add(mark, f"{str(path)!r} cannot be the name of a file")
        raise mistakes.error() from error
    if len(content) > MAX_BYTES:
        mistakes.add(Mark(path, 1, 1), "the file is over 1 MB; a scenario is smaller", "is it the right file?")
        raise mistakes.error()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        mistakes.add(Mark(path, line, column), "the file is not UTF-8 text", "save it as UTF-8")
        raise mistakes.error() from error


def _why_not(path: Path, error: OSError) -> tuple[str, str | None]:
    if isinstance(error, FileNotFoundError):
        near = sorted(found.name for found in path.parent.glob("*.y*ml")) if path.parent.is_dir() else []
        return f"{path} does not exist", f"{path.parent} holds {', '.join(near[:8])}" if near else None
    if isinstance(error, IsADirectoryError):
        return f"{path} is a directory, not a scenario", "name a file in it"
    return f"{path} cannot be read: {error.strerror or error}", None

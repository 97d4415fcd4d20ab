"""Collecting every mistake of a scenario, and saying what was probably meant."""

import difflib
from collections.abc import Iterable

from battle.errors import Problem, ScenarioError
from battle.loading.nodes import Mark

SHORTEST_SECRET = 3
_MOST_LISTED = 16
_SHORTEST_START = 3


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, None when none is close."""
    names = list(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    longer = [name for name in names if len(word) >= _SHORTEST_START and name.startswith(word)]
    return next(iter((*close, *longer)), None)


def suggestion(word: str, known: Iterable[str], *, what: str = "known") -> str | None:
    """A hint for an unknown word: the nearest known one, else all when they are few. None when nothing is known."""
    names = list(known)
    close = nearest(word, names)
    if close:
        return f"did you mean {close!r}?"
    return f"{what}: {', '.join(names)}" if 0 < len(names) <= _MOST_LISTED else None


class Mistakes:
    """The mistakes found so far. A place that was settled takes no more: what follows from a mistake is not another."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.secrets: set[str] = set()
        self._settled: set[Mark] = set()
        self._files: dict[object, int] = {}

    def add(self, mark: Mark, message: str, hint: str | None = None) -> None:
        """Note a mistake; the same one at the same place counts once."""
        if mark in self._settled:
            return
        self._files.setdefault(mark.file, len(self._files))
        problem = Problem(self._mask(message), mark.file, mark.line, mark.column, self._mask(hint) if hint else None)
        if problem not in self.problems:
            self.problems.append(problem)

    def settle(self, mark: Mark) -> None:
        """Take no more mistakes at this place."""
        self._settled.add(mark)

    def add_usage(self, message: str, hint: str | None = None) -> None:
        """Note a mistake of the command line, which has no place in a file."""
        self.problems.append(Problem(message, hint=hint))

    def raise_any(self) -> None:
        """Raise ScenarioError with all mistakes, in the order of the file, when there are any."""
        if self.problems:
            raise self.error()

    def error(self) -> ScenarioError:
        """All mistakes as the error to raise."""
        return ScenarioError(
            sorted(self.problems, key=lambda p: (p.line is not None, self._files.get(p.file, 0), p.line, p.column))
        )

    def _mask(self, text: str) -> str:
        for secret in sorted(self.secrets, key=len, reverse=True):
            if len(secret) >= SHORTEST_SECRET:
                text = text.replace(secret, "***")
        return text

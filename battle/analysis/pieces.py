"""Going through long arrays a piece at a time, so that what is computed on the way stays small."""

from collections.abc import Iterator

from battle.core.record_source import PIECE


def slices(count: int, size: int = PIECE) -> Iterator[slice]:
    """The slices of at most `size` that make up 0 … count."""
    for first in range(0, count, size):
        yield slice(first, min(first + size, count))

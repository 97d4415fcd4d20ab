"""One worker's share of a run: every N-th of whatever is numbered from 0."""

from dataclasses import dataclass

MOST_WORKERS = 64
"""More than this on one machine is a slip of the finger."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Share number `index`, from 0, `of` so many. Number k belongs to share k mod `of`."""

    index: int = 0
    of: int = 1

    def part(self, total: int) -> int:
        """How many of the numbers below `total` are its own: the remainder goes to the first shares."""
        return len(range(self.index, total, self.of))


WHOLE = Shard()
"""The share of the only worker: everything."""

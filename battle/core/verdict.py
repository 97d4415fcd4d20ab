"""The three-valued verdict, and how several of them add up."""

from collections.abc import Iterable
from enum import StrEnum

from battle.errors import ExitCode


class Verdict(StrEnum):
    """What the evidence says: it held, it broke, or it cannot be known."""

    PASS = "pass"  # noqa: S105  (no password)
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of a run that ends in this verdict."""
        return {"pass": ExitCode.PASS, "fail": ExitCode.FAIL, "inconclusive": ExitCode.INCONCLUSIVE}[self.value]


_WORST_FIRST = (
    ExitCode.ROLLBACK_FAILED,
    ExitCode.INTERNAL,
    ExitCode.TERMINATED,
    ExitCode.INTERRUPTED,
    ExitCode.SETUP_FAILED,
    ExitCode.USAGE,
    ExitCode.FAIL,
    ExitCode.INCONCLUSIVE,
    ExitCode.PASS,
)


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """The exit code of several runs: the worst, in the order 5 > 70 > (signals) > 4 > 2 > 1 > 3 > 0."""
    return min(codes, key=_WORST_FIRST.index, default=ExitCode.PASS)

"""The report's tables, free of any format: a title row, and rows of text."""

from dataclasses import dataclass

from battle.core.run import FaultResult, OccurrenceResult, Run
from battle.reporters import wording as say

MANY = 2


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells. A column whose name begins with ">" holds numbers, which stand to the right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def names(self) -> list[str]:
        """The columns' names."""
        return [name.removeprefix(">") for name in self.columns]

    @property
    def to_the_right(self) -> list[bool]:
        """Whether each column holds numbers."""
        return [name.startswith(">") for name in self.columns]


def objectives(run: Run) -> Table:
    """Each objective: required, found, from how many samples, and its status."""
    rows = [
        (
            say.one_line(result.objective),
            say.where(result),
            say.required(result),
            say.actual(result),
            say.count(result.samples),
            say.status(result),
        )
        for result in run.slo_results
    ]
    return Table(("Objective", "Window", ">Required", ">Actual", ">Samples", "Status"), tuple(rows))


def fault_instants(run: Run) -> Table:
    """Each fault's four instants, from t0, and whether they were seen on the data path."""
    rows = [
        (say.one_line(fault.name), fault.kind, targets(fault), *_instants(fault), seen(fault))
        for fault in run.analysis.faults
    ]
    columns = ("Fault", "Kind", "Target", ">Injected", ">Effective", ">Rolled back", ">Cleared", "Seen")
    return Table(columns, tuple(rows))


def fault_costs(run: Run) -> Table:
    """What each fault cost."""
    rows = [
        (
            say.one_line(fault.name),
            say.count(fault.requests_touched),
            say.count(fault.requests_failed),
            say.duration(fault.time_to_effect_ms),
            say.duration(fault.detection_ms),
            say.duration(fault.recovery_ms),
            say.duration(fault.return_ms),
        )
        for fault in run.analysis.faults
    ]
    columns = (">Touched", ">Failed", ">Time to effect", ">Detection", ">Recovery", ">Return")
    return Table(("Fault", *columns), tuple(rows))


def occurrences(fault: FaultResult) -> Table:
    """Each injection of a fault that came more than once, or on more than one target."""
    rows = [
        (str(once.occurrence + 1), say.one_line(once.target), *_instants(once), seen(once), say.one_line(detail(once)))
        for once in fault.occurrences
    ]
    columns = (">#", "Target", ">Injected", ">Effective", ">Rolled back", ">Cleared", "Seen", "What was seen")
    return Table(columns, tuple(rows))


def detail(once: OccurrenceResult) -> str:
    """What the probe saw, or why it saw nothing."""
    return once.why or once.seen or say.UNKNOWN


def targets(fault: FaultResult) -> str:
    """The fault's targets in one cell."""
    return say.one_line(", ".join(fault.targets)) or say.UNKNOWN


def seen(fault: FaultResult | OccurrenceResult) -> str:
    """Whether the effect and its end were seen."""
    if fault.injected_at_ms is None:
        return "never injected"
    if fault.verified is None:
        return "not verified by request"
    if not fault.verified:
        return "✗ effect not seen"
    if fault.cleared is False:
        return "✗ end not seen"
    return "✓ effect and end" if fault.cleared else "✓ effect"


def _instants(fault: FaultResult | OccurrenceResult) -> tuple[str, str, str, str]:
    return (
        say.instant(fault.injected_at_ms),
        say.instant(fault.effective_at_ms),
        say.instant(fault.rolled_back_at_ms),
        say.instant(fault.cleared_at_ms),
    )

"""The evidence of one run, as the analysis reads it: requests, attempts, events and the scenario."""

from dataclasses import dataclass, field
from functools import cached_property

from battle.analysis.columns import Columns, columns_of
from battle.core.journal import Event, EventKind
from battle.core.record_source import PIECE, RecordSource
from battle.core.records import Attempts, Requests
from battle.core.scenario import Scenario
from battle.errors import EvidenceError


@dataclass(frozen=True)
class Evidence:
    """All records of a run. `requests` has dtype REQUEST, sorted by key; `attempts` dtype ATTEMPT, in any order.

    Each of both is an array, or a source that tells its records a piece at a time.
    `piece` says how many are looked at together; no number depends on it. `run_id`, `environment` and `sha256` (of
    scenario.yaml) travel along for the document.
    """

    run_id: str
    scenario: Scenario
    requests: Requests | RecordSource
    attempts: Attempts | RecordSource
    events: list[Event]
    sha256: str = ""
    environment: dict[str, object] = field(default_factory=dict)
    piece: int = PIECE

    def of_kind(self, *kinds: EventKind) -> list[Event]:
        """Events of these kinds, in order."""
        return [event for event in self.events if event.kind in kinds]

    def first(self, kind: EventKind) -> Event | None:
        """The first event of a kind, None when there was none."""
        return next((event for event in self.events if event.kind is kind), None)

    @cached_property
    def columns(self) -> Columns:
        """The requests as columns, read once."""
        return columns_of(self.requests, self.piece)

    @cached_property
    def t0_ns(self) -> int:
        """The end of the warm-up. Raises EvidenceError when the load never started."""
        started = self.first(EventKind.LOAD_STARTED)
        if started is None:
            raise EvidenceError("the run ended before its load started, so there is nothing to analyse")
        return int(started.fields["t0_ns"])

    @cached_property
    def end_ns(self) -> int:
        """The end of the load: planned, or earlier when the run was ended early."""
        started, ended = self.first(EventKind.LOAD_STARTED), self.first(EventKind.LOAD_ENDED)
        planned = int(started.fields["planned_end_ns"]) if started else self.t0_ns
        return min(planned, ended.at_ns) if ended else max([planned, self.t0_ns])

    @cached_property
    def workers(self) -> int:
        """How many processes sent the load."""
        started = self.first(EventKind.LOAD_STARTED)
        return max(1, len(started.fields.get("worker_pids", ()))) if started else 1

    @cached_property
    def key_base(self) -> int:
        """The first key of the run."""
        started = self.first(EventKind.RUN_STARTED)
        return int(started.fields["key_base"]) if started else 0

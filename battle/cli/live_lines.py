"""A run told in lines, for logs and for whoever has no terminal: one every few seconds, and one for every event."""

from typing import Self, TextIO

from battle.core.live import Happening, Snapshot
from battle.core.units import NS_PER_S
from battle.reporters import wording as say


class LineView:
    """Writes lines to a stream. Time is the snapshots' own, so a pause of the engine makes no noise."""

    def __init__(self, title: str, out: TextIO, *, every_ns: int = 3 * NS_PER_S) -> None:
        self._title = title
        self._out = out
        self._every_ns = every_ns
        self._due_ns: int | None = None
        self._stage: str | None = None
        self._told: set[Happening] = set()

    def __enter__(self) -> Self:
        self._write(self._title)
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing is left to do: every line was complete."""

    def update(self, snapshot: Snapshot) -> None:
        """Tell what is new, and how it stands when a line is due."""
        if snapshot.stage != self._stage:
            self._stage = snapshot.stage
            self._write(f"{_at(snapshot, snapshot.now_ns)} {snapshot.stage}")
        for event in snapshot.events:
            if event not in self._told:
                self._told.add(event)
                self._write(f"{_at(snapshot, event.at_ns)} {say.one_line(event.text)}")
        if snapshot.start_ns is None:
            return
        if self._due_ns is None:
            self._due_ns = snapshot.start_ns + self._every_ns
        if snapshot.now_ns >= self._due_ns:
            self._due_ns += ((snapshot.now_ns - self._due_ns) // self._every_ns + 1) * self._every_ns
            self._write(f"{_at(snapshot, snapshot.now_ns)} {figures(snapshot)}")

    def _write(self, line: str) -> None:
        encoding = getattr(self._out, "encoding", None) or "utf-8"
        try:
            self._out.write(line.encode(encoding, "replace").decode(encoding) + "\n")
            self._out.flush()
        except (OSError, ValueError):
            return  # whoever listened is gone; the run goes on


def figures(snapshot: Snapshot) -> str:
    """How the run stands, on one line."""
    times = " ".join(
        f"{name} {say.duration(None if value is None else value / 1e6)}"
        for name, value in (("p50", snapshot.p50_ns), ("p95", snapshot.p95_ns), ("p99", snapshot.p99_ns))
    )
    counts = f"{say.count(snapshot.ok)} ok, {say.count(snapshot.failed)} failed, {say.count(snapshot.dropped)} dropped"
    return (
        f"{say.rate(snapshot.done_per_s)} of {say.rate(snapshot.planned_per_s)}, success "
        f"{say.share(snapshot.success_rate)} ({counts}), {times}, {snapshot.in_flight} in flight"
    )


def _at(snapshot: Snapshot, at_ns: int) -> str:
    seconds = snapshot.seconds_from_t0(at_ns)
    return f"[{'' if seconds is None else f'{seconds:.1f} s'.replace('-', '−'):>8}]"

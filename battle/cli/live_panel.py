"""The picture of a running test: pure, from a snapshot and a size to lines of text."""

from collections.abc import Sequence

from rich.text import Text

from battle.core.live import FaultStage, FaultState, ProviderCondition, ProviderState, Snapshot
from battle.core.units import NS_PER_S
from battle.reporters import wording as say

_LABEL_CHARS = 16
_STATE_CHARS = 14
_CONDITION_STYLE = {
    ProviderCondition.UP: "green",
    ProviderCondition.DOWN: "bold red",
    ProviderCondition.PAUSED: "bold yellow",
    ProviderCondition.FAULTED: "bold yellow",
    ProviderCondition.OPEN: "yellow",
}
_STAGE_STYLE = {
    FaultStage.PLANNED: "dim",
    FaultStage.INJECTING: "yellow",
    FaultStage.EFFECTIVE: "bold red",
    FaultStage.UNVERIFIED: "bold yellow",
    FaultStage.ROLLING_BACK: "yellow",
    FaultStage.CLEARED: "green",
}
_MIN_WIDTH = 30
_MIN_BAR_CHARS = 4
_COLUMNS_FROM = 60
"""Below this width figures follow each other without columns."""


def draw(title: str, snapshot: Snapshot, width: int, height: int) -> list[Text]:
    """At most `height` lines of at most `width` characters. When room is short, the events go first, then the gaps."""
    width = max(width, _MIN_WIDTH)
    names = [provider.name for provider in snapshot.providers] + [fault.name for fault in snapshot.faults]
    label = min(max(map(len, [*names, "last second"])), _LABEL_CHARS)
    head = [_title(title, snapshot, width), _progress(snapshot, width)]
    figures = _figures(snapshot, label, width) if snapshot.start_ns is not None else []
    providers = [_provider(provider, label, width) for provider in snapshot.providers]
    faults = _faults(snapshot, label, width)
    happenings = [_happening(snapshot, event.at_ns, event.text) for event in reversed(snapshot.events)]
    lines = _fit([head, figures, providers, faults], happenings, height)
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines


def _fit(sections: Sequence[list[Text]], happenings: list[Text], height: int) -> list[Text]:
    """Sections with a gap between them, the newest events in the room that is left; all cut to the height."""
    present = [section for section in sections if section]
    spaced = [line for section in present for line in (*section, Text(""))]
    tight = [line for section in present for line in section]
    room = height - len(spaced)
    if room > 0:
        return [*spaced, *reversed(happenings[:room])]
    if len(tight) <= height:
        return tight
    kept = tight[: max(1, height - 1)]
    return [*kept, Text(f"… {len(tight) - len(kept)} more lines", style="dim")][:height]


def _title(title: str, snapshot: Snapshot, width: int) -> Text:
    left = Text(say.one_line(title), style="bold")
    right = Text(snapshot.stage, style="cyan")
    clock = _clock(snapshot)
    if clock:
        right.append(f"  {clock}", style="default")
    left.truncate(max(4, width - right.cell_len - 2), overflow="ellipsis")
    left.append(" " * max(1, width - left.cell_len - right.cell_len))
    return left.append_text(right)


def _clock(snapshot: Snapshot) -> str:
    if snapshot.start_ns is None or snapshot.end_ns is None:
        return ""
    passed = min(snapshot.now_ns, snapshot.end_ns) - snapshot.start_ns
    return f"{max(0, passed) / NS_PER_S:.0f} s of {(snapshot.end_ns - snapshot.start_ns) / NS_PER_S:.0f} s"


def _progress(snapshot: Snapshot, width: int) -> Text:
    share = snapshot.progress
    room = width - 6
    done = round((share or 0) * room)
    bar = Text("━" * done, style="cyan").append("─" * (room - done), style="dim")
    return bar.append("      " if share is None else f"{share:>5.0%} ")


def _figures(snapshot: Snapshot, label: int, width: int) -> list[Text]:
    rates = f"{say.rate(snapshot.done_per_s)} of {say.rate(snapshot.planned_per_s)}"
    in_flight = f"{say.count(snapshot.in_flight)} in flight"
    lost = f"{say.count(snapshot.failed)} failed, {say.count(snapshot.dropped)} dropped"
    times = [f"{name} {_time(value)}" for name, value in _percentiles(snapshot)]
    rows = [
        ("rate", [rates, in_flight, f"send lag p99 {_time(snapshot.send_lag_p99_ns)}"], ""),
        (
            "success",
            [say.share(snapshot.success_rate), f"{say.count(snapshot.ok)} ok", lost],
            "red" if snapshot.failed or snapshot.dropped else "",
        ),
        ("last second", times, ""),
    ]
    cell = min(24, (width - label) // 3 - 2) if width >= _COLUMNS_FROM else 0
    return [_row(name, cells, label, cell, style) for name, cells, style in rows]


def _percentiles(snapshot: Snapshot) -> list[tuple[str, float | None]]:
    return [("p50", snapshot.p50_ns), ("p95", snapshot.p95_ns), ("p99", snapshot.p99_ns)]


def _row(name: str, cells: list[str], label: int, cell: int, last_style: str) -> Text:
    line = Text().append(name.ljust(label + 1), style="dim")
    for index, text in enumerate(cells):
        is_last = index == len(cells) - 1
        line.append(text if is_last else text.ljust(cell) + "  ", style=last_style if is_last else "")
    return line


def _time(ns: float | None) -> str:
    return say.duration(None if ns is None else ns / 1e6)


def _provider(provider: ProviderState, label: int, width: int) -> Text:
    style = _CONDITION_STYLE[provider.state]
    room = max(_MIN_BAR_CHARS, width - label - _STATE_CHARS - 10)
    line = _label(provider.name, label)
    filled = round((provider.share_last_s or 0) * room)
    line.append("━" * filled, style="cyan" if provider.state is ProviderCondition.UP else "yellow")
    line.append("─" * (room - filled), style="dim")
    share = say.UNKNOWN if provider.share_last_s is None else f"{provider.share_last_s:.0%}"
    line.append(f" {share:>5}  ").append(provider.state, style=style)
    return line.append(f" {say.one_line(provider.note)}", style="dim") if provider.note else line


def _faults(snapshot: Snapshot, label: int, width: int) -> list[Text]:
    if not snapshot.faults:
        return []
    room = max(_MIN_BAR_CHARS, width - label - _STATE_CHARS - 3)
    lines = [_fault(fault, snapshot, label, room) for fault in snapshot.faults]
    return [*lines, _axis(snapshot, label, room)] if snapshot.start_ns is not None else lines


def _fault(fault: FaultState, snapshot: Snapshot, label: int, room: int) -> Text:
    line = _label(fault.name, label)
    cells = [("─", "dim")] * room
    _paint(cells, snapshot, fault.planned_from_ns, fault.planned_to_ns, ("┅", "yellow"))
    until = fault.cleared_ns if fault.cleared_ns is not None else snapshot.now_ns
    if fault.effective_ns is not None:
        is_over = fault.cleared_ns is not None
        _paint(cells, snapshot, fault.effective_ns, until, ("━", "red" if is_over else "bold red"))
    if (now := _column(snapshot, snapshot.now_ns, room)) is not None:
        cells[now] = ("┃", "bold cyan")
    for mark, style in cells:
        line.append(mark, style=style)
    line.append("  ").append(fault.state, style=_STAGE_STYLE[fault.state])
    return line


def _paint(
    cells: list[tuple[str, str]], snapshot: Snapshot, from_ns: int | None, to_ns: int | None, cell: tuple[str, str]
) -> None:
    if from_ns is None:
        return
    last = snapshot.end_ns if to_ns is None else to_ns
    if last is None:
        return
    first, end = _column(snapshot, from_ns, len(cells)), _column(snapshot, last, len(cells))
    if first is not None and end is not None:
        cells[first : end + 1] = [cell] * (end + 1 - first)


def _column(snapshot: Snapshot, at_ns: int, room: int) -> int | None:
    """The column of an instant on the run's time axis, kept inside it."""
    if snapshot.start_ns is None or snapshot.end_ns is None or snapshot.end_ns <= snapshot.start_ns:
        return None
    share = (at_ns - snapshot.start_ns) / (snapshot.end_ns - snapshot.start_ns)
    return min(room - 1, max(0, int(share * room)))


def _axis(snapshot: Snapshot, label: int, room: int) -> Text:
    """Marks at t0 and at the end, and at the cursor the time that has passed since t0."""
    marks = [" "] * room
    zero = snapshot.t0_ns if snapshot.t0_ns is not None else snapshot.start_ns
    ends = [(at, text) for at, text in ((zero, "t0"), (snapshot.end_ns, _from_t0(snapshot, snapshot.end_ns))) if text]
    now = _from_t0(snapshot, min(snapshot.now_ns, snapshot.end_ns or snapshot.now_ns))
    for at_ns, text in ((snapshot.now_ns, now), *ends):
        column = None if at_ns is None else _column(snapshot, at_ns, room)
        if column is None:
            continue
        first = min(column, room - len(text))
        around = marks[max(0, first - 1) : first + len(text) + 1]
        if first >= 0 and all(mark == " " for mark in around):
            marks[first : first + len(text)] = list(text)
    return Text(" " * (label + 1) + "".join(marks).rstrip(), style="dim")


def _from_t0(snapshot: Snapshot, at_ns: int | None) -> str:
    seconds = None if at_ns is None else snapshot.seconds_from_t0(at_ns)
    return "" if seconds is None else f"{seconds:.0f} s".replace("-", "−")


def _label(name: str, label: int) -> Text:
    name = say.one_line(name)
    return Text((name if len(name) <= label else f"{name[: label - 1]}…").ljust(label + 1))


def _happening(snapshot: Snapshot, at_ns: int, text: str) -> Text:
    seconds = snapshot.seconds_from_t0(at_ns)
    at = "" if seconds is None else f"{seconds:.1f} s".replace("-", "−")
    return Text().append(f"{at:>9}  ", style="dim").append(say.one_line(text))

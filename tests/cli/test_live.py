import io
import os
import pty
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from battle.cli.live import LiveView, QuietView, view_for
from battle.cli.live_lines import LineView
from battle.cli.live_panel import draw
from battle.core.live import FaultStage, FaultState, Happening, ProviderCondition, ProviderState, Snapshot, View
from battle.core.units import NS_PER_S
from battle.reporters.wording import UNKNOWN

S = NS_PER_S
EVENTS = (
    Happening(1 * S, "alpha started"),
    Happening(11 * S, "kill-alpha: effective, refused after 0 ms"),
    Happening(12 * S, "alpha out of rotation"),
)


def fault(stage: FaultStage = FaultStage.PLANNED, **instants: int | None) -> FaultState:
    planned = {"planned_from_ns": 15 * S, "planned_to_ns": 25 * S}
    return FaultState("kill-alpha", "kill", ("alpha",), **{**planned, **instants}, state=stage)


def at(seconds: float, **changes: object) -> Snapshot:
    """A run whose load starts at 5 s, whose t0 is at 10 s, and which ends at 45 s."""
    fields: dict[str, object] = {
        "start_ns": 5 * S,
        "t0_ns": 10 * S,
        "end_ns": 45 * S,
        "planned_per_s": 200.0,
        "done_per_s": 199.5,
        "sent": 2400,
        "ok": 2387,
        "failed": 1,
        "dropped": 0,
        "in_flight": 12,
        "success_rate": 2387 / 2388,
        "p50_ns": 41.2e6,
        "p95_ns": 61.2e6,
        "p99_ns": 1.2e9,
        "send_lag_p99_ns": 0.41e6,
        "providers": (
            ProviderState("alpha", 0.0, ProviderCondition.DOWN, "SIGKILL"),
            ProviderState("beta", 0.5),
            ProviderState("gamma", None, ProviderCondition.OPEN),
        ),
        "faults": (fault(),),
        "events": EVENTS,
        **changes,
    }
    return Snapshot(int(seconds * S), "load", **fields)  # type: ignore[arg-type]


STARTING = Snapshot(2 * S, "starting providers", providers=(ProviderState("alpha"),), events=EVENTS[:1])


def lines(snapshot: Snapshot, width: int = 79, height: int = 23) -> list[str]:
    return [line.plain.rstrip() for line in draw("Provider failover", snapshot, width, height)]


def line_of(snapshot: Snapshot, first: str, width: int = 79) -> str:
    return next(line for line in lines(snapshot, width) if line.startswith(first))


# the snapshot


@pytest.mark.parametrize(("seconds", "expected"), [(4, 0.0), (5, 0.0), (25, 0.5), (45, 1.0), (50, 1.0)])
def test_progress_is_the_share_of_the_load_that_has_passed(seconds: float, expected: float) -> None:
    assert at(seconds).progress == expected


def test_there_is_no_progress_before_the_load() -> None:
    assert STARTING.progress is None
    assert STARTING.seconds_from_t0(3 * S) is None
    assert at(5).seconds_from_t0(5 * S) == -5.0


# the picture


def test_the_picture_in_80_columns() -> None:
    assert lines(at(25, faults=(fault(FaultStage.EFFECTIVE, effective_ns=15 * S),))) == [
        "Provider failover                                            load  20 s of 40 s",
        "━" * 36 + "─" * 37 + "  50%",
        "",
        "rate        199.5/s of 200.0/s    12 in flight          send lag p99 0.41 ms",
        "success     99.96%                2,387 ok              1 failed, 0 dropped",
        "last second p50 41.2 ms           p95 61.2 ms           p99 1.20 s",
        "",
        "alpha       " + "─" * 44 + "    0%  down SIGKILL",
        "beta        " + "━" * 22 + "─" * 22 + "   50%  up",
        "gamma       " + "─" * 44 + "     –  open",  # noqa: RUF001
        "",
        "kill-alpha  " + "─" * 12 + "━" * 13 + "┃" + "─" * 25 + "  effective",
        " " * 18 + "t0" + " " * 17 + "15 s" + " " * 18 + "35 s",
        "",
        "   −9.0 s  alpha started",
        "    1.0 s  kill-alpha: effective, refused after 0 ms",
        "    2.0 s  alpha out of rotation",
    ]


@pytest.mark.parametrize(
    ("seconds", "state", "expected"),
    [
        (6, fault(), "─┃──────────┅┅┅┅┅┅┅┅┅┅┅┅┅┅─────────────────────────  planned"),
        (
            20,
            fault(FaultStage.EFFECTIVE, effective_ns=16 * S),
            "─" * 12 + "┅┅━━━━━┃┅┅┅┅┅┅" + "─" * 25 + "  effective",
        ),
        (
            40,
            fault(FaultStage.CLEARED, effective_ns=16 * S, cleared_ns=20 * S),
            "─" * 12 + "┅┅━━━━━━┅┅┅┅┅┅" + "─" * 18 + "┃──────  cleared",
        ),
        (20, fault(planned_from_ns=None), "─" * 19 + "┃" + "─" * 31 + "  planned"),
        (20, fault(planned_to_ns=None), "─" * 12 + "┅" * 7 + "┃" + "┅" * 31 + "  planned"),
    ],
)
def test_a_fault_on_the_time_line(seconds: float, state: FaultState, expected: str) -> None:
    drawn = line_of(at(seconds, faults=(state,)), "kill-alpha").removeprefix("kill-alpha").strip()
    assert drawn == expected


def test_what_is_not_known_yet_is_a_dash() -> None:
    unknown = dict.fromkeys(["success_rate", "p50_ns", "p95_ns", "p99_ns", "send_lag_p99_ns", "done_per_s"])
    snapshot = at(6, **unknown)
    assert line_of(snapshot, "success").split()[1] == UNKNOWN
    assert line_of(snapshot, "rate").split()[1:3] == [UNKNOWN, "of"]
    assert line_of(snapshot, "last second").split()[2:] == ["p50", UNKNOWN, "p95", UNKNOWN, "p99", UNKNOWN]


def test_before_the_load_there_are_no_figures() -> None:
    drawn = lines(STARTING)
    assert drawn[0].endswith("starting providers")
    assert drawn[1] == "─" * 73
    assert not [line for line in drawn if line.startswith(("rate", "success", "last second"))]
    assert drawn[-1] == "           alpha started"


@pytest.mark.parametrize(("width", "height"), [(79, 23), (119, 39), (60, 16), (40, 10), (30, 5), (30, 1)])
def test_it_fits_any_size(width: int, height: int) -> None:
    many = tuple(ProviderState(f"provider-with-a-long-name-{index}", 0.1) for index in range(12))
    drawn = lines(at(20, providers=many, faults=(fault(),) * 8, events=EVENTS * 9), width, height)
    assert len(drawn) <= height
    assert max(cell_len(line) for line in drawn) <= width
    assert drawn[0].startswith("Prov")


def test_when_room_is_short_events_go_first_and_gaps_next() -> None:
    full = lines(at(20), height=23)
    assert full[-1] == "    2.0 s  alpha out of rotation"
    assert lines(at(20), height=15)[-1] == "    2.0 s  alpha out of rotation"  # the newest event stays longest
    assert lines(at(20), height=14)[-1] == full[12]
    assert "" not in lines(at(20), height=13)
    assert len(lines(at(20), height=13)) == 10
    assert lines(at(20), height=8)[-1] == "… 3 more lines"


def test_names_are_shown_as_text() -> None:
    snapshot = at(20, events=(Happening(11 * S, "[red]x[/red]\x1b[2J\ny"),))
    assert lines(snapshot)[-1] == "    1.0 s  [red]x[/red] y"


# the live view on a recorded console


def recorded() -> tuple[LiveView, io.StringIO]:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80, height=24, color_system=None, legacy_windows=False)
    return LiveView("Provider failover", console), out


def test_the_live_view_draws_and_leaves_the_terminal_as_it_was() -> None:
    view, out = recorded()
    with view:
        view.update(STARTING)
        view.update(at(25))
        assert "\x1b[?25l" in out.getvalue()
        assert "20 s of 40 s" in out.getvalue()
        before_end = len(out.getvalue())
    ending = out.getvalue()[before_end:]
    assert "\x1b[?25h" in ending  # the cursor is back
    assert ending.count("\x1b[2K") >= 15  # every line of the picture is erased


def test_a_new_size_clears_the_screen_once() -> None:
    view, out = recorded()
    with view:
        view.update(at(20))
        assert "\x1b[2J" not in out.getvalue()
        view._console.size = (60, 12)  # type: ignore[assignment]
        view.update(at(21))
        view.update(at(22))
    assert out.getvalue().count("\x1b[2J") == 1
    assert max(cell_len(line) for line in plain(out.getvalue().split("\x1b[2J")[1])) < 60


def plain(text: str) -> list[str]:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "\n").split("\n")


class GoneTerminal(io.StringIO):
    """A terminal whose window was closed."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        raise OSError(5, "Input/output error")


@pytest.mark.parametrize(
    "make", [lambda out: LineView("x", out), lambda out: LiveView("x", Console(file=out, force_terminal=True))]
)
def test_a_terminal_that_is_gone_does_not_end_the_run(make: object) -> None:
    view: View = make(GoneTerminal())  # type: ignore[operator]
    with view:
        view.update(STARTING)
        view.update(at(20))


# lines


def told(*snapshots: Snapshot, every_s: float = 3) -> list[str]:
    out = io.StringIO()
    with LineView("Provider failover", out, every_ns=int(every_s * S)) as view:
        for snapshot in snapshots:
            view.update(snapshot)
    return out.getvalue().splitlines()


FIGURES = (
    "199.5/s of 200.0/s, success 99.96% (2,387 ok, 1 failed, 0 dropped), p50 41.2 ms p95 61.2 ms p99 1.20 s, "
    "12 in flight"
)


def test_lines_tell_stages_events_and_every_few_seconds_how_it_stands() -> None:
    quarter_seconds = [at(seconds / 4, events=EVENTS[:1] if seconds < 44 else EVENTS[:2]) for seconds in range(20, 53)]
    assert told(STARTING, *quarter_seconds) == [
        "Provider failover",
        "[        ] starting providers",
        "[        ] alpha started",
        "[  −5.0 s] load",
        f"[  −2.0 s] {FIGURES}",
        "[   1.0 s] kill-alpha: effective, refused after 0 ms",
        f"[   1.0 s] {FIGURES}",
    ]


def test_after_a_pause_there_is_one_line_and_no_backlog() -> None:
    assert told(at(6, events=()), at(30, events=()), at(30.25, events=()), at(32, events=())) == [
        "Provider failover",
        "[  −4.0 s] load",
        f"[  20.0 s] {FIGURES}",
        f"[  22.0 s] {FIGURES}",
    ]


def test_the_interval_can_be_chosen() -> None:
    seconds = [at(second, events=()) for second in range(5, 26)]
    assert len(told(*seconds, every_s=10)) == 2 + 2
    assert len(told(*seconds, every_s=1)) == 2 + 20


def test_lines_have_no_control_characters() -> None:
    assert told(at(6, events=(Happening(6 * S, "a\x1b[2Jb\nc"),)))[-1] == "[  −4.0 s] ab c"


def test_lines_for_a_stream_that_knows_only_ascii() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    with LineView("Größe", out) as view:
        view.update(at(6, events=()))
    assert raw.getvalue().splitlines() == [b"Gr??e", b"[  ?4.0 s] load"]


# the choice


def test_quiet_is_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    with view_for("x", is_quiet=True) as view:
        assert isinstance(view, QuietView)
        view.update(at(20))
    assert capfd.readouterr() == ("", "")


def test_without_a_terminal_lines_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with view_for("Provider failover") as view:
        assert isinstance(view, LineView)
        view.update(at(20))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("Provider failover\n")


@pytest.mark.parametrize(
    ("term", "encoding", "kind"),
    [("xterm-256color", "utf-8", LiveView), ("dumb", "utf-8", LineView), ("xterm-256color", "ascii", LineView)],
)
def test_a_picture_needs_a_terminal_that_can_show_it(
    monkeypatch: pytest.MonkeyPatch, term: str, encoding: str, kind: type
) -> None:
    monkeypatch.setenv("TERM", term)
    controller, terminal = pty.openpty()
    try:
        with open(terminal, "w", encoding=encoding, closefd=False) as out:
            assert isinstance(view_for("x", out=out), kind)
    finally:
        os.close(terminal)
        os.close(controller)

import pytest
from sample_run import empty_run, passing_run

from battle.core.run import FaultResult, OccurrenceResult, Run, Second
from battle.reporters.timeline import draw


def second(at: int, ok: int, p95_ms: float | None = 10.0, **by_provider: int) -> Second:
    return Second(
        from_ms=at * 1000.0, planned=10, total=10, ok=ok, p50_ms=5, p95_ms=p95_ms, max_ms=20, by_provider=by_provider
    )


def run_with(series: list[Second], faults: list[FaultResult] | None = None) -> Run:
    run = passing_run()
    analysis = run.analysis.model_copy(update={"series": series, "faults": faults or []})
    return run.model_copy(update={"analysis": analysis})


def test_an_outage_is_dots_and_what_was_not_measured_is_empty() -> None:
    series = [second(0, 10), second(1, 5), second(2, 0, None), second(3, 10, 80.0)]
    lines = draw(run_with(series), width=18 + 16 + 18)
    assert lines == [
        "ok per second     " + "████▄▄▄▄····████" + "  max 10",
        "p95               " + "▁▁▁▁▁▁▁▁    ████" + "  max 80.0 ms",
        " " * 18 + "0 s          4 s",
    ]


def test_faults_stand_where_they_were_in_force() -> None:
    def once(number: int, start: float, end: float | None, *, verified: bool) -> OccurrenceResult:
        return OccurrenceResult(
            occurrence=number,
            target="alpha",
            injected_at_ms=start,
            effective_at_ms=start if verified else None,
            cleared_at_ms=end,
            verified=verified,
        )

    fault = FaultResult(
        name="a-fault-with-a-long-name",
        kind="flap",
        targets=["alpha"],
        injected_at_ms=1000,
        occurrences=[once(0, 1000, 1500, verified=True), once(1, 6000, None, verified=False)],
    )
    lines = draw(run_with([second(at, 10) for at in range(8)], [fault]), width=44)
    assert lines[-2] == "a-fault-with-a-l… " + " ━    ╌╌  flap"


def test_a_long_run_is_folded_and_the_worst_second_of_a_column_shows() -> None:
    series = [second(at, 10, 900.0 if at == 50 else 10.0) for at in range(100)]
    lines = draw(run_with(series), width=36 + 25)
    assert lines[1] == "p95               " + "▁" * 12 + "█" + "▁" * 12 + "  max 900 ms"
    assert all(len(line) <= 36 + 25 for line in lines)


def test_t0_is_marked_after_a_warm_up() -> None:
    assert "t0" in draw(passing_run(), width=120)[-1]


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_no_line_is_wider_than_asked(width: int) -> None:
    lines = draw(passing_run(), width)
    assert lines
    assert max(map(len, lines)) <= width


def test_nothing_is_drawn_without_load_or_without_room() -> None:
    assert draw(empty_run()) == []
    assert draw(passing_run(), width=40) == []

import pytest
from sample_run import disturbed_run, empty_run, failing_run, objective, passing_run

from battle.core.run import Run, SloResult
from battle.core.verdict import Verdict
from battle.reporters import wording as say


@pytest.mark.parametrize(
    ("ms", "expected"),
    [
        (None, say.UNKNOWN),
        ("never", "never"),
        (0, "0 ms"),
        (0.0001, "< 0.01 ms"),
        (0.06, "0.06 ms"),
        (0.999, "1.0 ms"),  # never "1.00 ms" beside "1.0 ms"
        (61.2, "61.2 ms"),
        (99.97, "100 ms"),
        (561.9, "562 ms"),
        (999.6, "1.00 s"),  # never "1000 ms"
        (1204.5, "1.20 s"),
        (59_999, "1 min 0 s"),  # never "60.00 s"
        (95_400, "1 min 35 s"),
    ],
)
def test_durations(ms: float | None, expected: str) -> None:
    assert say.duration(ms) == expected


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (None, say.UNKNOWN),
        (0, "0%"),
        (1, "100%"),
        (0.5, "50%"),
        (0.99983, "99.98%"),
        (0.999996, "99.9996%"),  # one failure in a quarter of a million is no 100%
        (1 - 1e-9, "99.9999%"),
        (1e-9, "0.0001%"),
    ],
)
def test_shares(share: float | None, expected: str) -> None:
    assert say.share(share) == expected


@pytest.mark.parametrize(
    ("ms", "expected"), [(None, say.UNKNOWN), (6014.8, "6.015 s"), (-3000, "−3.000 s"), (0, "0.000 s")]
)
def test_instants(ms: float | None, expected: str) -> None:
    assert say.instant(ms) == expected


def test_other_quantities() -> None:
    assert [say.count(None), say.count(6021), say.count(0)] == [say.UNKNOWN, "6,021", "0"]
    assert [say.number(None), say.number(1.008), say.number(2.0)] == [say.UNKNOWN, "1.008", "2"]
    assert [say.rate(None), say.rate(1234.56)] == [say.UNKNOWN, "1,234.6/s"]
    assert [say.megabytes(None), say.percent(None)] == [say.UNKNOWN, say.UNKNOWN]
    assert [say.plural(1, "request"), say.plural(2000, "request")] == ["1 request", "2,000 requests"]


def test_foreign_text_is_kept_on_one_line_without_control_characters() -> None:
    assert say.one_line("a\x1b[31mred\x1b[0m\n  b\x07\tc") == "ared b c"


def test_reasons_are_never_empty() -> None:
    run = passing_run()
    assert say.reasons(run) == ["all 7 objectives hold"]
    assert say.reasons(run.model_copy(update={"slo_results": run.slo_results[:1]})) == ["the objective holds"]
    assert say.reasons(run.model_copy(update={"slo_results": []})) == ["nothing was required, and nothing went wrong"]
    assert say.reasons(failing_run())[1] == "recovery_time <= 2s of kill-alpha: never"
    assert say.reasons(run.model_copy(update={"verdict": Verdict.FAIL})) == ["no reason was recorded"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "✓ pass"),
        ({"verdict": "fail", "guard": True}, "✗ fail (guard)"),
        ({"verdict": "inconclusive", "implied": True, "warn": True}, "? inconclusive (implied, not judged)"),
    ],
)
def test_the_status_of_an_objective(changes: dict[str, object], expected: str) -> None:
    result = SloResult.model_validate(objective("p95 <= 250ms", 250, 61.2, ("250ms", "61.2ms")).model_dump() | changes)
    assert say.status(result) == expected


def test_what_is_required_and_what_was_found() -> None:
    result = objective("p95 <= 250ms", 250, None, ("250ms", "whatever"))
    assert [say.required(result), say.actual(result)] == ["≤ 250ms", say.UNKNOWN]
    assert say.required(objective("p95 >= 1ms", 1, 2, (">= 1ms", "2ms"))) == "≥ 1ms"
    assert say.actual(failing_run().slo_results[1]) == "never"


def test_where_an_objective_looks() -> None:
    assert [say.where(result) for result in passing_run().slo_results[:4]] == [
        "run",
        "run",
        "during kill-alpha",
        "kill-alpha",
    ]


def test_what_is_disturbed_comes_with_the_command_that_mends_it() -> None:
    assert say.still_disturbed(passing_run()) is None
    assert say.still_disturbed(disturbed_run()) == (
        "alpha: still stopped (SIGSTOP). Mend it: battle rollback 20261123T041500Z-provider-failover-a1b2c3"
    )


def test_key_figures() -> None:
    assert say.key_figures(passing_run()) == [
        "6,021 requests in 30 s: 6,020 ok (99.98%), 1 failed, 0 dropped",
        "response time p50 41.2 ms, p95 61.2 ms, p99 83.4 ms, max 562 ms",
        "service time p50 41.1 ms, p99 83.2 ms: without the wait before the send, which response time includes",
        "errors: timeout 1",
        "47 failovers (31 proved, 16 witnessed), failover time max 521 ms, amplification 1.008",
        "breaker opened 2 ×, closed 2 × (envoy outlier log)",
        (
            "generator: send lag p99 0.41 ms, event loop lag p99 0.30 ms, max 3.1 ms, CPU 4.1%, "
            "12 requests waited for a connection, p99 4.2 ms"
        ),
        "generator: peak 201/s of 21,000/s that this machine sustains (calibrated 2026-11-20)",
    ]
    run = passing_run()
    run.analysis.requests.calls = 8000
    assert say.key_figures(run)[0].startswith("6,021 requests with 8,000 calls in 30 s: 6,020 ok")
    assert say.key_figures(empty_run()) == ["No request was sent, so nothing was measured."]


def generated(**found: object) -> Run:
    run = passing_run()
    run.analysis.system.generator = run.analysis.system.generator.model_copy(update=found)
    return run


def test_a_generator_that_told_nothing_and_was_never_calibrated() -> None:
    silent = {"event_loop_lag_p99_ms": None, "waited": 0, "calibrated_at": None, "cpu_percent_mean": None}
    assert say.generator(generated(**silent)) == [f"generator: send lag p99 0.41 ms, CPU {say.UNKNOWN}"]
    assert say.headroom(generated(**silent)) == "not calibrated (`battle calibrate` does that)"


def test_a_calibration_of_another_machine_no_longer_counts() -> None:
    assert say.headroom(generated(calibration_stale="cores 8, now 2")) == (
        "peak 201/s of 21,000/s that this machine sustains (calibrated 2026-11-20); "
        "that no longer counts (cores 8, now 2): run battle calibrate again"
    )


def test_a_calibration_in_which_nothing_held() -> None:
    assert say.headroom(generated(calibrated_per_s=None)) == "peak 201/s of no rate that held (calibrated 2026-11-20)"

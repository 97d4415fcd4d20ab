from dataclasses import replace
from typing import Any

import pytest
from analysis.build import Bench

from battle.analysis.judge import analyse
from battle.core.journal import EventKind
from battle.core.records import Outcome
from battle.errors import EvidenceError

KILL = {"kind": "kill", "target": "alpha", "at": "4s", "for": "2s"}
GOOD = ["success_rate >= 99%", "p95 <= 250ms"]


def steady(slo: Any = GOOD, **more: Any) -> Bench:
    bench = Bench(slo=slo, **more)
    bench.steady(0, 10_000)
    return bench


def killed(**more: Any) -> Bench:
    bench = Bench(seconds=10, slo=GOOD, chaos={"kill": KILL}, **more)
    bench.steady(0, 10_000, witness_attempts=2, witness_provider=1)
    return bench


def decision(bench: Bench) -> tuple[str, int, str]:
    run = bench.run()
    return run.verdict, run.exit_code, run.reasons[0]


def test_pass() -> None:
    run = steady().run()
    assert (run.verdict, run.passed, run.exit_code) == ("pass", True, 0)
    assert run.reasons == ["all 2 objectives hold"]


def test_fail_says_what_was_measured() -> None:
    bench = steady(slo=["p95 <= 10ms", "success_rate >= 99%"])
    assert decision(bench) == ("fail", 1, "p95 <= 10ms: measured 20ms over 1,000 requests")
    assert not bench.run().passed


def test_inconclusive_says_what_is_missing() -> None:
    bench = steady(slo=["p99.9 <= 1s"])
    assert decision(bench) == (
        "inconclusive",
        3,
        "p99.9 <= 1s: cannot be judged, it needs 10,000 samples and has 1,000",
    )


def test_broken_weighs_more_than_unknown() -> None:
    run = steady(slo=["p99.9 <= 1s", "p95 <= 10ms"]).run()
    assert run.verdict == "fail"
    assert [reason.split(":")[0] for reason in run.reasons] == ["p95 <= 10ms", "p99.9 <= 1s"]


def test_a_fault_that_was_not_seen() -> None:
    bench = killed()
    bench.fault("kill", injected=4000, rolled_back=6000, cleared=6010)
    assert decision(bench) == ("inconclusive", 3, "kill was not seen to take effect")


def test_a_fault_that_met_nothing() -> None:
    bench = steady(chaos={"kill": KILL})
    bench.requests[0]["witness_attempts"] = 1
    bench.fault("kill", injected=4000, effective=4010, rolled_back=6000, cleared=6010)
    bench.attempts = [row for row in bench.attempts if row["provider"] != 0]
    assert decision(bench)[:2] == ("inconclusive", 3)
    assert "met no traffic" in decision(bench)[2]


def test_a_fault_of_which_the_journal_says_nothing() -> None:
    assert decision(killed()) == ("inconclusive", 3, "kill was not injected: the journal does not know it")


@pytest.mark.parametrize(("signal", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_interrupted(signal: Any, code: Any) -> None:
    bench = steady(ended="interrupted", load_ended_ms=5000)
    bench.event(5000, EventKind.INTERRUPTED, signal=signal)
    run = bench.run()
    assert (run.verdict, run.exit_code, run.ended) == ("inconclusive", code, "interrupted")
    assert run.reasons[0] == f"the run was interrupted by {signal}"


def test_interrupted_and_broken_before() -> None:
    bench = steady(slo=["p95 <= 10ms"], ended="interrupted")
    bench.event(5000, EventKind.INTERRUPTED, signal="SIGINT")
    assert decision(bench)[:2] == ("fail", 130)


def test_worker_lost() -> None:
    bench = steady(ended="worker_lost")
    assert decision(bench) == ("inconclusive", 3, "the load generator died before the end of the load")


def test_a_guard_that_is_no_objective_any_more() -> None:
    bench = steady(ended="guard")
    bench.event(5000, EventKind.GUARD_BROKEN, objective="max <= 1ms", actual=2e6)
    assert decision(bench) == ("inconclusive", 3, "a guard ended the run early: max <= 1ms")


@pytest.mark.parametrize(("missing", "said"), [("ended", "the load"), ("disturbed", "the run")])
def test_a_journal_without_its_end(missing: Any, said: Any) -> None:
    assert decision(steady(**{missing: None})) == ("inconclusive", 3, f"the journal stops before the end of {said}")


def test_still_disturbed_is_said_first_and_never_masked() -> None:
    bench = killed(disturbed=["kill on alpha: SIGKILL, and it does not start again"])
    bench.fault("kill", injected=4000, effective=4010)
    bench.event(7000, EventKind.INTERRUPTED, signal="SIGINT")
    run = bench.run()
    assert run.exit_code == 5
    assert run.reasons[0] == "still disturbed: kill on alpha: SIGKILL, and it does not start again"
    assert run.disturbed == ["kill on alpha: SIGKILL, and it does not start again"]


def test_a_fault_that_was_not_seen_to_clear_is_still_disturbed() -> None:
    bench = killed()
    bench.fault("kill", injected=4000, effective=4010, rolled_back=6000)
    bench.event(8000, EventKind.FAULT_NOT_CLEARED, fault="kill", occurrence=0, target="alpha", why="still refused")
    run = bench.run()
    assert (run.verdict, run.exit_code) == ("inconclusive", 5)
    assert run.disturbed == ["kill on alpha (still refused)"]


def test_a_fault_that_nobody_rolled_back_is_still_disturbed() -> None:
    bench = killed(disturbed=None)
    bench.fault("kill", injected=4000, effective=4010)
    assert bench.run().exit_code == 5


def test_no_requests() -> None:
    run = Bench(slo=["proxy.memory_max <= 1GB"]).run()
    assert (run.verdict, run.exit_code) == ("inconclusive", 3)
    assert run.reasons[0] == "no request was sent after the warm-up, so nothing was measured"
    requests = run.analysis.requests
    assert (requests.total, requests.success_rate, requests.p95_latency_ms) == (0, None, None)
    assert requests.max_latency_ms is None


def test_one_request() -> None:
    bench = Bench(slo=["success_rate >= 50%"])
    bench.served(0)
    assert decision(bench)[0] == "inconclusive"  # 1/(1 − 0.5) is two


def test_all_failed() -> None:
    bench = Bench(slo=["success_rate >= 99%", "max <= 1s"])
    for at in range(0, 10_000, 10):
        bench.failed(at)
    assert decision(bench) == ("fail", 1, "success_rate >= 99%: measured 0% over 1,000 requests")


def test_only_cancelled() -> None:
    bench = Bench()
    for at in range(0, 1000, 10):
        bench.request(at, 5, outcome=Outcome.CANCELLED)
    assert decision(bench)[0] == "inconclusive"


def test_missing_records() -> None:
    bench = steady()
    evidence = bench.evidence()
    holes = replace(evidence, requests=evidence.requests[[0, 1, 2, *range(10, 1000)]])
    run = analyse(holes, analysed_at="now")
    assert (run.verdict, run.reasons[0]) == ("inconclusive", "7 of 1,000 request records are missing")


def test_a_worker_that_sent_less_than_another_misses_no_record() -> None:
    evidence = steady().evidence()
    started = evidence.first(EventKind.LOAD_STARTED)
    assert started is not None
    started.fields["worker_pids"] = [11, 12, 13]
    share, turn = evidence.requests["key"] % 3, evidence.requests["key"] // 3
    fewer = evidence.requests[(share != 1) | (turn < turn[600])]
    assert analyse(replace(evidence, requests=fewer), analysed_at="now").passed
    lost = fewer[fewer["key"] != fewer["key"][300]]
    run = analyse(replace(evidence, requests=lost), analysed_at="now")
    assert run.reasons[0] == f"1 of {len(fewer):,} request records are missing"


def test_the_load_never_started() -> None:
    bench = steady()
    evidence = bench.evidence()
    evidence.events[:] = [event for event in evidence.events if event.kind is not EventKind.LOAD_STARTED]
    with pytest.raises(EvidenceError, match="before its load started"):
        analyse(evidence, analysed_at="now")


def test_ends_that_nobody_planned_are_told() -> None:
    bench = steady()
    bench.event(3200, EventKind.PROVIDER_ENDED, provider="alpha", incarnation=1, planned=False, status=-9)
    bench.event(3300, EventKind.PROXY_ENDED, planned=False, status=1)
    bench.event(9900, EventKind.PROVIDER_ENDED, provider="beta", incarnation=1, planned=True, status=0)
    run = bench.run()
    assert [(one.level, one.text) for one in run.notices] == [
        ("error", "alpha ended on its own (SIGKILL, signal 9) at 3.2 s"),
        ("error", "the proxy ended on its own (exit code 1) at 3.3 s"),
    ]
    assert run.analysis.providers[0].unplanned_ends == 1

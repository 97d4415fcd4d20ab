"""The analysis goes through the records in pieces; no number may depend on their size."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from analysis.build import Bench, ns
from analysis.test_laws import calm, runs
from hypothesis import given, settings
from hypothesis import strategies as st

from battle.analysis.columns import columns_of
from battle.analysis.ends import find_ends
from battle.analysis.indicators.correctness import height_regressions
from battle.analysis.judge import analyse
from battle.analysis.limits import limits_of
from battle.analysis.reading import Reading
from battle.analysis.recovery import recovery
from battle.analysis.series import per_second
from battle.analysis.touched import touched
from battle.analysis.traffic import Traffic
from battle.core.journal import EventKind
from battle.core.record_source import PIECE, Records
from battle.core.records import NO_HEIGHT, REQUEST, Outcome
from battle.engine.intervals import interval_log

sizes = st.integers(1, 70)


@dataclass(frozen=True)
class Told:
    """Records as a file tells them: a piece at a time, and with room for more than there are."""

    records: Records

    @property
    def room(self) -> int:
        return len(self.records) + 7

    def pieces(self, records: int = PIECE) -> Iterator[Records]:
        for first in range(0, len(self.records), records):
            yield self.records[first : first + records].copy()


SLO = [
    "success_rate >= 99%",
    "p95 <= 100ms",
    "p50 <= 100ms where provider=beta",
    "amplification.peak <= 2",
    "duplicate_writes == 0",
    "height_regressions == 0",
    "outage.max <= 1s",
    "failover_time.p95 <= 1s",
    "recovery_time <= 1s",
    "detection_time <= 1s",
    "return_time <= 1s",
    "breaker.open_time <= 1s",
]


def busy(seed: int) -> Bench:
    """Ten seconds in which most of what can happen does: alpha dies at 3 s and is back at 7 s, beta errs until 5 s."""
    rng = np.random.default_rng(seed)
    bench = Bench(
        proxy={"kind": "nginx"},
        chaos={
            "kill": {"kind": "kill", "target": "alpha", "at": "3s", "for": "4s"},
            "errors": {"kind": "http_error", "target": "beta", "at": "1s", "for": "4s"},
            "slow": {"kind": "latency", "target": "gamma", "latency": "1ms", "at": "1s", "for": "4s"},
        },
        stream={"requests": [{"method": "eth_blockNumber", "write": True}], "allowed_lag": 1},
        slo=SLO,
    )
    bench.fault("kill", "alpha", injected=3000, effective=3005, rolled_back=7000, cleared=7010)
    bench.fault("errors", "beta", injected=1000, effective=1005, rolled_back=5000, cleared=5010)
    bench.fault("slow", "gamma", injected=1000, effective=1005, rolled_back=5000, cleared=5010)
    bench.event(3010, EventKind.PROVIDER_ENDED, provider="alpha", incarnation=1)
    for at in np.sort(rng.integers(0, 400, 300)) * 25.0:
        took, dead = float(rng.integers(1, 9) * 10), 3000 <= at < 7000
        if rng.random() < (0.3 if 5500 < at < 6000 else 0.02):
            for _ in range(rng.integers(1, 4)):  # dropped at once, some of them when others end
                bench.request(at + took, None, outcome=Outcome.DROPPED)
        first, second = rng.permutation(["beta", "gamma"] if dead and rng.random() < 0.97 else bench.providers)[:2]
        height = int(at // 1000 - rng.integers(0, 4) * (rng.random() < 0.1))
        words = {"height": height, "witness_provider": 1, "witness_attempts": 2 * int(rng.random() < 0.02)}
        kind = rng.random()
        if kind < 0.05 and at < 6000:
            bench.failed(at, took, **words)
        elif kind < 0.65:
            bench.served(at, first, took, **words)
        else:
            request = bench.request(at, took + 60, **words)
            marks = {"alpha": 0, "beta": 2, "gamma": 4}
            ended = {"answered": at + 20, "status": 503} if kind < 0.85 else {"closed": at + rng.integers(2, 150)}
            bench.attempt(request, first, at + 1, faults=marks[first], **ended)
            bench.attempt(request, second, at + 20 + rng.integers(0, 3), at + took + 59, faults=marks[second])
    order = rng.permutation(len(bench.attempts))
    bench.attempts = [bench.attempts[place] for place in order]
    return bench


@settings(calm, max_examples=20)
@given(st.integers(0, 2**32), st.integers(1, 400))
def test_no_number_of_a_busy_run_depends_on_the_pieces(seed: int, size: int) -> None:
    whole = busy(seed).evidence()
    assert analyse(replace(whole, piece=size), analysed_at="now") == analyse(whole, analysed_at="now")


@calm
@given(runs(), sizes, st.booleans())
def test_the_document_does_not_depend_on_the_pieces(bench: Bench, size: int, in_order: bool) -> None:
    whole = bench.evidence()
    attempts = bench.evidence(key_order=in_order).attempts
    assert isinstance(whole.requests, np.ndarray)
    assert isinstance(attempts, np.ndarray)
    pieces = replace(whole, requests=Told(whole.requests), attempts=Told(attempts), piece=size)
    assert analyse(pieces, analysed_at="now") == analyse(whole, analysed_at="now")
    assert interval_log(pieces) == interval_log(whole)


@calm
@given(runs(), sizes)
def test_the_columns_are_the_records(bench: Bench, size: int) -> None:
    records = bench.evidence().requests
    assert isinstance(records, np.ndarray)
    unused = np.zeros(3, REQUEST)
    columns = columns_of(Told(np.concatenate([records, unused])), size)
    assert columns.keys.keys().tolist() == records["key"].tolist()
    for name in ("scheduled_ns", "started_ns", "ended_ns", "height", "status", "witness_attempts", "flags"):
        assert getattr(columns, name).tolist() == records[name].tolist()


def test_one_slow_request_widens_the_column_and_changes_no_other() -> None:
    bench = Bench(seconds=30)
    took = [20, 30, 2147, 2148, 10_000, 20]
    for number, ms in enumerate(took):
        bench.served(number * 100, took=ms)
    for piece in (1, 2, 3, 100):
        columns = columns_of(Told(bench.evidence().requests), piece)
        assert columns.response_ns(columns.ok).tolist() == [ms * 1_000_000 for ms in took]
        assert columns.took_ns.dtype == np.int64
    narrow = columns_of(bench.evidence().requests[:3])
    assert narrow.took_ns.dtype == np.int32


@calm
@given(runs(), sizes)
def test_seconds_do_not_depend_on_how_many_are_taken_together(bench: Bench, size: int) -> None:
    reading = Reading(bench.evidence())
    assert per_second(reading, size) == per_second(reading)


@settings(calm, max_examples=20)
@given(st.integers(0, 2**32), st.integers(1, 9), sizes)
def test_ends_are_in_the_order_of_time_then_of_keys(seed: int, batches: int, size: int) -> None:
    reading = Reading(busy(seed).evidence())
    columns = reading.columns
    ends = find_ends(columns, reading.in_run, batches)
    expected = sorted(np.flatnonzero(reading.in_run & columns.judged), key=lambda one: columns.finished_ns[one])
    assert ends.at_ns.tolist() == columns.finished_ns[expected].tolist()
    assert ends.took_ns.tolist() == columns.took_ns[expected].tolist()
    assert ends.ok(slice(None)).tolist() == columns.ok[expected].tolist()
    assert ends.timed(slice(None)).tolist() == columns.ended[expected].tolist()
    limits, onset = limits_of(reading, "kill"), reading.t0_ns + 2_000_000_000
    assert recovery(ends, limits, onset, None, size) == recovery(ends, limits, onset, None)


@st.composite
def answers(draw: Any) -> Bench:
    """Answers with heights that go up and down."""
    bench = Bench(stream={"allowed_lag": draw(st.integers(0, 2))})
    for at, took, height in draw(
        st.lists(st.tuples(st.integers(0, 40), st.integers(0, 20), st.integers(-1, 6)), min_size=5, max_size=30)
    ):
        bench.served(at, "alpha", took, height=height)
    return bench


@calm
@given(answers(), sizes)
def test_height_regressions_are_those_that_comparing_all_pairs_finds(bench: Bench, size: int) -> None:
    reading = Reading(replace(bench.evidence(), piece=size))
    lag = bench.scenario().workload["reads"].allowed_lag or 0
    rows = bench.evidence().requests
    expected = [
        bool(
            mine["height"] > NO_HEIGHT
            and any(other["ended_ns"] < mine["started_ns"] and mine["height"] < other["height"] - lag for other in rows)
        )
        for mine in rows
    ]
    assert height_regressions(reading).tolist() == expected


@pytest.mark.parametrize("piece", [1, 2, 3, 1000])
def test_the_last_sign_of_life_is_found_in_any_piece(piece: int) -> None:
    bench = Bench()
    for at in (80, 0, 10):
        bench.attempt(bench.failed(at), "alpha", at + 1, closed=at + 2)
    bench.attempt(bench.failed(90), "alpha", 91, incarnation=2)
    bench.event(95, EventKind.PROVIDER_ENDED, provider="alpha", incarnation=1)
    reading = Reading(replace(bench.evidence(), piece=piece))
    assert reading.blind.incarnation_end_ns[0, :3].tolist() == [0, ns(82), 0]


@pytest.mark.parametrize("piece", [1, 2, 7, 1000])
def test_turning_away_and_coming_back_are_found_in_any_piece(piece: int) -> None:
    at = np.arange(0, 10_000, 10) * 1_000_000
    provider = np.where((np.arange(1000) % 2 == 0) & ((at < 3_000_000_000) | (at >= 7_000_000_000)), 0, 1)
    traffic = Traffic(at, provider.astype(np.int16), np.ones(1000, np.bool_), piece)
    turned = traffic.quiet_from(0, 0.5, 0, int(at[-1]))
    assert turned == 2_940_000_000  # two attempts follow within 500 ms, where 25 are expected
    assert traffic.back_from(0, 0.5, turned) == 7_000_000_000


def test_a_request_that_met_two_faults_counts_for_both() -> None:
    bench = busy(0)
    bench.requests, bench.attempts = [], []
    request = bench.request(2000, 60)
    bench.attempt(request, "beta", 2001, 2010, faults=2, status=503)
    bench.attempt(request, "gamma", 2020, 2050, faults=4)
    for piece in (1, 2):
        reading = Reading(replace(bench.evidence(), piece=piece))
        assert [touched(reading, name).requests for name in ("errors", "slow")] == [1, 1]

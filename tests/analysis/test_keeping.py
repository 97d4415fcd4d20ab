"""What is kept of evidence that is larger than it may be."""

from collections.abc import Iterator

import numpy as np
import pytest
from analysis.build import KEY_BASE, Bench
from hypothesis import given, settings
from hypothesis import strategies as st

from battle.analysis.keeping import Kept, choose_kept, size_over
from battle.analysis.reading import Reading
from battle.core.record_source import whole
from battle.core.records import ATTEMPT, REQUEST, ErrorClass, Outcome, Requests

PLAIN = 3000


def bench() -> Bench:
    """3,000 plain requests, and one of each kind that tells of something, at the end."""
    run = Bench(seconds=40, chaos={"slow": {"kind": "hang", "target": "alpha", "at": "5s", "for": "1s"}})
    run.steady(0, PLAIN * 10)
    run.failed(31_000)
    run.request(31_010, None, outcome=Outcome.DROPPED)
    run.request(31_020, None, outcome=Outcome.CANCELLED)
    over = run.request(31_030, 100)
    run.attempt(over, "alpha", 31_031, 31_040, status=500)
    run.attempt(over, "beta", 31_050, 31_129)
    hedged = run.request(31_040, 100)
    run.attempt(hedged, "alpha", 31_041, 31_200)
    run.attempt(hedged, "beta", 31_050, 31_139)
    met = run.request(31_050, 20)
    run.attempt(met, "alpha", 31_051, 31_069, faults=1)
    run.attempt(None, "alpha", 31_060, 31_061)
    return run


TELLING = 6


def kept_of(run: Bench, limit_bytes: int) -> tuple[Kept, Reading]:
    reading = Reading(run.evidence())
    return choose_kept(reading, limit_bytes), reading


def test_what_tells_of_trouble_is_kept_whatever_the_limit() -> None:
    kept, reading = kept_of(bench(), 0)
    assert (kept.telling, kept.plain, kept.sampled) == (TELLING, PLAIN, 0)
    requests = whole(kept.of(reading.evidence.requests), REQUEST)
    attempts = whole(kept.of(reading.evidence.attempts), ATTEMPT)
    assert (requests["key"] - KEY_BASE).tolist() == list(range(PLAIN, PLAIN + TELLING))
    assert (attempts["key"] - KEY_BASE - PLAIN).tolist() == [3, 3, 4, 4, 5]
    assert requests["error"][0] == ErrorClass.CONNECT


def test_under_the_limit_all_is_kept() -> None:
    kept, reading = kept_of(bench(), 10_000_000)
    assert kept.sampled == PLAIN
    assert np.array_equal(whole(kept.of(reading.evidence.requests), REQUEST), reading.evidence.requests)


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_the_sample_is_uniform_and_fits(share: float) -> None:
    limit = round((PLAIN * 2 * share + TELLING * 3) * 64)
    kept, reading = kept_of(bench(), limit)
    deviation = 5 * (PLAIN * share * (1 - share)) ** 0.5
    assert abs(kept.sampled - PLAIN * share) < deviation
    tables = kept.of(reading.evidence.requests), kept.of(reading.evidence.attempts)
    assert size_over(round(limit + deviation * 2 * 64), *tables) is None
    halves = kept.mask[: PLAIN // 2].sum(), kept.mask[PLAIN // 2 : PLAIN].sum()
    assert abs(int(halves[0]) - int(halves[1])) < deviation
    providers = whole(kept.of(reading.evidence.attempts), ATTEMPT)["provider"]
    assert np.all(abs(np.bincount(providers, minlength=3) - kept.sampled / 3) < deviation)


def test_the_same_evidence_gives_the_same_sample() -> None:
    first, second = (kept_of(bench(), 100_000)[0].mask for _ in range(2))
    assert np.array_equal(first, second)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 700))
def test_pieces_of_any_size_give_the_same_records(size: int) -> None:
    kept, reading = kept_of(bench(), 100_000)
    for table in (reading.evidence.requests, reading.evidence.attempts):
        expected = whole(kept.of(table), table.dtype)
        assert np.array_equal(np.concatenate(list(kept.of(table).pieces(size))), expected)


class Source:
    """Two records in a file with room for ten, which counts how often it is read."""

    room = 10
    read = 0

    def pieces(self, records: int = 0) -> Iterator[Requests]:
        del records
        self.read += 1
        yield np.zeros(2, REQUEST)


@pytest.mark.parametrize(
    ("limit", "size", "read"),
    [(640, None, 0), (639, None, 1), (128, None, 1), (127, 128, 1), (0, 128, 1)],
)
def test_records_are_read_only_when_their_room_is_over_the_limit(limit: int, size: int | None, read: int) -> None:
    source = Source()
    assert (size_over(limit, source), source.read) == (size, read)


def test_nothing_at_all() -> None:
    kept, reading = kept_of(Bench(), 0)
    assert (kept.telling, kept.plain, kept.sampled) == (0, 0, 0)
    assert len(whole(kept.of(reading.evidence.requests), REQUEST)) == 0

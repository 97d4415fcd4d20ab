from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from analysis.build import KEY_BASE, Bench

from battle.analysis.reading import Reading
from battle.core.records import ErrorClass, KeySource, Outcome


def serving(bench: Bench) -> list[int]:
    return Reading(bench.evidence()).joined.serving.tolist()


def test_everything_is_joined_whatever_the_order_of_the_records() -> None:
    bench = Bench()
    bench.steady(0, 1000)
    expected = [0, 1, 2] * 33 + [0]
    assert serving(bench) == expected
    assert Reading(bench.evidence(key_order=False)).joined.serving.tolist() == expected


def test_keys_with_holes_are_joined_too() -> None:
    bench = Bench()
    bench.steady(0, 1000)
    evidence = bench.evidence()
    kept = np.arange(100) % 7 != 3
    sparse = replace(evidence, requests=evidence.requests[kept])
    assert Reading(sparse).joined.serving.tolist() == [n % 3 for n in range(100) if kept[n]]


@pytest.mark.parametrize(
    ("attempts", "server"),
    [
        pytest.param([("alpha", 101, 110, 500), ("beta", 112, 118, 200)], 1, id="the status that the client saw"),
        pytest.param([("alpha", 101, 119, 200), ("beta", 105, 118, 200)], 0, id="of two with it, the last"),
        pytest.param([("alpha", 101, 110, 200), ("beta", 112, 130, 200)], 0, id="not one that came after the end"),
        pytest.param([("alpha", 101, 110, 204)], 0, id="the status was changed on the way"),
        pytest.param([("alpha", 101, None, 0)], -1, id="nobody answered"),
    ],
)
def test_serving_attempt(attempts: Any, server: Any) -> None:
    bench = Bench()
    number = bench.request(100, 20)
    for provider, arrived, answered, status in attempts:
        bench.attempt(number, provider, arrived, answered, status=status)
    assert serving(bench) == [server]


def test_an_answer_to_a_peer_that_had_gone_served_nobody() -> None:
    bench = Bench()
    number = bench.request(100, 100)
    bench.attempt(number, "alpha", 101, 180, closed=110)
    bench.attempt(number, "beta", 112, 170)
    assert serving(bench) == [1]


def test_the_witness_decides_between_two_good_answers() -> None:
    bench = Bench()
    number = bench.request(100, 20, witness_provider=0)
    bench.attempt(number, "alpha", 101, 117)
    bench.attempt(number, "beta", 105, 118)
    assert serving(bench) == [0]


def test_how_keys_were_found() -> None:
    bench = Bench()
    for at, source in enumerate((KeySource.ID, KeySource.ID, KeySource.HEADER, KeySource.PARAM)):
        bench.attempt(bench.request(at * 10), "alpha", at * 10 + 1, at * 10 + 19, key_source=source)
    bench.request(50)
    found = bench.run().analysis.failover.attribution
    assert found.by == {"id": 2, "header": 1, "param": 1, "witness": 0, "none": 1}
    assert found.joined == pytest.approx(4 / 5)


def test_providers_without_records_are_known_by_the_witness() -> None:
    bench = Bench(provider_kind="url")
    for at in range(0, 100, 10):
        bench.request(at, 5, witness_provider=2, witness_attempts=1)
    run = bench.run()
    assert run.analysis.failover.attribution.joined == 1
    assert run.analysis.failover.attribution.by["witness"] == 10
    assert run.analysis.failover.amplification is None
    gamma = run.analysis.providers[2]
    assert (gamma.served, gamma.share, gamma.attempts, gamma.failed_attempts) == (10, 1, None, None)
    assert any("keeps no records" in notice.text for notice in run.notices)


def test_without_a_proxy_it_can_only_be_the_first_provider() -> None:
    bench = Bench(provider_kind="url", proxy={"kind": "none"}, providers=("alpha",))
    bench.request(0, 5)
    assert bench.run().analysis.failover.attribution.by["direct"] == 1


def test_answers_of_the_proxy_are_counted_apart() -> None:
    bench = Bench()
    bench.served(0, "alpha", witness_provider=0, witness_attempts=1)
    bench.request(10, 1)  # a cached answer: the witness names nobody, and nobody recorded it
    bench.request(20, 5, outcome=Outcome.FAILED, error=ErrorClass.HTTP_5XX, status=503)
    found = bench.run().analysis.failover.attribution
    assert found.answered_by_proxy == 2
    assert found.joined == 1


def test_an_ok_answer_of_unknown_origin_is_not_taken_for_the_proxys() -> None:
    bench = Bench()
    bench.served(0, "alpha")
    bench.request(10, 1)
    found = bench.run().analysis.failover.attribution
    assert (found.answered_by_proxy, found.joined) == (0, 0.5)


def test_disagreements() -> None:
    bench = Bench()
    bench.served(0, "alpha", witness_provider=0)
    bench.served(10, "alpha", witness_provider=1)
    bench.request(20, 5, witness_provider=2)  # it says gamma served, and gamma recorded nothing
    bench.failed(30, witness_provider=2)  # a dead end is no service
    found = bench.run().analysis.failover.attribution
    assert found.disagreements == 2


def test_arrivals_of_others() -> None:
    bench = Bench()
    bench.served(0, "alpha")
    bench.attempt(None, "alpha", 5, 6)
    bench.attempt(None, "beta", 5, 6, key=KEY_BASE + 99)
    found = bench.run().analysis.failover
    assert found.attribution.attempts_without_key == 2
    assert (found.attempts, found.amplification) == (1, 1)


def test_no_providers_no_attribution() -> None:
    bench = Bench(providers=(), proxy={"kind": "none"})
    bench.request(0, 5)
    found = bench.run().analysis.failover
    assert found.attribution.joined is None
    assert found.rate is None
    assert found.amplification is None


def test_a_failed_answer_with_another_status_was_the_proxys() -> None:
    bench = Bench()
    number = bench.request(0, 50, outcome=Outcome.FAILED, error=ErrorClass.HTTP_5XX, status=503)
    bench.attempt(number, "alpha", 1, 10, status=500)
    found = bench.run().analysis
    assert found.failover.attribution.answered_by_proxy == 1
    assert found.requests.by_provider == {}

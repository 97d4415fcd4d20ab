"""What a reader must know beside the numbers."""

import pytest
from analysis.build import Bench

from battle.core.records import REQUEST_MEMBER, REQUEST_RETRIED


def test_a_batch_is_sent_a_second_time_once() -> None:
    bench = Bench()
    bench.steady(0, 5000, flags=REQUEST_RETRIED)
    bench.steady(5000, 10_000, flags=REQUEST_RETRIED | REQUEST_MEMBER)
    assert [it.text[:12] for it in bench.run().notices if "second time" in it.text] == ["500 requests"]


@pytest.mark.parametrize(("retried", "said"), [(0, []), (3, ["3 requests were sent a second time"])])
def test_second_tries_are_told_and_those_of_the_warmup_are_not(retried: int, said: list[str]) -> None:
    bench = Bench(warmup=1)
    bench.steady(-1000, 0, flags=REQUEST_RETRIED)
    bench.steady(0, 10_000 - 10 * retried)
    bench.steady(10_000 - 10 * retried, 10_000, flags=REQUEST_RETRIED)
    texts = [notice.text for notice in bench.run().notices]
    assert [text.partition(",")[0] for text in texts if "second time" in text] == said

"""What a reader must know beside the numbers."""

import pytest
from analysis.build import Bench

from battle.core.records import REQUEST_RETRIED


@pytest.mark.parametrize(("retried", "said"), [(0, []), (3, ["3 requests were sent a second time"])])
def test_second_tries_are_told_and_those_of_the_warmup_are_not(retried: int, said: list[str]) -> None:
    bench = Bench(warmup=1)
    bench.steady(-1000, 0, flags=REQUEST_RETRIED)
    bench.steady(0, 10_000 - 10 * retried)
    bench.steady(10_000 - 10 * retried, 10_000, flags=REQUEST_RETRIED)
    texts = [notice.text for notice in bench.run().notices]
    assert [text.partition(",")[0] for text in texts if "second time" in text] == said

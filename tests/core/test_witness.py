from typing import Any

import pytest

from battle.core.records import NO_PROVIDER
from battle.core.witness import NOTHING_SAID, Witness
from battle.core.witness import Testimony as Said  # pytest collects what begins with Test

PROVIDERS = {"127.0.0.1:1": 0, "127.0.0.1:2": 1}
ENVOY = Witness("X-Upstream", PROVIDERS, attempts_header="X-Attempts", untrusted_status=(503,))
NGINX = Witness("x-upstream", PROVIDERS, separator=",")
HAPROXY = Witness("x-upstream", {"alpha": 0, "beta": 1}, attempts_header="x-retries", attempts_plus=1)


@pytest.mark.parametrize(
    ("witness", "headers", "status", "testimony"),
    [
        # Envoy: the address and the number of attempts
        (ENVOY, {b"x-upstream": b"127.0.0.1:2", b"x-attempts": b"2"}, 200, Said(1, 2)),
        # on a 503 it names a host that did not serve; the attempts are still true
        (ENVOY, {b"x-upstream": b"127.0.0.1:2", b"x-attempts": b"3"}, 503, Said(NO_PROVIDER, 3)),
        # an address that is no provider's
        (ENVOY, {b"x-upstream": b"127.0.0.1:9", b"x-attempts": b"1"}, 200, Said(NO_PROVIDER, 1)),
        # an empty header, as for an answer of the proxy's own
        (ENVOY, {b"x-upstream": b"", b"x-attempts": b""}, 200, NOTHING_SAID),
        (ENVOY, {}, 200, NOTHING_SAID),
        # nginx: all that were tried, the serving one last
        (NGINX, {b"x-upstream": b"127.0.0.1:1, 127.0.0.1:2"}, 200, Said(1, 2, 0)),
        (NGINX, {b"x-upstream": b"127.0.0.1:1"}, 200, Said(0, 1, 0)),
        # HAProxy counts retries, so that one more is the number of attempts
        (HAPROXY, {b"x-upstream": b"beta", b"x-retries": b"+1"}, 200, Said(1, 2)),
        (HAPROXY, {b"x-upstream": b"alpha", b"x-retries": b"0"}, 200, Said(0, 1)),
        # a number that does not fit the record's byte stays at its end
        (ENVOY, {b"x-attempts": b"999"}, 200, Said(NO_PROVIDER, 255)),
    ],
)
def test_testimony_of_headers(witness: Any, headers: Any, status: Any, testimony: Any) -> None:
    assert witness.read(headers, status) == testimony


def test_pattern_picks_the_address_out() -> None:
    witness = Witness("via", PROVIDERS, pattern=r"upstream=(\S+)")
    assert witness.read({b"via": b"proxy upstream=127.0.0.1:2 ok"}, 200) == Said(1)
    assert witness.read({b"via": b"nothing of the kind"}, 200) == NOTHING_SAID


def test_header_names_are_compared_in_lower_case() -> None:
    assert ENVOY.header_names == {b"x-upstream", b"x-attempts"}


def test_message_round_trip() -> None:
    assert Witness.from_message(ENVOY.to_message()) == ENVOY

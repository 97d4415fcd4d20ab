"""Requests as bytes: the key in every place that the protocol allows."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from battle.core.keys import address, key_base, traceparent
from battle.core.ports.wire import Endpoint, StreamPlan
from battle.core.scenario import HttpRequest, RpcRequest, Stream
from battle.protocols.rendering import renderer

KEY = key_base(12345) + 678
LOAD = {"kind": "constant", "rate": "1/s", "duration": "1s"}


def rendered(request: RpcRequest | HttpRequest, key: int = KEY, seed: int = 1, **stream: object) -> tuple[str, str]:
    settings = {"requests": [{"method": "m"}], "load": LOAD, **stream}
    plan = StreamPlan(Stream.model_validate(settings), 0, seed)
    text = renderer(request, plan, Endpoint("127.0.0.1", 80, "/base"))(key).decode()
    head, _, body = text.partition("\r\n\r\n")
    return head, body


def test_a_call_carries_its_key_in_id_header_and_params() -> None:
    head, body = rendered(RpcRequest(method="m", params=["${address}", "${key}", "x${key:hex}", 100]))
    call = json.loads(body)
    assert call == {"jsonrpc": "2.0", "id": KEY, "method": "m", "params": [address(KEY), KEY, f"x{KEY:014x}", 100]}
    assert head.startswith("POST /base/ HTTP/1.1\r\nhost: 127.0.0.1\r\n")
    assert f"content-length: {len(body)}" in head
    name, _, value = next(line for line in head.split("\r\n") if line.startswith("traceparent")).partition(": ")
    assert (name, value[:50]) == ("traceparent", traceparent(KEY)[:50])
    assert len(value) == 55


def test_percent_signs_survive() -> None:
    _, body = rendered(RpcRequest(method="100%d", params=["%s%%"]))
    assert json.loads(body)["method"] == "100%d"
    assert json.loads(body)["params"] == ["%s%%"]


def test_a_get_has_no_body_and_a_stream_adds_headers() -> None:
    head, body = rendered(HttpRequest(verb="GET", path="/x?k=${key}"), headers={"X-One": "1", "User-Agent": "me"})
    assert body == ""
    assert head.startswith(f"GET /base/x?k={KEY} HTTP/1.1")
    assert "x-one: 1" in head
    assert head.count("user-agent") == 1
    assert "content-length" not in head


def test_a_post_without_body_says_so() -> None:
    head, _ = rendered(HttpRequest(verb="POST"))
    assert "content-length: 0" in head


@given(st.integers(0, (1 << 33) - 1), st.integers(0, 1 << 30))
def test_drawn_values_are_in_range_and_reproducible(counter: int, seed: int) -> None:
    request = RpcRequest(method="m", params=["${int:5..90}", "${choice:red,green}"])
    key = key_base(1) + counter
    head, body = rendered(request, key, seed)
    number, colour = json.loads(body)["params"]
    assert 5 <= int(number) <= 90
    assert colour in {"red", "green"}
    assert f"content-length: {len(body)}" in head
    assert rendered(request, key, seed) == (head, body)


@pytest.mark.parametrize("draw", [0, 1, (1 << 19) - 1, 1 << 40])
def test_all_keys_of_a_run_have_the_same_length(draw: int) -> None:
    base = key_base(draw)
    assert {len(str(base)), len(str(base + (1 << 33) - 1))} == {16}
    assert {len(f"{base:x}"), len(f"{base + (1 << 33) - 1:x}")} == {14}
    assert base + (1 << 33) - 1 < 1 << 53


def test_credentials_stand_in_a_header_that_a_request_may_replace() -> None:
    auth = {"bearer": "t0ken%s"}
    head, _ = rendered(RpcRequest(method="m"), auth=auth)
    assert "\r\nauthorization: Bearer t0ken%s\r\n" in head
    head, _ = rendered(HttpRequest(verb="GET", headers={"Authorization": "none"}), auth=auth)
    assert [line for line in head.split("\r\n") if line.startswith("auth")] == ["authorization: none"]

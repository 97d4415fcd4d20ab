"""Requests as bytes: the key in every place that the protocol allows."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from battle.core.keys import address, key_base, traceparent
from battle.core.ports.wire import Endpoint, StreamPlan
from battle.core.scenario import BatchRequest, HttpRequest, RpcRequest, Stream
from battle.core.shard import Shard
from battle.errors import SetupError
from battle.protocols.rendering import renderer

KEY = key_base(12345) + 678
LOAD = {"kind": "constant", "rate": "1/s", "duration": "1s"}


def rendered(
    request: RpcRequest | BatchRequest | HttpRequest, key: int = KEY, seed: int = 1, step: int = 1, **stream: object
) -> tuple[str, str]:
    settings = {"requests": [{"method": "m"}], "load": LOAD, **stream}
    plan = StreamPlan(Stream.model_validate(settings), 0, seed, shard=Shard(0, step))
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


def stream_plan(**stream: object) -> StreamPlan:
    return StreamPlan(Stream.model_validate({"requests": [{"method": "m"}], "load": LOAD, **stream}), 0, 1)


def sent(plan: StreamPlan, *requests: RpcRequest | HttpRequest, count: int = 1) -> list[tuple[str, str]]:
    """Head and body of each of these requests in turn, all of one stream."""
    renders = [renderer(request, plan, Endpoint("127.0.0.1", 80)) for request in requests]
    texts = [render(KEY + number).decode() for number in range(count) for render in renders]
    return [(text.partition("\r\n\r\n")[0], text.partition("\r\n\r\n")[2]) for text in texts]


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_text('user,pass\nann,"a ""b"" \\ 1%d"\nbo b/ö,p2\ncy,${key}\n')
    return path


def test_a_csv_file_gives_its_rows_in_order_and_begins_again(csv_file: Path) -> None:
    call = RpcRequest(method="m", params=[f"${{csv:{csv_file}:user}}", f"is ${{csv:{csv_file}:pass:repeat}}"])
    found = [json.loads(body)["params"] for _, body in sent(stream_plan(), call, count=4)]
    first = ["ann", 'is a "b" \\ 1%d']
    assert found == [first, ["bo b/ö", "is p2"], ["cy", "is ${key}"], first]


def test_the_requests_of_a_stream_share_the_rows(csv_file: Path) -> None:
    call = RpcRequest(method="m", params=[f"${{csv:{csv_file}:user}}"])
    plan = stream_plan()
    found = sent(plan, call, RpcRequest(method="n"), call)
    assert [json.loads(body)["params"] for _, body in found] == [["ann"], [], ["bo b/ö"]]
    assert json.loads(sent(stream_plan(), call)[0][1])["params"] == ["ann"], "another stream has its own"


def test_workers_share_the_rows_out(csv_file: Path) -> None:
    call = RpcRequest(method="m", params=[f"${{csv:{csv_file}:user}}"])
    users = [
        [
            json.loads(body)["params"][0]
            for _, body in sent(replace(stream_plan(), shard=Shard(index, 2)), call, count=2)
        ]
        for index in range(2)
    ]
    assert users == [["ann", "cy"], ["bo b/ö", "ann"]], "together: ann, bo b/ö, cy, and again ann"


def test_cells_are_escaped_where_they_stand(csv_file: Path) -> None:
    user, password = f"${{csv:{csv_file}:user}}", f"${{csv:{csv_file}:pass}}"
    request = HttpRequest(verb="POST", path=f"/u/{user}?q=1", headers={"x-user": user}, body=f"pass={password}")
    (_, _), (head, body) = sent(stream_plan(), request, count=2)
    assert head.startswith("POST /u/bo%20b/%C3%B6?q=1 HTTP/1.1\r\n")
    assert "\r\nx-user: bo b/ö\r\n" in f"{head}\r\n"
    assert body == "pass=p2"
    assert f"content-length: {len(body)}" in head


def test_a_file_with_a_name_that_json_escapes(tmp_path: Path) -> None:
    path = tmp_path / 'b"\\ä.csv'
    path.write_text("c\n1\n")
    assert json.loads(sent(stream_plan(), RpcRequest(method="m", params=[f"${{csv:{path}:c}}"]))[0][1])["params"] == [
        "1"
    ]


def test_a_file_that_went_away_ends_the_setup(csv_file: Path) -> None:
    csv_file.unlink()
    with pytest.raises(SetupError, match="cannot be read any more"):
        sent(stream_plan(), RpcRequest(method="m", params=[f"${{csv:{csv_file}:user}}"]))


@given(st.integers(1, 64), st.integers(0, 1 << 32), st.sampled_from(["${int:5..90000}", "x", "${choice:a,bc}"]))
def test_each_call_of_a_batch_carries_the_key_that_is_its_own(step: int, counter: int, drawn: str) -> None:
    params = ["${address}", "${key}", "x${key:hex}", "100%", drawn]
    batch = BatchRequest.model_validate(
        {"batch": [{"method": "a", "params": params}, {"method": "b"}, {"method": "c"}]}
    )
    first = key_base(1) + counter
    head, body = rendered(batch, first, step=step)
    calls = json.loads(body)
    assert [(call["method"], call["id"]) for call in calls] == [
        ("a", first),
        ("b", first + step),
        ("c", first + 2 * step),
    ]
    assert calls[0]["params"][:4] == [address(first), first, f"x{first:014x}", "100%"]
    assert "${" not in body
    assert f"content-length: {len(body)}" in head
    assert f"{traceparent(first)[:50]}" in head, "the request's key is that of the first call"
    assert head.startswith("POST /base/ HTTP/1.1")


def test_calls_of_a_batch_use_their_own_key_in_params() -> None:
    batch = BatchRequest.model_validate({"batch": [{"method": "m", "params": ["${address}", "${key}"]}] * 2})
    _, body = rendered(batch, KEY, step=3)
    assert [call["params"] for call in json.loads(body)] == [[address(KEY), KEY], [address(KEY + 3), KEY + 3]]

"""Responses as the world sends them, split at any byte; and what is no response."""

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from battle.core.records import ErrorClass
from battle.protocols.response import HEAD_LIMIT_BYTES, Response

OK = b"HTTP/1.1 200 OK\r\n"


class Row(NamedTuple):
    name: str
    data: bytes
    to_head: bool
    status: int
    body: bytes
    keep: bool
    framed: bool

    def check(self, response: Response) -> None:
        assert (response.complete, response.error, response.surplus) == (True, None, False)
        assert (response.status, response.body, response.keep, response.framed) == self[3:]


WHOLE = [
    Row("content-length", OK + b"content-length: 3\r\n\r\nabc", False, 200, b"abc", True, True),
    Row("no body", OK + b"Content-Length: 0\r\n\r\n", False, 200, b"", True, True),
    Row("chunked", OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n", False, 200, b"abc", True, False),
    Row("trailers", OK + b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx-sum: 1\r\n\r\n", False, 200, b"a", True, False),
    Row("last one", OK + b"content-length: 1\r\nconnection: close\r\n\r\na", False, 200, b"a", False, True),
    Row("old", b"HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\na", False, 200, b"a", False, True),
    Row("old, kept", b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 1\r\n\r\na", False, 200, b"a", True, True),
    Row("no content", b"HTTP/1.1 204 No Content\r\n\r\n", False, 204, b"", True, True),
    Row("not modified", b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", False, 304, b"", True, True),
    Row("continue", b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"content-length: 1\r\n\r\na", False, 200, b"a", True, True),
    Row("hints", b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 3 + OK + b"content-length: 1\r\n\r\na", False, 200, b"a", True, True),
    Row("head", OK + b"content-length: 999\r\n\r\n", True, 200, b"", True, True),
    Row("head, chunked", OK + b"transfer-encoding: chunked\r\n\r\n", True, 200, b"", True, False),
    Row("no reason", b"HTTP/1.1 500\r\ncontent-length: 0\r\n\r\n", False, 500, b"", True, True),
    Row("long head", OK + b"x: " + b"a" * 60_000 + b"\r\ncontent-length: 1\r\n\r\na", False, 200, b"a", True, True),
]  # fmt: skip


@pytest.mark.parametrize("row", WHOLE, ids=[row.name for row in WHOLE])
def test_whole_responses(row: Row) -> None:
    response = Response(without_body=row.to_head)
    response.feed(row.data)
    row.check(response)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([row for row in WHOLE if row.name != "long head"]), st.lists(st.integers(1, 60), max_size=40))
def test_however_it_is_split_it_is_the_same(row: Row, sizes: list[int]) -> None:
    response = Response(without_body=row.to_head)
    rest = row.data
    for size in sizes:
        part, rest = rest[:size], rest[size:]
        if part:
            assert not response.complete
            response.feed(part)
    if rest:
        response.feed(rest)
    row.check(response)


def test_the_end_of_the_connection_is_the_end_of_a_body_without_length() -> None:
    response = Response()
    for part in (OK + b"\r\n", b"abc", b"def"):
        response.feed(part)
        assert not response.complete
    assert response.end()
    assert (response.body, response.keep) == (b"abcdef", False)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200",
        OK + b"content-le",
        OK + b"content-length: 3\r\n\r\nab",
        OK + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
def test_the_end_of_the_connection_inside_a_response_does_not_complete_it(data: bytes) -> None:
    response = Response()
    if data:
        response.feed(data)
    assert not response.end()
    assert not response.complete


@pytest.mark.parametrize("behind", [OK + b"content-length: 1\r\n\r\nb", b"HTTP", b"nonsense", b"\0"])
@pytest.mark.parametrize("keeps", [b"", b"connection: close\r\n"])
def test_what_comes_behind_the_end_is_noticed_and_no_part_of_it(behind: bytes, keeps: bytes) -> None:
    response = Response()
    response.feed(OK + keeps + b"content-length: 1\r\n\r\na" + behind)
    assert (response.complete, response.body, response.surplus, response.keep) == (True, b"a", True, False)


def test_a_body_behind_the_answer_to_head_is_surplus() -> None:
    response = Response(without_body=True)
    response.feed(OK + b"content-length: 3\r\n\r\nabc")
    assert (response.complete, response.body, response.surplus, response.keep) == (True, b"", True, False)


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x15\x03\x03\x00\x02\x02\x50",  # a TLS alert
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        OK + b"content-length: 3\r\ncontent-length: 4\r\n\r\nabc",
        OK + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\nabc",
        OK + b"content-length: -1\r\n\r\n",
        OK + b"transfer-encoding: chunked\r\n\r\nxyz\r\n",
        OK + b"no colon\r\n\r\n",
    ],
)
def test_what_is_no_response_is_invalid(data: bytes) -> None:
    response = Response()
    response.feed(data)
    assert (response.complete, response.error) == (False, ErrorClass.INVALID)


@pytest.mark.parametrize("step", [HEAD_LIMIT_BYTES * 3, 4096])
@pytest.mark.parametrize("ends", [b"", b"\r\ncontent-length: 0\r\n\r\n"])
def test_a_head_without_measure_is_invalid(step: int, ends: bytes) -> None:
    response = Response()
    data = OK + b"x: " + b"a" * (HEAD_LIMIT_BYTES + 1) + ends
    for first in range(0, len(data), step):
        if response.error is None:
            response.feed(data[first : first + step])
    assert response.error is ErrorClass.INVALID


def test_interim_responses_without_end_are_invalid() -> None:
    response = Response()
    for _ in range(HEAD_LIMIT_BYTES // 25 + 1):
        if response.error is None:
            response.feed(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert response.error is ErrorClass.INVALID


@pytest.mark.parametrize("size", [5, 6])
def test_a_body_over_its_limit_is_given_up(size: int) -> None:
    response = Response(limit_bytes=5)
    response.feed(OK + b"content-length: 100\r\n\r\n" + b"a" * size)
    assert response.error is (ErrorClass.UNEXPECTED if size > 5 else None)
    assert len(response.body) <= 5


PIECES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK", b"HTTP/1.1 100 C", b"HTTP/1.0 204 N", b"\r\n", b"\n", b"\r", b": ", b"content-length: 3", b"content-length",
        b"transfer-encoding: chunked", b"connection: close", b"abc", b"3", b"0", b"ffffffffffffffffff", b"\0", b"\xff", b"upgrade: h2c",
        b"\r\n\r\n", b";", b"connection: upgrade",
    ]
)  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.lists(PIECES | st.binary(max_size=20), max_size=12).map(b"".join), max_size=8), st.booleans())
def test_nothing_that_arrives_raises(reads: list[bytes], to_head: bool) -> None:
    """Whatever the bytes, the reader says one thing only: not over yet, complete, or an error."""
    response = Response(without_body=to_head, limit_bytes=64)
    for data in filter(None, reads):
        if response.complete or response.error is not None:
            break
        response.feed(data)
        assert not (response.complete and response.error is not None)
        assert len(response.body) <= 64
    response.end()
    assert not (response.complete and response.error is not None)
    if response.complete:
        assert 200 <= response.status <= 999
        assert not (response.surplus and response.keep)

"""Compressed bodies: whole, damaged, cut off, and far larger than they look."""

import gzip
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from battle.core.records import ErrorClass
from battle.protocols.decoding import UndecodableError, decoded
from battle.protocols.response import BODY_LIMIT_BYTES

TEXT = b'{"jsonrpc": "2.0", "id": 1, "result": "0x1"}'
GZIPPED = gzip.compress(TEXT)


def raw(data: bytes) -> bytes:
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packing.compress(data) + packing.flush()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (TEXT, ""),
        (TEXT, "identity"),
        (GZIPPED, "gzip"),
        (GZIPPED, "GZip"),
        (GZIPPED, " x-gzip "),
        (zlib.compress(TEXT), "deflate"),
        (raw(TEXT), "deflate"),
        (gzip.compress(TEXT[:9]) + gzip.compress(TEXT[9:]), "gzip"),  # two members are one file
        (GZIPPED + b"\0\0", "gzip"),  # what stands behind the last member is not the body's
        (gzip.compress(zlib.compress(TEXT)), "deflate, gzip"),
        (TEXT, "br"),  # unknown: as it is
        (gzip.compress(TEXT), "br, gzip"),
    ],
)
def test_bodies(body: bytes, encoding: str) -> None:
    assert decoded(body, encoding) == TEXT


def test_no_body_is_no_damage() -> None:
    assert decoded(b"", "gzip") == b""  # of a HEAD, a 204, a 304


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (TEXT, "gzip"),
        (TEXT, "deflate"),
        (GZIPPED[:-9], "gzip"),  # inside the data
        (GZIPPED[:-1], "gzip"),  # inside the sum
        (GZIPPED[:-5] + b"\0" + GZIPPED[-4:], "gzip"),  # the sum is wrong
        (GZIPPED + GZIPPED[:5], "gzip"),
        (gzip.compress(b"") * 200, "gzip"),
        (TEXT, ", ".join(["gzip"] * 5)),
    ],
)
def test_what_is_damaged_is_invalid(body: bytes, encoding: str) -> None:
    with pytest.raises(UndecodableError) as raised:
        decoded(body, encoding)
    assert raised.value.error is ErrorClass.INVALID


@pytest.mark.parametrize(("length", "limit"), [(1001, 1000), (1, 0), (BODY_LIMIT_BYTES + 1, None)])
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "gzip, gzip"])
def test_what_is_too_large_is_not_unpacked(length: int, limit: int | None, encoding: str) -> None:
    body = bytes(length)
    for name in encoding.split(", "):
        body = gzip.compress(body) if name == "gzip" else zlib.compress(body)
    with pytest.raises(UndecodableError) as raised:
        decoded(body, encoding, limit)
    assert raised.value.error is ErrorClass.UNEXPECTED


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_the_limit_itself_is_not_too_large(encoding: str) -> None:
    body = gzip.compress(bytes(1000)) if encoding == "gzip" else zlib.compress(bytes(1000))
    assert decoded(body, encoding, 1000) == bytes(1000)


def test_members_share_the_limit() -> None:
    with pytest.raises(UndecodableError) as raised:
        decoded(gzip.compress(bytes(600)) * 2, "gzip", 1000)
    assert raised.value.error is ErrorClass.UNEXPECTED


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate", "gzip, deflate"]))
def test_any_bytes_come_back_or_are_refused(body: bytes, encoding: str) -> None:
    with suppress(UndecodableError):
        assert len(decoded(body, encoding, 10_000)) <= 10_000

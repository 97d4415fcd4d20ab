"""Bodies as they were before the server compressed them. Bounded: a few bytes can stand for gigabytes."""

import zlib

from battle.core.records import ErrorClass
from battle.protocols.response import BODY_LIMIT_BYTES

_MOST_ENCODINGS = 4
_MOST_MEMBERS = 100
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP, _ZLIB, _RAW = zlib.MAX_WBITS | 16, zlib.MAX_WBITS, -zlib.MAX_WBITS


class UndecodableError(Exception):
    """The body is damaged, or larger than it may be; `error` is the class that the call fails with."""

    def __init__(self, error: ErrorClass) -> None:
        super().__init__(error.label)
        self.error = error


def decoded(body: bytes, encoding: str, limit: int | None = None) -> bytes:
    """The body under a content-encoding (RFC 9110, 8.4): gzip, deflate, or several of them, the last one undone first.

    What is in another encoding comes back as it is: whether that is an answer, its judge will say. Raises
    UndecodableError: `invalid` when it is damaged or cut off, `unexpected` when it is larger than `limit` bytes.
    """
    most = BODY_LIMIT_BYTES if limit is None else limit
    names = [name.strip().lower() for name in encoding.split(",") if name.strip()]
    if len(names) > _MOST_ENCODINGS:
        raise UndecodableError(ErrorClass.INVALID)
    for name in reversed(names) if body else ():
        if name in {"gzip", "x-gzip"}:
            body = _gunzipped(body, most)
        elif name == "deflate":
            body = _inflated(body, most)
        elif name != "identity":
            return body
    return body


def _gunzipped(body: bytes, limit: int) -> bytes:
    """All members of a gzip file, one behind the other (RFC 1952)."""
    parts: list[bytes] = []
    for _ in range(_MOST_MEMBERS):
        part, rest = _unpacked(body, _GZIP, limit - sum(map(len, parts)))
        parts.append(part)
        if not rest.startswith(_GZIP_MAGIC):
            return b"".join(parts)
        body = rest
    raise UndecodableError(ErrorClass.INVALID)


def _inflated(body: bytes, limit: int) -> bytes:
    """With the frame of RFC 1950, as it should be, or without it, as some servers send it."""
    try:
        return _unpacked(body, _ZLIB, limit)[0]
    except UndecodableError as error:
        if error.error is not ErrorClass.INVALID:
            raise
        return _unpacked(body, _RAW, limit)[0]


def _unpacked(body: bytes, bits: int, limit: int) -> tuple[bytes, bytes]:
    """What one stream holds, and what stands behind it."""
    unpacking = zlib.decompressobj(bits)
    try:
        whole = unpacking.decompress(body, limit + 1)
    except zlib.error as error:
        raise UndecodableError(ErrorClass.INVALID) from error
    if len(whole) > limit:
        raise UndecodableError(ErrorClass.UNEXPECTED)
    if not unpacking.eof:
        raise UndecodableError(ErrorClass.INVALID)
    return whole, unpacking.unused_data

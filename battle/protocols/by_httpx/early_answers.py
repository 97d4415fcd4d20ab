"""Mends one thing in httpcore: over HTTP/2, an answer that comes before the request is whole is an answer.

A server may answer and end the stream without having read the body (RFC 9113, 8.1), as proxies do that refuse. httpcore
1.0 then raises on sending the rest, and forgets the answer that it has; nginx did so to a third of 50 requests at once.
"""

from contextlib import suppress
from functools import cache
from typing import Any


@cache
def heed_early_answers() -> None:
    """Let httpcore's HTTP/2 connections stop sending when the stream has ended, and go on to the answer."""
    import h2.exceptions  # noqa: PLC0415  (an extra)
    from httpcore._async import http2  # noqa: PLC0415

    class Heeding(http2.AsyncHTTP2Connection):
        """Stops sending the body where the server needs no more of it."""

        async def _send_request_body(self, request: Any, stream_id: int) -> None:
            with suppress(h2.exceptions.StreamClosedError):
                await super()._send_request_body(request, stream_id)

    http2.AsyncHTTP2Connection = Heeding  # type: ignore[misc]  # httpcore makes its connections by this name

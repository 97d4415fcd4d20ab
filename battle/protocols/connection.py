"""One HTTP/1.1 connection of the native engine: one request in flight, one parser, kept alive.

The hot path of the load generator: write, read, parse, judge. Headers are collected only when a witness reads them.
"""

import asyncio
import time
from typing import TYPE_CHECKING, cast

import httptools

from battle.core.ports.wire import Call
from battle.core.records import REQUEST_REUSED, ErrorClass, Outcome

if TYPE_CHECKING:
    from battle.protocols.http import HttpSession

_FINAL = 200


class Connection(asyncio.Protocol):
    """A connection to the proxy. The session hands it one call at a time and hears of its end."""

    __slots__ = ("_body", "_parser", "_served", "_session", "_transport", "call", "headers", "number")

    def __init__(self, session: "HttpSession", number: int) -> None:
        self._session = session
        self._transport: asyncio.Transport | None = None
        self._body = b""
        self._served = False
        self.number = number
        self.call: Call | None = None
        self.headers: dict[bytes, bytes] = {}
        sink = _HeaderSink(self) if session.reads_headers else _Sink(self)
        self._parser = httptools.HttpResponseParser(sink)

    def start(self, call: Call, data: bytes) -> None:
        """Send a request."""
        self.call = call
        call.connection = self.number
        if self._served:
            call.flags |= REQUEST_REUSED
        call.started_ns = call.started_ns or time.monotonic_ns()
        cast("asyncio.Transport", self._transport).write(data)

    def abort(self) -> None:
        """Close at once, forgetting the call."""
        self.call = None
        if self._transport is not None:
            self._transport.abort()

    @property
    def closing(self) -> bool:
        """Whether the connection is going away or gone."""
        return self._transport is None or self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Feed the parser; what is no HTTP ends the connection."""
        if self.call is None:
            self._session.lost(self)
            self.abort()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            call, self.call = self.call, None
            self.abort()
            self._session.lost(self)
            if call is not None:
                self._session.fail(call, ErrorClass.INVALID)

    def add_body(self, data: bytes) -> None:
        """A piece of the body."""
        self._body = self._body + data if self._body else data

    def complete(self) -> None:
        """The whole answer is here."""
        call = self.call
        status = self._parser.get_status_code()
        if call is None or status < _FINAL:
            self._body = b""
            return
        call.ended_ns = time.monotonic_ns()
        call.status = status
        body, self._body = self._body, b""
        self.call = None
        self._served = True
        self._session.answered(self, call, body, keep=self._parser.should_keep_alive())

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer went away: a call in flight has failed."""
        self._transport = None
        self._session.lost(self)
        call, self.call = self.call, None
        if call is not None and call.outcome is Outcome.UNFINISHED:
            self._session.fail(call, ErrorClass.RESET if isinstance(exc, OSError) else ErrorClass.CLOSED)


class _Sink:
    """The parser's callbacks, without headers: each callback costs, so there are only two."""

    __slots__ = ("on_body", "on_message_complete")

    def __init__(self, connection: Connection) -> None:
        self.on_body = connection.add_body
        self.on_message_complete = connection.complete


class _HeaderSink(_Sink):
    """The same, collecting the headers that the witness wants."""

    __slots__ = ("_headers", "_wanted")

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._headers = connection.headers
        self._wanted = connection._session.wanted_headers  # noqa: SLF001  (one mechanism in two classes)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the header when it is wanted."""
        lower = name.lower()
        if lower in self._wanted:
            self._headers[lower] = value

"""One HTTP/1.1 connection of the native engine: one request in flight, kept alive.

The hot path of the load generator: write, read, judge. A server's heads repeat, byte for byte, so a head that was
parsed once is recognised after that, and only its body is looked at; everything else goes through the parser.
"""

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from battle.core.ports.wire import Call
from battle.core.records import REQUEST_REUSED, ErrorClass
from battle.core.witness import Testimony
from battle.protocols.dialling import error_of_loss
from battle.protocols.response import Response

if TYPE_CHECKING:
    from battle.protocols.http import HttpSession

_monotonic_ns = time.monotonic_ns


class KnownHead:
    """A head that was seen before, with what the parser found in it: all that follows from the head alone.

    `size` is that of the whole response: these bytes, the empty line included, and the body.
    """

    __slots__ = ("head", "keep", "length", "size", "status", "testimony")

    def __init__(self, head: bytes, size: int, status: int, *, keep: bool, testimony: Testimony) -> None:
        self.head = head
        self.length = len(head)
        self.size = size
        self.status = status
        self.keep = keep
        self.testimony = testimony


class Connection(asyncio.Protocol):
    """A connection to the proxy. The session hands it one call at a time and hears of its end."""

    __slots__ = ("_response", "_session", "_transport", "call", "number", "write")

    def __init__(self, session: "HttpSession", number: int) -> None:
        self._session = session
        self._transport: asyncio.Transport | None = None
        self.write: Callable[[bytes], object]
        self._response: Response | None = None
        self.number = number
        self.call: Call | None = None

    def start(self, call: Call, data: bytes, *, reused: bool) -> None:
        """Send a request; `reused`: the connection has served before."""
        self.call = call
        call.connection = self.number
        if reused:
            call.flags |= REQUEST_REUSED
        if not call.started_ns:
            call.started_ns = _monotonic_ns()
        self.write(data)

    def abort(self) -> None:
        """Close at once, forgetting the call."""
        self.call = None
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self.write = self._transport.write

    def data_received(self, data: bytes) -> None:
        """Take an answer, or a part of one."""
        call = self.call
        if call is None:  # nothing was asked for: out of step
            self._session.lost(self)
            self.abort()
            return
        if self._response is None:
            session = self._session
            last = session.last_head
            known = last if len(data) == last.size and data.startswith(last.head) else session.known_head(data)
            if known is not None:
                call.ended_ns = _monotonic_ns()
                self.call = None
                call.status = known.status
                session.judges[call.template](call, data[known.length :])
                session.answered(self, call, known)
                return
        self._read(call, data)

    def _read(self, call: Call, data: bytes) -> None:
        """The way for what is not known by its head: through the parser."""
        response = self._response
        whole = response is None
        if response is None:
            response = self._response = self._session.awaited(call)
        response.feed(data)
        if response.error is not None:
            self._fail(response.error)
        elif response.complete:
            self._answer(call, response, data if whole else None)

    def _answer(self, call: Call, response: Response, data: bytes | None) -> None:
        """A whole answer; `data` when it came in one read."""
        call.ended_ns = _monotonic_ns()
        self._response = None
        self.call = None
        self._session.parsed(self, call, response, data)

    def _fail(self, error: ErrorClass) -> None:
        call, self.call = self.call, None
        begun, self._response = self._response is not None, None
        if self._transport is not None:
            self._transport.abort()
        self._session.lost(self)
        if call is not None:
            self._session.broken(call, error, untouched=not begun and call.flags & REQUEST_REUSED != 0)

    def eof_received(self) -> bool:
        """The peer sends nothing more: that may be the end of an answer, else of the connection."""
        response, call = self._response, self.call
        if response is not None and call is not None and response.end():
            self._answer(call, response, None)
        else:
            self._fail(ErrorClass.CLOSED)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer went away: a call in flight has failed."""
        self._transport = None
        self._fail(error_of_loss(exc))

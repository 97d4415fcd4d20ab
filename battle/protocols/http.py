"""HTTP/1.1 by the native engine: as fast as one core can."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import ClassVar, Literal

from battle.core.ports.wire import Call, Endpoint, LoadProtocol, StreamPlan
from battle.core.records import REQUEST_RETRIED, REQUEST_REUSED, REQUEST_WAITED, ErrorClass, Outcome
from battle.core.scenario import HttpRequest
from battle.core.units import NS_PER_S
from battle.core.witness import NOTHING_SAID
from battle.protocols.connection import Connection, KnownHead
from battle.protocols.decoding import UndecodableError, decoded
from battle.protocols.dialling import DialError, Dialler
from battle.protocols.judgement import judge_for, most_bytes
from battle.protocols.rendering import renderer
from battle.protocols.response import BODY_LIMIT_BYTES, Response
from battle.system.descriptors import most_connections

_HEADS = 4096
"""Heads kept in mind; when there are more, they change with every answer and it is no use."""
_NO_HEAD = KnownHead(b"\0", -1, 0, keep=False, testimony=NOTHING_SAID)
_HEAD_END = b"\r\n\r\n"
_UNFINISHED = Outcome.UNFINISHED
_monotonic_ns = time.monotonic_ns


class Http(LoadProtocol):
    """HTTP/1.1, JSON-RPC or plain, with keep-alive."""

    example: ClassVar[str] = "{kind: http}"

    kind: Literal["http"] = "http"

    def session(self, endpoint: Endpoint, plan: StreamPlan, report: Callable[[Call], None]) -> "HttpSession":
        """A pool of connections for one stream."""
        return HttpSession(endpoint, plan, report)


class HttpSession:
    """Connections to one endpoint, opened when needed and kept; calls that find none free wait in order.

    A call's timeout counts from `send`, so that waiting for a connection is inside it.
    """

    def __init__(self, endpoint: Endpoint, plan: StreamPlan, report: Callable[[Call], None]) -> None:
        self._dialler = Dialler(endpoint, plan.stream.tls)
        self._report = report
        self._loop = asyncio.get_running_loop()
        requests = plan.requests
        self._renders = {number: renderer(request, plan, endpoint) for number, request in requests.items()}
        self.judges = {number: judge_for(request, plan) for number, request in requests.items()}
        self._reads = {number: (_is_head(request), most_bytes(request)) for number, request in requests.items()}
        self._witness = plan.witness
        self._limit: int = min(plan.stream.connection_limit, most_connections())
        self._timeout_ns: int = plan.stream.timeout
        self._retry_on_reuse: bool = plan.stream.retry_on_reuse
        self._pending: dict[int, Call] = {}  # by key, in the order of `send`, so that deadlines are in order too
        self._idle: dict[Connection, None] = {}
        self._open: dict[int, Connection] = {}
        self._opening: dict[int, asyncio.Task[None]] = {}
        self._waiting: deque[Call] = deque()
        self._alarm: asyncio.TimerHandle | None = None
        self._count = 0
        self.heads: dict[bytes, KnownHead] = {}
        self.last_head = _NO_HEAD

    def send(self, call: Call) -> None:
        """Send it on a free connection, on a new one, or when one becomes free."""
        self._pending[call.key] = call
        if self._alarm is None:
            self._alarm = self._loop.call_later(self._timeout_ns / NS_PER_S, self._check_deadlines)
        if self._idle:
            connection, _ = self._idle.popitem()
            connection.call = call
            call.connection = connection.number
            call.flags |= REQUEST_REUSED
            data = self._renders[call.template](call.key)
            write = connection.write
            call.started_ns = _monotonic_ns()
            write(data)
        else:
            self._send_elsewhere(call)

    def _send_elsewhere(self, call: Call) -> None:
        if len(self._open) + len(self._opening) < self._limit:
            self._open_for(call)
        else:
            call.flags |= REQUEST_WAITED
            self._waiting.append(call)

    def _open_for(self, call: Call) -> None:
        call.started_ns = call.started_ns or _monotonic_ns()
        self._opening[call.key] = self._loop.create_task(self._connect(call))

    async def _connect(self, call: Call) -> None:
        self._count += 1
        connection = Connection(self, self._count)
        try:
            await self._dialler.dial(lambda: connection)
        except DialError as error:
            self.fail(call, error.error)
        else:
            self._open[connection.number] = connection
            if call.outcome is _UNFINISHED:
                connection.start(call, self._renders[call.template](call.key), reused=False)
            elif not self._serve_with(connection, reused=False):
                self.lost(connection)
                connection.abort()
        finally:
            del self._opening[call.key]
            if self._waiting:  # after a failure another call may try
                self._serve_waiting()

    def known_head(self, data: bytes) -> KnownHead | None:
        """The known head with which these bytes are one whole answer; it is looked at first the next time."""
        known = self.heads.get(data[: data.find(_HEAD_END) + len(_HEAD_END)])
        if known is None or len(data) != known.size:
            return None
        self.last_head = known
        return known

    def awaited(self, call: Call) -> Response:
        """A response to read the answer to this call with."""
        is_head, limit = self._reads[call.template]
        return Response(without_body=is_head, limit_bytes=BODY_LIMIT_BYTES if limit is None else limit)

    def parsed(self, connection: Connection, call: Call, response: Response, data: bytes | None) -> None:
        """An answer came through the parser; its head is kept in mind when it says all of it. `data`: the one read."""
        testimony = self._witness.read(response.headers, response.status) if self._witness else NOTHING_SAID
        is_head, limit = self._reads[call.template]
        body = response.body
        head = data[: len(data) - len(body)] if data is not None else b""
        size = len(data) if data is not None else 0
        known = KnownHead(head, size, response.status, keep=response.keep, testimony=testimony)
        encoding = response.headers.get(b"content-encoding", b"")
        if head and response.framed and not (response.surplus or is_head or encoding):
            if len(self.heads) >= _HEADS:
                self.heads.clear()
            self.heads[head] = known
        call.status = response.status
        try:
            body = decoded(body, encoding.decode("latin-1"), limit) if encoding else body
        except UndecodableError as error:
            call.outcome, call.error = Outcome.FAILED, error.error
        else:
            self.judges[call.template](call, body)
        self.answered(connection, call, known)

    def answered(self, connection: Connection, call: Call, head: KnownHead) -> None:
        """An answer is here, and judged: report it, use the connection again."""
        call.testimony = head.testimony
        del self._pending[call.key]
        if not head.keep:
            self.lost(connection)
            connection.abort()
        elif not self._waiting or not self._serve_with(connection, reused=True):
            self._idle[connection] = None
        report = self._report  # an attribute that is called where it stands is looked up anew each time
        report(call)

    def _serve_with(self, connection: Connection, *, reused: bool) -> bool:
        """Give a free connection to a call that waits; False when none does."""
        while self._waiting:
            call = self._waiting.popleft()
            if call.outcome is _UNFINISHED:
                connection.start(call, self._renders[call.template](call.key), reused=reused)
                return True
        return False

    def lost(self, connection: Connection) -> None:
        """A connection is gone; calls that wait may open another."""
        self._idle.pop(connection, None)
        if self._open.pop(connection.number, None) is not None and self._waiting:
            self._loop.call_soon(self._serve_waiting)

    def _serve_waiting(self) -> None:
        while self._waiting and len(self._open) + len(self._opening) < self._limit:
            call = self._waiting.popleft()
            if call.outcome is _UNFINISHED:
                self._open_for(call)

    def broken(self, call: Call, error: ErrorClass, *, untouched: bool) -> None:
        """A call's connection broke; `untouched`: one that had served before, and without a byte of an answer.

        The server may have closed it before the request came, so a stream may ask for a second try. It is marked.
        """
        if untouched and self._retry_on_reuse and not call.flags & REQUEST_RETRIED and call.outcome is _UNFINISHED:
            call.flags |= REQUEST_RETRIED
            self._send_elsewhere(call)
        else:
            self.fail(call, error)

    def fail(self, call: Call, error: ErrorClass, outcome: Outcome = Outcome.FAILED) -> None:
        """End a call without an answer."""
        if call.outcome is not _UNFINISHED:
            return
        call.ended_ns = _monotonic_ns()
        call.outcome = outcome
        call.error = error
        del self._pending[call.key]
        self._report(call)

    def _check_deadlines(self) -> None:
        """Give up what is overdue. The alarm stands meanwhile: a user who sends again sets no second one."""
        now = _monotonic_ns()
        overdue = []
        for call in self._pending.values():
            if call.offered_ns + self._timeout_ns > now:
                break
            overdue.append(call)
        for call in overdue:
            self._give_up(call, ErrorClass.TIMEOUT, Outcome.FAILED)
        self._alarm = None
        following = next(iter(self._pending.values()), None)
        if following is not None:
            left_ns = following.offered_ns + self._timeout_ns - now
            self._alarm = self._loop.call_later(left_ns / NS_PER_S + 0.001, self._check_deadlines)

    def _give_up(self, call: Call, error: ErrorClass, outcome: Outcome) -> None:
        """End a call that has no answer; its connection cannot be used again."""
        holder = self._open.get(call.connection)
        if holder is not None and holder.call is call:
            holder.abort()
            self.lost(holder)
        opening = self._opening.get(call.key)
        if opening is not None:
            opening.cancel()
        self.fail(call, error, outcome)

    def cancel(self) -> None:
        """End all that is in flight now, with outcome CANCELLED."""
        for call in list(self._pending.values()):
            self._give_up(call, ErrorClass.NONE, Outcome.CANCELLED)

    async def close(self) -> None:
        """Close all connections."""
        if self._alarm:
            self._alarm.cancel()
        for connection in list(self._open.values()):
            connection.abort()
        self._open.clear()
        for task in list(self._opening.values()):
            task.cancel()
        await asyncio.sleep(0)


def _is_head(request: object) -> bool:
    return isinstance(request, HttpRequest) and request.verb == "HEAD"

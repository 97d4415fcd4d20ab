"""HTTP/1.1 by the native engine: as fast as one core can."""

import asyncio
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar, Literal

from battle.core.ports.wire import Call, Endpoint, LoadProtocol, StreamPlan
from battle.core.records import REQUEST_WAITED, ErrorClass, Outcome
from battle.core.units import NS_PER_S
from battle.protocols.connection import Connection
from battle.protocols.judgement import judge_for
from battle.protocols.rendering import renderer


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
        self._endpoint = endpoint
        self._report = report
        self._loop = asyncio.get_running_loop()
        self._first = plan.first_template
        self._renders = [renderer(request, plan, endpoint) for request in plan.stream.requests]
        self._judges = [judge_for(request, plan) for request in plan.stream.requests]
        self._witness = plan.witness
        self._limit: int = plan.stream.connection_limit
        self._timeout_ns: int = plan.stream.timeout
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._opening: dict[asyncio.Task[None], Call] = {}
        self._waiting: deque[Call] = deque()
        self._deadlines: deque[tuple[int, Call]] = deque()
        self._alarm: asyncio.TimerHandle | None = None
        self._count = 0
        self.reads_headers = plan.witness is not None
        self.wanted_headers = plan.witness.header_names if plan.witness else frozenset[bytes]()

    def send(self, call: Call) -> None:
        """Send it on a free connection, on a new one, or when one becomes free."""
        self._deadlines.append((time.monotonic_ns() + self._timeout_ns, call))
        if self._alarm is None:
            self._alarm = self._loop.call_later(self._timeout_ns / NS_PER_S, self._check_deadlines)
        while self._idle:
            connection = self._idle.pop()
            if not connection.closing:
                connection.start(call, self._renders[call.template - self._first](call.key))
                return
        if len(self._open) + len(self._opening) < self._limit:
            self._open_for(call)
            return
        call.flags |= REQUEST_WAITED
        self._waiting.append(call)

    def _open_for(self, call: Call) -> None:
        call.started_ns = time.monotonic_ns()
        task = self._loop.create_task(self._connect(call))
        self._opening[task] = call
        task.add_done_callback(self._opened)

    def _opened(self, task: asyncio.Task[None]) -> None:
        """An attempt to connect is over; after a failure another call may try."""
        del self._opening[task]
        if self._waiting:
            self._serve_waiting()

    async def _connect(self, call: Call) -> None:
        self._count += 1
        connection = Connection(self, self._count)
        try:
            await self._loop.create_connection(lambda: connection, self._endpoint.host, self._endpoint.port)
        except (OSError, ssl.SSLError) as error:
            self.fail(call, _connect_error(error))
            return
        self._open.add(connection)
        if call.outcome is Outcome.UNFINISHED:
            connection.start(call, self._renders[call.template - self._first](call.key))
        else:
            self._free(connection)

    def answered(self, connection: Connection, call: Call, body: bytes, *, keep: bool) -> None:
        """An answer is here: judge it, report it, use the connection again."""
        if self._witness is not None:
            call.testimony = self._witness.read(connection.headers, call.status)
            connection.headers.clear()
        self._judges[call.template - self._first](call, body)
        if keep:
            self._free(connection)
        else:
            self.lost(connection)
            connection.abort()
        self._report(call)

    def _free(self, connection: Connection) -> None:
        while self._waiting:
            call = self._waiting.popleft()
            if call.outcome is Outcome.UNFINISHED:
                connection.start(call, self._renders[call.template - self._first](call.key))
                return
        self._idle.append(connection)

    def lost(self, connection: Connection) -> None:
        """A connection is gone; calls that wait may open another."""
        self._open.discard(connection)
        with suppress(ValueError):
            self._idle.remove(connection)
        if self._waiting:
            self._loop.call_soon(self._serve_waiting)

    def _serve_waiting(self) -> None:
        while self._waiting and len(self._open) + len(self._opening) < self._limit:
            call = self._waiting.popleft()
            if call.outcome is Outcome.UNFINISHED:
                self._open_for(call)

    def fail(self, call: Call, error: ErrorClass, outcome: Outcome = Outcome.FAILED) -> None:
        """End a call without an answer."""
        if call.outcome is not Outcome.UNFINISHED:
            return
        call.ended_ns = time.monotonic_ns()
        call.outcome = outcome
        call.error = error
        self._report(call)

    def _check_deadlines(self) -> None:
        """Give up what is overdue. The alarm stands for this call meanwhile: a user who sends again sets no second."""
        now = time.monotonic_ns()
        deadlines = self._deadlines
        while deadlines:
            deadline, call = deadlines[0]
            if call.outcome is Outcome.UNFINISHED:
                if deadline > now:
                    self._alarm = self._loop.call_later((deadline - now) / NS_PER_S + 0.001, self._check_deadlines)
                    return
                self._give_up(call, ErrorClass.TIMEOUT, Outcome.FAILED)
            deadlines.popleft()
        self._alarm = None

    def _give_up(self, call: Call, error: ErrorClass, outcome: Outcome) -> None:
        """End a call that has no answer; its connection cannot be used again."""
        holder = next((held for held in self._open if held.call is call), None)
        if holder is not None:
            holder.abort()
            self.lost(holder)
        for task, held in list(self._opening.items()):
            if held is call:
                task.cancel()
        self.fail(call, error, outcome)

    def cancel(self) -> None:
        """End all that is in flight now, with outcome CANCELLED."""
        for _, call in list(self._deadlines):
            if call.outcome is Outcome.UNFINISHED:
                self._give_up(call, ErrorClass.NONE, Outcome.CANCELLED)

    async def close(self) -> None:
        """Close all connections."""
        if self._alarm:
            self._alarm.cancel()
        for connection in list(self._open):
            connection.abort()
        self._open.clear()
        for task in list(self._opening):
            task.cancel()
        await asyncio.sleep(0)


def _connect_error(error: Exception) -> ErrorClass:
    if isinstance(error, socket.gaierror):
        return ErrorClass.DNS
    return ErrorClass.TLS if isinstance(error, ssl.SSLError) else ErrorClass.CONNECT

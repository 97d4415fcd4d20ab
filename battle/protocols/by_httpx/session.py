"""Sends the calls of one stream by httpx, a task a call.

Requests are those of the native engine, byte by byte, put into another protocol. Only httpx's transport is used: no
cookies, no redirects, no proxies from the environment, no retries.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

import anyio
import httpx

from battle.core.ports.wire import Call, Endpoint, StreamPlan
from battle.core.records import REQUEST_REUSED, REQUEST_WAITED, ErrorClass, Outcome
from battle.core.units import NS_PER_S
from battle.protocols.by_httpx.early_answers import heed_early_answers
from battle.protocols.decoding import UndecodableError, decoded
from battle.protocols.judgement import judge_for, most_bytes
from battle.protocols.rendering import renderer
from battle.system.trust import client_context


class HttpxSession:
    """A task a call. With HTTP/2, requests share connections as far as the server lets them."""

    def __init__(
        self, endpoint: Endpoint, plan: StreamPlan, report: Callable[[Call], None], *, http2: bool = True
    ) -> None:
        if http2:
            heed_early_answers()
        stream = plan.stream
        self._loop = asyncio.get_running_loop()
        self._report = report
        requests = plan.requests
        self._renders = {number: renderer(request, plan, endpoint) for number, request in requests.items()}
        self._judges = {number: judge_for(request, plan) for number, request in requests.items()}
        self._most_bytes = {number: most_bytes(request) for number, request in requests.items()}
        self._witness = plan.witness
        self._version = b"HTTP/2" if http2 else None
        self._timeout_s = stream.timeout / NS_PER_S
        self._url = httpx.URL(endpoint.url)
        self._extensions: dict[str, Any] = {}
        if stream.tls is not None and stream.tls.server_name is not None:
            self._extensions["sni_hostname"] = stream.tls.server_name
        self._free = asyncio.Semaphore(stream.in_flight_limit if http2 else stream.connection_limit)
        self._tasks: dict[asyncio.Task[None], Call] = {}
        self._numbers: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
        self._count = 0
        self._transport = httpx.AsyncHTTPTransport(
            verify=client_context(stream.tls) if endpoint.secure else False,
            http1=endpoint.secure or not http2,  # over TLS both are offered, and what was chosen is looked at
            http2=http2,
            limits=httpx.Limits(max_connections=stream.connection_limit, keepalive_expiry=None),
            uds=endpoint.socket or None,
            trust_env=False,
        )

    def send(self, call: Call) -> None:
        """Send it in a task of its own."""
        task = self._loop.create_task(self._carry(call, self._loop.time() + self._timeout_s))
        self._tasks[task] = call
        task.add_done_callback(self._tasks.pop)

    async def _carry(self, call: Call, deadline: float) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                if self._free.locked():
                    call.flags |= REQUEST_WAITED
                async with self._free:
                    await self._exchange(call)
        except TimeoutError:
            self._fail(call, ErrorClass.TIMEOUT)
        except UndecodableError as error:
            self._fail(call, error.error)
        except Exception as error:
            if call.outcome is not Outcome.UNFINISHED:
                raise  # not httpx's: it came from the report
            self._fail(call, _class_of(error))  # whatever httpx lets through: every call is reported

    async def _exchange(self, call: Call) -> None:
        steps = _Steps(call)
        try:
            response = await self._transport.handle_async_request(self._request(call, steps))
        except BaseException:
            if steps.half_open is not None:
                await steps.half_open.aclose()  # httpcore forgets it when a handshake is cancelled
            raise
        self._note_connection(call, response.extensions.get("network_stream"))
        stream = response.stream
        if not isinstance(stream, httpx.AsyncByteStream):
            raise TypeError(stream)
        try:
            body = b"".join([part async for part in stream])
        finally:
            await stream.aclose()
        if self._version not in {None, response.extensions["http_version"]}:
            self._fail(call, ErrorClass.INVALID)
            return
        call.ended_ns = time.monotonic_ns()
        call.status = response.status_code
        if self._witness is not None:
            headers = {name.lower(): value for name, value in response.headers.raw}
            call.testimony = self._witness.read(headers, call.status)
        body = decoded(body, response.headers.get("content-encoding", ""), self._most_bytes[call.template])
        self._judges[call.template](call, body)
        self._report(call)

    def _request(self, call: Call, steps: "_Steps") -> httpx.Request:
        """The native engine's bytes as a request of httpx."""
        head, _, body = self._renders[call.template](call.key).partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        verb, _, path = first.rpartition(b" ")[0].partition(b" ")
        headers = [(name, value) for name, _, value in (line.partition(b": ") for line in lines)]
        extensions = {**self._extensions, "trace": steps.hear}
        url = self._url.copy_with(raw_path=path)
        return httpx.Request(verb.decode(), url, headers=headers, content=body or None, extensions=extensions)

    def _note_connection(self, call: Call, connection: object) -> None:
        if connection in self._numbers:
            call.flags |= REQUEST_REUSED
        elif connection is not None:
            self._count += 1
            self._numbers[connection] = self._count
        call.connection = self._numbers.get(connection, 0)

    def _fail(self, call: Call, error: ErrorClass, outcome: Outcome = Outcome.FAILED) -> None:
        if call.outcome is Outcome.UNFINISHED:
            call.ended_ns = time.monotonic_ns()
            call.outcome = outcome
            call.error = error
            self._report(call)

    def cancel(self) -> None:
        """End all that is in flight now, with outcome CANCELLED."""
        for task, call in list(self._tasks.items()):
            self._fail(call, ErrorClass.NONE, Outcome.CANCELLED)
            task.cancel()

    async def close(self) -> None:
        """Close all connections."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._transport.aclose()


class _Steps:
    """Listens to httpcore's steps of one call. `half_open` is a connection whose handshake has not ended."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._connection: Any = None
        self.half_open: Any = None

    async def hear(self, step: str, about: dict[str, Any]) -> None:
        """Take a step. The first is the start of a new connection, or of the request on an old one."""
        self._call.started_ns = self._call.started_ns or time.monotonic_ns()
        if step in {"connection.connect_tcp.complete", "connection.connect_unix_socket.complete"}:
            self._connection = about["return_value"]
        elif step == "connection.start_tls.started":
            self.half_open = self._connection
        elif step == "connection.start_tls.complete":
            self.half_open = None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and those that it came from."""
    seen: set[int] = set()
    here: BaseException | None = error
    while here is not None and id(here) not in seen:
        seen.add(id(here))
        yield here
        here = here.__cause__ or here.__context__


_BY_CAUSE: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], ErrorClass], ...] = (
    ((socket.gaierror, UnicodeError), ErrorClass.DNS),
    (ssl.SSLError, ErrorClass.TLS),
)


def _class_of(error: Exception) -> ErrorClass:
    """The class of what httpx raises. Some of it is told apart by its text only."""
    causes = list(_causes(error))
    for kinds, found in _BY_CAUSE:
        if any(isinstance(cause, kinds) for cause in causes):
            return found
    if isinstance(error, httpx.ConnectError):
        broken = any(isinstance(cause, anyio.EndOfStream | anyio.BrokenResourceError) for cause in causes)
        return ErrorClass.TLS if broken else ErrorClass.CONNECT  # what broke before any request was a handshake
    if isinstance(error, httpx.TimeoutException):
        return ErrorClass.TIMEOUT
    if isinstance(error, httpx.NetworkError) or "StreamReset" in str(error):
        return ErrorClass.RESET
    closed = ("disconnected", "closed connection", "ConnectionTerminated")
    if isinstance(error, httpx.RemoteProtocolError) and any(text in str(error) for text in closed):
        return ErrorClass.CLOSED
    return ErrorClass.INVALID

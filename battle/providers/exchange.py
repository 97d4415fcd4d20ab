"""One connection of a mock provider: requests in, answers out, in order, each recorded at both instants."""

import asyncio
from collections import deque
from http import HTTPStatus
from typing import Any, cast

import httptools
import orjson

from battle.core.keys import PROBE_ID
from battle.providers.answers import AnswerPlanner, Planned
from battle.providers.arrivals import LOST, ArrivalRecords
from battle.providers.rpc import Answered, Asked, Rpc, parse_error

_OK = 200
_NS_PER_S = 1e9
_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"


class _Pending:
    """A request that has arrived and is not yet answered."""

    __slots__ = ("asked", "batch", "keep", "places", "planned")

    def __init__(self, asked: list[Asked], places: list[int], planned: Planned, *, batch: bool, keep: bool) -> None:
        self.asked = asked
        self.places = places
        self.planned = planned
        self.batch = batch
        self.keep = keep


class Exchange(asyncio.Protocol):
    """Serves one peer. Pipelined requests wait for the answers before them."""

    __slots__ = (
        "_body",
        "_head",
        "_number",
        "_parser",
        "_planner",
        "_queue",
        "_records",
        "_rpc",
        "_timer",
        "_transport",
    )

    def __init__(self, planner: AnswerPlanner, rpc: Rpc, records: ArrivalRecords | None, number: int) -> None:
        self._planner = planner
        self._rpc = rpc
        self._records = records
        self._number = number
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._head = b""
        self._body = b""
        self._queue: deque[_Pending] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Feed the parser. The raw bytes are kept until the message is whole: the key may be in its header."""
        self._head = self._head + data if self._head else data
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            if self._transport is not None:
                self._transport.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                self._transport.close()

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        self._body = self._body + data if self._body else data

    def on_message_complete(self) -> None:
        """A whole request: record it, decide what becomes of it, answer it when its turn comes."""
        head, self._head = self._head, b""
        body, self._body = self._body, b""
        keep = self._parser.should_keep_alive()
        try:
            asked, batch = self._rpc.read(head, body) if body else ([], False)
        except (ValueError, TypeError):
            asked, batch = [Asked(0, 0, None, "", None)], False
            planned = Planned(rpc_error=parse_error()["error"])
        else:
            probe = len(asked) == 1 and asked[0].id == PROBE_ID
            planned = self._planner.plan([call.method for call in asked], self._rpc.latency_ns(asked), probe=probe)
        pending = _Pending(asked, self._record(asked, planned), planned, batch=batch, keep=keep)
        if self._queue:
            self._queue.append(pending)
            return
        if planned.delay_ns or planned.hang:
            self._queue.append(pending)
            self._begin()
        else:
            self._answer(pending)

    def _record(self, asked: list[Asked], planned: Planned) -> list[int]:
        if self._records is None:
            return [LOST] * len(asked)
        return [
            LOST
            if call.id == PROBE_ID
            else self._records.arrived(
                call.key, call.source, faults=planned.faults, connection=self._number, batch_index=min(index, 255)
            )
            for index, call in enumerate(asked)
        ]

    def _begin(self) -> None:
        """Wait for the answer that is next; a hanging one is never followed by another."""
        planned = self._queue[0].planned
        if not planned.hang:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0, planned.delay_ns) / _NS_PER_S, self._due)

    def _due(self) -> None:
        self._timer = None
        self._answer(self._queue.popleft())
        if self._queue and self._transport is not None:
            self._begin()

    def _answer(self, pending: _Pending) -> None:
        planned = pending.planned
        answers = [self._rpc.answer(call, planned.rpc_error) for call in pending.asked]
        refused = planned.status != _OK
        if self._records is not None:
            for place, made in zip(pending.places, answers, strict=True):
                self._mark(place, made, planned)
        if self._transport is None:
            return
        body = orjson.dumps(_document(pending, answers) if not refused else {"error": "injected by battle"})
        if not refused and not planned.headers and pending.keep:
            self._transport.write(_HEAD % (len(body), body))
            return
        self._transport.write(_head(planned, len(body), keep=pending.keep) + body)
        if not pending.keep:
            self._transport.close()

    def _mark(self, place: int, made: Answered, planned: Planned) -> None:
        records = cast("ArrivalRecords", self._records)
        if planned.status != _OK:
            records.answered(place, status=planned.status, height=-1, rpc_code=0, executed=False)
        else:
            records.answered(place, status=_OK, height=made.height, rpc_code=made.rpc_code, executed=made.executed)

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer went away: what waits for an answer will not get one."""
        del exc
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
        if self._records is not None:
            for pending in self._queue:
                for place in pending.places:
                    self._records.closed(place)
        self._queue.clear()


def _document(pending: _Pending, answers: list[Answered]) -> Any:
    if not answers:
        return {"mock": "battle", "say": "POST JSON-RPC here"}
    replies = [made.reply for made in answers]
    return replies if pending.batch else replies[0]


def _head(planned: Planned, length: int, *, keep: bool) -> bytes:
    lines = [b"HTTP/1.1 %d %b" % (planned.status, _REASONS.get(planned.status, b"Unknown"))]
    lines += [b"content-type: application/json", b"content-length: %d" % length]
    lines += [f"{name}: {value}".encode() for name, value in planned.headers.items()]
    if not keep:
        lines.append(b"connection: close")
    return b"\r\n".join(lines) + b"\r\n\r\n"

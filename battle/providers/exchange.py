"""One connection of a mock provider: requests in, answers out, in order, each recorded at both instants."""

import asyncio
import re
from collections import deque
from http import HTTPStatus
from typing import cast

import httptools
import orjson

from battle.core.keys import PROBE_ID
from battle.providers.answers import AnswerPlanner, Planned
from battle.providers.arrivals import ArrivalRecords, Place
from battle.providers.rpc import Answered, Asked, Rpc
from battle.system.pacing import do_not_pace

_OK = 200
_NS_PER_S = 1e9
_MOST_INDEX = 255
_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r]*chunked", re.IGNORECASE)
_NO_HTTP = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_REFUSAL = b'{"error":"injected by battle"}'


class _Pending:
    """A request that has arrived and is not yet answered."""

    __slots__ = ("asked", "batch", "keep", "places", "planned")

    def __init__(self, asked: list[Asked], places: list[Place], planned: Planned, *, batch: bool, keep: bool) -> None:
        self.asked = asked
        self.places = places
        self.planned = planned
        self.batch = batch
        self.keep = keep


class Exchange(asyncio.Protocol):
    """Serves one peer. Pipelined requests wait for the answers before them."""

    __slots__ = (
        "_body",
        "_deaf",
        "_number",
        "_parser",
        "_planner",
        "_queue",
        "_raw",
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
        self._raw = b""
        self._body = b""
        self._queue: deque[_Pending] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._deaf = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)
        do_not_pace(transport.get_extra_info("socket"))

    def data_received(self, data: bytes) -> None:
        """Feed the parser. The raw bytes are kept until the message is whole: the key may be in its header."""
        if self._deaf:
            return
        self._raw = self._raw + data if self._raw else data
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            if not self._deaf:
                self._deaf = True
                if not self._queue and self._transport is not None:
                    self._transport.write(_NO_HTTP)
                    self._transport.close()

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        self._body = self._body + data if self._body else data

    def on_message_complete(self) -> None:
        """A whole request: record it, decide what becomes of it, answer it when its turn comes."""
        if self._deaf:
            return
        head, body = self._take()
        keep = self._parser.should_keep_alive()
        asked, batch = self._rpc.read(head, body)
        planner = self._planner
        is_plain = planner.is_plain and not self._rpc.slows
        if is_plain and keep and not batch and not self._queue and not asked[0].plain:
            self._answer_at_once(asked[0])
            return
        self._deaf = not keep
        if is_plain:
            planned = planner.plain
        else:
            methods = [call.method for call in asked]
            planned = planner.plan(methods, self._rpc.latency_ns(asked), probe=asked[0].id == PROBE_ID)
        places = self._record(asked, planned.faults)
        if not planned.delay_ns and not planned.hang and not self._queue:
            self._answer(asked, places, planned, batch=batch, keep=keep)
            return
        self._queue.append(_Pending(asked, places, planned, batch=batch, keep=keep))
        if len(self._queue) == 1:
            self._begin()

    def _take(self) -> tuple[bytes, bytes]:
        """The message as it came, and its body. What follows in the same bytes is the beginning of the next."""
        raw, body = self._raw, self._body
        self._body = b""
        end = raw.find(b"\r\n\r\n") + 4
        if end + len(body) == len(raw):  # nothing before it and nothing after it, as nearly always
            self._raw = b""
            return raw, body
        raw = raw.lstrip(b"\r\n")
        end = raw.find(b"\r\n\r\n") + 4
        end = _after_chunks(raw, end) if _CHUNKED.search(raw, 0, end) else raw.find(body, end) + len(body)
        self._raw = raw[end:]
        return raw[:end], body

    def _answer_at_once(self, asked: Asked) -> None:
        """The usual message, one call that nothing delays or alters: the same records and bytes as by `_answer`."""
        records = self._records
        if records is None or asked.id == PROBE_ID:
            made = self._rpc.answer(asked, None)
        else:
            place = records.arrived(asked.key, asked.source, 0, self._number)
            made = self._rpc.answer(asked, None)
            records.answered(place, _OK, made.height, made.rpc_code, executed=made.executed)
        if self._transport is not None:
            body = orjson.dumps(made.reply)
            self._transport.write(_HEAD % (len(body), body))

    def _record(self, asked: list[Asked], faults: int) -> list[Place]:
        records = self._records
        if records is None or asked[0].id == PROBE_ID:
            return [None] * len(asked)
        if len(asked) == 1:
            return [records.arrived(asked[0].key, asked[0].source, faults, self._number)]
        return [
            records.arrived(call.key, call.source, faults, self._number, min(index, _MOST_INDEX))
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
        turn = self._queue.popleft()
        self._answer(turn.asked, turn.places, turn.planned, batch=turn.batch, keep=turn.keep)
        if self._queue:
            self._begin()
        elif self._deaf and self._transport is not None:
            self._transport.close()

    def _answer(self, asked: list[Asked], places: list[Place], planned: Planned, *, batch: bool, keep: bool) -> None:
        """Make the answers now, note them as answered, and only then send them."""
        made = [self._rpc.answer(call, planned.error_of(call.method)) for call in asked]
        refused = planned.status != _OK
        if self._records is not None:
            for place, one in zip(places, made, strict=True):
                if refused:
                    self._records.answered(place, planned.status)
                else:
                    self._records.answered(place, _OK, one.height, one.rpc_code, executed=one.executed)
        if self._transport is None:
            return
        body = _REFUSAL if refused else _document(made, batch=batch)
        if not refused and not planned.headers and keep and not asked[0].plain:
            self._transport.write(_HEAD % (len(body), body))
            return
        head = _head(planned, len(body), keep=keep)
        self._transport.write(head if asked[0].method.startswith("HEAD ") else head + body)
        if not keep:
            self._transport.close()

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


def _after_chunks(raw: bytes, at: int) -> int:
    """Where a message ends whose chunks begin at `at`. The parser has read them: they are whole and well-formed."""
    size = -1
    while size:
        start = raw.index(b"\r\n", at) + 2
        size = int(raw[at:start].partition(b";")[0], 16)
        at = start + size + 2 if size else start
    while not raw.startswith(b"\r\n", at):  # trailers
        at = raw.index(b"\r\n", at) + 2
    return at + 2


def _document(made: list[Answered], *, batch: bool) -> bytes:
    return orjson.dumps([one.reply for one in made] if batch else made[0].reply)


def _head(planned: Planned, length: int, *, keep: bool) -> bytes:
    lines = [b"HTTP/1.1 %d %b" % (planned.status, _REASONS.get(planned.status, b"Unknown"))]
    lines += [b"content-type: application/json", b"content-length: %d" % length]
    lines += [f"{name}: {value}".encode() for name, value in planned.headers.items()]
    if not keep:
        lines.append(b"connection: close")
    return b"\r\n".join(lines) + b"\r\n\r\n"

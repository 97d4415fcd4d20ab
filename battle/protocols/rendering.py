"""Requests as bytes, rendered beforehand, with the key spliced in when they are sent.

A template whose only variable is the key becomes one bytes pattern, filled in a single operation. Other placeholders
(`${int:1..100}`, `${choice:a,b}`) are drawn per request from the seed and the request's number, so that the same seed
gives the same requests. A CSV file gives its rows in order to the requests of a stream that use it, one row each. Of a
batch each call has a key of its own; the request's is that of the first.
"""

import random
import re
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from battle.core.keys import ADDRESS_PREFIX, COUNTER_BITS, PARENT_ID, TRACE_PREFIX
from battle.core.ports.wire import Endpoint, StreamPlan
from battle.core.scenario import BatchRequest, HttpRequest, RpcCall, RpcRequest
from battle.core.shard import Shard
from battle.errors import SetupError
from battle.system.csv_columns import Column, Rows

Render = Callable[[int], bytes]
"""Key -> the bytes of the whole request."""

_KEY = "\ue000KEY\ue000"  # marks no YAML scalar can hold by accident: private-use characters
_HEX = "\ue000HEX\ue000"
_NEXT = "\ue000NEXT\ue000"  # from here on the keys are those of the batch's next call
_MARKS = {"key": _KEY, "key:hex": _HEX, "address": f"{ADDRESS_PREFIX}{_HEX}"}
_PLACEHOLDER = re.compile(r"\$\{(key:hex|key|address|int:(-?\d+)\.\.(-?\d+)|choice:([^}]+)|(csv:[^}]+))\}")
_IN_TARGETS = string.punctuation
"""What a request's target may hold; all else is escaped."""


def renderer(request: RpcRequest | BatchRequest | HttpRequest, plan: StreamPlan, endpoint: Endpoint) -> Render:
    """The function that renders a request for a key; of a batch, that of its first call."""
    body = _body(request)
    head = _head(request, plan, endpoint, has_body=body is not None)
    texts = [head, body or ""]
    if not any(match[2] or match[4] or match[5] for text in texts for match in _PLACEHOLDER.finditer(text)):
        return _fixed(_mark(head), _mark(body or ""), plan.key_step)
    is_json = not isinstance(request, HttpRequest) or not isinstance(request.body, str)
    return _Drawn(plan, head, body or "", is_json=is_json).render


def _body(request: RpcCall | BatchRequest | HttpRequest) -> str | None:
    if isinstance(request, BatchRequest):
        return f"[{f',{_NEXT}'.join(str(_body(call)) for call in request.batch)}]"
    if isinstance(request, RpcCall):
        call = {"jsonrpc": "2.0", "id": _KEY, "method": request.method, "params": request.params}
        return _json(call)
    if request.body is None:
        return None
    return request.body if isinstance(request.body, str) else _json(request.body)


def _json(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text.replace(f'"{_KEY}"', _KEY).replace('"${key}"', _KEY)  # a key that stands alone is a number


def _head(
    request: RpcRequest | BatchRequest | HttpRequest, plan: StreamPlan, endpoint: Endpoint, *, has_body: bool
) -> str:
    if isinstance(request, HttpRequest):
        verb, path, extra = request.verb, request.path, request.headers
    else:
        verb, path, extra = "POST", plan.stream.path, {}
    headers = {
        "host": endpoint.authority,
        "user-agent": "battle",
        "traceparent": f"00-{TRACE_PREFIX}{_HEX}-{PARENT_ID}-01",
        "accept": "*/*",
    }
    if has_body:
        headers["content-type"] = "application/json"
    if plan.stream.auth is not None:
        headers["authorization"] = plan.stream.auth.header
    headers |= {name.lower(): value for name, value in {**plan.stream.headers, **extra}.items()}
    lines = [f"{verb} {endpoint.path}{path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if has_body or verb in {"POST", "PUT", "PATCH"}:
        lines.append("content-length: \ue000LENGTH\ue000")
    return "\r\n".join(lines) + "\r\n\r\n"


def _mark(text: str) -> str:
    return _PLACEHOLDER.sub(lambda match: _MARKS[match[1]], text)


def _pattern(text: str) -> tuple[bytes, int]:
    """A %-pattern whose arguments are all the key, and how many there are: a key has 16 digits, or 14 hexadecimal."""
    pattern = text.encode().replace(b"%", b"%%")
    count = text.count(_KEY) + text.count(_HEX)
    return pattern.replace(_KEY.encode(), b"%d").replace(_HEX.encode(), b"%x"), count


def _fixed(head: str, body: str, key_step: int) -> Render:
    calls = [_pattern(call) for call in body.split(_NEXT)]
    length = sum(len(pattern % ((1 << 52,) * count)) for pattern, count in calls)
    front, count = _pattern(head.replace("\ue000LENGTH\ue000", str(length)))
    whole = front + b"".join(pattern for pattern, _ in calls)
    ahead = [number * key_step for number, (_, own) in enumerate(calls) for _ in range(own)]
    total = count + len(ahead)
    if any(ahead):
        steps = [0] * count + ahead
        return lambda key: whole % tuple([key + step for step in steps])
    if total == 2:  # noqa: PLR2004  (the usual call: trace id and JSON-RPC id)
        return lambda key: whole % (key, key)
    return lambda key: whole % ((key,) * total)


class _Drawn:
    """A request with values of its own each time. Raises SetupError when its CSV files cannot be read any more."""

    def __init__(self, plan: StreamPlan, head: str, body: str, *, is_json: bool) -> None:
        self._seed, self._rows, self._key_step = plan.seed, plan.rows, plan.key_step
        self._target, line_end, rest = head.partition("\r\n")
        self._headers, self._body, self._is_json = line_end + rest, body, is_json
        written = {found[5]: found[5] for found in _PLACEHOLDER.finditer(head) if found[5]}
        for found in _PLACEHOLDER.finditer(body):
            if found[5]:
                written[found[5]] = orjson.loads(f'"{found[5]}"') if is_json else found[5]
        columns = {text: Column.parse(meant) for text, meant in written.items()}
        self._columns = {text: column for text, column in columns.items() if column is not None}
        self._files = {column.file for column in self._columns.values()}
        for file in self._files - set(self._rows):
            self._rows[file] = _open(file, plan.shard)

    def render(self, key: int) -> bytes:
        draw = random.Random(self._seed << COUNTER_BITS | key & (1 << COUNTER_BITS) - 1)  # noqa: S311  (reproducible)
        taken = {file: self._rows[file].take() for file in self._files}

        def value(match: re.Match[str]) -> str:
            if match[2]:
                return str(draw.randint(int(match[2]), int(match[3])))
            if match[4]:
                return draw.choice(str(match[4]).split(","))
            if match[5]:
                column = self._columns[match[5]]
                return str(taken[column.file][column.name])
            return _MARKS[str(match[1])]

        def in_target(match: re.Match[str]) -> str:
            return quote(value(match), safe=_IN_TARGETS) if match[5] else value(match)

        def in_json(match: re.Match[str]) -> str:
            return orjson.dumps(value(match)).decode()[1:-1] if match[5] else value(match)

        head = _PLACEHOLDER.sub(in_target, self._target) + _PLACEHOLDER.sub(value, self._headers)
        body = _PLACEHOLDER.sub(in_json if self._is_json else value, self._body)
        return _fixed(head, body, self._key_step)(key)


def _open(file: str, shard: Shard) -> Rows:
    try:
        return Rows(Path(file), shard)
    except (OSError, ValueError) as error:
        raise SetupError(f"{file} cannot be read any more: {error}") from error

"""Requests as bytes, rendered beforehand, with the key spliced in when they are sent.

A template whose only variable is the key becomes one bytes pattern, filled in a single operation. Other placeholders
(`${int:1..100}`, `${choice:a,b}`) are drawn per request from the seed and the request's number, so that the same seed
gives the same requests.
"""

import random
import re
from collections.abc import Callable
from typing import Any

import orjson

from battle.core.keys import ADDRESS_PREFIX, COUNTER_BITS, PARENT_ID, TRACE_PREFIX
from battle.core.ports.wire import Endpoint, StreamPlan
from battle.core.scenario import HttpRequest, RpcRequest

Render = Callable[[int], bytes]
"""Key -> the bytes of the whole request."""

_KEY = "\ue000KEY\ue000"  # marks no YAML scalar can hold by accident: private-use characters
_HEX = "\ue000HEX\ue000"
_MARKS = {"key": _KEY, "key:hex": _HEX, "address": f"{ADDRESS_PREFIX}{_HEX}"}
_PLACEHOLDER = re.compile(r"\$\{(key:hex|key|address|int:(-?\d+)\.\.(-?\d+)|choice:([^}]+))\}")


def renderer(request: RpcRequest | HttpRequest, plan: StreamPlan, endpoint: Endpoint) -> Render:
    """The function that renders a request for a key."""
    body = _body(request)
    head = _head(request, plan, endpoint, has_body=body is not None)
    texts = [head, body or ""]
    if not any(match[2] or match[4] for text in texts for match in _PLACEHOLDER.finditer(text)):
        return _fixed(*(_mark(text) for text in texts))
    return _drawn(head, body or "", plan.seed)


def _body(request: RpcRequest | HttpRequest) -> str | None:
    if isinstance(request, RpcRequest):
        call = {"jsonrpc": "2.0", "id": _KEY, "method": request.method, "params": request.params}
        return _json(call)
    if request.body is None:
        return None
    return request.body if isinstance(request.body, str) else _json(request.body)


def _json(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text.replace(f'"{_KEY}"', _KEY).replace('"${key}"', _KEY)  # a key that stands alone is a number


def _head(request: RpcRequest | HttpRequest, plan: StreamPlan, endpoint: Endpoint, *, has_body: bool) -> str:
    if isinstance(request, RpcRequest):
        verb, path, extra = "POST", plan.stream.path, {}
    else:
        verb, path, extra = request.verb, request.path, request.headers
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


def _fixed(head: str, body: str) -> Render:
    pattern, count = _pattern(body)
    length = len(pattern % ((1 << 52,) * count))
    whole, total = _pattern(head.replace("\ue000LENGTH\ue000", str(length)) + body)
    if total == 2:  # noqa: PLR2004  (the usual call: trace id and JSON-RPC id)
        return lambda key: whole % (key, key)
    return lambda key: whole % ((key,) * total)


def _drawn(head: str, body: str, seed: int) -> Render:
    def render(key: int) -> bytes:
        draw = random.Random(seed << COUNTER_BITS | key & (1 << COUNTER_BITS) - 1)  # noqa: S311  (reproducible)

        def value(match: re.Match[str]) -> str:
            if match[2]:
                return str(draw.randint(int(match[2]), int(match[3])))
            if match[4]:
                return draw.choice(str(match[4]).split(","))
            return _MARKS[str(match[1])]

        return _fixed(_PLACEHOLDER.sub(value, head), _PLACEHOLDER.sub(value, body))(key)

    return render

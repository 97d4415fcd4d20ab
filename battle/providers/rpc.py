"""JSON-RPC as a mock provider speaks it: bodies to answers, and the key of each call."""

import re
import time
from typing import Any, NamedTuple

import orjson

from battle.core.codes import NO_HEIGHT, KeySource
from battle.core.keys import ADDRESS_PREFIX, PROBE_ID, TRACE_PREFIX, belongs
from battle.providers.chain import Chain
from battle.providers.methods import MethodError, result_of

_PARSE_ERROR = -32700
_INVALID_REQUEST = -32600


class Asked(NamedTuple):
    """One call of a body: its key (0: none of this run), where the key was found, its id, method and parameters."""

    key: int
    source: int
    id: Any
    method: str
    params: Any


class Answered(NamedTuple):
    """One answer: the object to send, and what the record says of it."""

    reply: dict[str, Any]
    height: int
    rpc_code: int
    executed: bool


class Rpc:
    """Answers calls from the chain; `methods` overrides single methods: {name: {result, latency_ns, error}}."""

    def __init__(self, chain: Chain, methods: dict[str, dict[str, Any]], key_base: int) -> None:
        self._chain = chain
        self._methods = methods
        self._base = key_base
        self._trace = f"00-{TRACE_PREFIX}".encode()
        self._param = re.compile(rf"{ADDRESS_PREFIX}([0-9a-f]{{14}})|\b(\d{{16}})\b".encode())

    def read(self, head: bytes, body: bytes) -> tuple[list[Asked], bool]:
        """The calls of a body, and whether it was a batch. Raises ValueError for what is no JSON-RPC."""
        document = orjson.loads(body)
        if isinstance(document, list):
            return [self._asked(call, head, b"") for call in document if isinstance(call, dict)], True
        if not isinstance(document, dict):
            raise TypeError("neither an object nor a list")
        return [self._asked(document, head, body)], False

    def _asked(self, call: dict[str, Any], head: bytes, body: bytes) -> Asked:
        identity = call.get("id")
        key, source = 0, int(KeySource.NONE)
        if type(identity) is int and belongs(identity, self._base):
            key, source = identity, KeySource.ID
        elif identity != PROBE_ID:
            key, source = self._search(head, body or orjson.dumps(call.get("params")))
        return Asked(key, source, identity, str(call.get("method", "")), call.get("params"))

    def _search(self, head: bytes, text: bytes) -> tuple[int, int]:
        """A key in the `traceparent` header, else in the parameters."""
        at = head.find(self._trace)
        if at >= 0:
            start = at + len(self._trace)
            digits = head[start : start + 14]
            if re.fullmatch(rb"[0-9a-f]{14}", digits) and belongs(int(digits, 16), self._base):
                return int(digits, 16), KeySource.HEADER
        for match in self._param.finditer(text):
            key = int(match[1], 16) if match[1] else int(match[2])
            if belongs(key, self._base):
                return key, KeySource.PARAM
        return 0, KeySource.NONE

    def latency_ns(self, asked: list[Asked]) -> int:
        """The longest extra latency of the methods asked for."""
        if not self._methods:
            return 0
        return max((self._methods.get(call.method, {}).get("latency_ns", 0) for call in asked), default=0)

    def answer(self, asked: Asked, injected: dict[str, Any] | None) -> Answered:
        """The answer to one call, made now; `injected` is the error that a fault puts in its place."""
        base = {"jsonrpc": "2.0", "id": asked.id}
        own = self._methods.get(asked.method, {}) if self._methods else {}
        error = injected or own.get("error")
        if error:
            return Answered({**base, "error": error}, NO_HEIGHT, int(error.get("code", 0)), executed=False)
        height = self._chain.height(time.monotonic_ns())
        if "result" in own:
            return Answered({**base, "result": own["result"]}, NO_HEIGHT, 0, executed=True)
        if not asked.method:
            refused = {"code": _INVALID_REQUEST, "message": "no method"}
            return Answered({**base, "error": refused}, NO_HEIGHT, _INVALID_REQUEST, executed=False)
        try:
            result = result_of(self._chain, asked.method, asked.params, height)
        except MethodError as wrong:
            told = {"code": wrong.code, "message": wrong.message}
            return Answered({**base, "error": told}, NO_HEIGHT, wrong.code, executed=False)
        return Answered({**base, "result": result}, height, 0, executed=True)


def parse_error() -> dict[str, Any]:
    """The answer to a body that is no JSON."""
    return {"jsonrpc": "2.0", "id": None, "error": {"code": _PARSE_ERROR, "message": "parse error"}}

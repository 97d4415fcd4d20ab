"""JSON-RPC as a mock provider speaks it: bodies to answers, and the key of each call."""

import re
from dataclasses import dataclass
from time import monotonic_ns
from typing import Any

import orjson

from battle.core.codes import NO_HEIGHT, KeySource
from battle.core.keys import ADDRESS_PREFIX, COUNTER_BITS, PROBE_ID, TRACE_PREFIX
from battle.providers.chain import Chain
from battle.providers.methods import MethodError, result_of

_PARSE_ERROR = -32700
_INVALID_REQUEST = -32600
_WRONG = {_PARSE_ERROR: "parse error", _INVALID_REQUEST: "invalid request"}
_KEY_DIGITS = 16
_BY_ID = int(KeySource.ID)
_GREETING = {"mock": "battle", "say": "POST JSON-RPC here"}


@dataclass(slots=True)
class Asked:
    """One call of a body: its key (0: none of this run), where the key was found, its id, method and parameters.

    `wrong` is the JSON-RPC error code that a body deserves which is no call, else 0. `plain` is a request without a
    body; its method is verb and path.
    """

    key: int
    source: int
    id: Any
    method: str
    params: Any
    wrong: int = 0
    plain: bool = False


@dataclass(slots=True)
class Answered:
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
        self._latencies: dict[str, int] = {name: own.get("latency_ns", 0) for name, own in methods.items()}
        self.slows = any(self._latencies.values())
        """Whether any method has a latency of its own."""
        self._run = key_base >> COUNTER_BITS
        self._trace = f"00-{TRACE_PREFIX}".encode()
        self._param = re.compile(rf"{ADDRESS_PREFIX}([0-9a-f]{{14}})|\b(\d{{16}})\b".encode())

    def read(self, head: bytes, body: bytes) -> tuple[list[Asked], bool]:
        """What a message asks, at least one call, and whether it was a batch. `head` is the message as it came."""
        if not body:
            verb, _, rest = head.lstrip(b"\r\n").partition(b"\r\n")[0].decode("latin-1").partition(" ")
            key, source = self._search(head, head)
            return [Asked(key, source, None, f"{verb} {rest.partition(' ')[0]}", None, plain=True)], False
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            return [Asked(*self._search(head, body), None, "", None, _PARSE_ERROR)], False
        if type(document) is dict:
            return [self._asked(document, head, body)], False
        if type(document) is list and document:
            shared = head if len(document) == 1 else b""  # a header has one key, and cannot say for which call
            return [self._asked(call, shared, b"") for call in document], True
        return [Asked(*self._search(head, body), None, "", None, _INVALID_REQUEST)], False

    def _asked(self, call: Any, head: bytes, body: bytes) -> Asked:
        if type(call) is not dict:
            return Asked(0, 0, None, "", None, _INVALID_REQUEST)
        get = call.get
        identity, method, params = get("id"), get("method"), get("params")
        if type(identity) is int and identity >> COUNTER_BITS == self._run:
            key, source = identity, _BY_ID
        elif identity == PROBE_ID:
            key, source = 0, 0
        elif type(identity) in {str, float} and self._is_key(digits := str(identity).removesuffix(".0")):
            key, source = int(digits), _BY_ID  # some proxies make strings or floats of ids
        else:
            key, source = self._search(head, body or orjson.dumps(params))
        if type(method) is not str or not method:
            return Asked(key, source, identity, "", None, _INVALID_REQUEST)
        return Asked(key, source, identity, method, params)

    def _is_key(self, digits: str) -> bool:
        return len(digits) == _KEY_DIGITS and digits.isdecimal() and int(digits) >> COUNTER_BITS == self._run

    def _search(self, head: bytes, text: bytes) -> tuple[int, int]:
        """A key in the `traceparent` header, else in the text."""
        at = head.find(self._trace)
        if at >= 0:
            start = at + len(self._trace)
            digits = head[start : start + 14]
            if re.fullmatch(rb"[0-9a-f]{14}", digits) and int(digits, 16) >> COUNTER_BITS == self._run:
                return int(digits, 16), KeySource.HEADER
        for match in self._param.finditer(text):
            key = int(match[1], 16) if match[1] else int(match[2])
            if key >> COUNTER_BITS == self._run:
                return key, KeySource.PARAM
        return 0, KeySource.NONE

    def latency_ns(self, asked: list[Asked]) -> int:
        """The longest extra latency of the methods asked for."""
        if not self.slows:
            return 0
        return max(self._latencies.get(call.method, 0) for call in asked)

    def answer(self, asked: Asked, injected: dict[str, Any] | None) -> Answered:
        """The answer to one call, made now; `injected` is the error that a fault puts in its place."""
        if asked.plain:
            return Answered(_GREETING, NO_HEIGHT, 0, executed=True)
        own = self._methods.get(asked.method) if self._methods else None
        error = injected or (own and own.get("error"))
        if not error:
            try:
                result, height = self._result(asked, own)
            except MethodError as wrong:
                error = {"code": wrong.code, "message": wrong.message}
            else:
                return Answered({"jsonrpc": "2.0", "id": asked.id, "result": result}, height, 0, executed=True)
        code = error.get("code")
        reply = {"jsonrpc": "2.0", "id": asked.id, "error": error}
        return Answered(reply, NO_HEIGHT, code if type(code) is int else 0, executed=False)

    def _result(self, asked: Asked, own: dict[str, Any] | None) -> tuple[Any, int]:
        if asked.wrong:
            raise MethodError(asked.wrong, _WRONG[asked.wrong])
        if own and "result" in own:
            return own["result"], NO_HEIGHT
        height = self._chain.height(monotonic_ns())
        return result_of(self._chain, asked.method, asked.params, height), height
